"""A series as a volume in patient coordinates: frames into stacks, a stack into an array and its place.

A stack is what shares plane, echo, time, diffusion weighting, image type; series hold several more often than their
description says. Frames are ordered by their place along the normal of the image plane (PS3.3 C.7.6.2.1.1), never by
name or number. Axes are those of ITK and SimpleITK: the array is [slice, row, column]; spacing, origin and direction
are in the order x (along a row), y (down a column), z (across the slices), in mm, LPS.

Example: read_volume(FileFrames(paths)).spacing
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from trilake.imaging.frame import TELLS_REPEATS_APART, Frame

# By half a hundredth of a millimetre two writings of one place may differ: positions are decimal texts.
SAME_PLACE_MM = 0.005
SAME_DIRECTION = 2e-3  # Of a cosine: a tenth of a degree.
UNEVEN_SHARE = 0.02
UNEVEN_MM = 0.01


class Gap(NamedTuple):
    """Missing slices: how many, and the places (mm along the normal) between which they are missing."""

    n_slices: int
    after: float
    before: float


@dataclass(frozen=True)
class Stack:
    """Frames of one volume in the order of their places. `marks`: what tells it from the series' other stacks."""

    frames: tuple[Frame, ...]
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self.marks.items())

    @property
    def places(self) -> list[float]:
        return [frame.place for frame in self.frames if frame.place is not None]

    @property
    def distances(self) -> list[float]:
        return [after - before for before, after in pairwise(self.places)]

    @property
    def spacing(self) -> float | None:
        """Mean distance between slices in mm; of a single slice, what the header says. None when nothing says it."""
        if self.distances and len(self.places) == len(self.frames):
            return (self.places[-1] - self.places[0]) / len(self.distances)
        first = self.frames[0]
        return abs(first.between or first.thickness or 0.0) or None

    @property
    def gaps(self) -> list[Gap]:
        """Where slices are missing: distances of 1.5 usual ones or more."""
        usual = float(np.median(self.distances)) if self.distances else 0.0
        return [
            Gap(max(1, round((after - before) / usual) - 1), before, after)
            for before, after in pairwise(self.places)
            if usual > 0 and after - before > 1.5 * usual
        ]

    @property
    def is_regular(self) -> bool:
        """All slices stand one distance apart; so does a single one."""
        usual = float(np.median(self.distances)) if self.distances else 0.0
        tolerance = max(UNEVEN_MM, UNEVEN_SHARE * usual)
        return all(abs(distance - usual) <= tolerance for distance in self.distances)

    @property
    def shear(self) -> float:
        """The farthest that a slice lies beside the line from the first along the normal, in mm (a tilted gantry)."""
        if len(self.places) < 2 or len(self.places) < len(self.frames):
            return 0.0
        positions = np.array([frame.position for frame in self.frames])
        away = positions - positions[0]
        beside = away - np.outer(away @ self.frames[0].normal, self.frames[0].normal)
        return float(np.linalg.norm(beside, axis=1).max())

    @property
    def n_repeated(self) -> int:
        """Frames that lie where another one does."""
        return sum(distance < SAME_PLACE_MM for distance in self.distances)


def stacks_of(frames: Iterable[Frame]) -> list[Stack]:
    """The stacks of a series, the one with most frames first. A frame that says no plane is in a stack of such."""
    parts: dict[tuple[object, ...], list[Frame]] = {}
    planes: list[tuple[float, ...] | None] = []
    for frame in frames:
        parts.setdefault((plane_of(frame, planes), *sorted(frame.marks.items())), []).append(frame)
    stacks = [Stack(part) for whole in parts.values() for part in without_repeats(ordered(whole))]
    named = [Stack(stack.frames, differing(stack, stacks)) for stack in stacks]
    return sorted(named, key=lambda stack: (-len(stack.frames), stack.label))


def ordered(frames: Iterable[Frame]) -> tuple[Frame, ...]:
    """By place; frames without one by instance number and index, after the others."""
    return tuple(sorted(frames, key=rank))


def rank(frame: Frame) -> tuple[bool, float, int, str, int]:
    return frame.place is None, frame.place or 0.0, frame.number, frame.sop_instance_uid, frame.index


def plane_of(frame: Frame, planes: list[tuple[float, ...] | None]) -> int:
    """The number of the frame's plane among those seen; a new one is added."""
    for number, plane in enumerate(planes):
        is_same = plane is None if frame.orientation is None else plane is not None
        if is_same and (plane is None or np.allclose(plane, frame.orientation or (), atol=SAME_DIRECTION)):
            return number
    planes.append(frame.orientation)
    return len(planes) - 1


def without_repeats(frames: tuple[Frame, ...]) -> list[tuple[Frame, ...]]:
    """The frames parted so that none lies where another does, if one keyword does that; else as they came."""
    n_repeated = Stack(frames).n_repeated
    if not n_repeated:
        return [frames]
    n_places = len(frames) - n_repeated
    for name in TELLS_REPEATS_APART:
        parts: dict[str, list[Frame]] = {}
        for frame in frames:
            parts.setdefault(frame.repeats.get(name, ""), []).append(frame)
        stacks = [ordered(part) for part in parts.values()]
        if all(len(part) == n_places and not Stack(part).n_repeated for part in stacks):
            return stacks
    return [frames]


def differing(stack: Stack, stacks: list[Stack]) -> dict[str, str]:
    """The keywords, with this stack's values, in which not all stacks agree."""
    firsts = [keywords_of(other) for other in stacks]
    names = dict.fromkeys(name for first in firsts for name in first)
    return {
        name: keywords_of(stack).get(name, "")
        for name in names
        if len({first.get(name) for first in firsts}) > 1 and not is_detail(name, stacks)
    }


def keywords_of(stack: Stack) -> dict[str, str]:
    first = stack.frames[0]
    plane = "" if first.orientation is None else "\\".join(f"{value:.3g}" for value in first.orientation)
    return {"ImageOrientationPatient": plane, **first.marks, **first.repeats}


def is_detail(name: str, stacks: list[Stack]) -> bool:
    """A keyword that differs within a stack does not tell stacks apart."""
    return name in TELLS_REPEATS_APART and any(
        len({frame.repeats.get(name) for frame in stack.frames}) > 1 for stack in stacks
    )


MOST_SHEAR_SHARE = 0.5
"""Of a pixel: slices that lie farther beside the first one's normal are sheared, and would need resampling."""


class FrameSource(Protocol):
    """Where frames come from: their descriptions first, their pixels when asked for."""

    def frames(self) -> list[Frame]:
        """All frames of a series. ValueError when the series holds none that could be part of a volume."""

    def pixels(self, frame: Frame) -> NDArray[Any]:
        """Stored values, (rows, columns). ValueError in colour; RuntimeError when a frame cannot be decoded."""


@dataclass(frozen=True)
class Volume:
    """Rescaled values [slice, row, column], and where they lie; `label` tells it from others of the series."""

    array: NDArray[np.float64]
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float]
    direction: NDArray[np.float64]
    """3 x 3, one axis a column: x, y, z."""
    label: str = ""
    gaps: tuple[Gap, ...] = ()
    is_assumed: bool = False
    """Whether positions were counted from the first one, for an object that gives only that."""
    n_stacks: int = 1
    """How many stacks the series holds, of which this is one."""

    @property
    def voxel_ml(self) -> float:
        return float(np.prod(self.spacing)) / 1000

    def index_of(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 3) points in mm to (n, 3) places in the array's own order: slice, row, column, not rounded."""
        away = (points - np.array(self.origin)) @ self.direction
        return (away / np.array(self.spacing))[:, ::-1]


def read_volume(source: FrameSource, *, keep_gaps: bool = False) -> Volume:
    """The one volume of a series. ValueError when it holds several, or for any reason of `volume_of`."""
    stacks = stacks_of(source.frames())
    if len(stacks) != 1:
        labels = "; ".join(f"{stack.label or 'one'}: {len(stack.frames)} frames" for stack in stacks[:6])
        raise ValueError(f"the series holds {len(stacks)} stacks, expected one ({labels})")
    return volume_of(stacks[0], source, keep_gaps=keep_gaps)


def read_volumes(source: FrameSource, *, keep_gaps: bool = False) -> list[Volume]:
    """Every volume of a series, the largest first, each with the label that tells it from the others."""
    return [volume_of(stack, source, keep_gaps=keep_gaps) for stack in stacks_of(source.frames())]


def read_largest(source: FrameSource) -> Volume:
    """The volume of a series' largest stack; of equally large ones the first by label. ValueError as `volume_of`."""
    stacks = stacks_of(source.frames())
    return replace(volume_of(stacks[0], source), n_stacks=len(stacks))


def volume_of(stack: Stack, source: FrameSource, *, keep_gaps: bool = False) -> Volume:
    """A stack's frames read and put together.

    ValueError for colour, frames of several sizes or scales, unknown or repeated places, missing slices (unless
    `keep_gaps`, which spreads what is there evenly, as ITK does) and a tilted gantry.
    """
    spacing = check(stack, keep_gaps)
    first = stack.frames[0]
    array = np.empty((len(stack.frames), *first.shape))
    for number, frame in enumerate(stack.frames):
        pixels = source.pixels(frame)
        if pixels.shape != first.shape:
            raise ValueError(f"a frame has {words(pixels.shape)} pixels, its header says {words(first.shape)}")
        array[number] = pixels * frame.slope + frame.intercept
    row, column = np.array(first.orientation or (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)).reshape(2, 3)
    x, y, z = first.position or (0.0, 0.0, 0.0)
    return Volume(
        array=array,
        spacing=spacing,
        origin=(x, y, z),
        direction=np.column_stack([row, column, first.normal]),
        label=stack.label,
        gaps=tuple(stack.gaps),
        is_assumed=any(frame.is_assumed for frame in stack.frames),
    )


def check(stack: Stack, keep_gaps: bool) -> tuple[float, float, float]:
    """The spacing of a stack that is a volume. ValueError says why it is none."""
    frames = stack.frames
    shapes = sorted({frame.shape for frame in frames})
    if len(shapes) > 1:
        raise ValueError(f"the frames differ in size: {', '.join(map(words, shapes))}")
    spacings = {frame.spacing for frame in frames}
    if None in spacings:
        raise ValueError("PixelSpacing is not given")
    if len({tuple(round(value, 4) for value in spacing or ()) for spacing in spacings}) > 1:
        raise ValueError("the frames differ in PixelSpacing")
    if stack.spacing is None:
        raise ValueError("the distance between slices is not given")
    if len(frames) > 1:
        check_places(stack, keep_gaps)
    rows, columns = frames[0].spacing or (0.0, 0.0)
    if min(rows, columns, stack.spacing) <= 0:
        raise ValueError("a spacing is not above 0")
    return columns, rows, stack.spacing


def check_places(stack: Stack, keep_gaps: bool) -> None:
    n_lost = sum(frame.position is None or frame.orientation is None for frame in stack.frames)
    if n_lost:
        raise ValueError(f"{n_lost} of {len(stack.frames)} frames do not say where they lie")
    if stack.n_repeated:
        raise ValueError(f"{stack.n_repeated} of {len(stack.frames)} frames lie where another one does")
    if stack.gaps and not keep_gaps:
        gaps = ", ".join(f"{gap.n_slices} between {gap.after:g} and {gap.before:g} mm" for gap in stack.gaps[:5])
        raise ValueError(f"slices are missing: {gaps}")
    if not stack.is_regular and not keep_gaps:
        least, most = min(stack.distances), max(stack.distances)
        raise ValueError(f"slices stand {least:.4g} to {most:.4g} mm apart, expected one distance")
    if stack.shear > MOST_SHEAR_SHARE * min(stack.frames[0].spacing or (1.0,)):
        raise ValueError(f"slices are sheared by {stack.shear:.4g} mm (a tilted gantry)")


def words(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
