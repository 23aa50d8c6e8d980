"""Speed of the imaging room: DICOM headers, and files put beside what is then done with them.

Example: python -m bench --only dicom
"""

from collections.abc import Iterator
from pathlib import Path

import pydicom

from bench.figure import Data, Figure, beside, busy, doubled, halves, timed
from localaws import LocalAws
from localaws.healthimaging.instance import read_instance
from trilake.core.uploads import upload_all
from trilake.imaging.header import read_header


def dicom(data: Data) -> Iterator[Figure]:
    """Headers held against what an import needs."""
    paths = sorted((data.sample() / "dicom").rglob("*.dcm"))
    found = [dicom_figure(paths[:n]) for n in halves(len(paths))]
    yield found[1]
    yield doubled(found)


def dicom_figure(paths: list[Path]) -> Figure:
    ours = timed(lambda: [read_header(path) for path in paths])
    peer = timed(lambda: [pydicom.dcmread(path, stop_before_pixels=True) for path in paths])
    return Figure("DICOM headers", len(paths), "files", ours, beside("pydicom", peer))


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
