"""Whether a DICOM file is whole from its pixel data to its end: every length that it declares is there.

Reads a few bytes at each place where something begins, never pixels. Source: DICOM PS3.5, A.4 (encapsulated frames)
and PS3.3, C.7.6.3 (how many bytes native pixels take).

Example: pixel_faults(file, 1322, 16_000, LITTLE_EXPLICIT, Picture(64, 64, 1, 16, 1))
"""

from dataclasses import dataclass
from typing import BinaryIO

from trilake.core.ledger import Reason
from trilake.imaging.elements import (
    HEADS,
    ITEM,
    LONG_LENGTH,
    SEQUENCE_END,
    SHORT_LENGTH,
    UNDEFINED,
    Encoding,
    MoreNeeded,
    Unusual,
    elements,
)

PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
LARGEST_TAIL = 1 << 20
VIDEO = "1.2.840.10008.1.2.4.10"
SUBSAMPLED = ("YBR_FULL_422", "YBR_PARTIAL_422")


@dataclass(frozen=True)
class Picture:
    """What a header says of its pixels; None where it does not say it."""

    rows: int | None = None
    columns: int | None = None
    samples: int | None = None
    bits: int | None = None
    frames: int = 1
    photometric: str = ""
    syntax: str = ""

    @property
    def n_bytes(self) -> int:
        """Bytes of the uncompressed pixels, 0 where the header does not say."""
        if not (self.rows and self.columns and self.samples and self.bits):
            return 0
        n_bits = self.rows * self.columns * self.samples * self.bits * self.frames
        return (n_bits + 7) // 8 * (2 if self.photometric in SUBSAMPLED else 3) // 3

    @property
    def is_video(self) -> bool:
        return self.syntax.startswith(VIDEO)


def tag_text(tag: int) -> str:
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def cut(n_bytes: int, tag: int) -> list[Reason]:
    expected = "a file as long as its elements say"
    return [Reason("DICOM_TRUNCATED", expected=expected, found=f"{n_bytes:,} bytes short", path=tag_text(tag))]


def pixel_faults(file: BinaryIO, pos: int, size: int, encoding: Encoding, picture: Picture) -> list[Reason]:
    """What is missing of the pixel element at `pos` and of what follows it; nothing where the file is whole."""
    explicit, implicit, _ = HEADS[encoding.sign]
    head = read_at(file, pos, 12)
    if len(head) < 8:
        return cut(12 - len(head), 0x7FE00010) if head else []
    group, number, length = implicit.unpack_from(head)
    tag, start = group << 16 | number, pos + 8
    if tag not in PIXELS:
        return []
    vr, short_length = explicit.unpack_from(head)[2:]
    if encoding.is_explicit and vr in LONG_LENGTH:
        if len(head) < 12:
            return cut(12 - len(head), tag)
        length, start = int.from_bytes(head[8:], "little" if encoding.is_little else "big"), pos + 12
    elif encoding.is_explicit and vr in SHORT_LENGTH:
        length = short_length
    else:  # Some writers name an explicit syntax and write none.
        encoding = Encoding(encoding.is_little, is_explicit=False)
    if length == UNDEFINED:
        end, faults = after_fragments(file, start, size, picture)
    else:
        end, faults = start + length, native_faults(start + length - size, length, tag, picture)
    return faults or tail_faults(file, end, size, encoding)


def native_faults(n_missing: int, length: int, tag: int, picture: Picture) -> list[Reason]:
    if n_missing > 0:
        return cut(n_missing, tag)
    if tag == 0x7FE00010 and length < picture.n_bytes:
        expected = f"{picture.n_bytes:,} bytes of pixels, by rows, columns, samples, bits and frames"
        return [Reason("DICOM_PIXELS_SHORT", expected=expected, found=f"{length:,} bytes", path=tag_text(tag))]
    return []


def after_fragments(file: BinaryIO, pos: int, size: int, picture: Picture) -> tuple[int, list[Reason]]:
    """The place behind encapsulated pixels, which are little endian always, and what is missing of them."""
    n_fragments = -1  # The first item is the offset table.
    head = HEADS["<"][1]
    while True:
        item = read_at(file, pos, 8)
        if len(item) < 8:
            expected = "a sequence delimiter (FFFE,E0DD) behind the last frame"
            found = f"{max(n_fragments, 0):,} fragments, then the end of the file"
            return size, [Reason("DICOM_TRUNCATED", expected=expected, found=found, path="(7FE0,0010)")]
        group, number, length = head.unpack(item)
        tag, pos = group << 16 | number, pos + 8
        if tag == SEQUENCE_END:
            break
        if tag != ITEM or length == UNDEFINED:
            expected = "fragments of frames as items (FFFE,E000)"
            return size, [Reason("DICOM_UNREADABLE", expected=expected, found=tag_text(tag), path="(7FE0,0010)")]
        pos, n_fragments = pos + length, n_fragments + 1
        if pos > size:
            return size, cut(pos - size, 0x7FE00010)
    if n_fragments < picture.frames and not picture.is_video:
        expected = f"at least a fragment for each of {picture.frames:,} frames"
        found = f"{max(n_fragments, 0):,} fragments"
        return pos, [Reason("DICOM_PIXELS_SHORT", expected=expected, found=found, path="(7FE0,0010)")]
    return pos, []


def tail_faults(file: BinaryIO, pos: int, size: int, encoding: Encoding) -> list[Reason]:
    """What is missing of the elements behind the pixels, as far as they are of the usual kind."""
    if pos >= size or size - pos > LARGEST_TAIL:
        return []
    data = read_at(file, pos, size - pos)
    last = 0x7FE00010
    try:
        for tag, _, start, length in elements(data, 0, encoding):
            if tag == 0:
                return []  # Zeros that fill up a block are no element.
            last = tag
            if length != UNDEFINED and start + length > len(data):
                return cut(start + length - len(data), tag)
    except MoreNeeded:
        return cut_inside(last)
    except Unusual:
        return []
    return []


def cut_inside(tag: int) -> list[Reason]:
    expected = "elements that end where the file does"
    return [Reason("DICOM_TRUNCATED", expected=expected, found="the file ends inside one", path=tag_text(tag))]


def read_at(file: BinaryIO, pos: int, n_bytes: int) -> bytes:
    file.seek(pos)
    return file.read(n_bytes)
