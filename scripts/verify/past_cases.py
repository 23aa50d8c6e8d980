"""The SQL cases of localaws' Athena, asked of both engines: each past difference is one of them.

Reads tests/localaws/athena/cases; writes nothing. Behind `make verify`; `make test` asks them of DuckDB alone.
Example: case.faults(duckdb, trino)  ->  []

A case on which Trino 476 differs for a reason says so (`trino: why`), and is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from localaws.athena.engine import Engine, Query, Work
from localaws.athena.errors import QueryError
from localaws.athena.parser import parse_query
from trilake.core.paths import ROOT
from verify.comparison import Answer, differences, ordered_outputs
from verify.twin import NO_ANSWER, answered

CASES = ROOT / "tests" / "localaws" / "athena" / "cases"


@dataclass(frozen=True)
class PastCase:
    """One query over constants, and where it stands."""

    name: str
    sql: str

    def faults(self, duckdb: Engine, trino: Engine) -> list[str]:
        """What the engines do not agree on."""
        try:
            tree = parse_query(self.sql)
        except QueryError:
            return []
        theirs, _, _ = answered(trino, Query(tree), Work())
        if theirs.error.startswith(NO_ANSWER):
            return [f"{self.name}: {theirs.error}"]
        ours, _, _ = answered(duckdb, Query(tree), Work())
        return [f"{self.name}: {line}" for line in differences(ours, theirs, ordered_outputs(tree))]


def past_cases() -> Iterator[PastCase]:
    """Every case that is to be the same on both."""
    for path in sorted(CASES.glob("*.yaml")):
        for place, case in enumerate(yaml.safe_load(path.read_text())):
            if "trino" not in case:
                yield PastCase(f"{path.stem}-{place + 1}", case["sql"])


def answer_of(engine: Engine, sql: str) -> Answer:
    """An engine's answer to a query over constants."""
    return answered(engine, Query(parse_query(sql)), Work())[0]
