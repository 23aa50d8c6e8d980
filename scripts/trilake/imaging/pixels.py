"""Where a series' frames come from, HealthImaging or DICOM files, and their codestreams as stored values.

Both sources describe frames by the same JSON (`frame.frames_of`), so that a series is the same volume either way. Which
codec is told by a codestream's first bytes, not by a transfer syntax: HealthImaging names its own, and leaves frames
that came with loss as they were. pydicom, whose own decoders know no JPEG-LS or HTJ2K, gets this one (`register`).

Example: read_volume(FileFrames(sorted(folder.glob("*.dcm"))))
"""

import base64
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels import decoders, pixel_array
from pydicom.pixels.decoders.base import DecodeRunner
from pydicom.uid import UID

from trilake.imaging.frame import Frame, frames_of, mosaic_tiles
from trilake.imaging.part10 import DEFLATED, syntax_of
from trilake.imaging.values import Json, integer

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
            # Start of scan: behind its components stands NEAR, the error allowed (ISO/IEC 14495-1, C.2.3).
            scan = codestream.find(b"\xff\xda")
            n_components = codestream[scan + 4]
            return codestream[scan + 5 + 2 * n_components] > 0
        return kind != LOSSLESS_JPEG
    # COD, the coding style: behind 13 bytes stands the wavelet, 0 being the irreversible 9/7 (ISO/IEC 15444-1, A.6.1).
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


GREY = {"MONOCHROME1", "MONOCHROME2"}
ENCODING = dict.fromkeys(("PhotometricInterpretation", "PlanarConfiguration"))
"""What a lossless encoding may change in a header."""
FRAMES_AT_ONCE = 8
"""Each answer is waited for; boto3 keeps ten connections a client."""


@dataclass
class ImageSetFrames:
    """Frames of one series of an image set. `instances`: those of its metadata that have frames, header and frames."""

    client: Any
    image_set: dict[str, str]
    instances: dict[str, Json]
    is_lossless: bool = True
    cache: dict[tuple[str, int], NDArray[Any]] = field(default_factory=dict)

    def frames(self) -> list[Frame]:
        return [
            frame
            for uid, instance in self.instances.items()
            for frame in checked(frames_of(instance["DICOM"], uid, len(instance["ImageFrames"])), instance["DICOM"])
        ]

    def pixels(self, frame: Frame) -> NDArray[Any]:
        pixels = self.peek(frame)
        del self.cache[frame.sop_instance_uid, frame.index]
        return pixels

    def peek(self, frame: Frame) -> NDArray[Any]:
        """The same, kept for a second look."""
        if not self.cache:
            self.read_ahead()
        pixels = self.cache[frame.sop_instance_uid, frame.index]
        return grey(pixels, self.instances[frame.sop_instance_uid]["DICOM"])

    def read_ahead(self) -> None:
        """All frames, several at once: each costs a round trip, and a volume needs them all."""
        names = [
            (uid, index) for uid, instance in self.instances.items() for index in range(len(instance["ImageFrames"]))
        ]
        with ThreadPoolExecutor(FRAMES_AT_ONCE) as pool:
            self.cache = dict(zip(names, pool.map(self.read_frame, names), strict=True))

    def read_frame(self, name: tuple[str, int]) -> NDArray[Any]:
        frame_id = self.instances[name[0]]["ImageFrames"][name[1]]["ID"]
        answer = self.client.get_image_frame(**self.image_set, imageFrameInformation={"imageFrameId": frame_id})
        codestream = answer["imageFrameBlob"].read()
        if self.is_lossless and is_lossy(codestream):
            raise ValueError("the frames are compressed with loss")
        return decode(codestream)


class FileFrames:
    """Frames of the files of one series. ValueError when they are of several series, or one has no pixels."""

    def __init__(self, paths: Iterable[Path]) -> None:
        register()
        self.paths: dict[str, Path] = {}
        self.headers: dict[str, Json] = {}
        self.unusual: set[str] = set()  # pydicom reads single frames only of part 10 files that are not deflated.
        for path in paths:
            dataset = read_quietly(path, defer_size=1 << 16)
            uid = str(dataset.get("SOPInstanceUID", path))
            self.paths[uid], self.headers[uid] = path, document(dataset)
            if (
                not (has_pixels(dataset) and dataset.preamble)
                or dataset.file_meta.get("TransferSyntaxUID", DEFLATED) == DEFLATED
            ):
                self.unusual.add(uid)
        series = {str(header.get("SeriesInstanceUID")) for header in self.headers.values()}
        if len(series) > 1:
            raise ValueError(f"the files are of {len(series)} series, expected one")

    def frames(self) -> list[Frame]:
        return [frame for uid, header in self.headers.items() for frame in checked(frames_of(header, uid), header)]

    def pixels(self, frame: Frame) -> NDArray[Any]:
        header = self.headers[frame.sop_instance_uid]
        check_grey(header)
        path = self.paths[frame.sop_instance_uid]
        source = whole_dataset(path) if frame.sop_instance_uid in self.unusual else path
        return grey(pixel_array(source, index=frame.index, raw=True), header)


def read_quietly(path: Path, **options: Any) -> Dataset:
    """A file of any kind as pydicom reads it, without its remarks on values that break a rule."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path, force=True, **options)


def has_pixels(dataset: Dataset) -> bool:
    return any(name in dataset for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData"))


def whole_dataset(path: Path) -> Dataset:
    """A file's data set with its pixels and a transfer syntax, named or as it is written. ValueError without pixels."""
    dataset = read_quietly(path)
    if not has_pixels(dataset):
        raise ValueError("the file has no pixels")
    if "TransferSyntaxUID" not in dataset.file_meta:
        dataset.file_meta.TransferSyntaxUID = UID(syntax_of(dataset))
    return dataset


def is_reencoded(path: Path, other: Path) -> bool:
    """Whether two files say the same of a picture and show the same values, only in other transfer syntaxes.

    False where that cannot be told: a file that does not decode, or one that gzip packed.
    """
    register()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            left, right = whole_dataset(path), whole_dataset(other)
            if left.file_meta.TransferSyntaxUID == right.file_meta.TransferSyntaxUID:
                return False
            is_same = {**document(left), **ENCODING} == {**document(right), **ENCODING}
            return is_same and np.array_equal(pixel_array(left, raw=True), pixel_array(right, raw=True))
    except Exception:  # pydicom and the codecs raise nearly anything on odd pixels; a conflict it stays either way.
        return False


def checked(frames: list[Frame], header: Json) -> list[Frame]:
    """The frames of an instance that can be part of a volume. ValueError for a mosaic."""
    tiles = mosaic_tiles(header)
    if tiles is not None:
        raise ValueError(f"the picture is a mosaic of {tiles or 'several'} slices side by side")
    check_grey(header)
    return frames


def check_grey(header: Json) -> None:
    kind = str(header.get("PhotometricInterpretation") or "MONOCHROME2")
    if (integer(header.get("SamplesPerPixel")) or 1) > 1 or kind not in GREY:
        raise ValueError(f"the frames are in colour ({kind})")


def grey(pixels: NDArray[Any], header: Json) -> NDArray[Any]:
    """The frame's stored values, without what is not part of them. ValueError in colour."""
    if pixels.ndim != 2:
        raise ValueError("the frames are in colour")
    bits = integer(header.get("BitsStored")) or pixels.dtype.itemsize * 8
    is_high = (integer(header.get("HighBit")) or bits - 1) == bits - 1
    is_signed = integer(header.get("PixelRepresentation")) == 1
    native = np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("="))
    return stored(native, bits=bits, is_signed=is_signed) if is_high else native


def document(dataset: Dataset) -> Json:
    """A data set in the form of HealthImaging's metadata: keyword -> value, private elements by their tag.

    What cannot be read as a value, and pixels, are left out.
    """
    return dict(elements(dataset))


def elements(dataset: Dataset) -> Iterator[tuple[str, Any]]:
    for tag in sorted(dataset.keys()):
        name = keyword_for_tag(tag) or f"{int(tag):08X}"
        if tag.element == 0 or name.endswith("PixelData"):
            continue
        try:
            yield name, plain(dataset[tag])
        except Exception:
            continue


def plain(element: DataElement) -> Any:
    value = element.value
    if element.VR == "SQ":
        return [document(item) for item in value]
    if isinstance(value, bytes):
        return base64.b64encode(value[:64]).decode()
    if isinstance(value, MultiValue | list | tuple):
        return [single(item) for item in value]
    return single(value)


def single(value: Any) -> Any:
    if value is None or isinstance(value, int | float) and type(value) in (int, float):
        return value
    # Decimal and integer strings stay as they were written: 1.0 and "1.00" are one number and two values.
    original = getattr(value, "original_string", None)
    return str(original if isinstance(original, str) else value).strip(" \0")
