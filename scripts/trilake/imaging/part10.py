"""A DICOM data set without a part 10 header (PS3.10, chapter 7) gets one: the import takes nothing else.

Reads one file; writes another. The data set's own bytes are copied as they are. The transfer syntax is the one that the
file names, else the one that its bytes are written in.

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

from trilake.imaging.quick_header import META_GROUP, PREAMBLE, after_meta
from trilake.imaging.syntaxes import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE

IMPLEMENTATION = "2.25.291786127309617862109312746893117062301"
LONGEST_META = 1 << 16


def with_part10(source: Path, target: Path) -> Path:
    """`target`, written: preamble, file meta information, and the data set of `source`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(source, stop_before_pixels=True, force=True)
    with source.open("rb") as given, target.open("wb") as made:
        given.seek(start_of_data(given.read(LONGEST_META)))
        meta = DicomBytesIO()
        write_file_meta_info(meta, meta_of(dataset))
        made.write(b"\0" * (PREAMBLE - 4) + b"DICM" + meta.getvalue())
        shutil.copyfileobj(given, made, 1 << 20)
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
