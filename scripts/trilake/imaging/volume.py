"""A series as a volume: its frames from HealthImaging, decoded, ordered by position, rescaled.

Reads GetImageFrame (HTJ2K codestreams). Order is by the slice's place along the normal of the image plane (PS3.3
C.7.6.2), never by name or number.

Example: volume, voxel_ml = read_volume(client, store_id, image_set_id, instances)
"""

from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from trilake.imaging.metadata import Json, number, numbers


def read_volume(client: Any, image_set: dict[str, str], instances: list[Json]) -> tuple[NDArray[np.float64], float]:
    """(slices, rows, columns) in rescaled grey values, and one voxel's volume in mL.

    `instances` are those of one series in the metadata, frames and headers. ValueError when frames are in colour or
    differ in size, or when spacing is not given; RuntimeError when a frame cannot be decoded.
    """
    ordered = sorted(instances, key=lambda instance: place(instance["DICOM"]))
    slices = [frame for instance in ordered for frame in read_frames(client, image_set, instance)]
    if any(frame.ndim != 2 for frame in slices):
        raise ValueError("the frames are in colour")
    if len({frame.shape for frame in slices}) != 1:
        raise ValueError("the frames differ in size")
    return np.stack(slices), voxel_volume([instance["DICOM"] for instance in ordered])


def read_frames(client: Any, image_set: dict[str, str], instance: Json) -> list[NDArray[np.float64]]:
    header = instance["DICOM"]
    slope, intercept = number(header.get("RescaleSlope")), number(header.get("RescaleIntercept"))
    frames = []
    for frame in instance["ImageFrames"]:
        answer = client.get_image_frame(**image_set, imageFrameInformation={"imageFrameId": frame["ID"]})
        pixels = imagecodecs.htj2k_decode(answer["imageFrameBlob"].read()).astype(np.float64)
        frames.append(pixels * (1.0 if slope is None else slope) + (intercept or 0.0))
    return frames


def normal(header: Json) -> NDArray[np.float64]:
    """Unit vector across the image plane; the z axis when the orientation is not given."""
    axes = numbers(header.get("ImageOrientationPatient"))
    return np.cross(axes[:3], axes[3:]) if len(axes) == 6 else np.array([0.0, 0.0, 1.0])


def place(header: Json) -> tuple[float, float]:
    """Where a slice stands along the normal, in mm; its number where the position is not given."""
    position = numbers(header.get("ImagePositionPatient"))
    along = float(np.dot(position, normal(header))) if len(position) == 3 else 0.0
    return along, number(header.get("InstanceNumber")) or 0.0


def voxel_volume(headers: list[Json]) -> float:
    """mL of one voxel: pixel spacing times the median distance between slices (slice thickness for one slice)."""
    spacing = numbers(headers[0].get("PixelSpacing"))
    places = [place(header)[0] for header in headers]
    gaps = np.diff(places)
    depth = float(np.median(gaps)) if len(gaps) and np.median(gaps) > 0 else number(headers[0].get("SliceThickness"))
    if len(spacing) != 2 or not depth:
        raise ValueError("PixelSpacing or the distance between slices is not given")
    return spacing[0] * spacing[1] * depth / 1000
