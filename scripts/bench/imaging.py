"""Speed of the imaging room: DICOM headers and their memory, files put, series into volumes, radiomics.

Processor time, that of processes side by side being of all of them together, their start with it; but radiomics by two
processes are timed by the clock, on a machine with nothing to do.

Example: python -m bench --only dicom --only radiomics
"""

import multiprocessing
import tracemalloc
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pydicom
import SimpleITK

from bench.figure import Data, Figure, beside, busy, doubled, halves, timed
from localaws import LocalAws
from localaws.healthimaging.instance import read_instance
from trilake.core.lakehouse.uploads import upload_all
from trilake.imaging.header import by_several, exact_header, read_header, read_headers
from trilake.imaging.pixels import FileFrames
from trilake.imaging.radiomics import foreground, measure_region
from trilake.imaging.volume import Volume, read_volume

SEVERAL = 50_000


def dicom(data: Data) -> Iterator[Figure]:
    """Headers held against what an import needs: by one process, by several, and as the exact reader does it."""
    paths = sorted((data.sample() / "dicom").rglob("*.dcm"))
    figures = [dicom_figure(paths[:n]) for n in halves(len(paths))]
    yield figures[1]
    yield doubled(figures)
    many = list(islice(cycle(paths), data.size(SEVERAL)))
    alone = busy(lambda: [read_header(path) for path in many])
    several = busy(lambda: list(by_several(many, 2)))
    yield Figure("DICOM headers, two processes", len(many), "files", several, beside("one", alone))
    exact = busy(lambda: [exact_header(path) for path in paths])
    quick = busy(lambda: [read_header(path) for path in paths])
    yield Figure("DICOM headers, exact reader", len(paths), "files", exact, beside("quick", quick))
    yield memory_figure(paths)


def dicom_figure(paths: list[Path]) -> Figure:
    ours = busy(lambda: [read_header(path) for path in paths])
    peer = busy(lambda: [pydicom.dcmread(path, stop_before_pixels=True) for path in paths])
    return Figure("DICOM headers", len(paths), "files", ours, beside("pydicom", peer))


def memory_figure(paths: list[Path]) -> Figure:
    """The most memory that is held while headers go by: the same for twice the files, when none of them is kept."""
    peaks = []
    seconds = 0.0
    for n in halves(len(paths)):
        tracemalloc.start()
        seconds = timed(partial(read_all, paths[:n]))
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    peer = f"peak of half of them, of all: {peaks[0]:.2f}, {peaks[1]:.2f} MB"
    return Figure("DICOM headers, memory", len(paths), "files", seconds, peer)


def read_all(paths: list[Path]) -> int:
    """Headers one after the other, none of them kept; how many there were."""
    return sum(1 for _ in read_headers(paths, lambda text: None))


def dicom_put(data: Data) -> Iterator[Figure]:
    """Files put where an import finds them, beside their checks: headers here, instances in HealthImaging."""
    paths = sorted((data.sample() / "dicom").rglob("*.dcm"))
    with LocalAws(data.folder / "aws-dicom") as aws:
        s3, bucket = aws.world.client("s3"), "bench"
        s3.create_bucket(Bucket=bucket)
        keys = [f"in/{number}.dcm" for number in range(len(paths))]
        putting = busy(lambda: upload_all(s3, bucket, list(zip(paths, keys, strict=True))))
        instances = busy(lambda: [read_instance(aws.world.object_path(bucket, key)) for key in keys])
    checking = busy(lambda: [read_header(path) for path in paths]) + instances
    yield Figure("DICOM files put", len(paths), "files", putting, beside("checked", checking))


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


BENCHMARKS = {"dicom": dicom, "dicom_put": dicom_put, "radiomics": radiomics, "volumes": volumes}
