"""Frames of an instance: where each lies in the patient, how its stored values become real ones, what it belongs to.

Headers come as JSON, keyword -> value, as HealthImaging's metadata have them (`pixels.document` makes the same of a
file). One description serves single frames, enhanced multi-frame objects, whose functional groups say these things per
frame (PS3.3 C.7.6.16), and older multi-frame objects, which give one position and a distance for all their frames.

Example: frames_of(header, "1.2.3")[0].position
"""

import base64
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from trilake.imaging.values import Json, integer, number, numbers, text

Vector = tuple[float, ...]
TELLS_APART = (
    "StackID", "EffectiveEchoTime", "EchoTime", "TemporalPositionIndex", "TemporalPositionIdentifier", "FrameType",
    "ImageType", "DiffusionBValue", "DiffusionGradientOrientation", "ReferencedSegmentNumber",
)  # fmt: skip
"""Keywords whose values part the frames of a series into stacks: frames that differ in one are never one volume."""
TELLS_REPEATS_APART = (
    "AcquisitionNumber", "TriggerTime", "NominalCardiacTriggerDelayTime", "AcquisitionTime", "ContentTime",
)  # fmt: skip
"""Keywords that may differ within a volume, asked only where several frames lie at one place."""
CINE = ("FrameTime", "FrameTimeVector")  # Frames that follow one another in time, at one place (PS3.3 C.7.6.5).
MOSAIC_TILES = "0019100A"
"""Siemens' NumberOfImagesInMosaic, a private element: functional series keep a whole volume in one picture."""


@dataclass(frozen=True)
class Frame:
    """One frame. Lengths in mm, patient coordinates (PS3.3 C.7.6.2.1.1); what the header does not say is None."""

    sop_instance_uid: str
    index: int
    number: int
    position: Vector | None
    orientation: Vector | None
    spacing: Vector | None
    """Distance between rows, and between columns."""
    thickness: float | None
    between: float | None
    slope: float
    intercept: float
    shape: tuple[int, int]
    marks: Mapping[str, str]
    repeats: Mapping[str, str]
    is_assumed: bool = False
    """The position is the instance's first one and as many distances between slices as frames came before."""

    @property
    def normal(self) -> np.ndarray[Any, Any]:
        """Unit vector across the image plane; the z axis when the orientation is not given."""
        axes = self.orientation or (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
        return np.cross(axes[:3], axes[3:])

    @property
    def place(self) -> float | None:
        """Where the frame stands along its normal."""
        return None if self.position is None else float(np.dot(self.position, self.normal))


def frames_of(header: Json, sop_instance_uid: str, n_frames: int | None = None) -> list[Frame]:
    """The frames of an instance in the order in which they are stored. `n_frames`: how many the store keeps."""
    count = n_frames if n_frames is not None else integer(header.get("NumberOfFrames")) or 1
    return [
        frame_of(attributes, sop_instance_uid, index)
        for index, attributes in enumerate(attributes_of_frames(header, count))
    ]


def attributes_of_frames(header: Json, n_frames: int) -> Iterator[Mapping[str, Any]]:
    """What the header says of each frame: its own functional groups before the shared ones before the rest."""
    shared = flat(first_item(header.get("SharedFunctionalGroupsSequence")))
    detector = first_item(header.get("DetectorInformationSequence"))
    per_frame = header.get("PerFrameFunctionalGroupsSequence") or []
    for index in range(n_frames):
        group = per_frame[index] if index < len(per_frame) and isinstance(per_frame[index], dict) else {}
        yield ChainMap(flat(group), shared, header, detector)


def frame_of(attributes: Mapping[str, Any], sop_instance_uid: str, index: int) -> Frame:
    position, orientation = (
        vector(attributes.get("ImagePositionPatient"), 3),
        axes(attributes.get("ImageOrientationPatient")),
    )
    thickness, between = number(attributes.get("SliceThickness")), number(attributes.get("SpacingBetweenSlices"))
    is_own = "PlanePositionSequence" in attributes or index == 0
    slope, intercept = number(attributes.get("RescaleSlope")), number(attributes.get("RescaleIntercept"))
    frame = Frame(
        sop_instance_uid=sop_instance_uid,
        index=index,
        number=integer(attributes.get("InstanceNumber")) or 0,
        position=position,
        orientation=orientation,
        spacing=vector(attributes.get("PixelSpacing"), 2),
        thickness=thickness,
        between=between,
        slope=1.0 if slope is None else slope,
        intercept=intercept or 0.0,
        shape=(integer(attributes.get("Rows")) or 0, integer(attributes.get("Columns")) or 0),
        marks=values_of(attributes, TELLS_APART),
        repeats=values_of(attributes, TELLS_REPEATS_APART),
    )
    return frame if is_own or position is None else stepped(frame, attributes)


def stepped(frame: Frame, attributes: Mapping[str, Any]) -> Frame:
    """A frame of an object that gives one position for all: in the file's order along the normal.

    RT doses say each frame's offset (GridFrameOffsetVector, PS3.3 C.8.8.3.2); frames that follow one another in time
    stay where they are; with no distance between slices there is no position.
    """
    if any(attributes.get(name) is not None for name in CINE):
        return frame
    offsets = numbers(attributes.get("GridFrameOffsetVector"))
    step = abs(frame.between or frame.thickness or 0.0)
    if frame.index < len(offsets):
        away = offsets[frame.index] - offsets[0]
    elif step:
        away = frame.index * step
    else:
        return Frame(**(frame.__dict__ | {"position": None}))
    moved = tuple(float(value) for value in np.add(frame.position or (), away * frame.normal))
    return Frame(**(frame.__dict__ | {"position": moved, "is_assumed": True}))


def flat(group: Json) -> Json:
    """The attributes of all functional groups of a frame; each group is a sequence of one item, and is named too."""
    attributes: Json = {}
    for name, sequence in group.items():
        item = first_item(sequence)
        if item:
            attributes |= item | {name: sequence}
            attributes |= {inner: value for nested in nested_items(item) for inner, value in nested.items()}
    return attributes


def nested_items(item: Json) -> list[Json]:
    return [first_item(item.get(name)) for name in ("DiffusionGradientDirectionSequence",) if item.get(name)]


def first_item(sequence: Any) -> Json:
    return sequence[0] if isinstance(sequence, list) and sequence and isinstance(sequence[0], dict) else {}


def vector(value: Any, length: int) -> Vector | None:
    components = numbers(value)
    return tuple(components) if len(components) == length else None


def axes(value: Any) -> Vector | None:
    """The directions of rows and columns, of length one; None when they are no right angle."""
    cosines = numbers(value)
    if len(cosines) != 6:
        return None
    row, column = np.array(cosines[:3]), np.array(cosines[3:])
    lengths = float(np.linalg.norm(row)), float(np.linalg.norm(column))
    # Written with few digits they are not quite of length one; far from it they are no directions at all.
    if min(lengths) < 0.9 or max(lengths) > 1.1 or abs(float(np.dot(row, column))) > 0.01:
        return None
    return tuple(float(value) for value in (*(row / lengths[0]), *(column / lengths[1])))


def values_of(attributes: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, str]:
    """What the header says of these keywords; equal numbers in one form, however they are written."""
    values = {name: attributes.get(name) for name in names}
    plain = {name: value if number(value) is None else f"{number(value):g}" for name, value in values.items()}
    return {name: word for name, value in plain.items() if (word := text(value)) is not None}


def mosaic_tiles(header: Json) -> int | None:
    """How many slices Siemens laid side by side in the one picture; None when the picture is no mosaic.

    0 when ImageType says mosaic, but the private element with the number is not there.
    """
    value = header.get(MOSAIC_TILES)
    # Without the vendor's dictionary it is of unknown representation: bytes, in JSON as base64.
    if isinstance(value, str) and not value.isdigit():
        value = int.from_bytes(base64.b64decode(value)[:2], "little")
    tiles = integer(value)
    is_mosaic = "MOSAIC" in str(header.get("ImageType") or "").upper()
    return tiles if tiles else 0 if is_mosaic else None
