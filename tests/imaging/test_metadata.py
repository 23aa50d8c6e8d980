from datetime import date

import pyarrow as pa
import pytest

from trilake.imaging.metadata import ImageSet, instance_rows, series_rows
from trilake.imaging.tables import INSTANCE, SERIES
from trilake.imaging.values import day, integer, numbers

SET = ImageSet("store", "set", 2, True)
METADATA = {
    "Patient": {"DICOM": {"PatientID": "MRN1", "PatientSex": "F"}},
    "Study": {
        "DICOM": {"StudyInstanceUID": "1.2", "StudyDate": "20200229", "StudyDescription": "Head"},
        "Series": {
            "1.2.3": {
                "DICOM": {"Modality": "MR", "Manufacturer": "Maker"},
                "Instances": {
                    "1.2.3.4": {
                        "DICOM": {
                            "InstanceNumber": "7",
                            "Rows": 64,
                            "Columns": 32,
                            "PixelSpacing": [2.5, 2],
                            "ImagePositionPatient": ["1", "-2", "3.5"],
                            "MagneticFieldStrength": "1.5",
                        },
                        "ImageFrames": [{"ID": "f1"}, {"ID": "f2"}],
                    },
                    "1.2.3.5": {"DICOM": {}, "ImageFrames": []},
                },
            }
        },
    },
}


def test_a_series_becomes_one_row_with_its_study_and_scanner():
    (row,) = series_rows(METADATA, SET)
    assert pa.Table.from_pylist([row], schema=SERIES).num_rows == 1
    assert (row["study_date"], row["dicom_patient_id"], row["field_strength"]) == (date(2020, 2, 29), "MRN1", 1.5)
    assert (row["n_instances"], row["row_spacing"], row["column_spacing"], row["n_rows"]) == (2, 2.5, 2.0, 64)


def test_an_instance_becomes_one_row_with_place_and_frames():
    first, second = instance_rows(METADATA, SET)
    assert pa.Table.from_pylist([first, second], schema=INSTANCE).num_rows == 2
    assert (first["position_x"], first["position_y"], first["position_z"]) == (1.0, -2.0, 3.5)
    assert (first["frame_ids"], first["n_frames"], first["instance_number"]) == (["f1", "f2"], 2, 7)
    assert (second["frame_ids"], second["n_frames"], second["position_x"]) == (None, 0, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("20200229", date(2020, 2, 29)),
        ("2020.02.29", date(2020, 2, 29)),
        ("20200230", None),
        ("2020022", None),
        ("", None),
        (None, None),
    ],
)
def test_dates_that_are_no_day_are_missing(text, expected):
    assert day(text) == expected


@pytest.mark.parametrize(("value", "expected"), [("1\\2", [1.0, 2.0]), ([1, "x"], []), ("", []), (None, [])])
def test_several_numbers_come_whole_or_not_at_all(value, expected):
    assert numbers(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7", 7),
        ("7.0", 7),
        ("inf", None),
        ("nan", None),
        (10**400, None),
        ("99999999999", None),
        ([1, 2], None),
        (None, None),
    ],
)
def test_whole_numbers_are_those_that_fit_or_missing(value, expected):
    assert integer(value) == expected
