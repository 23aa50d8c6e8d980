"""Regions that a DICOM segmentation (SEG) draws in a series, laid on the series' own voxels.

Which series it is of: ReferencedSeriesSequence, else the source images that its frames name (PS3.3 C.8.20). A
segmentation on another grid is refused: resampling would be a choice.

Example: list(regions(source, volume, series_uid, sop_uids))
"""

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trilake.imaging.frame import Frame, frames_of
from trilake.imaging.pixels import ImageSetFrames
from trilake.imaging.values import Json, integer, number, text
from trilake.imaging.volume import Volume

Mask = NDArray[np.bool_]
OFF_GRID = 0.25
"""Of a voxel: a segmentation's pixel that lies farther from a voxel's centre is of another grid."""
MASK_SOURCE = "dicom_seg"


class Region(NamedTuple):
    """A region of a volume: which it is, whence, and its voxels [slice, row, column]."""

    mask_id: str
    label: str
    source: str
    mask: Mask


def mask_hash(mask: Mask) -> str:
    """sha256 of the mask's size and bits: equal for equal regions of equal volumes."""
    return hashlib.sha256(str(mask.shape).encode() + np.packbits(mask).tobytes()).hexdigest()


def regions(source: ImageSetFrames, volume: Volume, series_uid: str, sop_uids: set[str]) -> Iterator[Region]:
    """Every segment of the series in these segmentations, in their order; empty segments have no region.

    ValueError when a segment does not lie on the volume's voxels.
    """
    for uid, instance in source.instances.items():
        header = instance["DICOM"]
        if not refers_to(header, series_uid, sop_uids):
            continue
        frames = frames_of(header, uid, len(instance["ImageFrames"]))
        for segment_number, segment in segments_of(header):
            mask = np.zeros(volume.array.shape, dtype=bool)
            for frame, pixels in drawn(source, frames, header, segment_number):
                lay(mask, volume, frame, pixels)
            if mask.any():
                label = text(segment.get("SegmentLabel")) or f"segment {segment_number}"
                yield Region(f"{uid}#{segment_number}", label, MASK_SOURCE, mask)


def refers_to(header: Json, series_uid: str, sop_uids: set[str]) -> bool:
    """Whether the segmentation is of the series, by its header; by its frames' source images when that does not say."""
    series = {item.get("SeriesInstanceUID") for item in header.get("ReferencedSeriesSequence") or []}
    return series_uid in series if series else bool(sop_uids & set(source_images(header)))


def source_images(header: Json) -> Iterator[str]:
    for group in header.get("PerFrameFunctionalGroupsSequence") or []:
        for derivation in group.get("DerivationImageSequence") or []:
            for image in derivation.get("SourceImageSequence") or []:
                yield str(image.get("ReferencedSOPInstanceUID"))


def segments_of(header: Json) -> list[tuple[int, Json]]:
    segments = [(integer(item.get("SegmentNumber")), item) for item in header.get("SegmentSequence") or []]
    return [(segment_number, item) for segment_number, item in segments if segment_number]


def drawn(
    source: ImageSetFrames, frames: list[Frame], header: Json, segment_number: int
) -> Iterator[tuple[Frame, NDArray[np.bool_]]]:
    """The segment's frames as masks: binary, fractional (half of the most or more), or a map of labels."""
    kind = str(header.get("SegmentationType") or "BINARY").upper()
    half = (number(header.get("MaximumFractionalValue")) or 255.0) / 2 if kind == "FRACTIONAL" else 0.5
    for frame in frames:
        if kind == "LABELMAP":
            yield frame, source.peek(frame) == segment_number
        elif frame.marks.get("ReferencedSegmentNumber") == str(segment_number):
            yield frame, source.peek(frame) >= half


def lay(mask: Mask, volume: Volume, frame: Frame, pixels: NDArray[np.bool_]) -> None:
    """Set the volume's voxels where the frame's pixels are. ValueError when they lie between voxels or outside."""
    if frame.position is None or frame.orientation is None or frame.spacing is None:
        raise ValueError("a segment does not say where it lies")
    rows, columns = np.nonzero(pixels)
    along, down = np.array(frame.orientation).reshape(2, 3)
    away = np.outer(columns * frame.spacing[1], along) + np.outer(rows * frame.spacing[0], down)
    places = volume.index_of(np.array(frame.position) + away)
    whole = np.rint(places).astype(int)
    if len(places) and np.abs(places - whole).max() > OFF_GRID:
        raise ValueError("a segment lies on another grid than the series")
    if (whole < 0).any() or (whole >= mask.shape).any():
        raise ValueError("a segment reaches beyond the series")
    mask[tuple(whole.T)] = True
