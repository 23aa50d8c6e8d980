"""The stacks of a series: frames that make one volume, ordered by their place in the patient, never by name.

Pure. A stack is what shares plane, echo, time, diffusion weighting, image type; series hold several more often than
their description says. Places are along the normal of the image plane (PS3.3 C.7.6.2.1.1).

Example: stacks_of(frames)[0].gaps
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from trilake.imaging.frame import TELLS_REPEATS_APART, Frame

SAME_PLACE_MM = 0.005
SAME_DIRECTION = 2e-3
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
    found = [Stack(part) for whole in parts.values() for part in without_repeats(ordered(whole))]
    named = [Stack(stack.frames, differing(stack, found)) for stack in found]
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
        found = [ordered(part) for part in parts.values()]
        if all(len(part) == n_places and not Stack(part).n_repeated for part in found):
            return found
    return [frames]


def differing(stack: Stack, stacks: list[Stack]) -> dict[str, str]:
    """The keywords, with this stack's values, in which not all stacks agree."""
    firsts = [told(one) for one in stacks]
    names = dict.fromkeys(name for first in firsts for name in first)
    return {
        name: told(stack).get(name, "")
        for name in names
        if len({first.get(name) for first in firsts}) > 1 and not is_detail(name, stacks)
    }


def told(stack: Stack) -> dict[str, str]:
    first = stack.frames[0]
    plane = "" if first.orientation is None else "\\".join(f"{value:.3g}" for value in first.orientation)
    return {"ImageOrientationPatient": plane, **first.marks, **first.repeats}


def is_detail(name: str, stacks: list[Stack]) -> bool:
    """A keyword that differs within a stack does not tell stacks apart."""
    return name in TELLS_REPEATS_APART and any(
        len({frame.repeats.get(name) for frame in stack.frames}) > 1 for stack in stacks
    )
