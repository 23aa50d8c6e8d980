"""Speed of pixels and radiomics: a series into a volume beside SimpleITK, a study measured, and on both cores.

Processor time, but for the two processes side by side: those are timed by the clock, on a machine with nothing to do.

Example: python -m bench --only radiomics
"""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import SimpleITK

from bench.figure import Data, Figure, beside, busy, timed
from trilake.imaging.pixels import FileFrames
from trilake.imaging.radiomics import foreground, measure_region
from trilake.imaging.volume import Volume, read_volume

SHAPE = (24, 96, 96)
STUDIES = 8


def a_head() -> Volume:
    """A bright ellipsoid with dark ventricles and noise: 24 slices of 96 x 96."""
    z, y, x = np.ogrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j, -1 : 1 : SHAPE[2] * 1j]
    radius = (z / 0.95) ** 2 + (y / 0.85) ** 2 + (x / 0.7) ** 2
    signal = np.where(radius < 1, 600.0, 20.0) - 480.0 * (radius < 0.05)
    noise = np.random.default_rng(7).normal(0, 25, SHAPE)
    return Volume(signal + noise, (2.0, 2.0, 5.0), (0.0, 0.0, 0.0), np.eye(3))


def measure_study(volume: Volume) -> int:
    """How many features one study has."""
    return len(measure_region(volume, foreground(volume.array).inside))


def radiomics(data: Data) -> Iterator[Figure]:
    """Every IBSI feature of the foreground of one study, then of several, by one process and by two."""
    heads = [a_head()] * data.size(STUDIES)
    n_features = measure_study(heads[0])
    one = busy(partial(measure_study, heads[0]))
    yield Figure("Radiomics, 24 x 96 x 96", 1, "studies", one, f"{n_features} features")
    alone = timed(lambda: [measure_study(head) for head in heads])
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        list(pool.map(measure_study, heads[:2]))
        both = timed(lambda: list(pool.map(measure_study, heads)))
    yield Figure("Radiomics, two processes", len(heads), "studies", both, beside("one", alone))


def volumes(data: Data) -> Iterator[Figure]:
    """Series of files into volumes, beside SimpleITK's reader, which is C++."""
    series = [sorted(folder.glob("*.dcm")) for folder in sorted((data.sample() / "dicom").glob("*/*"))]
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    ours = busy(lambda: [read_volume(FileFrames(paths)) for paths in series])
    names = [[str(path) for path in paths] for paths in series]
    peer = busy(lambda: [SimpleITK.ReadImage(paths) for paths in names])
    yield Figure("DICOM series to volumes", len(series), "series", ours, beside("SimpleITK, unordered", peer))


BENCHMARKS = {"radiomics": radiomics, "volumes": volumes}
