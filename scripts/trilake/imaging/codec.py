"""Codestreams of one frame to its stored values: what HealthImaging gives out, and what DICOM files hold.

Pure. Which codec is told by the first bytes, not by a transfer syntax: HealthImaging names its own, and leaves frames
that came with loss as they were. Registered with pydicom (`register`), whose own decoders know no JPEG-LS or HTJ2K.

Example: decode(answer["imageFrameBlob"].read()).shape
"""

from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.pixels import decoders
from pydicom.pixels.decoders.base import DecodeRunner
from pydicom.uid import UID

Pixels = NDArray[Any]
J2K_START, JP2_BOX, JPEG_START = b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ", b"\xff\xd8"
CAPABILITIES = 0xFF50
"""Marker segment of a codestream that uses a later part of JPEG 2000: Part 15 is HTJ2K (ISO/IEC 15444-15)."""
LOSSLESS_JPEG, JPEG_LS = 0xC3, 0xF7
START_OF_FRAME = {*range(0xC0, 0xD0), JPEG_LS} - {0xC4, 0xC8, 0xCC}
PLUGIN = "trilake"
DECODER_DEPENDENCIES: dict[UID, tuple[str, ...]] = {}

# OpenJPH fills its tables at the first use, and two threads that are first at once get damaged pixels.
imagecodecs.htj2k_decode(imagecodecs.htj2k_encode(np.zeros((8, 8), np.uint16), reversible=True))


def decode(codestream: bytes) -> Pixels:
    """Stored values, (rows, columns) or (rows, columns, samples). ValueError for no known codestream.

    RuntimeError when the codestream is damaged.
    """
    return codec_of(codestream)(codestream)


def codec_of(codestream: bytes) -> Callable[[bytes], Pixels]:
    if codestream.startswith(JP2_BOX):
        return imagecodecs.jpeg2k_decode
    if codestream.startswith(J2K_START):
        return imagecodecs.htj2k_decode if is_high_throughput(codestream) else imagecodecs.jpeg2k_decode
    if codestream.startswith(JPEG_START):
        kinds = {LOSSLESS_JPEG: imagecodecs.ljpeg_decode, JPEG_LS: imagecodecs.jpegls_decode}
        return kinds.get(jpeg_kind(codestream), imagecodecs.jpeg8_decode)
    raise ValueError("the frame is in none of the encodings JPEG 2000, HTJ2K, JPEG and JPEG-LS")


def is_high_throughput(codestream: bytes) -> bool:
    """Whether the segment after SIZ is CAP, with the bit of Part 15."""
    place = 4 + int.from_bytes(codestream[4:6], "big")
    is_marked = int.from_bytes(codestream[place : place + 2], "big") == CAPABILITIES
    return is_marked and bool(int.from_bytes(codestream[place + 4 : place + 8], "big") & (1 << (32 - 15)))


def jpeg_kind(codestream: bytes) -> int:
    """The start-of-frame marker of a JPEG stream; 0 when there is none."""
    place = 2
    while place + 4 <= len(codestream) and codestream[place] == 0xFF:
        marker = codestream[place + 1]
        if marker in START_OF_FRAME:
            return marker
        place += 2 + int.from_bytes(codestream[place + 2 : place + 4], "big")
    return 0


def is_lossy(codestream: bytes) -> bool:
    """Whether the encoding itself loses: JPEG other than lossless, JPEG-LS near-lossless, the 9/7 wavelet."""
    if codestream.startswith(JPEG_START):
        kind = jpeg_kind(codestream)
        if kind == JPEG_LS:
            scan = codestream.find(b"\xff\xda")
            n_components = codestream[scan + 4]
            return codestream[scan + 5 + 2 * n_components] > 0
        return kind != LOSSLESS_JPEG
    style = codestream.find(b"\xff\x52")
    return style >= 0 and codestream[style + 13] == 0


def stored(pixels: Pixels, *, bits: int, is_signed: bool) -> Pixels:
    """Values of `bits` bits with their sign: what stands in the bits above them (old overlays) is no value."""
    width = pixels.dtype.itemsize * 8
    if (
        pixels.dtype.kind not in "iu"
        or not 0 < bits <= width
        or (bits == width and (pixels.dtype.kind == "i") == is_signed)
    ):
        return pixels
    shift = width - bits
    moved = pixels.view(f"u{width // 8}") << shift
    return moved.view(f"i{width // 8}" if is_signed else f"u{width // 8}") >> shift


def register() -> None:
    """Let pydicom decode through this module what it has no codec of its own for. Done once, at the first reading."""
    for name in ("JPEGBaseline8Bit", "JPEGLossless", "JPEGLosslessSV1", "JPEGLSLossless", "JPEGLSNearLossless",
                 "JPEG2000Lossless", "JPEG2000", "HTJ2KLossless", "HTJ2KLosslessRPCL", "HTJ2K"):  # fmt: skip
        decoder = getattr(decoders, f"{name}Decoder")
        DECODER_DEPENDENCIES.setdefault(decoder.UID, ("imagecodecs",))
        if PLUGIN not in decoder.available_plugins:
            decoder.add_plugin(PLUGIN, (__name__, "decode_frame"))


def is_available(uid: str) -> bool:
    """What pydicom asks a plugin's module."""
    return UID(uid) in DECODER_DEPENDENCIES


def decode_frame(source: bytes, runner: DecodeRunner) -> bytearray:
    """What pydicom calls: one frame's bytes in native order, little endian, samples interleaved."""
    pixels = np.ascontiguousarray(decode(source))
    runner.set_option("bits_allocated", pixels.dtype.itemsize * 8)
    if pixels.ndim == 3:
        runner.set_option("planar_configuration", 0)
    return bytearray(pixels.astype(pixels.dtype.newbyteorder("<")).tobytes())
