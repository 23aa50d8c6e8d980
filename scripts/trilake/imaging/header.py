"""DICOM files held against what an import needs: their UIDs, their parts, their lengths; pixels are not read.

A sound file of the usual kind is read by `quick_header`, at several times the speed of pydicom; every other by pydicom,
which finds the same in the former too. What needs decoding is HealthImaging's to judge.

Example: header, reasons = read_header(Path("1.dcm"))
"""

import gzip
import os
import re
import warnings
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, cast

import pydicom
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.errors import BytesLengthException
from pydicom.filereader import read_dataset

from trilake.core.ledger import Reason, shape
from trilake.imaging.elements import PIXELS, UNDEFINED, Encoding, Picture, cut, pixel_faults
from trilake.imaging.part10 import DEFLATED, SUPPORTED, after_meta
from trilake.imaging.quick_header import DicomHeader, quick_header

UID_FORM = re.compile(r"[0-9]+(\.[0-9]+)*")
LONGEST_UID = 64
GZIP = b"\x1f\x8b"
LARGEST_UNPACKED = 10 * 10**9  # An import job takes no larger file; a gzip bomb ends here.
# What names an instance, its series and study (PS3.3, C.12.1, C.7.3.1, C.7.2.1).
REQUIRED = (
    ("SOPClassUID", "(0008,0016)"),
    ("StudyInstanceUID", "(0020,000D)"),
    ("SeriesInstanceUID", "(0020,000E)"),
    ("SOPInstanceUID", "(0008,0018)"),
)
# Image Pixel (PS3.3, C.7.6.3) and Multi-frame modules: without these numbers pixel data are no picture.
DESCRIBED = (
    ("Rows", "(0028,0010)"),
    ("Columns", "(0028,0011)"),
    ("SamplesPerPixel", "(0028,0002)"),
    ("BitsAllocated", "(0028,0100)"),
    ("NumberOfFrames", "(0028,0008)"),
)
# Longer values of what HealthImaging can search by are refused by it (API reference, DICOMTags).
LONGEST = (
    ("PatientName", "(0010,0010)", 256),
    ("PatientID", "(0010,0020)", 256),
    ("PatientBirthDate", "(0010,0030)", 18),
    ("PatientSex", "(0010,0040)", 16),
    ("StudyID", "(0020,0010)", 256),
    ("StudyDescription", "(0008,1030)", 256),
    ("AccessionNumber", "(0008,0050)", 256),
    ("StudyDate", "(0008,0020)", 18),
    ("StudyTime", "(0008,0030)", 28),
)

POOL_FROM = 50_000
"""Files from which processes share the work: one takes most of a second to start, in which a core checks thousands."""
FILES_AT_ONCE = 500
SAY_EVERY = 5_000
Judged = tuple[DicomHeader | None, list[Reason]]


def read_header(path: Path) -> Judged:
    """The header, and why the file cannot be loaded (or, `is_warning`, what is odd about it)."""
    try:
        header = quick_header(path)
        return (header, []) if header is not None else exact_header(path)
    except OSError as error:
        return None, [Reason("FILE_UNREADABLE", "a file that can be read", type(error).__name__)]


def exact_header(path: Path) -> Judged:
    """The same by pydicom, for a file of any kind."""
    try:
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            is_packed = file.read(2) == GZIP
            file.seek(0)
            return judge_packed(file) if is_packed else judge(*opened(file))
    except OSError as error:
        if error.errno is not None:  # The disk's; without a number it is pydicom's or gzip's word for damaged content.
            raise
        return None, [unreadable(type(error).__name__)]
    except NotImplementedError as error:  # pydicom's word for a value representation that there is not, with its tag.
        return None, [unreadable(str(error))]
    except Exception as error:  # pydicom raises nearly anything on damaged input; each of it is a reason, none a crash.
        return None, [unreadable(type(error).__name__)]


def judge_packed(file: BinaryIO) -> Judged:
    """The same of a file that gzip packed."""
    with TemporaryFile() as plain:
        with gzip.open(file) as packed:
            while (size := plain.tell()) <= LARGEST_UNPACKED and (block := packed.read(1 << 20)):
                plain.write(block)
        if size > LARGEST_UNPACKED:
            expected = f"{LARGEST_UNPACKED:,} bytes at most when it is unpacked"
            return None, [Reason("DICOM_TOO_LARGE", expected=expected, found="more")]
        plain.seek(0)
        header, reasons = judge(*opened(cast(BinaryIO, plain)))
    return header and replace(header, unpacked_bytes=size), reasons


def opened(file: BinaryIO) -> tuple[Dataset, BinaryIO]:
    """The data set up to its pixels, and the file that stands where they begin: unpacked, where it was deflated."""
    dataset = pydicom.dcmread(file, stop_before_pixels=True, force=True)
    if str(dataset.file_meta.get("TransferSyntaxUID") or "") != DEFLATED:
        return dataset, file
    # pydicom has unpacked a copy of its own, of which it does not say where the pixels begin: once more, to look there.
    file.seek(0)
    start, _ = after_meta(file.read(1 << 16))
    file.seek(start)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)  # A raw stream (RFC 1951), without zlib's header: PS3.5, A.5.
    unpacked = BytesIO(unpacker.decompress(file.read()))
    if not unpacker.eof:
        raise BytesLengthException("the deflated data set ends too early")
    read_dataset(unpacked, False, True, stop_when=lambda tag, vr, length: int(tag) in PIXELS)
    return dataset, unpacked


def unreadable(found: str) -> Reason:
    return Reason("DICOM_UNREADABLE", expected="a DICOM data set that can be parsed to its pixels", found=found)


def judge(dataset: Dataset, file: BinaryIO) -> Judged:
    if len(dataset) == 0:
        return None, [unreadable("no data elements")]
    reasons = length_faults(dataset) or [*uid_faults(dataset), *long_values(dataset)]
    reasons = reasons or picture_faults(dataset, file) or rest_faults(dataset, file)
    if reasons:
        return None, reasons
    meta = dataset.file_meta
    header = DicomHeader(
        study_uid=str(dataset.StudyInstanceUID),
        series_uid=str(dataset.SeriesInstanceUID),
        sop_uid=str(dataset.SOPInstanceUID),
        patient_id=str(dataset.get("PatientID") or ""),
        is_part10=bool(getattr(dataset, "preamble", None)) and bool(meta.get("TransferSyntaxUID")),
    )
    return header, [*patient_warnings(header), *syntax_warnings(header, str(meta.get("TransferSyntaxUID") or ""))]


def length_faults(dataset: Dataset) -> list[Reason]:
    """The element in which the file ends, if it does: pydicom takes what is there."""
    for tag in tuple(dataset.keys()):
        element = dataset.get_item(tag)
        if isinstance(element, RawDataElement) and element.value is not None and element.length != UNDEFINED:
            n_missing = element.length - len(element.value)
            if n_missing > 0:
                return cut(n_missing, int(tag))
    return []


def uid_faults(dataset: Dataset) -> list[Reason]:
    reasons = []
    for keyword, tag in REQUIRED:
        value = str(dataset.get(keyword) or "")
        if not value:
            reasons.append(Reason("DICOM_UID_MISSING", expected=keyword, path=tag))
        elif not UID_FORM.fullmatch(value) or len(value) > LONGEST_UID:
            expected = "digits and dots, 64 characters at most"
            reasons.append(Reason("DICOM_UID_FORM", expected=expected, found=shape(value), path=tag))
    return reasons


def long_values(dataset: Dataset) -> list[Reason]:
    """Values that HealthImaging refuses for their length."""
    reasons = []
    for keyword, tag, longest in LONGEST:
        n_characters = len(str(dataset.get(keyword) or ""))
        if n_characters > longest:
            expected, found = f"{longest} characters at most", f"{n_characters:,} characters"
            reasons.append(Reason("DICOM_VALUE_LONG", expected=f"{keyword}: {expected}", found=found, path=tag))
    return reasons


def picture_faults(dataset: Dataset, file: BinaryIO) -> list[Reason]:
    """Numbers without which the pixels that follow are no picture: missing, or damaged."""
    pos = file.tell()
    has_pixels = file.read(4) in (b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10")  # (7FE0,0010), little and big endian.
    file.seek(pos)
    if not has_pixels:
        return []
    reasons = []
    for keyword, tag in DESCRIBED:
        value = dataset.get(keyword)
        if whole(dataset, keyword) is None and not (keyword == "NumberOfFrames" and value in (None, "")):
            found = "nothing" if value in (None, "") else shape(str(value))
            reasons.append(Reason("DICOM_VALUE", expected=f"{keyword}: a whole number", found=found, path=tag))
    return reasons


def rest_faults(dataset: Dataset, file: BinaryIO) -> list[Reason]:
    """What is missing of the pixels and of what follows; the reader stopped where they begin."""
    is_implicit, is_little = dataset.original_encoding
    encoding = Encoding(is_little=bool(is_little), is_explicit=not is_implicit)
    pos = file.tell()
    return pixel_faults(file, pos, file.seek(0, 2), encoding, picture_of(dataset))


def picture_of(dataset: Dataset) -> Picture:
    return Picture(
        rows=whole(dataset, "Rows"),
        columns=whole(dataset, "Columns"),
        samples=whole(dataset, "SamplesPerPixel"),
        bits=whole(dataset, "BitsAllocated"),
        frames=whole(dataset, "NumberOfFrames") or 1,
        photometric=str(dataset.get("PhotometricInterpretation") or ""),
        syntax=str(dataset.file_meta.get("TransferSyntaxUID") or ""),
    )


def whole(dataset: Dataset, keyword: str) -> int | None:
    """A whole number of the header; none where it is missing or damaged."""
    try:
        return int(dataset.get(keyword))
    except (TypeError, ValueError, OverflowError):
        return None


def patient_warnings(header: DicomHeader) -> list[Reason]:
    if header.patient_id.strip():
        return []
    expected = "a PatientID; the study links by its UID alone"
    return [Reason("DICOM_PATIENT_MISSING", expected=expected, path="(0010,0020)", is_warning=True)]


def syntax_warnings(header: DicomHeader, syntax: str) -> list[Reason]:
    """Where HealthImaging stores something else than the file: a part 10 header of ours, pixels that it cannot use."""
    if not header.is_part10:
        expected = "a preamble and file meta information (PS3.10), which the import puts in front of the data set"
        return [Reason("DICOM_META_MADE", expected=expected, is_warning=True)]
    if syntax not in SUPPORTED:
        expected = "a transfer syntax whose frames HealthImaging gives out; these pixels are kept as they are"
        return [Reason("DICOM_SYNTAX", expected=expected, found=syntax, path="(0002,0010)", is_warning=True)]
    return []


def read_headers(paths: Sequence[Path], say: Callable[[str], None], *, pool_from: int = POOL_FROM) -> Iterator[Judged]:
    """Each file's header or what is wrong with it, in the order of the paths."""
    n_workers = len(os.sched_getaffinity(0))
    is_many = len(paths) >= pool_from and n_workers > 1
    headers = by_several(paths, n_workers) if is_many else map(read_header, paths)
    for number, judged in enumerate(headers, start=1):
        yield judged
        if number % SAY_EVERY == 0:
            say(f"  checked {number:,} of {len(paths):,} DICOM files")


def by_several(paths: Sequence[Path], n_workers: int) -> Iterator[Judged]:
    """The same by a pool of processes; what a worker that died has left over is read here."""
    chunks = [paths[start : start + FILES_AT_ONCE] for start in range(0, len(paths), FILES_AT_ONCE)]
    n_read = 0
    try:
        # Not forked: ingest has threads (boto3's, pyarrow's), and a fork copies their locks as they stand.
        with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
            for chunk in pool.map(read_chunk, chunks):
                yield from chunk
                n_read += len(chunk)
    except BrokenProcessPool:
        yield from map(read_header, paths[n_read:])


def read_chunk(paths: Sequence[Path]) -> list[Judged]:
    return [read_header(path) for path in paths]
