"""Loads that are killed, repeated or meet each other, of whole files and of files in parts: one result."""

import gzip
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pysam
import pytest
from pyiceberg.expressions import EqualTo

from tests.genomic.conftest import a_vcf
from tests.stores import Loads, built_lake, lake, rows_of, stores
from trilake.core.glue_job import Job
from trilake.core.lakehouse import replace, store_table
from trilake.core.lakehouse.iceberg import open_table
from trilake.core.lakehouse.store_table import fill_in_process
from trilake.core.session import Session
from trilake.genomic import importer, load
from trilake.genomic.importer import Importer
from trilake.genomic.stream import spans_of

__all__ = ["built_lake", "lake", "stores"]
META = ('##FORMAT=<ID=GT,Number=1,Type=String,Description="x">', "##contig=<ID=1>")
RUN_ONLY = ("importjobid", "load_id")
N_LINES = 500


class Killed(BaseException):
    """As a signal would: nothing may catch it."""


def die(*words: Any, **options: Any) -> None:
    raise Killed


POINTS = {
    "while rows are read": (load, "open_source"),
    "between the data files and their commit": (replace, "commit"),
    "between the rows and the sample": (load, "SampleFiles"),
    "before the outcome": (importer, "fetch_report"),
}
LEFT_AS_IT_WAS = {"while rows are read", "between the data files and their commit"}


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The job as its script calls it, where the test can kill it."""
    monkeypatch.setattr(
        importer, "run_job", lambda session, name, arguments: load.fill_store(Job(dict(arguments), session))
    )


@pytest.fixture
def loads(stores: Session, tmp_path: Path) -> Loads:
    return Loads(stores, tmp_path, Importer())


def content(sample: str, genotype: str = "0/1", n: int = 20) -> bytes:
    """Records of three alternate alleles at most, two to a place here and there, one in twenty refused."""
    records = [
        f"1 {100 + number - number % 7 // 6} . A {'CGT'[number % 3]}{'Z' * (number % 20 == 9)} 50 PASS . GT {genotype}"
        for number in range(n)
    ]
    return a_vcf(*records, samples=(sample,), meta=META).encode()


def told(session: Session, sample: str) -> list[str]:
    """The sample's rows, as text, without what says which run wrote them."""
    found = open_table(session, "genomic_store.variant").scan(EqualTo("sampleid", sample)).to_arrow().to_pylist()
    return sorted(repr({name: value for name, value in row.items() if name not in RUN_ONLY}) for row in found)


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_load_started_again_ends_in_the_same_rows(
    loads: Loads, stores: Session, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    name = point.replace(" ", "-")
    loads({name: content(name)})
    before, new = told(stores, name), {name: content(name, "1/1")}
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(*POINTS[point], die)
        loads(new)
    if point in LEFT_AS_IT_WAS:
        assert told(stores, name) == before
    outcome = loads(new)[name]
    assert (outcome.records_in, outcome.loaded, outcome.quarantined) == (20, 19, 1)
    after = told(stores, name)
    assert len(after) == len(before) == 19 and not set(after) & set(before)
    assert len(rows_of(stores, "genomic_store.sample_file", sampleid=name)) == 1


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Files are read in parts, as on Spark; how many each had."""
    counts: list[int] = []

    def fill(job: Job, target: Any, items: Any, read: Any, replaced: Any, spread: Callable[..., Any] = list) -> None:
        parts = spread(items)
        counts.append(len(parts))
        fill_in_process(job, target, parts, read, replaced)

    monkeypatch.setattr(load, "fill", fill)
    monkeypatch.setattr(load, "spans_of", partial(spans_of, span_bytes=700))
    return counts


def packed(folder: Path, text: bytes, how: str) -> bytes:
    if how == "bgzf":
        with pysam.BGZFile(str(folder / "packed"), "wb") as file:
            for start in range(0, len(text), 1_000):
                file.write(text[start : start + 1_000])
                file.flush()
        return (folder / "packed").read_bytes()
    return gzip.compress(text) if how == "gzip" else text


@pytest.mark.parametrize("how", ["plain", "bgzf", "gzip"])
def test_a_file_in_parts_loads_as_the_whole_and_twice_as_once(
    loads: Loads, stores: Session, tmp_path: Path, how: str, in_parts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = f"PARTS-{how}"
    file = {"parts": packed(tmp_path, content(sample, n=N_LINES), how)}
    with monkeypatch.context() as patch:
        patch.setattr(load, "fill", store_table.fill)
        whole = loads(file)["parts"]
    expected = told(stores, sample)
    for _ in range(2):
        parts = loads(file)["parts"]
        assert told(stores, sample) == expected
        assert (parts.status, parts.records_in, parts.loaded, parts.duplicate, parts.quarantined) == (
            *(whole.status, whole.records_in, whole.loaded, whole.duplicate, whole.quarantined),
        )
        lines = [[(reason.code, reason.line) for reason in one.reasons] for one in (parts, whole)]
        assert lines[0] == lines[1] and len(lines[0]) >= N_LINES // 20
    assert (max(in_parts) > 2) == (how != "gzip")


def test_loads_of_one_file_in_parts_that_meet_leave_its_rows_once(
    loads: Loads, stores: Session, in_parts: list[int]
) -> None:
    sample = "MEETING"
    file = {"meeting": content(sample, n=N_LINES)}
    loads(file)
    expected, n_before = told(stores, sample), len(open_table(stores, "genomic_store.variant").snapshots())
    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(lambda number: loads({**file, f"other{number}": content(f"OTHER{number}")}), range(3)))
    assert told(stores, sample) == expected
    assert all(len(told(stores, f"OTHER{number}")) == 19 for number in range(3))
    assert {outcome["meeting"].loaded for outcome in outcomes} == {N_LINES * 19 // 20}
    assert len(open_table(stores, "genomic_store.variant").snapshots()) == n_before + 3
