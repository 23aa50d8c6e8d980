"""One DICOM file held against what an import needs: its UIDs, its parts, its length.

Pure but for reading the file; pixels are not read. Source: DICOM PS3.3 (C.7.1 to C.7.3, C.12.1) and PS3.10.

Example: header, reasons = read_header(Path("1.dcm"))
"""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pydicom
from pydicom.dataset import Dataset

from trilake.core.ledger import Reason, shape

UID_FORM = re.compile(r"[0-9]+(\.[0-9]+)*")
LONGEST_UID = 64
PIXELS = "(7FE0,0010)"
UNDEFINED_LENGTH = 0xFFFFFFFF
GZIP = b"\x1f\x8b"
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
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if file.read(2) == GZIP:
                return None, [unreadable("a gzip file; unpack it first")]
            file.seek(0)
            dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True)
            return judge(dataset, missing_bytes(file))
    except Exception as error:  # pydicom raises nearly anything on damaged input; each of it is a reason, none a crash.
        return None, [unreadable(type(error).__name__)]


def unreadable(found: str) -> Reason:
    return Reason("DICOM_UNREADABLE", expected="a DICOM data set that can be parsed to its pixels", found=found)


def judge(dataset: Dataset, n_missing: int) -> tuple[DicomHeader | None, list[Reason]]:
    if len(dataset) == 0:
        return None, [unreadable("no data elements")]
    reasons = uid_faults(dataset)
    if n_missing:
        expected = "a file as long as its pixel data says"
        reasons.append(Reason("DICOM_TRUNCATED", expected=expected, found=f"{n_missing:,} bytes short", path=PIXELS))
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
            reasons.append(Reason("DICOM_UID_FORM", expected=expected, found=shape(value), path=tag))
    return reasons


def patient_warnings(dataset: Dataset) -> list[Reason]:
    if str(dataset.get("PatientID") or ""):
        return []
    expected = "a PatientID; the study links by its UID alone"
    return [Reason("DICOM_PATIENT_MISSING", expected=expected, path="(0010,0020)", is_warning=True)]


def missing_bytes(file: BinaryIO) -> int:
    """How many bytes of the pixel element that comes next are not there; 0 where its length is not declared.

    The reader stops before (7FE0,0010). Its length stands in bytes 8 to 12 with an explicit VR (OB, OW), else in
    bytes 4 to 8; FFFFFFFF is "undefined" (encapsulated frames). A deflated data set shows nothing here.
    """
    start = file.read(12)
    for order, tag in (("little", b"\xe0\x7f\x10\x00"), ("big", b"\x7f\xe0\x00\x10")):
        if start.startswith(tag) and len(start) == 12:
            is_explicit = start[4:6] in (b"OB", b"OW")
            declared = int.from_bytes(start[8:12] if is_explicit else start[4:8], order)  # type: ignore[arg-type]
            here = file.tell() if is_explicit else file.tell() - 4
            left = file.seek(0, 2) - here
            return 0 if declared == UNDEFINED_LENGTH else max(0, declared - left)
    return 0
