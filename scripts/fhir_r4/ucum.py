"""Whether a text is a unit of UCUM, the Unified Code for Units of Measure, in its case-sensitive form.

Reads `units` of definitions.json (from ucum-essence.xml, by `compile`): prefixes, atoms, and which atoms take one.
Grammar: ucum.org/ucum section 2.

Example: is_unit("mm[Hg]"), is_unit("zork")  ->  (True, False)
"""

import re
from functools import cache, lru_cache

from fhir_r4.definitions import read

ANNOTATION = re.compile(r"\{[\x21-\x7a\x7c\x7e ]*\}")
EXPONENT = re.compile(r"[+\-]?[0-9]+")
DIGITS = re.compile(r"[0-9]+")


@lru_cache(maxsize=4096)
def is_unit(text: str) -> bool:
    rest = term(text.removeprefix("/"))
    return rest == ""


def term(text: str) -> str | None:
    """What is left after a term; None when there is none at the start."""
    rest = component(text)
    while rest and rest[0] in "./":
        rest = component(rest[1:])
    return rest


def component(text: str) -> str | None:
    if text.startswith("("):
        rest = term(text[1:])
        return after_annotation(rest[1:]) if rest is not None and rest.startswith(")") else None
    if match := ANNOTATION.match(text):
        return text[match.end() :]
    symbol = simple(text)
    if symbol is not None:
        rest = text[len(symbol) :]
        if match := EXPONENT.match(rest):
            rest = rest[match.end() :]
        return after_annotation(rest)
    if match := DIGITS.match(text):
        return after_annotation(text[match.end() :])
    return None


def after_annotation(text: str) -> str:
    match = ANNOTATION.match(text)
    return text[match.end() :] if match else text


def simple(text: str) -> str | None:
    """The longest unit symbol at the start, with its prefix."""
    for end in range(min(len(text), 20), 0, -1):
        if text[:end] in symbols():
            return text[:end]
    return None


@cache
def symbols() -> frozenset[str]:
    units = read()["units"]
    metric, plain, prefixes = units["metric"], units["plain"], units["prefixes"]
    return frozenset([*metric, *plain, *(prefix + atom for prefix in prefixes for atom in metric)])
