"""The words in which the invariants of FHIR R4 are written: what an object has, holds and compares.

An object is a dict of parsed JSON or a struct of the fast check: anything with `get`. A primitive that is given
only by its companion (`_start`) counts as there, as in FHIRPath.

Example: has({"_start": {"id": "a"}}, "start")  ->  True
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from fhir_r4.definitions import definition

Object = Any
Predicate = Callable[[Object], bool]
UCUM = "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class Invariant:
    """One rule; `holds` is asked of an object of the type that is right in all else."""

    key: str
    expected: str
    holds: Predicate


def has(one: Object, name: str) -> bool:
    if isinstance(one, dict):
        return one.get(name) is not None or one.get("_" + name) is not None
    return bool(one.has(name))


def any_of(one: Object, *names: str) -> bool:
    return any(has(one, name) for name in names)


def count(one: Object, *names: str) -> int:
    """How many values the elements have together."""
    return sum(len(found) if isinstance(found := one.get(name), list) else has(one, name) for name in names)


@cache
def choice(kind: str, name: str) -> tuple[str, ...]:
    """The element names of a choice, such as valueQuantity, valueString ..."""
    return definition(kind).choices[name]


def chosen(one: Object, kind: str, name: str) -> bool:
    if not isinstance(one, dict) and name in one.CHOICES:
        return bool(one.chosen(name))
    return any(has(one, option) for option in choice(kind, name))


def items(one: Object, *names: str) -> Iterator[Object]:
    """The objects at the end of a path of repeating or single elements."""
    if not names:
        yield one
        return
    found = one.get(names[0])
    for item in found if isinstance(found, list) else [] if found is None else [found]:
        yield from items(item, *names[1:])


def is_distinct(values: Iterator[Any]) -> bool:
    given = list(values)
    return len(given) == len(set(given))


def codings(one: Object, name: str) -> set[tuple[str | None, str | None]]:
    """(system, code) of the codings of a CodeableConcept, single or repeated."""
    return {(coding.get("system"), coding.get("code")) for coding in items(one, name, "coding")}


def number(value: Any) -> Decimal:
    return Decimal(bytes(value).decode()) if isinstance(value, msgspec.Raw) else Decimal(str(value))


def is_ordered(first: Any, last: Any) -> bool:
    """Whether one date, of any precision, is not after another; two that cannot be compared are not in order.

    As FHIRPath compares them: year with year, month with month ... and where one says no more, only equal ones are
    undecided, which HL7's validator counts as broken. Times are compared in UTC.
    """
    if not isinstance(first, str) or not isinstance(last, str):
        return True
    if first == last:
        return True
    if len(first) > 10 and len(last) > 10:
        ours, theirs = instant(first), instant(last)
        return ours is None or theirs is None or ours <= theirs
    shortest = min(len(first), len(last), 10)
    ours_text, theirs_text = first[:shortest], last[:shortest]
    return ours_text < theirs_text or (ours_text == theirs_text and len(first) == len(last))


def instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def starts_before_end(one: Object) -> bool:
    start, end = one.get("start"), one.get("end")
    return start is None or end is None or is_ordered(start, end)


def low_before_high(one: Object) -> bool:
    """Quantities of other units cannot be compared and are let pass."""
    low, high = one.get("low"), one.get("high")
    if low is None or high is None or low.get("value") is None or high.get("value") is None:
        return True
    if any(low.get(name) != high.get(name) for name in ("code", "unit", "system")):
        return True
    return number(low.get("value")) <= number(high.get("value"))


def at_least_zero(name: str) -> Predicate:
    return lambda one: one.get(name) is None or number(one.get(name)) >= 0


def needs(name: str, other: str) -> Predicate:
    """`name` only with `other`."""
    return lambda one: not has(one, name) or has(one, other)


def not_both(name: str, other: str) -> Predicate:
    return lambda one: not (has(one, name) and has(one, other))


def either(name: str, other: str) -> Predicate:
    """Exactly one of the two."""
    return lambda one: has(one, name) != has(one, other)


def one_of(*names: str) -> Predicate:
    return lambda one: any_of(one, *names)
