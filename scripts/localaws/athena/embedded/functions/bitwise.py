"""Bit functions on bigints.

Reads and writes nothing. Behind `make local-aws`.
Example: `bitwise_and(12, 10)` is 8.
"""

from __future__ import annotations

from localaws.athena.embedded.calls import scalars


def _shifts(kind: str, bits: int) -> list[tuple[str, str]]:
    """The shifts of an integer type, within its bits: what is moved out is gone, and the sign with it."""
    half, whole = f"{2 ** (bits - 1)}::HUGEINT", f"{2**bits}::HUGEINT"
    kept = f"(({{0}}::HUGEINT & ((1::HUGEINT << CAST({bits} - {{1}} AS INTEGER)) - 1)) << CAST({{1}} AS INTEGER))"
    left = f"CAST(({kept} + {half}) % {whole} - {half} AS {kind.upper()})"
    right = f"CAST(({{0}}::HUGEINT & {2**bits - 1}::HUGEINT) >> CAST({{1}} AS INTEGER) AS {kind.upper()})"
    nothing = f"CASE WHEN {{1}} >= {bits} THEN CAST(0 AS {kind.upper()})"
    head = f"({kind}, bigint) -> {kind}"
    return [
        (f"bitwise_left_shift{head}", f"{nothing} ELSE {left} END"),
        (f"bitwise_right_shift{head}", f"{nothing} WHEN {{1}} = 0 THEN {{0}} ELSE {right} END"),
        (
            f"bitwise_right_shift_arithmetic{head}",
            f"CAST(({{0}} >> CAST(least({{1}}, {bits - 1}) AS {kind.upper()})) AS {kind.upper()})",
        ),
    ]


scalars(
    [
        form
        for kind, bits in (("tinyint", 8), ("smallint", 16), ("integer", 32), ("bigint", 64))
        for form in _shifts(kind, bits)
    ]
)
scalars(
    [
        ("bitwise_and(bigint, bigint) -> bigint", "({0} & {1})"),
        ("bitwise_or(bigint, bigint) -> bigint", "({0} | {1})"),
        ("bitwise_xor(bigint, bigint) -> bigint", "xor({0}, {1})"),
        ("bitwise_not(bigint) -> bigint", "(~{0})"),
        ("bit_count(bigint, bigint) -> bigint", "CAST(bit_count({0}) AS BIGINT)"),
    ]
)
