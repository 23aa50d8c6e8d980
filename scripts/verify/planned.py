"""Where two plans of one configuration differ: resources, actions, values, what is unknown until the apply.

Reads `terraform show -json` of both. What a provider fills in by itself is left out: a value that one knows while
planning and the other only after the apply is no difference of the configuration.

Example: differences(local_plan.content, real_plan.content)  ->  []
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Content = Mapping[str, Any]


def differences(ours: Content, theirs: Content) -> list[str]:
    """A line for each resource that one plan has alone, and for each value that both know and do not agree on."""
    left, right = resources(ours), resources(theirs)
    alone = [f"{address}: only the local provider plans it" for address in left.keys() - right.keys()]
    alone += [f"{address}: only the real provider plans it" for address in right.keys() - left.keys()]
    shared = sorted(left.keys() & right.keys())
    return sorted(alone) + [line for address in shared for line in compared(address, left[address], right[address])]


def resources(content: Content) -> dict[str, Mapping[str, Any]]:
    """The change of each managed resource, by address."""
    changes = content.get("resource_changes", [])
    return {item["address"]: item["change"] for item in changes if item["mode"] == "managed"}


def compared(address: str, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Iterator[str]:
    if ours["actions"] != theirs["actions"]:
        yield f"{address}: {ours['actions']} by the local provider, {theirs['actions']} by the real one"
        return
    for name, value in (ours.get("after") or {}).items():
        other = (theirs.get("after") or {}).get(name)
        if value is None or other is None or same(value, other):
            continue
        yield f"{address}.{name}: {shown(value)} by the local provider, {shown(other)} by the real one"


def same(value: Any, other: Any) -> bool:
    """Equal as configuration: JSON texts by content; nothing, empty and false alike; lists of blocks in any order."""
    if isinstance(value, str) and isinstance(other, str):
        return value == other or (value[:1] in "{[" and parsed(value) == parsed(other))
    if isinstance(value, dict) and isinstance(other, dict):
        return all(same(value.get(name), other.get(name)) for name in value.keys() | other.keys())
    if isinstance(value, list) and isinstance(other, list):
        return len(value) == len(other) and all(
            same(*pair) for pair in zip(ordered(value), ordered(other), strict=True)
        )
    return value == other or (not value and not other)


def ordered(values: list[Any]) -> list[Any]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))


def parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def shown(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 120 else text[:117] + "..."
