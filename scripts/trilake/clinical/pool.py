"""Pieces checked on every core, their results in the order of the pieces, with a few of them in memory at a time.

Starts worker processes for loads that are worth it; a small load is checked in this process.

Example: for place, batch in checked(pieces, workers=2): ...
"""

import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache

import msgspec

from trilake.clinical.preflight import Batch, Checker
from trilake.clinical.reading import Piece
from trilake.core.errors import TrilakeError

WORTH_A_WORKER = 32 << 20
"""Bytes of a load from which the start of worker processes, about half a second each, pays."""
AHEAD = 3
"""Pieces that wait for each worker."""


def workers_for(n_bytes: int) -> int:
    """How many processes a load of so many bytes (gzip counted by its packed size) is checked in."""
    return 1 if n_bytes < WORTH_A_WORKER else min(os.cpu_count() or 1, 8)


def checked(pieces: Iterable[tuple[int, Piece]], workers: int) -> Iterator[tuple[int, Batch]]:
    """(the piece's number, what became of it), in order. TrilakeError when a worker process dies."""
    if workers == 1:
        checker = Checker()
        yield from ((place, checker.piece(piece)) for place, piece in pieces)
        return
    waiting: deque[tuple[int, Future[bytes]]] = deque()
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            for place, piece in pieces:
                waiting.append((place, pool.submit(work, msgspec.msgpack.encode(piece))))
                if len(waiting) > workers * AHEAD:
                    yield result(*waiting.popleft())
            while waiting:
                yield result(*waiting.popleft())
        except BrokenProcessPool:
            message = "A process that checks FHIR resources died (out of memory?)."
            raise TrilakeError(message, next_step="make ingest again") from None


def result(place: int, future: "Future[bytes]") -> tuple[int, Batch]:
    return place, msgspec.msgpack.decode(future.result(), type=Batch)


@cache
def checker() -> Checker:
    """The checker of a worker process."""
    return Checker()


def work(data: bytes) -> bytes:
    return msgspec.msgpack.encode(checker().piece(msgspec.msgpack.decode(data, type=Piece)))
