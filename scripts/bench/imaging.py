"""Speed of the imaging room: DICOM headers.

Example: python -m bench --only dicom
"""

from collections.abc import Iterator
from pathlib import Path

import pydicom

from bench.figure import Data, Figure, beside, doubled, halves, timed
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


BENCHMARKS = {"dicom": dicom}
