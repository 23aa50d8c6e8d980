"""Features held against the reference values of the IBSI's digital phantom (arXiv 1612.07003v11, chapter 5)."""

import json

import numpy as np
import pytest

from trilake.imaging.radiomics import (
    EXCLUDED,
    Feature,
    foreground,
    measure_foreground,
    measure_region,
    otsu_threshold,
    settings_hash,
    settings_text,
)
from trilake.imaging.volume import Volume

PHANTOM = np.array(
    [
        [[1, 4, 4, 1, 1], [1, 4, 6, 1, 1], [4, 1, 6, 4, 1], [4, 4, 6, 4, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 6, 1, 1], [1, 1, 3, 1, 1], [4, 4, 6, 1, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 9, 1, 1], [1, 1, 6, 1, 1]],
        [[1, 4, 4, 1, 1], [1, 1, 1, 1, 1], [1, 1, 1, 1, 1], [1, 1, 6, 1, 1]],
    ],
    dtype=float,
)
OUTSIDE = [(1, 2, 0), (2, 2, 2), (2, 0, 3), (2, 0, 4), (3, 0, 3), (3, 0, 4)]
REFERENCE = {
    # shape
    "RNU0": 556, "YEKZ": 592, "C0JK": 388, "2PR5": 0.698, "SKGS": 0.0411, "BQWJ": 0.599, "KRCK": 1.19, "QCFX": 0.843,
    "25C7": 0.186, "KLMA": 0.672, "L0JK": 13.1, "TDIC": 11.4, "P9VJ": 9.31, "7J51": 8.54, "Q3CK": 0.816, "N17B": 0.749,
    "PBX1": 0.869, "R59B": 0.866, "6BDE": 1.17, "RDD2": 1.36, "R3ER": 0.961, "7T7F": 1.03, "99N0": 1200,
    # intensities
    "VJGA": 2.6, "0F91": 3.1, "Q4LE": 2.15, "ECT3": 3.05, "KE2A": 1.08, "IPH6": -0.355, "Y12H": 1, "1GSF": 1,
    "QG58": 1, "8DWT": 4, "84IY": 6, "SALO": 3, "2OJQ": 5, "4FUA": 1.55, "1128": 1.11, "N72L": 1.15, "7TET": 0.812,
    "9S40": 0.6, "N8CA": 567, "5ZWQ": 2.77,
    # histogram
    "X6K6": 2.15, "CH89": 3.05, "88K1": 1.08, "C3I7": -0.355, "WIFQ": 1, "1PR8": 1, "GPMT": 1, "OZ0C": 4, "3NCY": 6,
    "AMMC": 1, "WR0O": 3, "5Z3W": 5, "D2ZX": 1.55, "WRZB": 1.11, "4RNL": 1.15, "CWYJ": 0.812, "SLWD": 0.6, "TLU2": 1.27,
    "BJ5W": 0.512, "12CE": 8, "8E6O": 3, "VQB3": -50, "RHQZ": 1,
    # volumes at intensities
    "NK6P": 0.324, "4279": 0.0946, "PWN1": 5, "BOHI": 2, "WITY": 0.23, "JXJA": 3,
    # co-occurrence, in 3D with all directions merged
    "GYBY": 0.509, "60VM": 2.15, "UR99": 3.13, "TU9B": 2.57, "TF7R": 1.38, "D3YU": 3.21, "NTRS": 1.64, "ZGXS": 4.3,
    "OEEB": 7.41, "P6QZ1": 2.11, "8ZQL": 0.291, "ACUI": 5.12, "8S9J": 1.38, "IB1Z": 0.688, "NDRX": 0.856, "WF0Z": 0.631,
    "1QCO": 0.902, "E8JP": 0.0574, "NI2N": 0.183, "QWB0": 5.19, "DG8W": 7.41, "7NFM": 17.4, "AE86": 147,
    "R8DG": -0.0288, "JN9H": 0.269,
    # run lengths, in 3D with all directions merged
    "22OV": 0.729, "W4KF": 2.76, "V3SW": 0.607, "G3QZ": 9.64, "HTZT": 0.372, "GD3A": 8.67, "IVPO": 2.16, "3KUM": 15.6,
    "R5YN": 281, "OVBL": 0.43, "W92Y": 328, "IC23": 0.501, "9ZK5": 0.68, "8CE5": 3.48, "SXLW": 0.598, "HJ9O": 2.62,
    # size zones
    "5QRC": 0.255, "48P8": 550, "XMSY": 0.253, "5GN9": 15.6, "5RAI": 0.0256, "HW1V": 2.76, "YH51": 503, "J17V": 1490,
    "JNSA": 1.4, "Y1RO": 0.28, "4JP3": 1, "VB3A": 0.2, "P30P": 0.0676, "BYLV": 2.64, "3NSA": 331, "GU8N": 2.32,
    # distance zones
    "0GBI": 1, "MB4I": 1, "S1RA": 0.253, "K26C": 15.6, "RUVG": 0.253, "DKNJ": 15.6, "A7WM": 0.253, "KLTH": 15.6,
    "VFT7": 1.4, "7HP3": 0.28, "V294": 5, "IATH": 1, "VIWW": 0.0676, "QK93": 2.64, "7WT1": 0, "GBDU": 1.92,
    # neighbourhoods
    "QCDE": 0.0296, "65HE": 0.584, "NQ30": 6.54, "HDEZ": 13.5, "1X9X": 0.763,
    "SODN": 0.045, "IMOQ": 109, "TL9H": 0.693, "OAE7": 7.66, "EQ3F": 0.00963, "JA6D": 0.736, "NBZI": 102, "9QMG": 235,
    "FP8K": 37.9, "5SPA": 0.512, "Z87G": 4.86, "OKJI": 0.0657, "6XV8": 1, "1PFV": 3.05, "DNX2": 22.1, "FCBV": 4.4,
    "CAS9": 0.0533,
}  # fmt: skip


def a_volume(array: np.ndarray, spacing: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> Volume:
    return Volume(array=array, spacing=spacing, origin=(0.0, 0.0, 0.0), direction=np.eye(3))


def a_region() -> np.ndarray:
    mask = np.ones(PHANTOM.shape, dtype=bool)
    for place in OUTSIDE:
        mask[place] = False
    return mask


def test_every_feature_of_the_digital_phantom_has_its_reference_value():
    # The phantom's grey levels are its bins: six of them, none of which discretisation may change.
    six = {
        "base_discretisation_n_bins": 6,
        "ivh_discretisation_method": "fixed_bin_number",
        "ivh_discretisation_n_bins": 6,
    }
    features = measure_region(a_volume(PHANTOM), a_region(), **six)
    assert {feature.ibsi_code for feature in features} >= set(REFERENCE)
    off = {
        feature.name: (feature.value, REFERENCE[feature.ibsi_code])
        for feature in features
        if feature.ibsi_code in REFERENCE and feature.value != pytest.approx(REFERENCE[feature.ibsi_code], rel=0.0051)
    }
    assert not off
    assert not {feature.name for feature in features} & set(EXCLUDED)


def test_two_runs_agree_to_the_last_bit_and_names_are_one_each():
    rng = np.random.default_rng(3)
    volume, mask = a_volume(rng.normal(100, 20, (12, 30, 30)), (1.5, 1.0, 4.0)), np.zeros((12, 30, 30), dtype=bool)
    mask[2:10, 5:25, 6:24] = True
    first, second = measure_region(volume, mask), measure_region(volume, mask)
    assert first == second
    assert len({feature.name for feature in first}) == len(first) > 170


def test_volumes_are_in_the_voxels_units():
    mask = np.zeros((20, 40, 40), dtype=bool)
    mask[5:15, 10:30, 10:30] = True
    volume = a_volume(np.random.default_rng(1).normal(size=mask.shape), (1.5, 2.0, 5.0))
    features = {feature.name: feature for feature in measure_region(volume, mask)}
    assert (features["morph_vol_approx"].value, features["morph_vol_approx"].unit) == (pytest.approx(4000 * 15), "mm3")
    assert features["morph_diam"].value == pytest.approx(np.linalg.norm([20 * 1.5, 20 * 2, 10 * 5]), rel=0.06)


def test_a_speck_is_no_region():
    mask = np.zeros(PHANTOM.shape, dtype=bool)
    mask[0, 0, :3] = True
    with pytest.raises(ValueError, match="3 voxels, expected 8 or more"):
        measure_region(a_volume(PHANTOM), mask)


def test_equal_settings_have_one_text_and_hash():
    assert settings_text() == settings_text()
    assert json.loads(settings_text())["base_discretisation_n_bins"] == 32
    assert settings_hash(settings_text()) != settings_hash(settings_text(base_discretisation_n_bins=6))


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
    features = measured(a_head(radius=25, hole=8), voxel_ml=0.001)
    assert features["foreground_volume"].value == pytest.approx(ball(25) / 1000, rel=0.02)
    assert features["dark_interior_volume"].value == pytest.approx(ball(8) / 1000, rel=0.05)
    assert features["foreground_median"].value == pytest.approx(100, abs=2)
    assert {feature.unit for feature in features.values()} == {"mL", "1"}


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
