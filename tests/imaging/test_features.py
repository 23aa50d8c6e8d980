import numpy as np
import pytest

from trilake.imaging.radiomics import Feature, foreground, measure_foreground, otsu_threshold


def a_head(*, radius: float, hole: float) -> np.ndarray:
    """A bright ball of 64 x 64 x 64 voxels with a dark ball inside it, a little noise."""
    z, y, x = np.ogrid[-32:32, -32:32, -32:32]
    distance = np.sqrt(z**2 + y**2 + x**2)
    volume = np.where((distance < radius) & (distance >= hole), 100.0, 5.0)
    return volume + np.random.default_rng(1).normal(0, 2, volume.shape)


def ball(radius: float) -> float:
    return 4 / 3 * np.pi * radius**3


def measured(array: np.ndarray, voxel_ml: float) -> dict[str, Feature]:
    return {found.name: found for found in measure_foreground(array, foreground(array), voxel_ml=voxel_ml)}


def test_volumes_are_those_of_the_phantom():
    found = measured(a_head(radius=25, hole=8), voxel_ml=0.001)
    assert found["foreground_volume"].value == pytest.approx(ball(25) / 1000, rel=0.02)
    assert found["dark_interior_volume"].value == pytest.approx(ball(8) / 1000, rel=0.05)
    assert found["foreground_median"].value == pytest.approx(100, abs=2)
    assert {feature.unit for feature in found.values()} == {"mL", "1"}


def test_volume_is_in_line_with_the_voxel():
    volume = a_head(radius=20, hole=5)
    one, two = measured(volume, voxel_ml=0.001), measured(volume, voxel_ml=0.002)
    assert two["foreground_volume"].value == pytest.approx(2 * one["foreground_volume"].value)
    assert two["foreground_mean"].value == one["foreground_mean"].value


def test_otsu_lies_between_two_classes():
    values = np.concatenate([np.full(500, 10.0), np.full(300, 90.0)])
    assert 10 <= otsu_threshold(values) < 90


def test_an_empty_picture_has_no_foreground():
    with pytest.raises(ValueError, match="single grey value"):
        foreground(np.zeros((2, 4, 4)))
