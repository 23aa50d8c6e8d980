"""Times with fewer digits: Trino rounds to the nearest, half up, where DuckDB cuts.

Reads and writes nothing. Behind `make local-aws`.
Example: `CAST(TIMESTAMP '2020-01-01 23:59:59.999999' AS timestamp(3))` is the next day's midnight.
"""

from __future__ import annotations

from localaws.athena.types import Type

_MOST_DIGITS = 6
_UNITS = {0: "second", 3: "millisecond"}


def digits_of(found: Type) -> int:
    """The digits behind the second that a type of times keeps."""
    return min(_MOST_DIGITS, found.numbers[0] if found.numbers else 3)


def rounded(sql: str, source: Type, target: Type) -> str:
    """DuckDB text for a timestamp (with or without a zone) brought to the target's digits."""
    digits = digits_of(target)
    if digits >= digits_of(source):
        return sql
    step = 10 ** (_MOST_DIGITS - digits)
    later = f"{sql} + to_microseconds({step // 2})"
    if digits in _UNITS:
        return f"date_trunc('{_UNITS[digits]}', {later})"
    cut = f"CAST(floor(epoch_us({later}) / {step}.0) AS BIGINT) * {step}"
    stamp = f"make_timestamp({cut})"
    return f"timezone('UTC', {stamp})" if target.name == "timestamp with time zone" else stamp


def in_milliseconds(sql: str, source: Type) -> str:
    """A moment as the functions see it that know milliseconds only (date_format, differences of times)."""
    if source.name not in ("timestamp", "timestamp with time zone"):
        return sql
    return rounded(sql, source, Type(source.name, (3,)))
