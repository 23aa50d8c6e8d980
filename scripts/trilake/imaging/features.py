"""The heart of the radiomics job: a volume to a few first-order features of its foreground.

Pure. The mask is Otsu's threshold of the whole volume (Otsu 1979), holes filled slice by slice: the head, not an
anatomical segmentation, and labelled `foreground_otsu` in every row.

Example: measure(volume, voxel_ml=0.004)["foreground_volume"].value
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

MASK_SOURCE = "foreground_otsu"
SOFTWARE_VERSION = "trilake-radiomics 1"
N_BINS = 256


class Feature(NamedTuple):
    """One measured value with its UCUM unit."""

    value: float
    unit: str


def otsu_threshold(values: NDArray[np.float64]) -> float:
    """The grey value that best separates two classes (largest between-class variance)."""
    counts, edges = np.histogram(values, bins=N_BINS)
    centres = (edges[:-1] + edges[1:]) / 2
    below, above = np.cumsum(counts), values.size - np.cumsum(counts)
    sums = np.cumsum(counts * centres)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = below * above * (sums / below - (sums[-1] - sums) / above) ** 2
    return float(centres[int(np.nanargmax(variance))])


def measure(volume: NDArray[np.float64], *, voxel_ml: float) -> dict[str, Feature]:
    """Features of a volume of shape (slices, rows, columns); `voxel_ml` is one voxel's volume.

    ValueError when all voxels have one value: there is no foreground to find.
    """
    if volume.size == 0 or volume.min() == volume.max():
        raise ValueError("the volume has a single grey value")
    bright = volume > otsu_threshold(volume.ravel())
    filled = np.stack([binary_fill_holes(part) for part in bright])
    values = volume[filled]
    quantiles = np.percentile(values, [10, 50, 90])
    return {
        "foreground_volume": Feature(float(filled.sum()) * voxel_ml, "mL"),
        "dark_interior_volume": Feature(float((filled & ~bright).sum()) * voxel_ml, "mL"),
        "foreground_mean": Feature(float(values.mean()), "1"),
        "foreground_standard_deviation": Feature(float(values.std()), "1"),
        "foreground_p10": Feature(float(quantiles[0]), "1"),
        "foreground_median": Feature(float(quantiles[1]), "1"),
        "foreground_p90": Feature(float(quantiles[2]), "1"),
    }
