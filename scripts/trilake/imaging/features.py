"""Our own features of a volume's foreground, where no segmentation is needed: volumes in mL and grey values.

Pure. The mask is Otsu's threshold of the whole volume (Otsu 1979), holes filled slice by slice: the head, not an
anatomical segmentation, and labelled `foreground_otsu` in every row.

Example: measure_foreground(volume.array, foreground(volume.array), voxel_ml=0.004)[0].value
"""

import json
from importlib.metadata import version
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from trilake.imaging.radiomics import Feature

MASK_SOURCE = "foreground_otsu"
SOFTWARE = "trilake"
N_BINS = 256
SETTINGS = json.dumps({"threshold": "otsu", "n_bins": N_BINS, "holes": "filled slice by slice"}, sort_keys=True)


class Foreground(NamedTuple):
    """Voxels [slice, row, column] inside the outline, and those of them above the threshold."""

    inside: NDArray[np.bool_]
    bright: NDArray[np.bool_]


def software_version() -> str:
    return version(SOFTWARE)


def otsu_threshold(values: NDArray[np.float64]) -> float:
    """The grey value that best separates two classes (largest between-class variance)."""
    counts, edges = np.histogram(values, bins=N_BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts), values.size - np.cumsum(counts)
    sums = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(centres[int(np.nanargmax(variance))])


def foreground(array: NDArray[np.float64]) -> Foreground:
    """The foreground of a volume [slice, row, column].

    ValueError when all voxels have one value: there is no foreground to find.
    """
    if array.size == 0 or array.min() == array.max():
        raise ValueError("the volume has a single grey value")
    bright = array > otsu_threshold(array.ravel())
    return Foreground(np.stack([binary_fill_holes(part) for part in bright]), bright)


def measure_foreground(array: NDArray[np.float64], found: Foreground, *, voxel_ml: float) -> list[Feature]:
    """Volumes and grey values of the foreground; `voxel_ml` is one voxel's volume."""
    values = array[found.inside]
    quantiles = np.percentile(values, [10, 50, 90])
    dark = found.inside & ~found.bright
    return [
        Feature("foreground_volume", float(found.inside.sum()) * voxel_ml, "mL"),
        Feature("dark_interior_volume", float(dark.sum()) * voxel_ml, "mL"),
        Feature("foreground_mean", float(values.mean()), "1"),
        Feature("foreground_standard_deviation", float(values.std()), "1"),
        Feature("foreground_p10", float(quantiles[0]), "1"),
        Feature("foreground_median", float(quantiles[1]), "1"),
        Feature("foreground_p90", float(quantiles[2]), "1"),
    ]
