from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

STUDY, SERIES, INSTANCE = "2.25.1", "2.25.2", "2.25.3"


def a_dicom(path: Path, *, leave_out: tuple[str, ...] = (), syntax: str = ExplicitVRLittleEndian, **changes) -> Path:
    """One small MR slice on disk; `changes` set elements by keyword, `leave_out` drops them."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = syntax, MRImageStorage
    meta.MediaStorageSOPInstanceUID = changes.get("SOPInstanceUID", INSTANCE)
    dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    values = {
        "SOPClassUID": MRImageStorage,
        "SOPInstanceUID": INSTANCE,
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": SERIES,
        "PatientID": "MRN1",
        "Modality": "MR",
        "Rows": 8,
        "Columns": 8,
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "PixelData": np.arange(64, dtype=np.uint16).tobytes(),
    }
    for keyword, value in (values | changes).items():
        if keyword not in leave_out:
            setattr(dataset, keyword, value)
    dataset.save_as(path, enforce_file_format=True)
    return path
