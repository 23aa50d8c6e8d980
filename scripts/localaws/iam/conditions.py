"""Condition elements of policies, over what localaws knows of a request.

Pure functions; reads and writes nothing. Behind every make target that talks to localaws.
Example: `conditions_hold({"Bool": {"aws:SecureTransport": "false"}}, {"aws:SecureTransport": "true"})` is `Truth.NO`.

An operator that is not known here is UNKNOWN: an Allow then does not apply, a Deny does.
Rules: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any

Context = Mapping[str, "str | list[str]"]


ANY = "\0any"
"""A context value that localaws does not track and takes to be the right one."""


class Truth(Enum):
    """Whether conditions hold."""

    YES = 1
    NO = 2
    UNKNOWN = 3


def conditions_hold(conditions: dict[str, dict[str, Any]], context: Context) -> Truth:
    """Whether every condition of a statement holds; one that certainly fails outweighs one that is unknown."""
    known = {name.lower(): value for name, value in context.items()}
    found = {
        _one(operator, key, values, known) for operator, block in conditions.items() for key, values in block.items()
    }
    if Truth.NO in found:
        return Truth.NO
    return Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.YES


def _one(operator: str, key: str, values: Any, context: Context) -> Truth:
    quantifier, _, base = operator.rpartition(":")
    is_optional = base.endswith("IfExists")
    base = base.removesuffix("IfExists")
    wanted = [_text(value) for value in (values if isinstance(values, list) else [values])]
    present = context.get(key.lower())
    if present == ANY:
        return Truth.YES
    if base == "Null":
        return _truth((present is None) == (wanted[0] == "true"))
    compare = _OPERATORS.get(base)
    if compare is None:
        return Truth.UNKNOWN
    is_negated = "Not" in base
    if present is None:
        return _truth(is_optional or is_negated or quantifier == "ForAllValues")
    given = present if isinstance(present, list) else [present]
    try:
        return _truth(_compare(given, wanted, compare, quantifier=quantifier, is_negated=is_negated))
    except ValueError:
        return Truth.UNKNOWN


def _compare(
    given: list[str], wanted: list[str], compare: Callable[[str, str], bool], *, quantifier: str, is_negated: bool
) -> bool:
    def holds(text: str) -> bool:
        hit = any(compare(text, value) for value in wanted)
        return not hit if is_negated else hit

    if quantifier == "ForAllValues":
        return all(holds(text) for text in given)
    return any(holds(text) for text in given)


def _truth(holds: bool) -> Truth:
    return Truth.YES if holds else Truth.NO


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))


def _within(text: str, network: str) -> bool:
    return ipaddress.ip_address(text) in ipaddress.ip_network(network, strict=False)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _same(text: str, value: str) -> bool:
    return text == value


def _same_letters(text: str, value: str) -> bool:
    return text.lower() == value.lower()


_OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": _same,
    "StringNotEquals": _same,
    "StringEqualsIgnoreCase": _same_letters,
    "StringNotEqualsIgnoreCase": _same_letters,
    "StringLike": _like,
    "StringNotLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "ArnNotEquals": _like,
    "ArnNotLike": _like,
    "Bool": _same_letters,
    "NumericEquals": lambda text, value: float(text) == float(value),
    "NumericNotEquals": lambda text, value: float(text) == float(value),
    "NumericLessThan": lambda text, value: float(text) < float(value),
    "NumericLessThanEquals": lambda text, value: float(text) <= float(value),
    "NumericGreaterThan": lambda text, value: float(text) > float(value),
    "NumericGreaterThanEquals": lambda text, value: float(text) >= float(value),
    "DateLessThan": lambda text, value: _moment(text) < _moment(value),
    "DateGreaterThan": lambda text, value: _moment(text) > _moment(value),
    "IpAddress": _within,
    "NotIpAddress": _within,
}
