import gzip
from pathlib import Path

import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, RLELossless

from tests.imaging.conftest import INSTANCE, SERIES, STUDY, a_dicom
from trilake.core.recognise import Kind, recognise
from trilake.imaging import header
from trilake.imaging.header import read_header
from trilake.imaging.quick_header import DicomHeader, quick_header

PYDICOM_FILES = Path(pydicom.__file__).parent / "data/test_files"


def refusal(path: Path) -> tuple[str, str]:
    header, reasons = read_header(path)
    assert header is None
    return reasons[0].code, reasons[0].path


def test_a_sound_file_gives_its_uids_and_no_remark(tmp_path):
    assert read_header(a_dicom(tmp_path / "a")) == (DicomHeader(STUDY, SERIES, INSTANCE, "MRN1"), [])


@pytest.mark.parametrize(
    ("keyword", "tag"),
    [("StudyInstanceUID", "(0020,000D)"), ("SeriesInstanceUID", "(0020,000E)"), ("SOPInstanceUID", "(0008,0018)")],
)
def test_a_missing_uid_is_refused_with_its_tag(tmp_path, keyword, tag):
    assert refusal(a_dicom(tmp_path / "a", leave_out=(keyword,))) == ("DICOM_UID_MISSING", tag)


def test_a_uid_with_letters_is_refused(tmp_path):
    with pytest.warns(UserWarning, match="UI"):
        path = a_dicom(tmp_path / "a", StudyInstanceUID="study-1")
    assert refusal(path) == ("DICOM_UID_FORM", "(0020,000D)")


def test_a_file_cut_in_its_pixels_is_refused(tmp_path):
    path = a_dicom(tmp_path / "a")
    path.write_bytes(path.read_bytes()[:-20])
    assert refusal(path) == ("DICOM_TRUNCATED", "(7FE0,0010)")


def test_a_file_cut_before_its_last_uid_is_refused_and_none_is_a_crash(tmp_path):
    whole = a_dicom(tmp_path / "a").read_bytes()
    for length in range(132, len(whole), 37):
        (tmp_path / "cut").write_bytes(whole[:length])
        header, reasons = read_header(tmp_path / "cut")
        assert header is not None or reasons
        if length <= whole.index(SERIES.encode()):
            assert header is None


def test_a_missing_patient_id_is_a_remark(tmp_path):
    header, reasons = read_header(a_dicom(tmp_path / "a", leave_out=("PatientID",)))
    assert header is not None
    assert [(reason.code, reason.is_warning) for reason in reasons] == [("DICOM_PATIENT_MISSING", True)]


def test_what_pydicom_ships_never_crashes_and_mostly_loads():
    paths = [path for path in PYDICOM_FILES.rglob("*.dcm") if recognise(path).kind is Kind.DICOM]
    judged = [read_header(path) for path in paths]
    assert all(header is not None or reasons for header, reasons in judged)
    assert sum(header is not None for header, _ in judged) > len(paths) * 0.8


def test_a_packed_file_is_judged_by_what_is_in_it_and_not_unpacked_without_end(tmp_path, monkeypatch):
    content = a_dicom(tmp_path / "a").read_bytes()
    packed = tmp_path / "a.gz"
    packed.write_bytes(gzip.compress(content))
    assert read_header(packed) == (DicomHeader(STUDY, SERIES, INSTANCE, "MRN1", unpacked_bytes=len(content)), [])
    packed.write_bytes(gzip.compress(content)[:-9])
    assert refusal(packed) == ("DICOM_UNREADABLE", "")
    packed.write_bytes(gzip.compress(content + bytes(3 << 20)))
    monkeypatch.setattr(header, "LARGEST_UNPACKED", 1 << 20)
    assert refusal(packed) == ("DICOM_TOO_LARGE", "")


def test_a_representation_that_dicom_does_not_have_is_named_with_its_tag(tmp_path):
    path = a_dicom(tmp_path / "a", syntax=ExplicitVRLittleEndian)
    content = path.read_bytes()
    start = content.index(b"\x10\x00\x20\x00LO")
    path.write_bytes(content[:start] + b"\x0d\x00\x01\x10ZZ\0\0\x04\0\0\0abcd" + content[start:])
    assert [reason.found for reason in read_header(path)[1]] == ["Unknown Value Representation 'ZZ' in tag (000D,1001)"]


FRAMES = {"NumberOfFrames": 2, "PixelData": encapsulate([b"one", b"two"])}


@pytest.mark.parametrize(
    ("changes", "cut", "expected"),
    [
        (FRAMES, 0, None),
        (FRAMES, 8, ("DICOM_TRUNCATED", "(7FE0,0010)")),
        (FRAMES, 10, ("DICOM_TRUNCATED", "(7FE0,0010)")),
        (FRAMES | {"NumberOfFrames": 3}, 0, ("DICOM_PIXELS_SHORT", "(7FE0,0010)")),
        ({"PixelData": bytes(64)}, 0, ("DICOM_PIXELS_SHORT", "(7FE0,0010)")),
        ({"DataSetTrailingPadding": bytes(40)}, 0, None),
        ({"DataSetTrailingPadding": bytes(40)}, 3, ("DICOM_TRUNCATED", "(FFFC,FFFC)")),
        ({"DataSetTrailingPadding": bytes(40)}, 45, ("DICOM_TRUNCATED", "(7FE0,0010)")),
    ],
)
def test_a_file_is_whole_to_its_end_or_refused_where_it_is_not(tmp_path, changes, cut, expected):
    syntax = RLELossless if "NumberOfFrames" in changes else ExplicitVRLittleEndian
    path = a_dicom(tmp_path / "a", syntax=syntax, **changes)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - cut])
    if expected is None:
        assert read_header(path)[1] == []
    else:
        assert refusal(path) == expected
    quick = quick_header(path)
    assert (quick is not None) == (expected is None)
