"""Bit functions on bigints.

Reads and writes nothing. Behind `make local-aws`.
Example: `bitwise_and(12, 10)` is 8.
"""

from __future__ import annotations

from localaws.athena.embedded.calls import scalars

scalars(
    [
        ("bitwise_and(bigint, bigint) -> bigint", "({0} & {1})"),
        ("bitwise_or(bigint, bigint) -> bigint", "({0} | {1})"),
        ("bitwise_xor(bigint, bigint) -> bigint", "xor({0}, {1})"),
        ("bitwise_not(bigint) -> bigint", "(~{0})"),
        ("bitwise_left_shift(bigint, bigint) -> bigint", "({0} << {1})"),
        ("bitwise_right_shift(bigint, bigint) -> bigint", "({0} >> {1})"),
        ("bitwise_right_shift_arithmetic(bigint, bigint) -> bigint", "({0} >> {1})"),
        ("bit_count(bigint, bigint) -> bigint", "CAST(bit_count({0}) AS BIGINT)"),
    ]
)
