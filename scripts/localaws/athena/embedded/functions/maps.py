"""Functions on maps.

Reads and writes nothing. Behind `make local-aws`.
Example: `map(ARRAY['a'], ARRAY[1])['b']` is an error, `element_at(…, 'b')` is NULL.
"""

from __future__ import annotations

from collections.abc import Sequence

from localaws.athena.embedded.calls import scalars
from localaws.athena.embedded.typed import Typed
from localaws.athena.types import Type


def _concat(args: Sequence[Typed], _: Type) -> str:
    missing = " OR ".join(f"{arg.sql} IS NULL" for arg in args)
    return f"CASE WHEN {missing} THEN NULL ELSE map_concat({', '.join(arg.sql for arg in args)}) END"


scalars(
    [
        ("map() -> map(unknown, unknown)", "map([], [])"),
        ("map(array(k), array(v)) -> map(k, v)", "map({0}, {1})"),
        (
            "map_from_entries(array(row(k, v))) -> map(k, v)",
            "map_from_entries(list_transform({0}, lambda e: struct_pack("
            "key := struct_extract_at(e, 1), value := struct_extract_at(e, 2))))",
        ),
        (
            "map_entries(map(k, v)) -> array(row(k, v))",
            "list_transform(map_entries({0}), lambda e: struct_pack(field0 := e.key, field1 := e.value))",
        ),
        ("map_keys(map(k, v)) -> array(k)", "map_keys({0})"),
        ("map_values(map(k, v)) -> array(v)", "map_values({0})"),
        ("map_concat(map(k, v), map(k, v), map(k, v)*) -> map(k, v)", _concat),
    ]
)
