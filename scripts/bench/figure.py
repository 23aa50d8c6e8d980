"""What a benchmark gives: figures, each beside a peer's on the same data; and the data that several rooms share.

Example: `yield Figure("FHIR check", n, "resources", seconds, beside("orjson", peer))`
"""

import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trilake.sample.generate import Plan, generate

N_PATIENTS = 100


@dataclass(frozen=True)
class Figure:
    """One line of the table. `peer` says how long something else takes for the same."""

    name: str
    n: int
    unit: str
    seconds: float
    peer: str

    def row(self) -> list[Any]:
        rate = self.n / self.seconds
        return [self.name, f"{self.n:,} {self.unit}", f"{self.seconds:.3f}", f"{rate:,.0f}", self.peer]


@dataclass(frozen=True)
class Data:
    """What the benchmarks work on, made when first asked for; `scale` is the share of the full sizes."""

    folder: Path
    scale: float

    def size(self, full: int) -> int:
        return max(2, round(full * self.scale))

    def sample(self) -> Path:
        out = self.folder / "sample"
        if not out.exists():
            generate(Plan(7, self.size(N_PATIENTS), "tiny", out), workers=1, say=lambda text: None)
        return out


Benchmark = Callable[[Data], Iterator[Figure]]


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def busy(action: Callable[[], object]) -> float:
    """Seconds of processor time, of this process and of children that have ended: what others do does not count."""
    started = processor_seconds()
    action()
    return processor_seconds() - started


def processor_seconds() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def beside(peer: str, seconds: float) -> str:
    return f"{peer}: {seconds:.3g} s"


def doubled(figures: Sequence[Figure]) -> Figure:
    """How the time of the second figure, of twice the data, compares with that of the first."""
    half, whole = figures
    ratio = whole.seconds / half.seconds
    return Figure(f"{whole.name}, twice the data", whole.n, whole.unit, whole.seconds, f"{ratio:.2f} times; in line: 2")


def halves(n: int) -> tuple[int, int]:
    return n // 2, n // 2 * 2
