"""What a struct of the fast check asks of itself once its fields are right: choices, decimals, codes, invariants.

`check_of` makes the `__post_init__` of a struct; what it raises is no fault yet, only a reason to ask the exact
rules. For the types that stand everywhere the checks are written out for speed, each narrower than the exact rule.

Example: check_of("Period", {}, (), None)
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from msgspec import UNSET

from fhir_r4 import narrative
from fhir_r4.definitions import codes_of, is_code_of
from fhir_r4.invariants import invariants
from fhir_r4.predicates import Invariant, is_ordered
from fhir_r4.primitives import CODE, problem
from fhir_r4.typed import TYPED, UCUM
from fhir_r4.ucum import is_unit
from fhir_r4.whole import literal_type

SoundCheck = Callable[[Any], None]


class Undecided(ValueError):
    """For the exact rules. Made anew each time: a raised one holds on to its frames, and so to the piece they read."""


NUMBER = frozenset(b"-0123456789")
local_references: list[tuple[str, frozenset[str] | None]] = []
"""References to contained resources, with the types they may lead to, since `clear`: for structs `with_contained`."""


@lru_cache(maxsize=1 << 16)
def is_sound_code(system: Any, code: Any) -> bool:
    """Whether system and code (or UNSET) are of the right form, the system absolute and the code one of it."""
    if system is not UNSET and (not is_absolute(system) or problem("uri", system)):
        return False
    if code is UNSET:
        return system is UNSET or codes_of(system) is None
    if not CODE.fullmatch(code):
        return False
    return system is UNSET or (is_code_of(system, code) and (system != UCUM or is_unit(code)))


@lru_cache(maxsize=1 << 12)
def is_absolute(system: str) -> bool:
    return system.startswith(("http://", "https://", "urn:")) and not problem("uri", system)


def coding(one: Any) -> None:
    if not is_sound_code(one.system, one.code):
        raise Undecided


def quantity(one: Any) -> None:
    value, code = one.value, one.code
    if value is not UNSET and bytes(value)[0] not in NUMBER:
        raise Undecided
    if not is_sound_code(one.system, code) or (code is not UNSET and one.system is UNSET):
        raise Undecided


def identifier(one: Any) -> None:
    system = one.system
    if system is not UNSET and (not is_absolute(system) or system == "urn:ietf:rfc:3986"):
        raise Undecided


def extension(one: Any) -> None:
    getter, n, _ = one.CHOICES["value"]
    n_values = n - getter(one).count(UNSET)
    if n_values + (getattr(one, "extension", UNSET) is not UNSET) != 1:
        raise Undecided
    if one.url.startswith("http://hl7.org/fhir/StructureDefinition/") and next(TYPED["Extension"][0](one), None):
        raise Undecided
    if one.valueDecimal is not UNSET and bytes(one.valueDecimal)[0] not in NUMBER:
        raise Undecided


def period(one: Any) -> None:
    """Times as long as each other, both in UTC, are in order as texts."""
    start, end = one.start, one.end
    if start is UNSET or end is UNSET:
        return
    is_alike = len(start) == len(end) and (len(start) <= 10 or start[-1] == end[-1] == "Z")
    if start > end if is_alike else not is_ordered(start, end):
        raise Undecided


def text(one: Any) -> None:
    found = narrative.narrative(one.div)
    if found.problem is not None or found.links:
        raise Undecided


# Written out again beside the exact rules (`typed`, `invariants`), since these six types are most of any resource and
# `whole_check` asks rule after rule, one call each. A check here only declines to decide, and takes nothing that the
# exact rules refuse: tests/fhir_r4/test_fast.py mutates resources and compares the two.
FAST_CHECKS: dict[str, SoundCheck] = {
    "Coding": coding,
    "Quantity": quantity,
    "Identifier": identifier,
    "Extension": extension,
    "Period": period,
    "Narrative": text,
}


def check_of(
    kind: str,
    choices: dict[str, Any],
    decimals: tuple[str, ...],
    binding: Any,
    *,
    with_contained: bool = False,
    targets: frozenset[str] | None = None,
) -> SoundCheck | None:
    """The `__post_init__` of a type's struct; None where its fields say all."""
    if kind == "Reference":
        return note_local(targets) if with_contained else None
    if kind in FAST_CHECKS and binding is None:
        return FAST_CHECKS[kind]
    rules, typed = invariants(kind), () if kind == "CodeableConcept" else TYPED.get(kind, ())
    groups = tuple(choices.values())
    if not (rules or typed or groups or decimals or binding or kind in FAST_CHECKS):
        return None
    return whole_check(rules, (*typed,), groups, decimals, binding)


def whole_check(
    rules: tuple[Invariant, ...],
    typed: tuple[Any, ...],
    groups: tuple[Any, ...],
    decimals: tuple[str, ...],
    binding: Any,
) -> SoundCheck:
    holds = tuple(rule.holds for rule in rules)

    def check(one: Any) -> None:
        check_fields(one, groups, decimals)
        for hold in holds:
            if not hold(one):
                raise Undecided
        for each in typed:
            if next(each(one), None) is not None:
                raise Undecided
        if binding is not None and not is_bound(one, binding):
            raise Undecided

    return check


def check_fields(one: Any, groups: tuple[Any, ...], decimals: tuple[str, ...]) -> None:
    """One element of each choice, and numbers where decimals stand."""
    for getter, n, is_required in groups:
        n_given = n - getter(one).count(UNSET)
        if n_given > 1 or (is_required and n_given == 0):
            raise Undecided
    for name in decimals:
        value = getattr(one, name)
        if value is not UNSET and bytes(value)[0] not in NUMBER:
            raise Undecided


def is_bound(one: Any, binding: dict[str, frozenset[str]]) -> bool:
    codings = one.get("coding") if hasattr(one, "coding") else [one]
    return any(item.get("code") in binding.get(item.get("system"), ()) for item in codings or ())


def note_local(targets: frozenset[str] | None) -> SoundCheck:
    def check(one: Any) -> None:
        if one.reference is UNSET:
            return
        if one.reference[0] == "#":
            local_references.append((one.reference[1:], targets))
        elif one.type is not UNSET and literal_type(one.reference) != one.type:
            raise Undecided

    return check
