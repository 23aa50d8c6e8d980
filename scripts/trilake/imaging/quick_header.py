"""The header of a sound DICOM file of the usual kind, at the speed of reading its first bytes (10,000 files a second).

Of two readers this is the fast one; `header.exact_header` reads by pydicom and has the last word. Anything that is not
like most files (big endian, deflated, no preamble, an odd or missing value, text that is not ASCII, a file cut short)
gives None here and goes to the exact reader: so this one refuses nothing and remarks nothing. A test holds them equal.

Example: quick_header(Path("1.dcm"))
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from trilake.imaging.elements import (
    LITTLE_EXPLICIT,
    LITTLE_IMPLICIT,
    PIXELS,
    UNDEFINED,
    Encoding,
    MoreNeeded,
    Picture,
    Unusual,
    elements,
    pixel_faults,
)
from trilake.imaging.part10 import ENCAPSULATED, EXPLICIT_LITTLE, IMPLICIT_LITTLE, PREAMBLE, after_meta

# Nearly all headers end within 16 KB. Enhanced objects list every frame in theirs and take more; the steps are wide,
# since each reads the file again from its start.
READS = (1 << 14, 1 << 18, 1 << 23)
CLASS, INSTANCE, PATIENT, STUDY, SERIES = 0x00080016, 0x00080018, 0x00100020, 0x0020000D, 0x0020000E
UIDS = (STUDY, SERIES, INSTANCE, CLASS)
SAMPLES, PHOTOMETRIC, FRAMES, ROWS, COLUMNS, BITS = (
    0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280100,
)  # fmt: skip
NUMBERS = (ROWS, COLUMNS, SAMPLES, BITS)
# Values whose length HealthImaging limits (`header.LONGEST`), and at most what their representation allows (PS3.5,
# table 6.2-1): longer ones are for the exact reader to judge.
SHORT_ENOUGH = {
    0x00100010: 64, PATIENT: 64, 0x00100030: 18, 0x00100040: 16, 0x00200010: 16, 0x00081030: 64, 0x00080050: 64,
    0x00080020: 18, 0x00080030: 28,
}  # fmt: skip
WANTED = {
    **dict.fromkeys(UIDS, b"UI"), PATIENT: b"LO", **dict.fromkeys(NUMBERS, b"US"), PHOTOMETRIC: b"CS", FRAMES: b"IS",
}  # fmt: skip
READ = WANTED | {
    0x00100010: b"PN", 0x00100030: b"DA", 0x00100040: b"CS", 0x00200010: b"SH", 0x00081030: b"LO", 0x00080050: b"SH",
    0x00080020: b"DA", 0x00080030: b"TM",
}  # fmt: skip
"""The value representations of what the exact reader reads: another one is for it to judge."""
UID = re.compile(rb"[0-9]+(?:\.[0-9]+)*")
LONGEST_UID = 64
PLAIN_TEXT = re.compile(rb"[ -\[\]-~]*")  # ASCII without control characters and without the backslash.


@dataclass(frozen=True, slots=True)
class DicomHeader:
    """What an import goes by. `patient_id` is compared, never shown.

    `is_part10`: it has preamble and meta information. `unpacked_bytes`: its size if it comes packed by gzip, else 0.
    """

    study_uid: str
    series_uid: str
    sop_uid: str
    patient_id: str = ""
    is_part10: bool = True
    unpacked_bytes: int = 0


def quick_header(path: Path) -> DicomHeader | None:
    """The header of a sound file; None for one that the exact reader has to judge."""
    with path.open("rb", buffering=0) as file:  # A buffer would read more, and copy it once more.
        size = os.fstat(file.fileno()).st_size
        for n_bytes in READS:
            file.seek(0)
            head = file.read(n_bytes)
            try:
                return of_head(head, file, size)
            except MoreNeeded:
                if len(head) >= size:
                    return None
            except Unusual:
                return None
    return None


def of_head(head: bytes, file: BinaryIO, size: int) -> DicomHeader | None:
    """The header from the first bytes. MoreNeeded where it does not end in them."""
    if head[PREAMBLE - 4 : PREAMBLE] != b"DICM":
        return None
    pos, syntax = after_meta(head)
    if syntax == IMPLICIT_LITTLE:
        encoding = LITTLE_IMPLICIT
    elif syntax == EXPLICIT_LITTLE or syntax in ENCAPSULATED:
        encoding = LITTLE_EXPLICIT
    else:
        return None
    values, end = values_of(head, pos, size, encoding)
    header = as_header(values)
    if header is None:
        return None
    if end < size:
        picture = as_picture(values, syntax)
        if picture is None or pixel_faults(file, end, size, encoding, picture):
            return None
    return header


def values_of(head: bytes, pos: int, size: int, encoding: Encoding) -> tuple[dict[int, bytes], int]:
    """The wanted values, and where the pixels or the file end the header."""
    values: dict[int, bytes] = {}
    last, end = -1, pos
    for tag, vr, start, length in elements(head, pos, encoding):
        if tag <= last:  # Elements ascend by tag (PS3.5, 7.1); pydicom sorts those that do not, and keeps the last.
            raise Unusual("elements out of order")
        if tag in PIXELS:
            # Back to the element's head, whose length depends on its value representation (`elements.LONG_LENGTH`).
            return values, start - (12 if vr in (b"OB", b"OW", b"OF", b"OD", b"UN") else 8)
        last = tag
        if length == UNDEFINED:
            end = -1
            continue
        end = start + length
        if end > size or length > SHORT_ENOUGH.get(tag, UNDEFINED):
            raise Unusual("a value that is cut or too long")
        if vr and vr != READ.get(tag, vr):
            raise Unusual("another value representation")
        if tag in WANTED:
            values[tag] = head[start:end]
    if end != size:
        raise MoreNeeded if len(head) < size else Unusual("the end of the file")
    return values, end


def as_header(values: dict[int, bytes]) -> DicomHeader | None:
    uids = [values.get(tag, b"").rstrip(b"\0 ") for tag in UIDS]
    # Values have even length: UIDs are padded by a zero byte, texts by a space (PS3.5, 6.2); writers mix them up.
    patient = values.get(PATIENT, b"").rstrip(b"\0 ")
    if not all(UID.fullmatch(uid) and len(uid) <= LONGEST_UID for uid in uids):
        return None
    if not patient.strip() or not PLAIN_TEXT.fullmatch(patient):
        return None
    study, series, instance, _ = (uid.decode("ascii") for uid in uids)
    return DicomHeader(study, series, instance, patient.decode("ascii"))


def as_picture(values: dict[int, bytes], syntax: str) -> Picture | None:
    """What the header says of the pixels; None where a number is damaged."""
    numbers = [int.from_bytes(values[tag], "little") for tag in NUMBERS if len(values.get(tag, b"")) == 2]
    frames = values.get(FRAMES, b"1").strip(b"\0 ") or b"1"
    if not frames.isdigit() or len(numbers) < len(NUMBERS):
        return None
    photometric = values.get(PHOTOMETRIC, b"").rstrip(b"\0 ").decode("ascii", "replace")
    rows, columns, samples, bits = numbers
    return Picture(rows, columns, samples, bits, int(frames), photometric, syntax)
