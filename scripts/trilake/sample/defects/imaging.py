"""Imaging defects: DICOM files that are cut, lack or contradict what an import goes by, or are none.

Reads the sample's first slice; writes <sample>/dicom/defects. Make target: sample.
Example: write(Path("data"), Injected())
"""

from io import BytesIO
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage, RLELossless

from trilake.sample.defects.defect import Defect, Injected

STUDY = "2.25.77001"
DELIMITER_BYTES = 8
# What is changed in the slice (None leaves an element out), what must become of the file, and for which reason.
CHANGED: dict[str, tuple[dict[str, Any], str]] = {
    "no_study": ({"StudyInstanceUID": None}, "DICOM_UID_MISSING"),
    "no_series": ({"SeriesInstanceUID": None}, "DICOM_UID_MISSING"),
    "no_instance": ({"SOPInstanceUID": None}, "DICOM_UID_MISSING"),
    "uid_of_letters": ({"StudyInstanceUID": "study-of-july"}, "DICOM_UID_FORM"),
    "no_rows": ({"Rows": None}, "DICOM_VALUE"),
    "short_pixels": ({"PixelData": b"\0" * 16}, "DICOM_PIXELS_SHORT"),
    "other_content": ({"ImageComments": "The same instance, changed"}, "DICOM_CONFLICT"),
    "patient_1_of_2": (
        {"StudyInstanceUID": STUDY, "SOPInstanceUID": f"{STUDY}.1", "PatientID": "ONE"},
        "DICOM_TWO_PATIENTS",
    ),
    "patient_2_of_2": (
        {"StudyInstanceUID": STUDY, "SOPInstanceUID": f"{STUDY}.2", "PatientID": "TWO"},
        "DICOM_TWO_PATIENTS",
    ),
}


def write(sample: Path, injected: Injected) -> None:
    """Write the files; none of them adds an instance to the store. A sample without slices gets none."""
    paths = sorted((sample / "dicom").rglob("*.dcm"))
    plain = next((path for path in paths if is_plain(path)), None)
    if plain is None:
        return
    slice_bytes = plain.read_bytes()
    contents = {name: (changed(plain, changes), "quarantined", code) for name, (changes, code) in CHANGED.items()}
    contents |= {
        "cut_in_pixels": (slice_bytes[:-100], "quarantined", "DICOM_TRUNCATED"),
        "no_delimiter": (without_delimiter(plain), "quarantined", "DICOM_TRUNCATED"),
        "prefix_alone": (b"\0" * 128 + b"DICM", "quarantined", "DICOM_UNREADABLE"),
        "again": (slice_bytes, "duplicate", ""),
        "DICOMDIR": (directory(), "loaded_with_warning", "DICOM_DIRECTORY"),
    }
    folder = sample / "dicom/defects"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (content, expected, code) in contents.items():
        path = folder / name  # No suffix: what a file is, its content says.
        path.write_bytes(content)
        injected.files.append(path)
        injected.defects.append(Defect(f"dicom/defects/{name}", None, name, expected, code))


def is_plain(path: Path) -> bool:
    """One slice in uncompressed pixels."""
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    return dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian and "NumberOfFrames" not in dataset


def changed(path: Path, changes: dict[str, Any]) -> bytes:
    dataset = pydicom.dcmread(path)
    for keyword, value in changes.items():
        if value is None:
            del dataset[keyword]
        elif keyword.endswith("UID"):
            dataset.add(pydicom.DataElement(keyword, "UI", value, validation_mode=pydicom.config.IGNORE))
        else:
            setattr(dataset, keyword, value)
    return saved(dataset)


def without_delimiter(path: Path) -> bytes:
    """The slice as one RLE fragment, and then the end of the file instead of the sequence delimiter."""
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([bytes(64)])
    dataset.file_meta.TransferSyntaxUID = RLELossless
    return saved(dataset)[:-DELIMITER_BYTES]


def directory() -> bytes:
    """A DICOMDIR without records."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("2.25.77002")
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.FileSetID = "TRILAKE"
    return saved(dataset)


def saved(dataset: Dataset) -> bytes:
    with BytesIO() as file:
        dataset.save_as(file, enforce_file_format=True)
        return file.getvalue()
