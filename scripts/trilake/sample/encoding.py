"""Frames into PixelData: as they are, by RLE, or by JPEG 2000 without loss.

Reads and writes nothing. Make target: sample. Example: set_pixels(image, frames, "rle")
"""

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

SYNTAX = {"native": ExplicitVRLittleEndian, "rle": RLELossless, "j2k": JPEG2000Lossless}


def syntax_of(encoding: str) -> UID:
    return SYNTAX[encoding]


def set_pixels(image: FileDataset, frames: NDArray[np.uint16], encoding: str) -> None:
    """PixelData of the frames ([frame, row, column]) in the encoding that the file's transfer syntax names."""
    if encoding == "j2k":
        streams = [imagecodecs.jpeg2k_encode(one, codecformat="j2k", reversible=True, level=0) for one in frames]
        image.PixelData = encapsulate([bytes(stream) for stream in streams])
    else:
        image.PixelData = frames.astype("<u2").tobytes()
    image["PixelData"].VR = "OB" if encoding == "j2k" else "OW"
    if encoding == "rle":
        image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        image.compress(RLELossless, generate_instance_uid=False)
    elif encoding == "j2k":
        image["PixelData"].is_undefined_length = True
