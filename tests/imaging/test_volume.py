import io

import imagecodecs
import numpy as np
import pytest

from trilake.imaging.volume import read_volume


class Frames:
    """GetImageFrame over pictures in memory."""

    def __init__(self, pictures: dict[str, np.ndarray]) -> None:
        self.pictures = pictures

    def get_image_frame(self, *, datastoreId: str, imageSetId: str, imageFrameInformation: dict[str, str]) -> dict:
        picture = self.pictures[imageFrameInformation["imageFrameId"]]
        return {"imageFrameBlob": io.BytesIO(imagecodecs.htj2k_encode(picture))}


def an_instance(frame: str, z: float, **header) -> dict:
    place = {"ImagePositionPatient": [0, 0, z], "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [2, 3]}
    return {"DICOM": place | header, "ImageFrames": [{"ID": frame}]}


PICTURES = {name: np.full((16, 16), value, dtype=np.uint16) for name, value in (("a", 1), ("b", 2), ("c", 3))}
NAME = {"datastoreId": "d", "imageSetId": "i"}


def test_frames_are_ordered_by_position_and_rescaled():
    instances = [an_instance("c", 8, InstanceNumber=1), an_instance("a", 0, InstanceNumber=2), an_instance("b", 4)]
    for instance in instances:
        instance["DICOM"] |= {"RescaleSlope": "2", "RescaleIntercept": "-1"}
    volume, voxel_ml = read_volume(Frames(PICTURES), NAME, instances)
    assert volume.shape == (3, 16, 16)
    assert volume[:, 0, 0].tolist() == [1.0, 3.0, 5.0]
    assert voxel_ml == pytest.approx(2 * 3 * 4 / 1000)


def test_order_follows_the_normal_of_an_oblique_plane():
    oblique = {"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}
    instances = [
        an_instance("a", 0) | {"DICOM": {"ImagePositionPatient": [x, 0, 0], "PixelSpacing": [1, 1], **oblique}}
        for x in (5, -5)
    ]
    instances[1]["ImageFrames"] = [{"ID": "b"}]
    volume, _ = read_volume(Frames(PICTURES), NAME, instances)
    assert volume[:, 0, 0].tolist() == [1.0, 2.0]


def test_a_missing_spacing_is_said():
    with pytest.raises(ValueError, match="PixelSpacing"):
        read_volume(Frames(PICTURES), NAME, [{"DICOM": {}, "ImageFrames": [{"ID": "a"}]}])


def test_frames_of_two_sizes_are_no_volume():
    pictures = PICTURES | {"b": np.zeros((8, 8), dtype=np.uint16)}
    with pytest.raises(ValueError, match="differ in size"):
        read_volume(Frames(pictures), NAME, [an_instance("a", 0), an_instance("b", 4)])


def test_a_colour_picture_is_no_volume():
    pictures = {"a": np.zeros((8, 8, 3), dtype=np.uint8)}
    with pytest.raises(ValueError, match="in colour"):
        read_volume(Frames(pictures), NAME, [an_instance("a", 0)])
