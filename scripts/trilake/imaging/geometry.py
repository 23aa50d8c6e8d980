"""Where a series lies in the patient, and whether it is a volume: the geometry columns of the series table.

Pure: instances of HealthImaging's metadata in, one row's columns out. What keeps its largest stack from being a volume
is told in words, the same that the radiomics job puts into the ledger.

Example: geometry(series["Instances"])["n_missing_slices"]
"""

from typing import Any

from trilake.imaging.frame import Frame, Vector, frames_of, mosaic_tiles
from trilake.imaging.source import checked
from trilake.imaging.stack import Stack, stacks_of
from trilake.imaging.values import Json
from trilake.imaging.volume import check

NOTHING: Json = dict.fromkeys(
    ("n_stacks", "n_slices", "slice_spacing", "orientation", "first_position", "last_position", "is_regular", "n_gaps",
     "n_missing_slices", "is_multi_frame", "n_mosaic_tiles", "geometry_problem")
)  # fmt: skip
PICTURE = {"Rows", "Columns", "BitsAllocated"}
"""What only pictures say of themselves (PS3.3 C.7.6.3)."""


def geometry(instances: Json) -> Json:
    """The columns of NOTHING. Positions, spacing and gaps are those of the largest stack; all None without frames.

    A picture without frames is a problem; objects that describe none (reports, documents) are not.
    `n_slices` counts the places of that stack, or the tiles of a mosaic; mosaics have no further geometry.
    """
    pictures = {uid: one for uid, one in instances.items() if one.get("ImageFrames")}
    if not pictures:
        return NOTHING | {"geometry_problem": frameless_problem(instances)}
    frames, problem = frames_with_problem(pictures)
    tiles = max((mosaic_tiles(one["DICOM"]) or 0 for one in pictures.values()), default=0)
    stacks = stacks_of(frames)
    found = NOTHING | {
        "n_stacks": len(stacks),
        "is_multi_frame": any(len(one["ImageFrames"]) > 1 for one in pictures.values()),
        "n_mosaic_tiles": tiles or None,
        "n_slices": tiles or None,
        "geometry_problem": problem or problem_of(stacks),
    }
    return found if tiles else found | stack_columns(stacks[0])


def frameless_problem(instances: Json) -> str | None:
    """Why nothing can be made of instances whose headers describe a picture; None for reports and documents."""
    n_pictures = sum(one.get("DICOM", {}).keys() >= PICTURE for one in instances.values())
    told = f"{n_pictures} of {len(instances)} instances describe a picture and have no frames"
    return told if n_pictures else None


def frames_with_problem(pictures: Json) -> tuple[list[Frame], str]:
    """All frames, and why they can be no part of a volume ('' when they can)."""
    frames, problem = [], ""
    for uid, instance in pictures.items():
        found = frames_of(instance["DICOM"], uid, len(instance["ImageFrames"]))
        try:
            checked(found, instance["DICOM"])
        except ValueError as error:
            problem = str(error)
        frames += found
    return frames, problem


def problem_of(stacks: list[Stack]) -> str | None:
    """Why the largest stack, which is the one that is described and measured, is no volume."""
    try:
        check(stacks[0], keep_gaps=False)
    except ValueError as error:
        return str(error) if len(stacks) == 1 else f"{error} (the largest of {len(stacks)} stacks)"
    return None


def stack_columns(stack: Stack) -> Json:
    first, last = stack.frames[0], stack.frames[-1]
    is_placed = all(frame.position is not None for frame in stack.frames)
    gaps = stack.gaps
    return {
        "n_slices": len(stack.frames) - stack.n_repeated,
        "slice_spacing": stack.spacing if is_placed and len(stack.frames) > 1 else None,
        "orientation": listed(first.orientation),
        "first_position": listed(first.position),
        "last_position": listed(last.position),
        "is_regular": stack.is_regular and not stack.n_repeated if is_placed else None,
        "n_gaps": len(gaps) if is_placed else None,
        "n_missing_slices": sum(gap.n_slices for gap in gaps) if is_placed else None,
    }


def listed(vector: Vector | None) -> list[float] | None:
    return None if vector is None else list(vector)


def instance_geometry(header: Json, n_frames: int) -> dict[str, Any]:
    """The columns of one instance: its first frame's place and plane."""
    first: Frame | None = frames_of(header, "", 1)[0] if n_frames else None
    position = first.position if first and first.position else (None, None, None)
    return {
        "position_x": position[0],
        "position_y": position[1],
        "position_z": position[2],
        "orientation": listed(first.orientation) if first else None,
        "slice_place": first.place if first else None,
    }
