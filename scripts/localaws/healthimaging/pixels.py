"""Frames of a DICOM instance: out of the file, and as HTJ2K or JPEG 2000 codestreams.

HealthImaging stores images in its own codec and leaves some lossy ones, and videos, as they came (developer guide,
"Supported transfer syntaxes"). Pixels that it cannot use do not keep the instance out: a warning says so ("Warning
codes"), and the metadata list no frames.

Example: `Pixels(dataset).frame(0)` is the first frame as numbers, exactly as stored.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import generate_fragmented_frames, get_frame, parse_fragments
from pydicom.pixels import get_decoder

Frame = np.ndarray[Any, np.dtype[Any]]

_NEEDED = ("Rows", "Columns", "BitsAllocated", "SamplesPerPixel")
RLE = "1.2.840.10008.1.2.5"
MOST_BITS = 32
LOSSLESS_SYNTAX = {"HTJ2K": "1.2.840.10008.1.2.4.202", "JPEG_2000_LOSSLESS": "1.2.840.10008.1.2.4.90"}
_NATIVE = {
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    RLE,  # decoded by pydicom too
}
_LOSSLESS: dict[str, Callable[[bytes], Any]] = {
    "1.2.840.10008.1.2.4.51": imagecodecs.jpeg8_decode,
    "1.2.840.10008.1.2.4.57": imagecodecs.ljpeg_decode,
    "1.2.840.10008.1.2.4.70": imagecodecs.ljpeg_decode,
    "1.2.840.10008.1.2.4.80": imagecodecs.jpegls_decode,
    "1.2.840.10008.1.2.4.81": imagecodecs.jpegls_decode,
    "1.2.840.10008.1.2.4.90": imagecodecs.jpeg2k_decode,
    "1.2.840.10008.1.2.4.92": imagecodecs.jpeg2k_decode,
    "1.2.840.10008.1.2.4.93": imagecodecs.jpeg2k_decode,
    "1.2.840.10008.1.2.4.201": imagecodecs.htj2k_decode,
    "1.2.840.10008.1.2.4.202": imagecodecs.htj2k_decode,
}
# Kept as they are. Content type of a frame, and how to look into it.
_KEPT: dict[str, tuple[str, Callable[[bytes], Any]]] = {
    "1.2.840.10008.1.2.4.50": ("image/jpeg", imagecodecs.jpeg8_decode),
    "1.2.840.10008.1.2.4.91": ("image/j2c", imagecodecs.jpeg2k_decode),
    "1.2.840.10008.1.2.4.203": ("image/jph", imagecodecs.htj2k_decode),
}
_VIDEO = {f"1.2.840.10008.1.2.4.{number}" for number in (*range(100, 109), *(f"{n}.1" for n in range(100, 107)))}

# OpenJPH fills its tables at the first use, and two threads that are first at once get damaged pixels.
imagecodecs.htj2k_decode(imagecodecs.htj2k_encode(np.zeros((8, 8), np.uint16), reversible=True))


class PixelError(Exception):
    """The pixels are not what the header says, or cannot be decoded; the message is for the import's report.

    `kind` is the service's name of the warning that an import gives of them.
    """

    def __init__(self, message: str, kind: str = "TRANSCODING_EXCEPTION") -> None:
        super().__init__(message)
        self.kind = kind


class Pixels:
    """The frames of one instance."""

    def __init__(self, dataset: Dataset) -> None:
        """PixelError for a transfer syntax that HealthImaging does not take, or a header that describes no image."""
        self._dataset = dataset
        self.syntax = str(dataset.file_meta.TransferSyntaxUID)
        known = self.syntax in _NATIVE or self.syntax in _LOSSLESS or self.syntax in _KEPT or self.syntax in _VIDEO
        if not known:
            raise PixelError(f"The transfer syntax {self.syntax} is not supported", "UNSUPPORTED_TRANSFER_SYNTAX")
        missing = [name for name in _NEEDED if dataset.get(name) is None]
        if missing:
            message = f"DICOM attribute {', '.join(missing)} does not exist, but pixel data do"
            raise PixelError(message, "FRAMES_EXTRACTION_FAILURE")
        if not dataset.PixelData or 0 in self.shape:
            raise PixelError("PixelData, Rows or Columns are empty", "FRAMES_EXTRACTION_FAILURE")
        if self._whole("BitsAllocated") > MOST_BITS:
            raise PixelError(f"The codestreams hold {MOST_BITS} bits a sample at most")

    @property
    def count(self) -> int:
        """How many frames the store keeps: a video is one."""
        return 1 if self.syntax in _VIDEO else self._whole("NumberOfFrames", 1)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._whole("Rows"), self._whole("Columns")

    def _whole(self, name: str, default: int = 0) -> int:
        try:
            return int(self._dataset.get(name) or default)
        except (TypeError, ValueError) as error:
            message = f"DICOM attribute {name} is not a whole number"
            raise PixelError(message, "FRAMES_EXTRACTION_FAILURE") from error

    @property
    def is_kept(self) -> bool:
        """Whether frames are given out in the encoding they came in."""
        return self.syntax in _KEPT or self.syntax in _VIDEO

    def frame(self, index: int) -> Frame:
        """One frame as numbers: stored values, neither rescaled nor converted to another colour space."""
        try:
            if self.syntax in _NATIVE:
                return self._native(index)
            decode = _LOSSLESS.get(self.syntax) or _KEPT[self.syntax][1]
            values = np.asarray(decode(self._encoded(index)))
        except PixelError:
            raise
        except Exception as error:
            raise PixelError(f"Frame {index + 1} cannot be decoded: {type(error).__name__}: {error}") from error
        return self._as_described(values, index)

    def _native(self, index: int) -> Frame:
        decoder = get_decoder(self._dataset.file_meta.TransferSyntaxUID)
        values, _ = decoder.as_array(self._dataset, index=index, raw=True, decoding_plugin="")
        return np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))

    def _as_described(self, values: Frame, index: int) -> Frame:
        if values.shape[:2] != self.shape:
            wanted = " x ".join(map(str, self.shape))
            raise PixelError(
                f"Frame {index + 1} has {values.shape[0]} x {values.shape[1]} pixels, the header says {wanted}"
            )
        if self._whole("PixelRepresentation", 0) == 1 and values.dtype.kind == "u":
            return _signed(values, self._whole("BitsStored", values.dtype.itemsize * 8))
        return values

    def _encoded(self, index: int) -> bytes:
        return get_frame(self._dataset.PixelData, index, number_of_frames=self.count)

    def stream(self, index: int) -> tuple[bytes, str]:
        """A kept frame's bytes and content type."""
        if self.syntax in _VIDEO:
            fragments = next(generate_fragmented_frames(self._dataset.PixelData, number_of_frames=1))
            return b"".join(fragments), "video/mp4"
        return self._encoded(index), _KEPT[self.syntax][0]

    def check_length(self) -> None:
        """PixelError when uncompressed pixels are shorter than the header says, or fragments fewer than frames."""
        if self.syntax in _NATIVE and self.syntax != RLE:
            self._check_bytes()
        elif self.syntax not in _VIDEO:
            count, _ = parse_fragments(self._dataset.PixelData)
            if count - 1 < self.count:  # The first is the offset table.
                message = f"PixelData has {max(count - 1, 0)} fragments, expected {self.count}"
                raise PixelError(message, "FRAME_NUMBER_MISMATCH")

    def _check_bytes(self) -> None:
        data, (rows, columns) = self._dataset, self.shape
        bits = rows * columns * self._whole("SamplesPerPixel") * self._whole("BitsAllocated") * self.count
        expected = (bits + 7) // 8
        if data.get("PhotometricInterpretation") == "YBR_FULL_422":
            expected = expected * 2 // 3
        if len(data.PixelData) < expected:
            message = f"PixelData has {len(data.PixelData)} bytes, expected {expected}"
            raise PixelError(message, "FRAMES_EXTRACTION_FAILURE")


def _signed(values: Frame, bits: int) -> Frame:
    """Two's complement of `bits` bits, which some codecs give as unsigned numbers."""
    wide = values.astype(np.int32)
    wide[wide >= 1 << (bits - 1)] -= 1 << bits
    return wide.astype(np.dtype(f"i{values.dtype.itemsize}"))


def encode(frame: Frame, storage_format: str) -> tuple[bytes, str]:
    """A frame as a lossless codestream and its content type; PixelError if it does not decode to the same numbers."""
    if storage_format == "JPEG_2000_LOSSLESS":
        encoded = imagecodecs.jpeg2k_encode(frame, codecformat="j2k", reversible=True, level=0)
        decoded, content_type = imagecodecs.jpeg2k_decode(encoded), "image/j2c"
    else:
        encoded = imagecodecs.htj2k_encode(frame, reversible=True)
        decoded, content_type = imagecodecs.htj2k_decode(encoded), "image/jph"
    if decoded.dtype != frame.dtype or not np.array_equal(decoded, frame):
        raise PixelError(f"{storage_format} cannot hold these {frame.dtype} pixels without loss")
    return bytes(encoded), content_type
