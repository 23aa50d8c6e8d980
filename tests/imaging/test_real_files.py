"""Real DICOM files of other projects: each of them has the outcome that its content asks for, and none is a crash.

pydicom's own files, those of pydicom-data and nibabel where they are installed, and what lies beside the repository.
"""

import importlib.util
import warnings
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from trilake.core.recognise import Kind, recognise
from trilake.imaging.header import by_several, exact_header, read_header
from trilake.imaging.part10 import start_of_data, with_part10
from trilake.imaging.quick_header import quick_header

SAMPLES = Path(__file__).parents[3] / "shared/samples/dicom"
# What is wrong with a file, by its name; all others are sound, but for UIDs and patients that test files leave out.
EXPECTED = {
    "MR_truncated.dcm": {"DICOM_TRUNCATED"},
    "rtplan_truncated.dcm": {"DICOM_TRUNCATED"},
    "emri_small_jpeg_2k_lossless_too_short.dcm": {"DICOM_TRUNCATED"},
    "badVR.dcm": {"DICOM_VALUE"},
    "bad_sequence.dcm": {"DICOM_UID_FORM"},
    "ExplVR_BigEndNoMeta.dcm": {"DICOM_META_MADE"},
    "ExplVR_LitEndNoMeta.dcm": {"DICOM_META_MADE"},
    "OT-PAL-8-face.dcm": {"DICOM_META_MADE"},
    "rtstruct.dcm": {"DICOM_META_MADE"},
}
LEFT_OUT = {"DICOM_UID_MISSING", "DICOM_PATIENT_MISSING"}


def folders() -> list[Path]:
    folders = [Path(pydicom.__file__).parent / "data", SAMPLES]
    for name in ("data_store", "nibabel"):
        package = importlib.util.find_spec(name)
        folders += [Path(package.origin).parent] if package is not None and package.origin else []
    return [folder for folder in folders if folder.is_dir()]


@pytest.fixture(scope="module")
def files() -> list[Path]:
    paths = (path for folder in folders() for path in sorted(folder.rglob("*")) if path.is_file())
    return [path for path in paths if recognise(path).kind is Kind.DICOM]


def test_each_file_has_the_reasons_that_its_content_asks_for(files: list[Path]) -> None:
    assert len(files) > 150
    for path in files:
        header, reasons = read_header(path)
        codes = {reason.code for reason in reasons}
        assert codes - LEFT_OUT == EXPECTED.get(path.name, set()), path
        assert (header is None) == any(not reason.is_warning for reason in reasons), path
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = None if path.suffix == ".gz" else pydicom.dcmread(path, force=True, stop_before_pixels=True)
        if header is not None and dataset is not None:
            assert (header.sop_uid, header.patient_id) == (dataset.SOPInstanceUID, str(dataset.get("PatientID") or ""))


def test_the_quick_reader_says_of_a_file_what_the_exact_one_says_or_nothing(files: list[Path]) -> None:
    quick = {path: quick_header(path) for path in files}
    for path, header in quick.items():
        assert header is None or exact_header(path) == (header, []), path
    assert sum(header is not None for header in quick.values()) > len(files) * 0.6


def test_several_processes_say_what_one_says(files: list[Path]) -> None:
    assert list(by_several(files, 2)) == [read_header(path) for path in files]


def test_a_part_10_header_changes_nothing_of_what_lies_behind_it(files: list[Path], tmp_path: Path) -> None:
    bare = [path for path in files if EXPECTED.get(path.name) == {"DICOM_META_MADE"}]
    assert len(bare) >= 3
    for path in bare:
        made = with_part10(path, tmp_path / path.name)
        header, reasons = read_header(made)
        assert header is not None and header.is_part10, path
        assert {reason.code for reason in reasons} <= {"DICOM_PATIENT_MISSING"}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert pydicom.dcmread(path, force=True) == pydicom.dcmread(made), path
        content = path.read_bytes()
        assert made.read_bytes().endswith(content[start_of_data(content) :]), path


@pytest.fixture(scope="module")
def contents(files: list[Path]) -> list[bytes]:
    """Small files in many encodings."""
    return [path.read_bytes() for path in files if path.stat().st_size < 20_000]


@given(st.data())
@example_settings(max_examples=150)
def test_damaged_bytes_are_a_reason_and_never_a_crash(contents: list[bytes], folder: Path, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(range(len(contents))).map(contents.__getitem__)))
    place = st.integers(0, min(len(content), 4_000) - 1)
    how = data.draw(st.sampled_from(["cut", "bytes", "left out", "put in"]))
    if how == "cut":
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    elif how == "bytes":
        for at, value in data.draw(st.dictionaries(place, st.integers(0, 255), min_size=1, max_size=5)).items():
            content[at] = value
    else:
        at, size = data.draw(place), data.draw(st.integers(1, 20))
        content[at : at + (size if how == "left out" else 0)] = b"" if how == "left out" else b"\x10" * size
    path = folder / "damaged"
    path.write_bytes(content)
    header, reasons = read_header(path)
    assert (header is None) == any(not reason.is_warning for reason in reasons)
    quick = quick_header(path)
    assert quick is None or exact_header(path) == (quick, [])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged")
