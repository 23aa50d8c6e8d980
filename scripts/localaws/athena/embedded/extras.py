"""What DuckDB lacks, added to it: a few macros in SQL, a few functions over Arrow.

Example: `athena_number_text(1e7, false)` is `1.0E7`, as Trino casts a double to varchar.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable
from typing import Any

import duckdb
import pyarrow as pa

_KEYS = "list_transform(l, lambda e: e.key)"
_SOME = "len(list_filter(l, lambda e: e.key IS NOT NULL)) > 0"


def _macro(name: str, body: str) -> str:
    """A macro whose argument is bound once: DuckDB trips over an aggregate that is written inside of a lambda."""
    return f"CREATE MACRO {name}(found) AS list_extract(list_transform([found], lambda l: {body}), 1)"


# Doubled, so that half a unit is a whole number.
_DIVIDED = "(2 * abs(x) + abs(y)) // (2 * abs(y))"
_BY_ZERO = "CAST('NaN'::DOUBLE AS DECIMAL(38, 0))::HUGEINT"
MACROS = (
    # Half away from zero. A division by zero fails in the cast, in the words that `failures` knows.
    f"CREATE MACRO athena_ratio(x, y) AS CASE WHEN y = 0 AND x IS NOT NULL THEN {_BY_ZERO} "
    f"WHEN (x < 0) = (y < 0) THEN {_DIVIDED} ELSE -({_DIVIDED}) END",
    # The first of several equal keys stays, NULL keys go, as in Trino's map_agg.
    _macro(
        "athena_map",
        f"CASE WHEN {_SOME} THEN map_from_entries(list_filter(l, lambda e, i: "
        f"e.key IS NOT NULL AND list_position({_KEYS}, e.key) = i)) END",
    ),
    _macro(
        "athena_multimap",
        f"CASE WHEN {_SOME} THEN map_from_entries(list_transform(list_filter(list_distinct({_KEYS}), lambda k: "
        "k IS NOT NULL), lambda k: struct_pack(key := k, value := list_transform(list_filter(l, lambda e: "
        "e.key = k), lambda e: e.value)))) END",
    ),
)


def add_extras(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the macros and register the functions; before the configuration is locked."""
    for macro in MACROS:
        connection.execute(macro)
    create: Any = connection.create_function
    for name, function, types, returns in _FUNCTIONS:
        create(
            name,
            _vectorised(function, len(types), returns),
            [duckdb.sqltypes.DuckDBPyType(item) for item in types],
            duckdb.sqltypes.DuckDBPyType(returns),
            type="arrow",
        )


def _vectorised(function: Callable[..., Any], count: int, returns: str) -> Callable[..., pa.Array]:
    kind = {"VARCHAR": pa.string(), "BLOB": pa.binary(), "BIGINT": pa.int64()}[returns]

    def over(columns: Iterable[pa.ChunkedArray]) -> pa.Array:
        return pa.array([function(*row) for row in zip(*(column.to_pylist() for column in columns), strict=True)], kind)

    if count == 1:
        return lambda a: over([a])
    return lambda a, b: over([a, b])


def number_text(value: float, is_real: bool) -> str:
    """A double as Trino's cast prints it: `1.5E0`, `NaN`, `-Infinity`."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0E0" if str(value).startswith("-") else "0E0"
    # A real keeps seven digits of its exact value, as Java's DecimalFormat("0.0#####E0") does.
    return _scientific(f"{value:.6e}" if is_real else repr(value))


def _scientific(plain: str) -> str:
    """The same digits with one of them before the point: `12.5` is `1.25E1`."""
    number, _, power = plain.lower().partition("e")
    sign = "-" if number.startswith("-") else ""
    whole, _, fraction = number.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) + len(whole) - 1 - (len(whole + fraction) - len(digits))
    rest = digits[1:].rstrip("0")
    return f"{sign}{digits[0]}.{rest or '0'}E{exponent}"


def from_base(value: str, base: int) -> int:
    return int(value, base)


def levenshtein(first: str, second: str) -> int:
    """Edits from one text to the other, in letters."""
    row = list(range(len(second) + 1))
    for place, letter in enumerate(first, 1):
        before, row[0] = row[0], place
        for at, wanted in enumerate(second, 1):
            changed = before + (letter != wanted)
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, changed)
    return row[-1]


_FUNCTIONS: list[tuple[str, Callable[..., Any], list[str], str]] = [
    ("athena_number_text", number_text, ["DOUBLE", "BOOLEAN"], "VARCHAR"),
    ("athena_from_utf8", lambda value: value.decode("utf-8", "replace"), ["BLOB"], "VARCHAR"),
    ("athena_sha512", lambda value: hashlib.sha512(value).digest(), ["BLOB"], "BLOB"),
    ("athena_crc32", zlib.crc32, ["BLOB"], "BIGINT"),
    ("athena_levenshtein", levenshtein, ["VARCHAR", "VARCHAR"], "BIGINT"),
    ("athena_from_base", from_base, ["VARCHAR", "BIGINT"], "BIGINT"),
]
