"""Quotients of decimals, exact and rounded half up as Trino rounds them, where DuckDB divides doubles.

Reads and writes nothing. Behind `make local-aws`.
Example: `DECIMAL '2.55' / 2` is 1.28; as doubles it would be 1.27.

The digits are divided as whole numbers of 38 digits. Where they do not fit, the quotient goes through double: exact to
about 15 digits.
"""

from __future__ import annotations

from localaws.athena.coercions import as_decimal
from localaws.athena.embedded.typed import DOUBLE, Typed, cast, decimal
from localaws.athena.types import Type

_MOST = 38


def quotient(left: Typed, right: Typed, found: Type) -> str:
    """`left / right` as the decimal type `found`; NULL and a division by zero are DuckDB's own."""
    (p1, s1), (p2, s2) = as_decimal(left.type), as_decimal(right.type)
    scale = found.numbers[1]
    shift = scale - s1 + s2
    if p1 + s1 + shift + 2 > _MOST or p2 + s2 + 1 > _MOST or scale > _MOST // 2:
        # 0 / 0 and x / 0 become NaN and infinity here, and fail as a division by zero in the cast back.
        return cast(f"({cast(left.sql, DOUBLE)} / {cast(right.sql, DOUBLE)})", found)
    number = f"({digits(left.sql, p1, s1)} * {10**shift}::HUGEINT)"
    return from_digits(rounded_ratio(number, digits(right.sql, p2, s2)), found)


def mean(total: str, count: str, found: Type) -> str:
    """A sum of the decimal type divided by a count."""
    precision, scale = found.numbers
    if precision + 2 * scale > _MOST - 10:
        return cast(f"({cast(total, DOUBLE)} / {count})", found)
    held = min(_MOST - scale - 1, precision + 10)
    return from_digits(rounded_ratio(digits(total, held, scale), f"{count}::HUGEINT"), found)


def digits(sql: str, precision: int, scale: int) -> str:
    """A decimal's digits as a whole number."""
    whole = cast(sql, decimal(precision, scale))
    return f"CAST({whole} * CAST({10**scale} AS DECIMAL({scale + 1}, 0)) AS HUGEINT)"


def from_digits(sql: str, found: Type) -> str:
    """The whole number as digits of the type."""
    scale = found.numbers[1]
    unit = f"0.{'0' * (scale - 1)}1" if scale else "1"
    return cast(f"({cast(sql, decimal(_MOST - scale - 1, 0))} * CAST({unit} AS DECIMAL({scale + 1}, {scale})))", found)


def rounded_ratio(number: str, by: str) -> str:
    """Two whole numbers divided, rounded half away from zero; a division by zero fails."""
    return f"athena_ratio({number}, {by})"
