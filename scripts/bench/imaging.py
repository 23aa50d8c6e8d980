"""Speed of the imaging room: DICOM headers, their memory, and files put beside what is then done with them.

Processor time; that of processes side by side is of all of them together, their start with it.

Example: python -m bench --only dicom
"""

import tracemalloc
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pydicom

from bench.figure import Data, Figure, beside, busy, doubled, halves, timed
from localaws import LocalAws
from localaws.healthimaging.instance import read_instance
from trilake.core.uploads import upload_all
from trilake.imaging.header import by_several, exact_header, read_header, read_headers

SEVERAL = 50_000


def dicom(data: Data) -> Iterator[Figure]:
    """Headers held against what an import needs: by one process, by several, and as the exact reader does it."""
    paths = sorted((data.sample() / "dicom").rglob("*.dcm"))
    found = [dicom_figure(paths[:n]) for n in halves(len(paths))]
    yield found[1]
    yield doubled(found)
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
        seconds = timed(lambda n=n: sum(1 for _ in read_headers(paths[:n], str)))  # type: ignore[misc]
        peaks.append(tracemalloc.get_traced_memory()[1] / 1e6)
        tracemalloc.stop()
    told = f"peak of half of them, of all: {peaks[0]:.2f}, {peaks[1]:.2f} MB"
    return Figure("DICOM headers, memory", len(paths), "files", seconds, told)


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


BENCHMARKS = {"dicom": dicom, "dicom_put": dicom_put}
