"""What an expression of a type can be made of: templates of Trino SQL with typed holes.

Reads and writes nothing. `{bigint}` is any expression of that kind, `{x:bigint}` the name of a lambda's argument that
the holes behind it may use, `{n}` and the like a constant of a small set. Behind `make verify`.

Example: "transform({bigints}, {x:bigint} -> {bigint})" becomes transform(numbers, v3 -> v3 + 1)

Kinds are coarser than types (a `timestamp` may have three digits or six): both engines say what type came out, and the
answers are compared. Left out on purpose is what SQL leaves open (the order in array_agg without ORDER BY) and what the
README of localaws' Athena lists as a difference by nature.
"""

from collections.abc import Mapping, Sequence

from verify.generated.call_templates import AGGREGATES, WINDOWS
from verify.generated.constants import CONSTANTS
from verify.generated.other_templates import OTHERS, SHOWN
from verify.generated.plain_templates import PLAIN

TEMPLATES: Mapping[str, Sequence[str]] = {**PLAIN, **OTHERS}

__all__ = ["AGGREGATES", "CONSTANTS", "SHOWN", "TEMPLATES", "WINDOWS"]
