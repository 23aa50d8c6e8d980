"""Whether the records of a file are sorted: by position within contigs, each contig in one go.

Pure. Blocks are read apart and out of order; each tells the runs of its contigs, and `OrderWatch` puts them together.

Example: watch = OrderWatch(); watch.first_disorder(runs)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Run:
    """Records of one contig that follow each other, with the line where the first stands.

    `disorder` is the line of the first that stands before its predecessor's position.
    """

    contig: str
    line: int
    first: int
    last: int
    disorder: int | None = None


def runs_of(lines: np.ndarray, contigs: np.ndarray, names: list[str], positions: np.ndarray) -> list[Run]:
    """The runs of records at `lines`, whose contigs are numbers in `names`."""
    if not len(lines):
        return []
    starts = np.concatenate([[0], np.flatnonzero(contigs[1:] != contigs[:-1]) + 1])
    ends = np.append(starts[1:], len(lines))
    falls = np.flatnonzero(positions[1:] < positions[:-1]) + 1
    runs = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        within = falls[(falls > start) & (falls < end)] if len(falls) else falls
        runs.append(
            Run(
                names[contigs[start]],
                int(lines[start]),
                int(positions[start]),
                int(positions[end - 1]),
                int(lines[within[0]]) if len(within) else None,
            )
        )
    return runs


def joined(runs: list[Run]) -> list[Run]:
    """The runs, those that go on in order made one."""
    found: list[Run] = []
    for run in runs:
        before = found[-1] if found else None
        if before and before.contig == run.contig and before.last <= run.first and before.disorder is None:
            found[-1] = Run(run.contig, before.line, before.first, run.last, run.disorder)
        else:
            found.append(run)
    return found


@dataclass
class OrderWatch:
    """Follows the runs of a file in the order of its lines."""

    here: str = ""
    position: int = 0
    contigs: set[str] = field(default_factory=set)

    def first_disorder(self, runs: Iterable[Run]) -> int | None:
        """The line of the first record among these that is out of order."""
        found = None
        for run in runs:
            is_ordered = run.first >= self.position if run.contig == self.here else run.contig not in self.contigs
            if found is None:
                found = run.disorder if is_ordered else run.line
            self.here, self.position = run.contig, run.last
            self.contigs.add(run.contig)
        return found
