"""Features of a region of a volume: mirp's, as the IBSI defines them, and our own of the foreground.

mirp (Zwanenburg, the Image Biomarker Standardisation Initiative's first author) is held against the reference values of
IBSI 1 (arXiv 1612.07003), and so is this module (tests/imaging/test_radiomics.py). Our own features (volumes in mL,
grey values) need no segmentation: cohorts, models and pages rest on them.

Example: measure_region(volume, mask)[0].value
"""

import hashlib
import json
from functools import cache
from importlib.metadata import version
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from mirp._features.feature_generator import feature_to_table, generate_features
from mirp._images.generic_image import GenericImage
from mirp._masks.base_mask import BaseMask
from mirp.settings.feature_parameters import FeatureExtractionSettingsClass
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from trilake.imaging.volume import Volume

SOFTWARE = "mirp"
FEWEST_VOXELS = 8
"""Fewer have no neighbourhood, and no shape to speak of."""
MARGIN_MM = 10.0
"""Left around the region: what the IBSI's local peaks look at (a sphere of 1 cm3 has a radius of 6.2 mm)."""
# mirp estimates them from random draws for regions of usual size: two runs differ, and they were nine tenths of the
# time.
EXCLUDED = ("morph_moran_i", "morph_geary_c")
# What the IBSI leaves to the user. A fixed number of bins, since grey values of MR are arbitrary; textures in 3D with
# their directions merged, so that one value a feature remains.
CHOICES: dict[str, Any] = {
    "base_feature_families": [
        "morph", "loc_int", "stat", "ih", "ivh", "glcm", "glrlm", "glszm", "gldzm", "ngtdm", "ngldm",
    ],
    "base_discretisation_method": "fixed_bin_number",
    "base_discretisation_n_bins": 32,
    "glcm_spatial_method": "3d_volume_merge",
    "glrlm_spatial_method": "3d_volume_merge",
    "by_slice": False,
    "no_approximation": False,
}  # fmt: skip
OTHER_CHOICES = {"interpolation": "none", "resegmentation": "none", "excluded": list(EXCLUDED), "margin_mm": MARGIN_MM}
UNITS = {
    "morph_volume": "mm3", "morph_vol_approx": "mm3", "morph_area_mesh": "mm2", "morph_av": "/mm", "morph_diam": "mm",
    "morph_com": "mm", "morph_pca_maj_axis": "mm", "morph_pca_min_axis": "mm", "morph_pca_least_axis": "mm",
}  # fmt: skip


class Feature(NamedTuple):
    """One measured value with its UCUM unit, and the IBSI's code of the feature ('' for one of our own)."""

    name: str
    value: float | None
    unit: str
    ibsi_code: str = ""


def software_version(software: str) -> str:
    return version(software)


@cache
def settings_text(**changes: Any) -> str:
    """All settings of a measurement as JSON, the same for equal settings."""
    return json.dumps(CHOICES | OTHER_CHOICES | changes, sort_keys=True)


def settings_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def measure_region(volume: Volume, mask: NDArray[np.bool_], **changes: Any) -> list[Feature]:
    """Every IBSI feature of the voxels of `mask` ([slice, row, column], as the volume's array).

    A value is None where the feature is not defined for the region. ValueError when the region is too small.
    """
    n_voxels = int(mask.sum())
    if n_voxels < FEWEST_VOXELS:
        raise ValueError(f"the region has {n_voxels} voxels, expected {FEWEST_VOXELS} or more")
    image, region = as_mirp(volume, mask)
    computed = []
    settings = FeatureExtractionSettingsClass(**(CHOICES | changes))
    previous = None
    for feature in generate_features(settings=settings):
        if feature.abbr_name in EXCLUDED or not feature.is_ibsi_compliant(image):
            continue
        with np.errstate(all="ignore"):
            feature.compute(image=image, mask=region)
        if previous is not None:
            previous.clear_local_cache(other=feature)
        previous = feature
        computed.append(feature)
    values = feature_to_table(computed).iloc[0]
    for feature in computed:
        feature.clear_cache()
    return [measured(feature, values[feature.table_name]) for feature in computed]


def measured(feature: Any, value: Any) -> Feature:
    number = float(value) if value is not None else float("nan")
    unit = UNITS.get(feature.abbr_name, "1")
    return Feature(feature.table_name, number if isfinite(number) else None, unit, feature.ibsi_id or "")


def as_mirp(volume: Volume, mask: NDArray[np.bool_]) -> tuple[GenericImage, BaseMask]:
    """The region and its surroundings, cut out of the volume; mirp's axes are z, y, x."""
    spacing = tuple(reversed(volume.spacing))
    place = around(mask, spacing)
    shared = {
        "sample_name": "region",
        "image_modality": "generic",
        "image_spacing": spacing,
        "image_origin": (0.0, 0.0, 0.0),
        "image_orientation": np.eye(3),
    }
    cut, region = volume.array[place].astype(np.float32), np.ascontiguousarray(mask[place])
    image = GenericImage(image_data=cut, image_dimensions=cut.shape, **shared)
    mirp_mask = BaseMask(roi_name="region", image_data=region, image_dimensions=cut.shape, **shared)
    mirp_mask.resegmentise_mask(image=image)
    return image, mirp_mask


def around(mask: NDArray[np.bool_], spacing: tuple[float, ...]) -> tuple[slice, ...]:
    """The box of the mask and a margin; what is outside it changes no feature, and costs time."""
    box = []
    for axis, step in enumerate(spacing):
        others = tuple(other for other in range(3) if other != axis)
        (filled,) = np.nonzero(mask.any(axis=others))
        margin = int(np.ceil(MARGIN_MM / step))
        box.append(slice(max(0, int(filled[0]) - margin), int(filled[-1]) + margin + 1))
    return tuple(box)


FOREGROUND = "foreground_otsu"
FOREGROUND_SOFTWARE = "trilake"
N_BINS = 256  # Of the histogram that is searched for the threshold; not the 32 of textures.
FOREGROUND_SETTINGS = json.dumps(
    {"threshold": "otsu", "n_bins": N_BINS, "holes": "filled slice by slice"}, sort_keys=True
)


class Foreground(NamedTuple):
    """Voxels [slice, row, column] inside the outline, and those of them above the threshold."""

    inside: NDArray[np.bool_]
    bright: NDArray[np.bool_]


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
    """The foreground of a volume [slice, row, column]: by Otsu's threshold (1979), holes filled slice by slice.

    The head, not an anatomical segmentation: it is labelled `foreground_otsu` in every row.

    ValueError when all voxels have one value: there is no foreground to find.
    """
    if array.size == 0 or array.min() == array.max():
        raise ValueError("the volume has a single grey value")
    bright = array > otsu_threshold(array.ravel())
    return Foreground(np.stack([binary_fill_holes(part) for part in bright]), bright)


def measure_foreground(array: NDArray[np.float64], region: Foreground, *, voxel_ml: float) -> list[Feature]:
    """Volumes and grey values of the foreground; `voxel_ml` is one voxel's volume."""
    values = array[region.inside]
    quantiles = np.percentile(values, [10, 50, 90])
    dark = region.inside & ~region.bright
    return [
        Feature("foreground_volume", float(region.inside.sum()) * voxel_ml, "mL"),
        Feature("dark_interior_volume", float(dark.sum()) * voxel_ml, "mL"),
        Feature("foreground_mean", float(values.mean()), "1"),
        Feature("foreground_standard_deviation", float(values.std()), "1"),
        Feature("foreground_p10", float(quantiles[0]), "1"),
        Feature("foreground_median", float(quantiles[1]), "1"),
        Feature("foreground_p90", float(quantiles[2]), "1"),
    ]
