"""Series of DICOM headers and pictures for the tests: as files, and as HealthImaging's metadata with their frames."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from pydicom.dataset import FileDataset

from tests.imaging.conftest import SERIES, a_dicom
from trilake.imaging.pixels import document

AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
NAME = {"datastoreId": "d", "imageSetId": "i"}


def a_series(
    folder: Path,
    pictures: np.ndarray,
    *,
    step: float = 3.0,
    orientation: Sequence[float] = AXIAL,
    origin: Sequence[float] = (-10.0, 20.0, 5.0),
    order: Sequence[int] | None = None,
    slopes: Sequence[float] = (),
    **changes: Any,
) -> list[Path]:
    """Files of one series, a slice each; `order` numbers and names them otherwise than they lie."""
    normal = np.cross(orientation[:3], orientation[3:])
    paths = []
    for place, picture in enumerate(pictures):
        number = order[place] if order else place
        values = {
            "SOPInstanceUID": f"2.25.3.{number + 1}",
            "InstanceNumber": number + 1,
            "ImagePositionPatient": [round(float(v), 6) for v in np.add(origin, place * step * normal)],
            "ImageOrientationPatient": [round(float(v), 9) for v in orientation],
            "PixelSpacing": [2.0, 1.5],
            "SliceThickness": step,
            "Rows": picture.shape[0],
            "Columns": picture.shape[1],
            "PixelRepresentation": int(picture.dtype.kind == "i"),
            "PixelData": np.ascontiguousarray(picture).tobytes(),
        }
        if slopes:
            values |= {"RescaleSlope": slopes[place], "RescaleIntercept": -1.5 * place}
        paths.append(a_dicom(folder / f"{number:03d}.dcm", **(values | changes)))
    return paths


class Frames:
    """GetImageFrame over pictures in memory: HTJ2K, as the service gives them out."""

    def __init__(self, pictures: dict[str, np.ndarray]) -> None:
        self.pictures = pictures

    def get_image_frame(self, *, datastoreId: str, imageSetId: str, imageFrameInformation: dict[str, str]) -> dict:
        picture = self.pictures[imageFrameInformation["imageFrameId"]]
        return {"imageFrameBlob": io.BytesIO(imagecodecs.htj2k_encode(picture))}


def as_image_set(datasets: Sequence[FileDataset]) -> tuple[Frames, dict[str, Any]]:
    """The service's view of instances: a client with their frames, and metadata."""
    pictures, instances = {}, {}
    for dataset in datasets:
        uid, frames = str(dataset.SOPInstanceUID), np.atleast_3d(dataset.pixel_array)
        frames = frames if dataset.pixel_array.ndim == 3 else frames.transpose(2, 0, 1)
        names = [f"{uid}/{index}" for index in range(len(frames))]
        pictures |= dict(zip(names, frames, strict=True))
        instances[uid] = {"DICOM": document(dataset), "ImageFrames": [{"ID": name} for name in names]}
    return Frames(pictures), instances


def a_metadata(instances: dict[str, Any], **study: Any) -> dict[str, Any]:
    """GetImageSetMetadata of one series of these instances."""
    first = next(iter(instances.values()))["DICOM"]
    return {
        "Patient": {"DICOM": {"PatientID": first.get("PatientID")}},
        "Study": {
            "DICOM": {"StudyInstanceUID": "2.25.1", **study},
            "Series": {SERIES: {"DICOM": {"Modality": first.get("Modality")}, "Instances": instances}},
        },
    }
