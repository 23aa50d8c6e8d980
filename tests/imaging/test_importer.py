"""DICOM files through the importer, HealthImaging and the real Glue jobs: counts that add up, rows there once."""

import json
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import MRImageStorage

from tests.imaging.conftest import a_dicom
from tests.stores import Loads, built_lake, lake, rows_of, stores
from trilake.core.quarantine import fetch_item
from trilake.core.session import Session
from trilake.imaging.importer import Importer

__all__ = ["built_lake", "lake", "stores"]
PYDICOM_FILES = Path(pydicom.__file__).parent / "data/test_files"
# Fewer than twice `radiomics_job.FEWEST_EACH`: no processes are started, whose imports cost more than the measuring.
COMPRESSED = (
    "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "JPEG2000.dcm", "JPGExtended.dcm",
    "SC_rgb_rle.dcm", "SC_rgb_jpeg_gdcm.dcm",
)  # fmt: skip
LOSSLESS_WITH_GEOMETRY = ("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm")
GEOMETRY = {"ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [2, 2], "SliceThickness": 4}


@pytest.fixture
def load(stores: Session, tmp_path: Path) -> Loads:
    return Loads(stores, tmp_path, Importer())


class Slices:
    """DICOM contents of one study."""

    def __init__(self, folder: Path, study: str, **changes: object) -> None:
        self.folder, self.study, self.changes = folder, study, changes

    def __call__(self, series: int, number: int, **changes: object) -> bytes:
        """One bright square on dark ground, brighter from slice to slice."""
        picture = np.zeros((8, 8), dtype=np.uint16)
        picture[2:6, 2:6] = 100 + number
        values = {
            "StudyInstanceUID": self.study,
            "SeriesInstanceUID": f"{self.study}.{series}",
            "SOPInstanceUID": f"{self.study}.{series}.{number}",
            "ImagePositionPatient": [0, 0, 4 * number],
            "InstanceNumber": number,
            "PixelData": picture.tobytes(),
            **GEOMETRY,
        }
        return a_dicom(self.folder / "slice", **(values | self.changes | changes)).read_bytes()


def counts(outcome) -> tuple[str, int, int, int, int]:
    return outcome.status, outcome.records_in, outcome.loaded, outcome.duplicate, outcome.quarantined


LOADED, REFUSED, DUPLICATE = ("loaded", 1, 1, 0, 0), ("refused", 1, 0, 0, 1), ("duplicate", 1, 0, 1, 0)


def codes(outcome) -> list[str]:
    return [reason.code for reason in outcome.reasons]


def test_files_of_any_quality_are_all_accounted_for(load: Loads, stores: Session, tmp_path: Path) -> None:
    slices = Slices(tmp_path, "1.2.1", PatientID="MRN1")
    directory = (PYDICOM_FILES / "dicomdirtests/DICOMDIR").read_bytes()
    contents = {
        **{f"1/{number}": slices(1, number) for number in (1, 2, 3)},
        **{f"2/{number}": slices(2, number) for number in (1, 2)},
        "again": slices(1, 1),
        "conflict": slices(1, 1, SeriesDescription="other content"),
        "no patient": Slices(tmp_path, "1.2.2")(1, 1, PatientID=""),
        "cut": slices(1, 9)[:-30],
        "no study": slices(1, 8, StudyInstanceUID=""),
        "DICOMDIR": directory,
        "no pixels": (PYDICOM_FILES / "reportsi.dcm").read_bytes(),
        "no part 10": (PYDICOM_FILES / "ExplVR_LitEndNoMeta.dcm").read_bytes(),
        "deflated": (PYDICOM_FILES / "image_dfl.dcm").read_bytes(),
    }
    outcomes = load(contents)
    assert {name: counts(outcome) for name, outcome in outcomes.items()} == {
        **dict.fromkeys(
            ("1/1", "1/2", "1/3", "2/1", "2/2", "no patient", "no pixels", "no part 10", "deflated"), LOADED
        ),
        **dict.fromkeys(("conflict", "cut", "no study"), REFUSED),
        "again": DUPLICATE,
        "DICOMDIR": ("loaded", 0, 0, 0, 0),
    }
    assert {name: codes(outcomes[name]) for name in ("conflict", "no patient", "cut", "no study", "DICOMDIR")} == {
        "conflict": ["DICOM_CONFLICT"],
        "no patient": ["DICOM_PATIENT_MISSING"],
        "cut": ["DICOM_TRUNCATED"],
        "no study": ["DICOM_UID_MISSING"],
        "DICOMDIR": ["DICOM_DIRECTORY"],
    }
    assert outcomes["DICOMDIR"].reasons[0].found == "a list of 31 files"
    assert "DICOM_META_MADE" in codes(outcomes["no part 10"])
    assert "1/1" in outcomes["conflict"].reasons[0].expected
    for name in ("conflict", "cut"):
        assert fetch_item(stores, outcomes[name].reasons[0].item) == contents[name]
    series = {
        row["series_instance_uid"]: row for row in rows_of(stores, "imaging_store.series", study_instance_uid="1.2.1")
    }
    assert {uid: (row["n_instances"], row["dicom_patient_id"]) for uid, row in series.items()} == {
        "1.2.1.1": (3, "MRN1"), "1.2.1.2": (2, "MRN1"),
    }  # fmt: skip
    instances = rows_of(stores, "imaging_store.instance", series_instance_uid="1.2.1.1")
    assert sorted((row["instance_number"], row["position_z"], row["n_frames"]) for row in instances) == [
        (1, 4.0, 1), (2, 8.0, 1), (3, 12.0, 1),
    ]  # fmt: skip
    without_pixels = rows_of(stores, "imaging_store.instance", n_frames=0)
    assert len(without_pixels) == 2  # "no pixels" and "no part 10".
    for report in without_pixels:
        assert report["frame_ids"] is None
        assert rows_of(stores, "imaging_store.radiomics", series_instance_uid=report["series_instance_uid"]) == []


def test_features_are_those_of_the_picture_or_a_warning_says_why_not(
    load: Loads, stores: Session, tmp_path: Path
) -> None:
    squares, flat = Slices(tmp_path, "1.2.3"), Slices(tmp_path, "1.2.4")
    grey = {"PixelData": np.full((8, 8), 7, dtype=np.uint16).tobytes()}
    contents = {str(number): squares(1, number) for number in (1, 2, 3)}
    contents |= {"flat 1": flat(1, 1, **grey), "flat 2": flat(1, 2, **grey), "beside": flat(2, 1)}
    contents["scout"] = squares(1, 9, ImageOrientationPatient=[0, 1, 0, 0, 0, -1])
    contents["cut before pixels"] = squares(2, 1, leave_out=("PixelData",))
    outcomes = load(contents)
    assert [counts(outcome) for outcome in outcomes.values()] == [LOADED] * 8
    features = {row["feature"]: row for row in rows_of(stores, "imaging_store.radiomics", study_instance_uid="1.2.3")}
    # Three squares of 4 by 4 pixels of 2 by 2 mm, 4 mm apart, of brightness 101, 102, 103.
    assert features["foreground_volume"]["value"] == pytest.approx(3 * 16 * 2 * 2 * 4 / 1000)
    assert (features["foreground_mean"]["value"], features["foreground_median"]["value"]) == (102.0, 102.0)
    assert features["dark_interior_volume"]["value"] == 0.0
    assert {row["mask_source"] for row in features.values()} == {"foreground_otsu"}
    assert {row["series_instance_uid"] for row in features.values()} == {"1.2.3.1"}
    (chosen,) = {json.dumps(json.loads(row["settings"])["stack"], sort_keys=True) for row in features.values()}
    assert json.loads(chosen) == {"chosen": "largest", "n_slices": 3, "of": 2}
    reasons = {name: outcome.reasons[0] for name, outcome in outcomes.items() if outcome.reasons}
    assert {(reason.code, reason.is_warning) for reason in reasons.values()} == {("RADIOMICS_FAILED", True)}
    assert {name: reason.found for name, reason in reasons.items()} == {
        "flat 1": "the volume has a single grey value",
        "1": "only the largest of 2 stacks is measured, 3 slices",
        "cut before pixels": "1 of 1 instances describe a picture and have no frames",
    }
    (series,) = rows_of(stores, "imaging_store.series", series_instance_uid="1.2.3.1")
    assert (series["n_stacks"], series["n_slices"], series["is_regular"]) == (2, 3, True)
    assert series["geometry_problem"] is None


def test_a_second_load_and_a_later_slice_leave_one_row_per_instance(
    load: Loads, stores: Session, tmp_path: Path
) -> None:
    slices = Slices(tmp_path, "1.2.5")
    contents = {"a": slices(1, 1), "b": slices(1, 2)}
    for more in ({}, {"c": slices(1, 3)}):
        contents |= more
        assert [counts(outcome) for outcome in load(contents).values()] == [LOADED] * len(contents)
    (series,) = rows_of(stores, "imaging_store.series", study_instance_uid="1.2.5")
    assert series["n_instances"] == 3
    assert len(rows_of(stores, "imaging_store.instance", study_instance_uid="1.2.5")) == 3
    features = [row["feature"] for row in rows_of(stores, "imaging_store.radiomics", study_instance_uid="1.2.5")]
    assert len(features) == len(set(features)) > 0


def under_its_own_uid(name: str, number: int) -> bytes:
    """One of pydicom's files, which show one picture under one UID in several encodings, as an instance of its own."""
    dataset = pydicom.dcmread(PYDICOM_FILES / name)
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.7{number}"
    dataset.SeriesInstanceUID = f"2.25.8{number}"
    with BytesIO() as file:
        dataset.save_as(file)
        return file.getvalue()


def test_pictures_in_any_encoding_load_and_are_measured_where_they_can_be(load: Loads, stores: Session) -> None:
    outcomes = load({name: under_its_own_uid(name, number) for number, name in enumerate(COMPRESSED)})
    assert {name: counts(outcome) for name, outcome in outcomes.items()} == dict.fromkeys(COMPRESSED, LOADED)
    assert {name for name, outcome in outcomes.items() if not codes(outcome)} == set(LOSSLESS_WITH_GEOMETRY)
    features = rows_of(stores, "imaging_store.radiomics", feature="foreground_mean")
    lossless = {f"2.25.8{COMPRESSED.index(name)}" for name in LOSSLESS_WITH_GEOMETRY}
    assert len({row["value"] for row in features if row["series_instance_uid"] in lossless}) == 1


def test_a_preview_says_what_the_files_alone_tell(load: Loads, stores: Session, tmp_path: Path) -> None:
    slices = Slices(tmp_path, "1.2.6", SOPClassUID=MRImageStorage)
    contents = {"a": slices(1, 1), "conflict": slices(1, 1, InstanceNumber=7), "cut": slices(1, 2)[:-30]}
    outcomes = load(contents, preview=True)
    assert {name: counts(outcome) for name, outcome in outcomes.items()} == {
        "a": LOADED, "conflict": REFUSED, "cut": REFUSED,
    }  # fmt: skip
    assert rows_of(stores, "imaging_store.series", study_instance_uid="1.2.6") == []
