"""Equality of arrays, rows and maps: a NULL inside makes the answer unknown, unless something else differs.

Reads and writes nothing. Behind `make local-aws`.
Example: `ARRAY[1, NULL] = ARRAY[1, 2]` is NULL, `ARRAY[1, NULL] = ARRAY[3, 2]` is false.
"""

from __future__ import annotations

from localaws.athena.embedded.typed import member, row_names
from localaws.athena.types import Type


def equal(one: str, two: str, found: Type, depth: int = 0) -> str:
    """DuckDB text for `one = two`, both of the type; each is written more than once where it is nested."""
    if found.name == "row":
        names = zip(row_names(found), found.elements, strict=True)
        parts = " AND ".join(equal(member(one, name), member(two, name), item, depth) for name, item in names)
        return f"CASE WHEN {one} IS NOT NULL AND {two} IS NOT NULL THEN ({parts}) END"
    if found.name == "array":
        return _equal_arrays(one, two, found.elements[0], depth)
    if found.name == "map":
        keys, values = found.elements
        sides = [f"list_sort(map_keys({side}))" for side in (one, two)]
        left, right = (
            f"list_transform({sides[0]}, lambda k{depth}: map_extract_value({side}, k{depth}))" for side in (one, two)
        )
        same = _equal_arrays(left, right, values, depth + 1)
        return f"CASE WHEN {sides[0]} IS DISTINCT FROM {sides[1]} THEN false ELSE {same} END" if keys else same
    return f"({one} = {two})"


def _equal_arrays(one: str, two: str, element: Type, depth: int) -> str:
    place = f"q{depth}"
    pair = equal(f"list_extract({one}, {place})", f"list_extract({two}, {place})", element, depth + 1)
    mark = f"CASE {pair} WHEN true THEN 2 WHEN false THEN 0 ELSE 1 END"
    marks = f"list_transform(range(1, len({one}) + 1), lambda {place}: {mark})"
    verdict = f"CASE coalesce(list_min({marks}), 2) WHEN 2 THEN true WHEN 0 THEN false END"
    unknown = f"{one} IS NULL OR {two} IS NULL"
    return f"CASE WHEN {unknown} THEN NULL WHEN len({one}) <> len({two}) THEN false ELSE {verdict} END"
