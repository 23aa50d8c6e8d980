"""Part 10 files (PS3.10, chapter 7): their transfer syntaxes, where their data set starts, and a header for a bare one.

HealthImaging imports part 10 files alone. A data set without preamble and meta information gets them in front; its own
bytes stay as they are. Its transfer syntax is the one that it names, else the one that its bytes are written in.

Example: with_part10(Path("bare"), Path("staged.dcm"))
"""

import shutil
import warnings
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from trilake.imaging.elements import LITTLE_EXPLICIT, UNDEFINED, MoreNeeded, Unusual, elements

ROOT = "1.2.840.10008.1.2"
IMPLICIT_LITTLE = ROOT
EXPLICIT_LITTLE = f"{ROOT}.1"
DEFLATED = f"{ROOT}.1.99"
EXPLICIT_BIG = f"{ROOT}.2"
RLE = f"{ROOT}.5"
JPEG = ("50", "51", "57", "70", "80", "81", "90", "91", "92", "93", "201", "202", "203")
VIDEOS = tuple(str(number) for number in range(100, 109))
FRAGMENTABLE = tuple(f"{number}.1" for number in range(100, 107))
ENCAPSULATED = frozenset({RLE, *(f"{ROOT}.4.{number}" for number in (*JPEG, *VIDEOS, *FRAGMENTABLE))})
# HealthImaging developer guide, "Supported transfer syntaxes" (2026). Any other is imported too, with warning 0xB120,
# and its pixels are kept as one blob that GetImageFrame does not give out.
SUPPORTED = ENCAPSULATED | {IMPLICIT_LITTLE, EXPLICIT_LITTLE, DEFLATED, EXPLICIT_BIG}

PREAMBLE, META, META_GROUP = 132, 2, b"\2\0"
SYNTAX = 0x00020010
IMPLEMENTATION = "2.25.291786127309617862109312746893117062301"  # Ours: a UUID as an OID (PS3.5, B.2).
LONGEST_META = 1 << 16


def after_meta(head: bytes, pos: int = PREAMBLE) -> tuple[int, str]:
    """Where the data set starts, and its transfer syntax.

    It starts where another group begins: the required FileMetaInformationGroupLength is wrong or missing in many files.
    """
    syntax = b""
    for tag, _, start, length in elements(head, pos, LITTLE_EXPLICIT):
        end = start + length
        if tag >> 16 != META or length == UNDEFINED:
            raise Unusual("file meta information")
        if tag == SYNTAX:
            syntax = head[start:end]
        if end + 2 <= len(head) and head[end : end + 2] != META_GROUP:
            return end, syntax.rstrip(b"\0 ").decode("ascii", "replace")
    raise MoreNeeded


def with_part10(source: Path, target: Path) -> Path:
    """`target`, written: preamble, file meta information, and the data set of `source`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(source, stop_before_pixels=True, force=True)
    with source.open("rb") as bare, target.open("wb") as staged:
        bare.seek(start_of_data(bare.read(LONGEST_META)))
        meta = DicomBytesIO()
        write_file_meta_info(meta, meta_of(dataset))
        staged.write(b"\0" * (PREAMBLE - 4) + b"DICM" + meta.getvalue())
        shutil.copyfileobj(bare, staged, 1 << 20)
    return target


def start_of_data(head: bytes) -> int:
    """Where the data set starts: behind a preamble and meta information, as far as they are there."""
    start = PREAMBLE if head[PREAMBLE - 4 : PREAMBLE] == b"DICM" else 0
    return after_meta(head, start)[0] if head[start : start + 2] == META_GROUP else start


def meta_of(dataset: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = UID(dataset.file_meta.get("TransferSyntaxUID") or syntax_of(dataset))
    meta.ImplementationClassUID = UID(IMPLEMENTATION)
    meta.ImplementationVersionName = "TRILAKE"
    return meta


def syntax_of(dataset: Dataset) -> str:
    is_implicit, is_little = dataset.original_encoding
    return IMPLICIT_LITTLE if is_implicit else EXPLICIT_LITTLE if is_little else EXPLICIT_BIG
