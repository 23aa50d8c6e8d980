"""The whole sample: shards by any number of processes, then what spans them, then the truth and its manifest.

Equal (seed, patients, profile) give equal bytes, whatever the workers, after a resume or on a second run. A stopped
run goes on where it was. A folder that this command did not write is never touched.

Reads nothing; writes <out>/ and <out>.truth/. Make target: sample.
Example: generate(Plan(7, 100, "tiny", Path("data")), workers=2, say=print)
"""

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from trilake.core.errors import InputError, TrilakeError
from trilake.sample.gather import gather
from trilake.sample.keys import SHARD_SIZE
from trilake.sample.shard import ShardOrder, write_shard

GENERATOR_VERSION = 3
"""Rises when equal arguments give other bytes."""
OWN_FOLDERS = ("annotation", "dicom", "fhir", "vcf")


@dataclass(frozen=True)
class Plan:
    """What is asked for."""

    seed: int
    n_patients: int
    profile: str
    out: Path

    @property
    def truth(self) -> Path:
        return self.out.with_name(self.out.name + ".truth")

    def orders(self) -> Iterator[ShardOrder]:
        """The shards; the last one may be short."""
        for first in range(0, self.n_patients, SHARD_SIZE):
            n = min(SHARD_SIZE, self.n_patients - first)
            yield ShardOrder(self.seed, first // SHARD_SIZE, n, self.out, self.truth, self.profile)

    def describe(self) -> dict[str, Any]:
        """What decides the bytes."""
        return {
            "notice": "Synthetic data, not from persons; not clinical evidence",
            "generator_version": GENERATOR_VERSION,
            "profile": self.profile,
            "seed": self.seed,
            "n_patients": self.n_patients,
        }


def generate(plan: Plan, *, workers: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Write the sample and its truth; counts, bytes and the truth folder."""
    _claim(plan)
    _write_shards(plan, workers, say)
    say("Writing the truth about them")
    return gather(plan.out, plan.truth, list(plan.orders()), plan.describe())


def _claim(plan: Plan) -> None:
    """Make both folders ours: new, to be resumed, or cleared of an earlier sample of ours."""
    run = plan.truth / "run.json"
    foreign = (
        sorted(path.name for path in plan.out.iterdir() if path.name not in OWN_FOLDERS) if _exists(plan.out) else []
    )
    if foreign or (_holds_something(plan.out) and not run.exists()):
        found = f"it holds {', '.join(foreign[:5])}" if foreign else f"{run} is not there"
        raise InputError(f"{plan.out} was not written by `trilake sample`: {found}.", next_step="choose another --out")
    if _holds_something(plan.truth) and not run.exists():
        raise InputError(f"{plan.truth} was not written by `trilake sample`.", next_step="choose another --out")
    is_same = run.exists() and orjson.loads(run.read_bytes()) == plan.describe()
    if not is_same or (plan.truth / "manifest.json").exists():
        shutil.rmtree(plan.truth, ignore_errors=True)
        for name in OWN_FOLDERS:
            shutil.rmtree(plan.out / name, ignore_errors=True)
    plan.truth.mkdir(parents=True, exist_ok=True)
    plan.out.mkdir(parents=True, exist_ok=True)
    run.write_bytes(orjson.dumps(plan.describe()))


def _exists(folder: Path) -> bool:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, not a folder.", next_step="choose another --out")
    return folder.exists()


def _holds_something(folder: Path) -> bool:
    return _exists(folder) and any(folder.iterdir())


def _write_shards(plan: Plan, workers: int, say: Callable[[str], None]) -> None:
    orders = list(plan.orders())
    pending = [order for order in orders if not order.is_done]
    n_done = sum(order.n_people for order in orders if order.is_done)
    if n_done:
        say(f"Going on after {n_done} of {plan.n_patients} patients")
    for n in _run(pending, workers):
        n_done += n
        say(f"{n_done} of {plan.n_patients} patients")


def _run(orders: list[ShardOrder], workers: int) -> Iterator[int]:
    """People per finished shard. One worker stays in this process."""
    if workers == 1 or len(orders) < 2:
        yield from map(write_shard, orders)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(orders)), mp_context=context) as pool:
        try:
            for future in as_completed([pool.submit(write_shard, order) for order in orders]):
                yield future.result()
        except BrokenProcessPool as error:
            message = "A worker process of `trilake sample` died (out of memory?)."
            raise TrilakeError(message, next_step="run the same command again; it goes on where it was") from error
