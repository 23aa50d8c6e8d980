"""DICOM data elements walked by their lengths alone (PS3.5, chapter 7), and whether a file holds all that it declares.

`elements` only says where each element begins and ends: three to ten times as fast as building a data set. What it does
not know it refuses (`Unusual`), for pydicom to read. `pixel_faults` reads a few bytes at each place where something
begins, never pixels.

Example: for element in elements(head, 132, LITTLE_EXPLICIT): ...
"""

from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct, error
from typing import BinaryIO, NamedTuple

from trilake.core.ledger import Reason

UNDEFINED = 0xFFFFFFFF  # A length that is told by a delimiter at the end instead: PS3.5, 7.1.1.
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
# In explicit encodings the value representation decides where the length stands: in two bytes behind it (table 7.1-2),
# or in four behind two reserved ones (table 7.1-1).
SHORT_LENGTH = frozenset(b"AE AS AT CS DA DS DT FL FD IS LO LT PN SH SL SS ST TM UI UL US".split())
LONG_LENGTH = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
MOST_NESTED = 50  # Far below Python's limit of recursion; beyond it a file is made to harm, or damaged.


class Unusual(Exception):
    """Something that this walker leaves to pydicom."""


class MoreNeeded(Exception):
    """The bytes at hand end inside an element."""


class Element(NamedTuple):
    """One element: group and element number as one, where its value starts, and its length or UNDEFINED."""

    tag: int
    vr: bytes
    start: int
    length: int


@dataclass(frozen=True)
class Encoding:
    """How elements are written: byte order, and whether their value representation stands with them."""

    is_little: bool
    is_explicit: bool

    @property
    def sign(self) -> str:
        return "<" if self.is_little else ">"


# File meta information and all encapsulated pixels are explicit little endian, whatever the rest is (PS3.10, 7.1).
LITTLE_EXPLICIT = Encoding(is_little=True, is_explicit=True)
LITTLE_IMPLICIT = Encoding(is_little=True, is_explicit=False)
HEADS = {sign: (Struct(f"{sign}HH2sH"), Struct(f"{sign}HHI"), Struct(f"{sign}I")) for sign in "<>"}


def elements(data: bytes, pos: int, encoding: Encoding) -> Iterator[Element]:
    """The elements of one level from `pos` on; a sequence of undefined length is passed over whole.

    MoreNeeded where the data end inside one; a value that ends beyond the data is for the caller to see.
    """
    explicit, implicit, long_length = HEADS[encoding.sign]
    is_explicit, end = encoding.is_explicit, len(data)
    while pos < end:
        try:
            if is_explicit:
                group, number, vr, length = explicit.unpack_from(data, pos)
                start = pos + 8
                if vr in LONG_LENGTH:
                    (length,) = long_length.unpack_from(data, start)
                    start += 4
                elif vr not in SHORT_LENGTH:
                    raise Unusual(f"value representation {vr!r}")
            else:
                group, number, length = implicit.unpack_from(data, pos)
                start, vr = pos + 8, b""
        except error as problem:
            raise MoreNeeded from problem
        tag = group << 16 | number
        yield Element(tag, vr, start, length)
        pos = start + length if length != UNDEFINED else after_sequence(data, start, encoding, vr)


def after_sequence(data: bytes, pos: int, encoding: Encoding, vr: bytes, depth: int = 0) -> int:
    """The place behind a sequence of undefined length. Items of an unknown one (UN) are implicit: PS3.5, 6.2.2."""
    if depth > MOST_NESTED:
        raise Unusual("sequences nested too deeply")
    if vr == b"UN":  # pydicom knows from its dictionary which of them are sequences.
        raise Unusual("an unknown sequence")
    head = HEADS[encoding.sign][1]
    while True:
        if pos + 8 > len(data):
            raise MoreNeeded
        group, number, length = head.unpack_from(data, pos)
        tag, pos = group << 16 | number, pos + 8
        if tag == SEQUENCE_END:
            return pos
        if tag != ITEM:
            raise Unusual("no item where one should be")
        pos = after_item(data, pos, encoding, depth) if length == UNDEFINED else pos + length


def after_item(data: bytes, pos: int, encoding: Encoding, depth: int) -> int:
    """The place behind an item of undefined length."""
    explicit, implicit, long_length = HEADS[encoding.sign]
    while True:
        # An element's head takes up to 12 bytes, the delimiter 8: at the end of the data it alone may follow.
        if pos + 12 > len(data):
            if data[pos : pos + 8] == implicit.pack(ITEM_END >> 16, ITEM_END & 0xFFFF, 0):
                return pos + 8
            raise MoreNeeded
        group, number, length = implicit.unpack_from(data, pos)
        vr = b""
        if group << 16 | number == ITEM_END:
            return pos + 8
        pos += 8
        if encoding.is_explicit:
            vr, length = explicit.unpack_from(data, pos - 8)[2:]
            if vr in LONG_LENGTH:
                (length,) = long_length.unpack_from(data, pos)
                pos += 4
            elif vr not in SHORT_LENGTH:
                raise Unusual(f"value representation {vr!r}")
        pos = pos + length if length != UNDEFINED else after_sequence(data, pos, encoding, vr, depth + 1)


PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})  # FloatPixelData, DoubleFloatPixelData, PixelData.
LARGEST_TAIL = 1 << 20  # Behind the pixels stand padding and signatures, a few kilobytes; more is not read for a check.
VIDEO = "1.2.840.10008.1.2.4.10"  # MPEG2, MPEG-4 and HEVC are .100 to .108: one stream of many frames.
SUBSAMPLED = ("YBR_FULL_422", "YBR_PARTIAL_422")  # Two pixels share their colours: two samples each, not three.


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
        # Bits are packed over the frames' ends where BitsAllocated is 1: only the whole is rounded (PS3.5, 8.1.1).
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
            n_found = f"{max(n_fragments, 0):,} fragments, then the end of the file"
            return size, [Reason("DICOM_TRUNCATED", expected=expected, found=n_found, path="(7FE0,0010)")]
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
        n_found = f"{max(n_fragments, 0):,} fragments"
        return pos, [Reason("DICOM_PIXELS_SHORT", expected=expected, found=n_found, path="(7FE0,0010)")]
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
