"""The invariants of FHIR R4's data types, and the road to those of its resources.

Data: type -> rules with HL7's key, what it expects, and a predicate that is False where the rule is broken
(hl7.org/fhir/R4: the Constraints of each page). Those that only profiles and tooling meet are left out.

Example: [rule.key for rule in invariants("Period")]  ->  ["per-1"]
"""

from collections import defaultdict
from functools import cache

from fhir_r4 import clinical_invariants, other_invariants
from fhir_r4.predicates import (
    UCUM,
    Invariant,
    Object,
    any_of,
    at_least_zero,
    chosen,
    either,
    has,
    low_before_high,
    needs,
    not_both,
    number,
    one_of,
    starts_before_end,
)


def is_metric(one: Object) -> bool:
    """Of an Age or Distance: a value has a code, and the system is UCUM."""
    return (has(one, "code") or not has(one, "value")) and one.get("system") in (None, UCUM)


def is_whole(one: Object) -> bool:
    value = one.get("value")
    return is_metric(one) and one.get("code") in (None, "1") and (value is None or number(value) % 1 == 0)


def is_positive(one: Object) -> bool:
    return one.get("value") is None or number(one.get("value")) > 0


def is_ratio(one: Object) -> bool:
    has_both = has(one, "numerator") and has(one, "denominator")
    return has_both or (not any_of(one, "numerator", "denominator") and has(one, "extension"))


def is_offset(one: Object) -> bool:
    meals = {"C", "CM", "CD", "CV"}
    return not has(one, "offset") or (has(one, "when") and not meals & set(one.get("when") or ()))


def is_trigger(one: Object) -> bool:
    kind = one.get("type") or ""
    return (
        (kind != "named-event" or has(one, "name"))
        and (kind != "periodic" or chosen(one, "TriggerDefinition", "timing"))
        and (not kind.startswith("data-") or has(one, "data"))
    )


QUANTITY = [Invariant("qty-3", "a system where there is a code", needs("code", "system"))]
DATA_TYPES: dict[str, list[Invariant]] = {
    "Attachment": [Invariant("att-1", "a contentType where there are data", needs("data", "contentType"))],
    "ContactPoint": [Invariant("cpt-2", "a system where there is a value", needs("value", "system"))],
    "Extension": [
        Invariant(
            "ext-1",
            "a value or extensions, not both",
            lambda one: has(one, "extension") != chosen(one, "Extension", "value"),
        )
    ],
    "Period": [Invariant("per-1", "a start that is not after the end", starts_before_end)],
    "Quantity": QUANTITY,
    "Age": [
        *QUANTITY,
        Invariant("age-1", "UCUM, a code and a value above 0", lambda one: is_metric(one) and is_positive(one)),
    ],
    "Distance": [*QUANTITY, Invariant("dis-1", "UCUM and a code", is_metric)],
    "Count": [*QUANTITY, Invariant("cnt-3", "a whole number, UCUM's code 1", is_whole)],
    "Duration": [
        *QUANTITY,
        Invariant(
            "drt-1",
            "UCUM and a value where there is a code",
            lambda one: not has(one, "code") or (one.get("system") == UCUM and has(one, "value")),
        ),
    ],
    "Range": [Invariant("rng-2", "a low that is not above the high", low_before_high)],
    "Ratio": [Invariant("rat-1", "numerator and denominator, or neither and an extension", is_ratio)],
    "Timing.repeat": [
        Invariant("tim-1", "a durationUnit where there is a duration", needs("duration", "durationUnit")),
        Invariant("tim-2", "a periodUnit where there is a period", needs("period", "periodUnit")),
        Invariant("tim-4", "a duration of 0 or more", at_least_zero("duration")),
        Invariant("tim-5", "a period of 0 or more", at_least_zero("period")),
        Invariant("tim-6", "a period where there is a periodMax", needs("periodMax", "period")),
        Invariant("tim-7", "a duration where there is a durationMax", needs("durationMax", "duration")),
        Invariant("tim-8", "a count where there is a countMax", needs("countMax", "count")),
        Invariant("tim-9", "an offset only with a when that is no meal", is_offset),
        Invariant("tim-10", "timeOfDay or when, not both", not_both("timeOfDay", "when")),
    ],
    "DataRequirement.codeFilter": [Invariant("drq-1", "path or searchParam", either("path", "searchParam"))],
    "DataRequirement.dateFilter": [Invariant("drq-2", "path or searchParam", either("path", "searchParam"))],
    "Expression": [Invariant("exp-1", "an expression or a reference", one_of("expression", "reference"))],
    "TriggerDefinition": [
        Invariant(
            "trd-1",
            "data or timing, not both",
            lambda one: not (has(one, "data") and chosen(one, "TriggerDefinition", "timing")),
        ),
        Invariant("trd-2", "data where there is a condition", needs("condition", "data")),
        Invariant("trd-3", "a name, a timing or data, as its type asks", is_trigger),
    ],
    "ElementDefinition.slicing": [
        Invariant("eld-1", "a discriminator or a description", one_of("discriminator", "description"))
    ],
}


@cache
def table() -> dict[str, tuple[Invariant, ...]]:
    found: dict[str, list[Invariant]] = defaultdict(list)
    for part in (DATA_TYPES, clinical_invariants.RULES, other_invariants.RULES):
        for kind, rules in part.items():
            found[kind] += rules
    return {kind: tuple(rules) for kind, rules in found.items()}


def invariants(kind: str) -> tuple[Invariant, ...]:
    """The rules of one type, nested type or resource type."""
    return table().get(kind, ())
