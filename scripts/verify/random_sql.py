"""Random SQL: the same generated query on DuckDB and on Trino; a difference is a fault of the embedded engine's.

Reads the contracts and tests/localaws/athena/cases; writes a temporary folder. Settings of the environment: SQL_QUERIES
(how many), SQL_SEED (any text; printed, so that a run can be repeated), SQL_SECONDS (when to stop asking).

Every query is parsed, authorised and rewritten as Athena does it for its caller (the owner of all tables, or a reader
behind a data cells filter), then goes to both engines as it came out. Nine of ten find the tables in memory on both
sides, since a query of Iceberg tables takes Trino a second and this takes it a tenth; the tenth one reads the Iceberg
tables. A query on which they differ is made small before it is shown; put it into tests/localaws/athena/cases with
Trino's answer when the engine is mended. Those cases are asked of both here too.

Example: SQL_QUERIES=500 SQL_SEED=7 python -m verify --only random_sql
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pyarrow as pa

from localaws.athena import engine
from localaws.athena.engine import Engine, Query, Work
from localaws.athena.errors import QueryError
from localaws.athena.types import arrow_type
from localaws.caller import Caller
from localaws.installed import EnginesMissing, installed_engines
from verify.comparison import Answer, differences, ordered_outputs
from verify.generated.memory import InMemory
from verify.generated.queries import Queries
from verify.generated.shrink import smallest
from verify.generated.stage import Stage, staged
from verify.generated.tables import TABLES, Table
from verify.past_cases import past_cases
from verify.tier import Failed, NotRun, Tier
from verify.twin import NO_ANSWER, answered

N_QUERIES, SECONDS, THREADS = 2500, 200.0, 3
FROM_ICEBERG, BY_READER, OF_GOVERNED = 0.1, 0.25, 0.2
SHOWN, SHRINK_SECONDS = 10, 60.0
OF_VALUES = ("INVALID_CAST_ARGUMENT", "DIVISION_BY_ZERO", "NUMERIC_VALUE_OUT_OF_RANGE", "INVALID_FUNCTION_ARGUMENT")
MOST_OPEN = 0.005
"""Share of queries that may end in `is_open`; more of them are taken for differences."""
Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """One random query, who asks it, and where both engines find its tables."""

    sql: str
    caller: Caller
    from_iceberg: bool


@dataclass
class Lab:
    """Both engines over one stage."""

    stage: Stage
    duckdb: Engine
    trino: Engine
    in_memory: Engine
    rows: dict[str, pa.Table]

    def differing(self, asked: Asked) -> list[str]:
        """What differs between the engines' answers; nothing where Athena refuses the query or Trino breaks down."""
        try:
            query = self.stage.authorised(asked.sql, asked.caller, self.duckdb)
        except QueryError:
            return []
        one, other = self.answers(query, asked.from_iceberg)
        return [] if other.error.startswith(NO_ANSWER) else differences(one, other, ordered_outputs(query.tree))

    def answers(self, query: Query, from_iceberg: bool) -> tuple[Answer, Answer]:
        """DuckDB's and Trino's answer."""
        if from_iceberg:
            return answered(self.duckdb, query, Work())[0], answered(self.trino, query, Work())[0]
        held = replace(query, rows={name: self._rows(query, name) for name in query.tables})
        return answered(self.duckdb, held, Work())[0], answered(self.in_memory, query, Work())[0]

    def _rows(self, query: Query, name: str) -> pa.Table:
        return self.rows[f"{query.tables[name].database}.{query.tables[name].name}"]


def drawn(stage: Stage, seed: str, n_queries: int) -> Iterator[Asked]:
    """The queries of a seed."""
    for number in range(n_queries):
        rng = Random(f"{seed} {number}")
        caller = stage.reader if rng.random() < BY_READER else stage.owner
        tables = stage.seen if caller is stage.reader else chosen(stage, rng)
        sql = Queries(rng, tables, stage.names).query()
        yield Asked(sql, caller, rng.random() < FROM_ICEBERG)


def chosen(stage: Stage, rng: Random) -> list[Table]:
    """The table with every type more often than the others, or some of the governed ones."""
    if rng.random() < OF_GOVERNED:
        return rng.sample(stage.tables[len(TABLES) :], 3)
    return [TABLES[0], TABLES[0], *TABLES]


def run(say: Say) -> str:
    try:
        installed_engines().need_trino()
    except EnginesMissing as error:
        raise NotRun(str(error)) from None
    seed = os.environ.get("SQL_SEED") or secrets.token_hex(4)
    n_queries = int(os.environ.get("SQL_QUERIES") or N_QUERIES)
    say(f"seed {seed} (SQL_SEED), up to {n_queries:,} queries (SQL_QUERIES)")
    with (
        tempfile.TemporaryDirectory() as folder,
        staged(Path(folder)) as stage,
        closing(engine.embedded(stage.world)) as duckdb,
        closing(engine.trino(stage.world)) as trino,
    ):
        rows = {name: held(stage, duckdb, name) for name in stage.names.values()}
        lab = Lab(stage, duckdb, trino, InMemory(stage.world, trino, list(rows)), rows)
        return compared(lab, seed, n_queries, past_failures(lab, say), say)


def held(stage: Stage, duckdb: Engine, name: str) -> pa.Table:
    """The table's rows as its files have them."""
    query = stage.authorised(f"SELECT * FROM {name}", stage.owner, duckdb)
    with duckdb.run(query, Work()) as result:
        columns = [pa.field(column.name, arrow_type(column.type)) for column in result.columns]
        batches = [pa.RecordBatch.from_arrays(batch.columns, schema=pa.schema(columns)) for batch in result.batches]
    return pa.Table.from_batches(batches, pa.schema(columns))


def past_failures(lab: Lab, say: Say) -> list[str]:
    """The kept cases on which the engines differ, or on which Trino no longer says what was written down."""
    cases = list(past_cases())
    with ThreadPoolExecutor(THREADS) as pool:
        faults_by_case = list(pool.map(lambda case: case.faults(lab.duckdb, lab.trino), cases))
    faults = [line for lines in faults_by_case for line in lines]
    say(f"{len(cases)} kept cases, {len(faults)} differences")
    return faults


def compared(lab: Lab, seed: str, n_queries: int, past: list[str], say: Say) -> str:
    """Ask until the number or the time is reached; Failed names what differed."""
    until = time.monotonic() + float(os.environ.get("SQL_SECONDS") or SECONDS)
    asked: list[Asked] = []
    bad: list[tuple[Asked, list[str]]] = []
    open_by_sql: list[tuple[Asked, list[str]]] = []

    def ask(one: Asked) -> None:
        if time.monotonic() < until:
            differences = lab.differing(one)
            asked.append(one)
            if differences:
                (open_by_sql if is_open(differences) else bad).append((one, differences))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(ask, drawn(lab.stage, seed, n_queries)))
    say(f"{len(asked):,} random queries, {len(bad)} differences")
    say(f"{len(open_by_sql)} more where one engine alone came upon a value that fails, which SQL lets it skip")
    if len(open_by_sql) > len(asked) * MOST_OPEN:
        bad += open_by_sql
    if bad or past:
        raise Failed("\n".join([*past, f"seed {seed}: {len(bad)} of {len(asked):,} differ", *shrunk(lab, bad)]))
    n_iceberg = sum(one.from_iceberg for one in asked)
    return f"{len(asked):,} random queries (seed {seed}), {n_iceberg:,} of them over Iceberg files, the same on both"


def is_open(differences: list[str]) -> bool:
    """Whether SQL leaves it open: a value that fails may stand where an engine never has to look."""
    return all(re.match(rf"only one fails: ({'|'.join(OF_VALUES)}):", line) for line in differences)


def shrunk(lab: Lab, bad: list[tuple[Asked, list[str]]]) -> Iterator[str]:
    """The first few, each as small as it gets."""
    until = time.monotonic() + SHRINK_SECONDS
    for one, lines in bad[:SHOWN]:
        kind = lines[0].partition(" ")[0]

        def still(sql: str, one: Asked = one, kind: str = kind) -> bool:
            left = lab.differing(replace(one, sql=sql)) if time.monotonic() < until else []
            return bool(left) and left[0].startswith(kind)

        small = smallest(one.sql, still)
        yield f"- {small}"
        yield from (f"    {line[:300]}" for line in lab.differing(replace(one, sql=small))[:2])


TIER = Tier("random_sql", "generated queries answer alike on DuckDB and on Trino", run)
