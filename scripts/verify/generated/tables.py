"""The tables that random queries are asked of: synthetic ones with every type, rows and NULLs everywhere.

Reads and writes nothing. Behind `make verify`; `arrow(EVERY)` is what goes into an Iceberg table.
Example: EVERY.columns["id"]  ->  "bigint"

Doubles are multiples of a quarter, so that sums are exact in any order; `id` is unique and never NULL, so that there is
a total order to ask for.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pyarrow as pa

PAIR = pa.struct([("code", pa.string()), ("n", pa.int64())])
ARROW: Mapping[str, pa.DataType] = {
    "boolean": pa.bool_(),
    "small": pa.int32(),
    "bigint": pa.int64(),
    "real": pa.float32(),
    "double": pa.float64(),
    "decimal": pa.decimal128(12, 2),
    "varchar": pa.string(),
    "binary": pa.binary(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
    "zoned": pa.timestamp("us", tz="UTC"),
    "bigints": pa.list_(pa.int64()),
    "texts": pa.list_(pa.string()),
    "pair": PAIR,
    "rows": pa.list_(PAIR),
    "scores": pa.map_(pa.string(), pa.int64()),
}


@dataclass(frozen=True)
class Table:
    """A table: its name, the kinds of its columns, its rows."""

    name: str
    columns: Mapping[str, str]
    rows: tuple[Mapping[str, Any], ...]
    key: str = "id"


TEXTS = [
    "",
    "a",
    "b",
    "ab",
    "Abc",
    "a-b-c",
    " x ",
    "äöü",
    "12",
    "-3",
    "1.5",
    "2020-01-02",
    "true",
    "it's",
    "aab,b,,c",
    "A_b%",
]
DATES = [
    date(2020, 2, 29),
    date(1969, 12, 31),
    date(2021, 1, 3),
    date(2000, 1, 1),
    date(2024, 12, 30),
    date(1900, 3, 1),
]
TIMES = [
    datetime(2020, 2, 29, 23, 59, 59, 999999),
    datetime(1969, 12, 31, 23, 0, 0, 500000),
    datetime(2021, 3, 28, 1, 30),
    datetime(2000, 1, 1),
    datetime(2023, 10, 29, 2, 15, 30, 123456),
    datetime(1950, 6, 15, 12, 0, 0, 1),
]
NUMBERS = [0, 1, 2, 3, 5, 7, 10, -1, -2, -7, 100, 4096, -100000, 123456789]


def value(rng: Random, kind: str, n_null: float = 0.2) -> Any:
    """One value of a kind, NULL every fifth time."""
    if rng.random() < n_null:
        return None
    if kind == "pair":
        return {"code": value(rng, "varchar"), "n": value(rng, "bigint")}
    if kind in ("bigints", "texts", "rows"):
        inner = {"bigints": "bigint", "texts": "varchar", "rows": "pair"}[kind]
        return [value(rng, inner) for _ in range(rng.choice([0, 1, 2, 3, 4]))]
    if kind == "scores":
        return [(key, value(rng, "bigint")) for key in rng.sample(["a", "b", "äb", ""], rng.choice([0, 1, 2, 3]))]
    return scalar(rng, kind)


def scalar(rng: Random, kind: str) -> Any:
    if kind in ("bigint", "small"):
        return rng.choice(NUMBERS)
    if kind in ("double", "real"):
        return rng.choice([0.0, 1.0, -1.0, 0.25, 2.5, -3.75, 10.5, 1e7, 12345.75, 0.5, -0.25])
    if kind == "decimal":
        return Decimal(rng.choice(["0.00", "1.25", "-1.50", "99.99", "-0.05", "1000000.00", "2.50", "3.50", "0.01"]))
    if kind == "binary":
        return rng.choice([b"", b"a", b"\xc3\xa4b", b"abc"])
    if kind == "zoned":
        return rng.choice(TIMES).replace(tzinfo=UTC)
    pools: dict[str, list[Any]] = {"boolean": [True, False], "varchar": TEXTS, "date": DATES, "timestamp": TIMES}
    value = rng.choice(pools[kind])
    return value + timedelta(days=rng.choice([0, 0, 1, 31])) if kind == "date" else value


def made(name: str, columns: Mapping[str, str], n_rows: int, key: str = "id") -> Table:
    """The table with rows drawn by its name, the same in every run; `key` counts them."""
    rng = Random(name)
    rows = []
    for number in range(n_rows):
        row = {column: value(rng, kind) for column, kind in columns.items()}
        rows.append({**row, key: number + 1})
    return Table(name, columns, tuple(rows), key)


EVERY = made(
    "every",
    {
        "id": "bigint",
        "flag": "boolean",
        "whole": "small",
        "n": "bigint",
        "single": "real",
        "ratio": "double",
        "amount": "decimal",
        "code": "varchar",
        "note": "varchar",
        "raw": "binary",
        "day": "date",
        "at": "timestamp",
        "seen": "zoned",
        "numbers": "bigints",
        "words": "texts",
        "pair": "pair",
        "parts": "rows",
        "scores": "scores",
    },
    24,
)
EVENT = made(
    "event",
    {
        "id": "bigint",
        "n": "bigint",
        "code": "varchar",
        "ratio": "double",
        "day": "date",
        "at": "timestamp",
        "words": "texts",
    },
    12,
)
NOTHING = made("nothing", {"id": "bigint", "n": "bigint", "code": "varchar", "amount": "decimal", "day": "date"}, 0)
TABLES = (EVERY, EVENT, NOTHING)


def arrow(table: Table) -> pa.Table:
    """The table's rows in Arrow."""
    schema = pa.schema([(name, ARROW[kind]) for name, kind in table.columns.items()])
    return pa.Table.from_pylist([dict(row) for row in table.rows], schema=schema)
