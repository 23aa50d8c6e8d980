"""The headers of many files, in order: one after the other, or by several processes where that pays.

Reads the files; writes nothing. A worker takes most of a second to start, in which one core checks ten thousand files;
memory stays that of the headers, whatever the files hold.

Example: for file, (header, reasons) in zip(files, read_headers(paths, print)): ...
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path

from trilake.imaging.header import Judged, read_header

POOL_FROM = 50_000
CHUNK = 500
SAY_EVERY = 5_000


def read_headers(paths: Sequence[Path], say: Callable[[str], None], *, pool_from: int = POOL_FROM) -> Iterator[Judged]:
    """Each file's header or what is wrong with it, in the order of the paths."""
    n_workers = len(os.sched_getaffinity(0))
    is_many = len(paths) >= pool_from and n_workers > 1
    found = by_several(paths, n_workers) if is_many else map(read_header, paths)
    for number, judged in enumerate(found, start=1):
        yield judged
        if number % SAY_EVERY == 0:
            say(f"  checked {number:,} of {len(paths):,} DICOM files")


def by_several(paths: Sequence[Path], n_workers: int) -> Iterator[Judged]:
    """The same by a pool of processes; what a worker that died has left over is read here."""
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    n_read = 0
    try:
        with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
            for chunk in pool.map(read_chunk, chunks):
                yield from chunk
                n_read += len(chunk)
    except BrokenProcessPool:
        yield from map(read_header, paths[n_read:])


def read_chunk(paths: Sequence[Path]) -> list[Judged]:
    return [read_header(path) for path in paths]
