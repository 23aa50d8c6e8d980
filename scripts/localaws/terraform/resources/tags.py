"""Tags in the shapes that AWS services take them, and what changed between two sets of tags.

Pure. Make targets: deploy, plan, destroy.
Example: as_list({"project": "trilake"})  ->  [{"Key": "project", "Value": "trilake"}]
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from localaws.terraform.values import Values


def wanted_tags(values: Values) -> dict[str, str]:
    """All tags that a resource should carry, those of the provider block included."""
    return dict(values.get("tags_all") or values.get("tags") or {})


def as_list(tags: Mapping[str, str], *, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    return [{key: name, value: text} for name, text in sorted(tags.items())]


def as_map(tags: Iterable[Mapping[str, str]] | None, *, key: str = "Key", value: str = "Value") -> dict[str, str]:
    return {tag[key]: tag.get(value, "") for tag in tags or ()}


def observed_tags(found: Mapping[str, str], state: Values) -> Values:
    """The attributes `tags` and `tags_all`: a tag of the provider block is no tag of the resource's own."""
    own = state.get("tags") or {}
    inherited = {name for name, text in (state.get("tags_all") or {}).items() if name not in own}
    return {
        "tags": {name: text for name, text in found.items() if name not in inherited} or None,
        "tags_all": dict(found),
    }


def retag(
    before: Values,
    wanted: Values,
    *,
    add: Callable[[dict[str, str]], Any],
    remove: Callable[[list[str]], Any],
) -> None:
    """Call add and remove with what differs between the tags of two states."""
    old, new = wanted_tags(before), wanted_tags(wanted)
    gone = sorted(set(old) - set(new))
    changed = {name: text for name, text in new.items() if old.get(name) != text}
    if gone:
        remove(gone)
    if changed:
        add(changed)
