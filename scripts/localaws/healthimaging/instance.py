"""One DICOM P10 file as the store takes it: identity, metadata by level, frames; or the reason it does not.

Example: `read_instance(path).sop_uid`.
"""

from __future__ import annotations

import hashlib
import warnings
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.errors import InvalidDicomError
from pydicom.uid import UID

from localaws.healthimaging.attributes import Truncated, document, level_of, private_representations
from localaws.healthimaging.pixels import LOSSLESS_SYNTAX, PixelError, Pixels

REQUIRED = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
# The attributes that decide whether an instance belongs to a series as it is stored already.
IDENTITY = (
    "StudyDate",
    "AccessionNumber",
    "PatientID",
    "StudyInstanceUID",
    "StudyID",
    "SeriesInstanceUID",
    "SeriesNumber",
)
# HealthImaging developer guide, "DICOM element constraints": longest values that an import takes.
LONGEST = {
    "PatientName": 256,
    "PatientID": 256,
    "PatientBirthDate": 18,
    "PatientSex": 16,
    "StudyInstanceUID": 256,
    "StudyID": 256,
    "StudyDescription": 256,
    "AccessionNumber": 256,
    "SeriesInstanceUID": 256,
    "Modality": 16,
    "BodyPartExamined": 64,
}
MAX_METADATA = 50 * 1024 * 1024


class InstanceRefused(Exception):
    """A file that the store does not take; the message is for the import's report."""


# HealthImaging developer guide, "Warning codes": type -> reason code, as the page has it in decimal.
WARNING_CODES = {
    "TRANSCODING_EXCEPTION": 45312,
    "FRAMES_EXTRACTION_FAILURE": 45328,
    "FRAME_NUMBER_MISMATCH": 45329,
    "UNSUPPORTED_TRANSFER_SYNTAX": 45344,
    "INVALID_UID_FORMAT": 45570,
    "INVALID_DICOM_VALUE_LENGTH": 45571,
    "OTHER": 47513,
}
# The lengths of their value representations (PS3.5, 6.2), for the attributes that a search shows.
VR_LONGEST = {"PatientID": 64, "StudyID": 16, "StudyDescription": 64, "AccessionNumber": 16, "BodyPartExamined": 16}


@dataclass(frozen=True)
class Warned:
    """Something about an imported file that its owner should know: the service's type of warning, and words."""

    type: str
    message: str

    @property
    def code(self) -> int:
        return WARNING_CODES[self.type]


@dataclass(frozen=True)
class Instance:
    """What the store keeps of one file; `levels` maps Patient, Study, Series and Instance to their attributes."""

    study_uid: str
    series_uid: str
    sop_uid: str
    identity: tuple[str | None, ...]
    levels: dict[str, dict[str, Any]]
    representations: dict[str, str]
    frames: list[dict[str, Any]]
    stored_syntax: str | None
    warned: list[Warned] = field(default_factory=list)


def open_dataset(source: Path | BinaryIO) -> Dataset:
    """The whole data set of a P10 file; InstanceRefused when it is none or breaks off."""
    _quiet_pydicom()
    try:
        return pydicom.dcmread(source)
    except InvalidDicomError as error:
        raise InstanceRefused("The file is not a DICOM P10 file: no DICM prefix or no file meta information") from error
    except Exception as error:
        # A broken file makes pydicom raise almost anything: struct.error, ValueError, NotImplementedError ...
        raise InstanceRefused(f"The DICOM file cannot be read: {type(error).__name__}: {error}") from error


def _quiet_pydicom() -> None:
    """No warnings of values that break a rule: they are told in the import's report.

    A filter and not `catch_warnings`, which puts back the filters of all threads.
    """
    for module in (r"pydicom\.", r"localaws\.healthimaging\."):
        warnings.filterwarnings("ignore", module=module)


def read_instance(path: Path, storage_format: str = "HTJ2K") -> Instance:
    """The instance in a file; InstanceRefused when HealthImaging would not import it."""
    dataset = open_dataset(path)
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    if not syntax:
        raise InstanceRefused("DICOM attribute TransferSyntaxUID does not exist")
    faults: list[str] = []
    try:
        attributes = {**document(dataset.file_meta, faults), **document(dataset, faults)}
    except Truncated as error:
        raise InstanceRefused(f"The DICOM file is truncated: {error}") from error
    _check(attributes)
    (frames, stored_syntax), unusable = _frames(dataset, attributes, storage_format)
    return Instance(
        study_uid=attributes["StudyInstanceUID"],
        series_uid=attributes["SeriesInstanceUID"],
        sop_uid=attributes["SOPInstanceUID"],
        identity=tuple(_plain(attributes.get(name)) for name in IDENTITY),
        levels=_by_level(attributes),
        representations=private_representations(dataset),
        frames=frames,
        stored_syntax=stored_syntax,
        warned=[*unusable, *_warned(attributes, faults)],
    )


def _check(attributes: dict[str, Any]) -> None:
    for name in REQUIRED:
        if not isinstance(attributes.get(name), str):
            raise InstanceRefused(f"DICOM attribute {name} does not exist")
    for name, longest in LONGEST.items():
        value = attributes.get(name)
        if isinstance(value, str) and len(value) > longest:
            raise InstanceRefused(f"DICOM attribute {name} has {len(value)} characters, at most {longest} are allowed")


def _plain(value: Any) -> str | None:
    return None if value is None else str(value)


def _by_level(attributes: dict[str, Any]) -> dict[str, dict[str, Any]]:
    levels: dict[str, dict[str, Any]] = {"Patient": {}, "Study": {}, "Series": {}, "Instance": {}}
    for name, value in attributes.items():
        levels[level_of(name)][name] = value
    return levels


def _warned(attributes: dict[str, Any], faults: Iterable[str]) -> Iterable[Warned]:
    for name in faults:
        yield Warned("OTHER", f"DICOM attribute {name} cannot be read and is kept as null")
    for name in REQUIRED:
        if not UID(attributes[name]).is_valid:
            yield Warned("INVALID_UID_FORMAT", f"DICOM attribute {name} is not a valid UID")
    for name, longest in VR_LONGEST.items():
        if isinstance(attributes.get(name), str) and len(attributes[name]) > longest:
            yield Warned("INVALID_DICOM_VALUE_LENGTH", f"DICOM attribute {name} is longer than {longest} characters")
    for name in ("FloatPixelData", "DoubleFloatPixelData"):
        if name in attributes:
            yield Warned("TRANSCODING_EXCEPTION", f"{name} has no image frames here")


Frames = tuple[list[dict[str, Any]], str | None]


def _frames(dataset: Dataset, attributes: dict[str, Any], storage_format: str) -> tuple[Frames, list[Warned]]:
    """Metadata of the frames and the transfer syntax in which they are stored; none of both without usable pixels."""
    if "PixelData" not in attributes:
        return ([], None), []
    try:
        pixels = Pixels(dataset)
        pixels.check_length()
        frames = [_frame(pixels, index, attributes["SOPInstanceUID"]) for index in range(pixels.count)]
    except PixelError as error:
        return ([], str(dataset.file_meta.TransferSyntaxUID)), [Warned(error.kind, str(error))]
    except Exception as error:  # Readers of damaged fragments raise nearly anything.
        unusable = Warned("TRANSCODING_EXCEPTION", f"PixelData cannot be read: {type(error).__name__}: {error}")
        return ([], str(dataset.file_meta.TransferSyntaxUID)), [unusable]
    return (frames, pixels.syntax if pixels.is_kept else LOSSLESS_SYNTAX[storage_format]), []


def _frame(pixels: Pixels, index: int, sop_uid: str) -> dict[str, Any]:
    """A frame as the metadata list it; min and max are stored values, the checksum that of their bytes."""
    rows, columns = pixels.shape
    if pixels.is_kept:
        content = pixels.stream(index)[0]
        return {"ID": frame_id(sop_uid, index, zlib.crc32(content)), "FrameSizeInBytes": len(content)}
    values = pixels.frame(index)
    content = values.tobytes()
    checksum = zlib.crc32(content)
    return {
        "ID": frame_id(sop_uid, index, checksum),
        "PixelDataChecksumFromBaseToFullResolution": [{"Width": columns, "Height": rows, "Checksum": checksum}],
        "MinPixelValue": int(values.min()),
        "MaxPixelValue": int(values.max()),
        "FrameSizeInBytes": len(content),
    }


def frame_id(sop_uid: str, index: int, checksum: int) -> str:
    """32 hexadecimal digits that the same frame of the same instance always gets."""
    return hashlib.md5(f"{sop_uid}/{index}/{checksum}".encode(), usedforsecurity=False).hexdigest()
