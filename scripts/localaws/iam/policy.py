"""Policy documents: does a statement speak of this call, and what does it say.

Pure functions over policy JSON; reads and writes nothing. Behind every make target that talks to localaws.
Example: `decide([document], Call("s3:GetObject", "arn:aws:s3:::bucket/key"))` is `Decision.ALLOW`.

Rules: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

from localaws.iam.conditions import Truth, conditions_hold


class Decision(Enum):
    """What a set of policies says of one call; a single Deny outweighs every Allow."""

    ALLOW = "allow"
    DENY = "deny"
    SILENT = "silent"


@dataclass(frozen=True)
class Call:
    """One IAM action on one resource.

    `is_partial` says that the request names the resource only in part: its ARN then has `*` where it is unknown,
    an Allow that overlaps it counts, a Deny counts only when it covers all of it.
    """

    action: str
    resource: str = "*"
    is_partial: bool = False
    context: Mapping[str, str | list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Principal:
    """Who calls, as Principal elements name it: every ARN, account and service that means this caller."""

    names: frozenset[str]
    kind: str = "AWS"


@lru_cache(maxsize=2048)
def statements(document: str) -> tuple[dict[str, Any], ...]:
    """The statements of a policy document."""
    found = json.loads(document).get("Statement", [])
    return tuple(found) if isinstance(found, list) else (found,)


def decide(documents: Iterable[str], call: Call, principal: Principal | None = None) -> Decision:
    """What policy documents say of a call; for resource policies give the principal too."""
    decision = Decision.SILENT
    for document in documents:
        for statement in statements(document):
            if not _speaks_of(statement, call, principal):
                continue
            truth = conditions_hold(statement.get("Condition", {}), call.context)
            if statement["Effect"] == "Deny" and truth is not Truth.NO:
                return Decision.DENY
            if statement["Effect"] == "Allow" and truth is Truth.YES:
                decision = Decision.ALLOW
    return decision


def _speaks_of(statement: dict[str, Any], call: Call, principal: Principal | None) -> bool:
    is_deny = statement.get("Effect") == "Deny"
    return (
        (principal is None or _names(statement, principal))
        and _action_matches(statement, call.action)
        and _resource_matches(statement, call, is_deny=is_deny)
    )


def _action_matches(statement: dict[str, Any], action: str) -> bool:
    wanted = action.lower()
    if "NotAction" in statement:
        return not any(matches(pattern.lower(), wanted) for pattern in as_list(statement["NotAction"]))
    return any(matches(pattern.lower(), wanted) for pattern in as_list(statement.get("Action", [])))


def _resource_matches(statement: dict[str, Any], call: Call, *, is_deny: bool) -> bool:
    variables = call.context
    if "NotResource" in statement:
        patterns = [_filled(pattern, variables) for pattern in as_list(statement["NotResource"])]
        return not any(matches(pattern, call.resource) for pattern in patterns)
    if "Resource" not in statement:
        return True
    patterns = [_filled(pattern, variables) for pattern in as_list(statement["Resource"])]
    if call.is_partial and not is_deny:
        return any(overlaps(pattern, call.resource) for pattern in patterns)
    return any(matches(pattern, call.resource) for pattern in patterns)


def _filled(pattern: str, variables: Mapping[str, str | list[str]]) -> str:
    """The pattern with its policy variables in place; a variable nobody knows matches nothing."""

    def value(match: re.Match[str]) -> str:
        name = match.group(1).split(",", 1)[0].strip()
        known = variables.get(name, "\0") if name not in {"*", "?", "$"} else name
        return known if isinstance(known, str) else "\0"

    return re.sub(r"\$\{([^}]+)\}", value, pattern) if "${" in pattern else pattern


def _names(statement: dict[str, Any], principal: Principal) -> bool:
    if "NotPrincipal" in statement:
        return not _principal_matches(statement["NotPrincipal"], principal)
    return "Principal" in statement and _principal_matches(statement["Principal"], principal)


def _principal_matches(element: Any, principal: Principal) -> bool:
    if element == "*":
        return True
    patterns = as_list(element.get(principal.kind, []))
    return any(pattern == "*" or pattern in principal.names for pattern in patterns)


def as_list(value: Any) -> list[Any]:
    """A policy element that may be one value or many."""
    return value if isinstance(value, list) else [value]


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in pattern)
    return re.compile("".join(parts), re.DOTALL)


def matches(pattern: str, text: str) -> bool:
    """Whether a policy pattern (`*`, `?`) takes the whole text."""
    return pattern == "*" or _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=4096)
def overlaps(left: str, right: str) -> bool:
    """Whether some text is taken by both patterns."""
    if not left or not right:
        return not (left + right).strip("*")
    if left[0] == "*":
        return overlaps(left[1:], right) or overlaps(left, right[1:])
    if right[0] == "*":
        return overlaps(left, right[1:]) or overlaps(left[1:], right)
    same = left[0] == right[0] or "?" in (left[0], right[0])
    return same and overlaps(left[1:], right[1:])
