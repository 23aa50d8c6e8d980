"""A brain-like phantom: an ellipsoid brain (skull and face removed) whose two dark ventricles have the volume of the
latent record, times the bias of the scanner.

Partial volumes are kept: each voxel mixes its tissues by the share that falls into it (sub-sampled), so that volumes
measured on the pixels follow the record closely even at 3.6 mm.

Example: render(scan).pixels.shape
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trilake.sample.record import Scan, Scanner

SIZE = 64
"""Rows and columns of a slice."""
INTENSITY = {"grey": 520.0, "white": 660.0, "ventricle": 110.0}
"""Mean signal of each tissue on a scanner of gain 1."""
AIR_NOISE_FLOOR = 12.0
_BRAIN_AXES = (66.0, 82.0, 52.0)
_VENTRICLE_AXES = (7.0, 19.0, 19.0)
_WHITE_SHARE = 0.74
_SUB_PLANE = 2
_SUB_SLICE = 4

_GAP_MM = 2.0
"""Tissue between each ventricle and the midline."""

Grid = NDArray[np.float32]
Volume = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Rendered:
    """Pixels (slice x row x column, unsigned 16 bit), slices from the feet upwards, and what they show, in mL.

    `brain` and `ventricle` are the voxels that are so by half or more; the ventricles are in the brain.
    """

    pixels: NDArray[np.uint16]
    positions: tuple[tuple[float, float, float], ...]
    ventricle_ml: float
    brain_ml: float
    brain: NDArray[np.bool_]
    ventricle: NDArray[np.bool_]


def render(scan: Scan) -> Rendered:
    """The scan's slices as its scanner sees them."""
    scanner = scan.scanner
    shares = _tissue_shares(scan.brain_ml, scan.ventricle_ml * scanner.ventricle_bias, scanner)
    signal = sum((INTENSITY[tissue] * share for tissue, share in shares.items()), np.zeros(1)) * scanner.gain
    rng = np.random.default_rng(list(scan.noise_key))
    real = signal + rng.normal(0, scanner.noise, signal.shape)
    imaginary = rng.normal(0, scanner.noise, signal.shape)
    # MR shows the magnitude of a complex signal with noise in both parts (Rician), never below nought.
    pixels = np.clip(np.rint(np.hypot(real, imaginary) + AIR_NOISE_FLOOR), 0, 4095).astype(np.uint16)
    voxel_ml = scanner.spacing**2 * scanner.thickness / 1000
    brain = shares["grey"] + shares["white"] + shares["ventricle"]
    return Rendered(
        pixels=pixels,
        positions=_positions(scanner),
        ventricle_ml=float(shares["ventricle"].sum() * voxel_ml),
        brain_ml=float(brain.sum() * voxel_ml),
        brain=brain >= 0.5,
        ventricle=shares["ventricle"] >= 0.5,
    )


def _centres(n: int, step: float) -> Grid:
    return ((np.arange(n) - (n - 1) / 2) * step).astype(np.float32)


def _positions(scanner: Scanner) -> tuple[tuple[float, float, float], ...]:
    """Centre of the first voxel of each slice, in mm (Image Position Patient)."""
    corner = -(SIZE - 1) / 2 * scanner.spacing
    return tuple((corner, corner, float(z)) for z in _centres(scanner.n_slices, scanner.thickness))


def _tissue_shares(brain_ml: float, ventricle_ml: float, scanner: Scanner) -> dict[str, Volume]:
    """Share of each tissue in each voxel."""
    z, y, x = np.meshgrid(
        _centres(scanner.n_slices * _SUB_SLICE, scanner.thickness / _SUB_SLICE),
        _centres(SIZE * _SUB_PLANE, scanner.spacing / _SUB_PLANE),
        _centres(SIZE * _SUB_PLANE, scanner.spacing / _SUB_PLANE),
        indexing="ij",
        sparse=True,
    )
    scale = _scale(brain_ml, _BRAIN_AXES, 1)
    radius = _squared_radius((x, y, z), tuple(axis * scale for axis in _BRAIN_AXES))
    horn = tuple(axis * _scale(ventricle_ml, _VENTRICLE_AXES, 2) for axis in _VENTRICLE_AXES)
    dark = _squared_radius((np.abs(x) - np.float32(horn[0] + _GAP_MM), y, z), horn) < 1
    masks = {
        "ventricle": dark,
        "white": (radius < _WHITE_SHARE**2) & ~dark,
        "grey": (radius < 1) & (radius >= _WHITE_SHARE**2) & ~dark,
    }
    return {tissue: _share_of_voxels(mask) for tissue, mask in masks.items()}


def _share_of_voxels(mask: NDArray[np.bool_]) -> Volume:
    """Sub-voxels to voxels; summed axis by axis, which numpy does fifty times faster than a mean over three."""
    n_slices, n_rows, n_columns = mask.shape[0] // _SUB_SLICE, mask.shape[1] // _SUB_PLANE, mask.shape[2] // _SUB_PLANE
    parts = mask.view(np.uint8).reshape(n_slices, _SUB_SLICE, n_rows, _SUB_PLANE, n_columns, _SUB_PLANE)
    counts = parts.sum(axis=1, dtype=np.uint8)
    counts = sum(counts[:, :, i] for i in range(_SUB_PLANE))
    counts = sum(counts[..., i] for i in range(_SUB_PLANE))
    return np.asarray(counts / (_SUB_SLICE * _SUB_PLANE**2))


def _squared_radius(place: tuple[Grid, Grid, Grid], axes: tuple[float, ...]) -> Grid:
    """Below 1 inside the ellipsoid."""
    x, y, z = (part / np.float32(axis) for part, axis in zip(place, axes, strict=True))
    return x**2 + y**2 + z**2


def _scale(volume_ml: float, axes: tuple[float, float, float], count: int) -> float:
    """What the axes must be multiplied by for `count` ellipsoids to hold the volume."""
    own = count * 4 / 3 * np.pi * axes[0] * axes[1] * axes[2] / 1000
    return float((volume_ml / own) ** (1 / 3))
