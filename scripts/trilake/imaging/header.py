"""One DICOM file held against what an import needs: its UIDs, its parts, its length.

Pure but for reading the file; pixels are not read. Source: DICOM PS3.3 (C.7.1 to C.7.3, C.12.1) and PS3.10.

Example: header, reasons = read_header(Path("1.dcm"))
"""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import UID

from trilake.core.ledger import Reason

UID_FORM = re.compile(r"[0-9]+(\.[0-9]+)*")
LONGEST_UID = 64
UIDS = (
    ("StudyInstanceUID", "(0020,000D)"),
    ("SeriesInstanceUID", "(0020,000E)"),
    ("SOPInstanceUID", "(0008,0018)"),
)


@dataclass(frozen=True)
class DicomHeader:
    """What an import goes by."""

    study_uid: str
    series_uid: str
    sop_uid: str


def read_header(path: Path) -> tuple[DicomHeader | None, list[Reason]]:
    """The header, and why the file cannot be loaded (or, `is_warning`, what is odd about it)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True)
            return judge(dataset, path)
    except Exception as error:  # pydicom raises nearly anything on damaged input; each of it is a reason, none a crash.
        return None, [unreadable(type(error).__name__)]


def unreadable(found: str) -> Reason:
    return Reason("DICOM_UNREADABLE", expected="a DICOM data set that can be parsed to its pixels", found=found)


def judge(dataset: FileDataset, path: Path) -> tuple[DicomHeader | None, list[Reason]]:
    if len(dataset) == 0:
        return None, [unreadable("no data elements")]
    reasons = uid_faults(dataset)
    expected = pixel_bytes(dataset)
    if expected and path.stat().st_size < expected:
        words = f"at least {expected:,} bytes for its rows, columns and frames"
        reasons.append(Reason("DICOM_TRUNCATED", expected=words, found=f"{path.stat().st_size:,} bytes"))
    if reasons:
        return None, reasons
    header = DicomHeader(str(dataset.StudyInstanceUID), str(dataset.SeriesInstanceUID), str(dataset.SOPInstanceUID))
    return header, patient_warnings(dataset)


def uid_faults(dataset: Dataset) -> list[Reason]:
    reasons = []
    for keyword, tag in UIDS:
        value = str(dataset.get(keyword) or "")
        if not value:
            reasons.append(Reason("DICOM_UID_MISSING", expected=keyword, path=tag))
        elif not UID_FORM.fullmatch(value) or len(value) > LONGEST_UID:
            expected = "digits and dots, 64 characters at most"
            reasons.append(Reason("DICOM_UID_FORM", expected=expected, found=value, path=tag))
    return reasons


def patient_warnings(dataset: Dataset) -> list[Reason]:
    if str(dataset.get("PatientID") or ""):
        return []
    expected = "a PatientID; the study links by its UID alone"
    return [Reason("DICOM_PATIENT_MISSING", expected=expected, path="(0010,0020)", is_warning=True)]


def pixel_bytes(dataset: FileDataset) -> int:
    """Bytes that uncompressed pixel data must have; 0 where it is compressed, absent or of unknown size."""
    syntax = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    is_native = syntax is None or (UID(syntax).is_transfer_syntax and not UID(syntax).is_compressed)
    if not is_native or "Rows" not in dataset or "Columns" not in dataset:
        return 0
    bits = int(dataset.get("BitsAllocated") or 0)
    samples, frames = int(dataset.get("SamplesPerPixel") or 1), int(dataset.get("NumberOfFrames") or 1)
    return int(dataset.Rows) * int(dataset.Columns) * samples * frames * bits // 8
