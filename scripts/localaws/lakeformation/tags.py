"""LF-Tags: the tags of an account, what carries them, and which values hold where.

Reads the Glue catalog; writes the account's `Lake`. Behind `make deploy`.
Example: `effective(own, Target("table", account, "clinical", "patient"))` is `{"domain": "clinical"}`
Keys and values are lower-case; a resource has one value per key; database -> table -> column, the lower level wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from localaws.lakeformation.resources import Target
from localaws.lakeformation.state import Lake
from localaws.service import ServiceError

MAX_VALUES, MAX_ON_RESOURCE = 1000, 50


def create(own: Lake, key: str, values: Iterable[str]) -> None:
    name = key.lower()
    if name in own.tags:
        raise ServiceError("InvalidInputException", f"Tag key already exists: {name}")
    own.tags[name] = _bounded(tuple(dict.fromkeys(value.lower() for value in values)))


def get(own: Lake, key: str) -> tuple[str, ...]:
    """The tag's values; EntityNotFoundException when there is no such tag."""
    if key.lower() not in own.tags:
        raise ServiceError("EntityNotFoundException", f"Tag key does not exist: {key.lower()}")
    return own.tags[key.lower()]


def update(own: Lake, key: str, add: Iterable[str], remove: Iterable[str]) -> None:
    """Add and remove values; a value in use stays, with an error."""
    values, gone = get(own, key), {value.lower() for value in remove}
    in_use = {tags[key.lower()] for tags in own.tagged.values() if key.lower() in tags}
    if gone & in_use or gone - set(values):
        raise ServiceError("InvalidInputException", f"Tag values cannot be removed: {sorted(gone & in_use or gone)}")
    kept = [value for value in values if value not in gone]
    own.tags[key.lower()] = _bounded(tuple(dict.fromkeys([*kept, *(value.lower() for value in add)])))


def delete(own: Lake, key: str) -> None:
    """Remove the tag, from every resource too; grants that name it match nothing any more."""
    get(own, key)
    del own.tags[key.lower()]
    for tags in own.tagged.values():
        tags.pop(key.lower(), None)


def described(own: Lake, key: str) -> dict[str, Any]:
    return {"CatalogId": own.account_id, "TagKey": key.lower(), "TagValues": list(get(own, key))}


def pair(own: Lake, item: dict[str, Any]) -> tuple[str, str]:
    """Key and value of a tag to put on a resource; InvalidInputException unless exactly one known value."""
    key, values = item["TagKey"].lower(), [value.lower() for value in item["TagValues"]]
    if len(values) != 1 or values[0] not in get(own, key):
        raise ServiceError("InvalidInputException", f"Tag {key} needs exactly one of its values")
    return key, values[0]


def places(target: Target) -> list[Target]:
    """The resources a tagging request means: one, or each named column."""
    if target.kind in {"database", "table"}:
        return [target]
    if target.kind == "columns" and target.names:
        return [column(target, name) for name in sorted(target.names)]
    raise ServiceError("InvalidInputException", "Tags go on databases, tables and named columns")


def column(table: Target, name: str) -> Target:
    return Target("columns", table.catalog_id, table.database, table.table, names=frozenset({name}))


def add(own: Lake, target: Target, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Put tags on a resource; what failed, with the reason."""
    failures = []
    for item in items:
        try:
            key, value = pair(own, item)
            for place in places(target):
                tags = own.tagged.setdefault(place, {})
                if key not in tags and len(tags) >= MAX_ON_RESOURCE:
                    raise ServiceError("InvalidInputException", f"A resource has at most {MAX_ON_RESOURCE} tags")
                tags[key] = value
        except ServiceError as error:
            failures.append(_failure(item, error))
    return failures


def remove(own: Lake, target: Target, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Take tags off a resource; what failed, with the reason."""
    failures = []
    for item in items:
        key = item["TagKey"].lower()
        held = [own.tagged.get(place, {}) for place in places(target)]
        if not any(key in tags for tags in held):
            error = ServiceError("EntityNotFoundException", f"Tag {key} is not on the resource")
            failures.append(_failure(item, error))
        for tags in held:
            tags.pop(key, None)
    return failures


def _failure(item: dict[str, Any], error: ServiceError) -> dict[str, Any]:
    return {"LFTag": item, "Error": {"ErrorCode": error.code, "ErrorMessage": error.message}}


def assigned(own: Lake, place: Target) -> list[dict[str, Any]]:
    """The tags put on this very resource."""
    return pairs(own, own.tagged.get(place, {}))


def pairs(own: Lake, tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"CatalogId": own.account_id, "TagKey": key, "TagValues": [tags[key]]} for key in sorted(tags)]


def effective(own: Lake, place: Target) -> dict[str, str]:
    """The tags that hold on a resource, inherited ones included."""
    database = Target("database", place.catalog_id, place.database)
    table = Target("table", place.catalog_id, place.database, place.table)
    found: dict[str, str] = {}
    for level in (database, table, place) if place.kind == "columns" else (database, place):
        found.update(own.tagged.get(level, {}))
    return found


def holds(policy: Target, tags: dict[str, str]) -> bool:
    """Whether the tags meet a policy's expression: every key, one of its values."""
    return all(tags.get(key) in values for key, values in policy.tags)


def _bounded(values: tuple[str, ...]) -> tuple[str, ...]:
    if not 0 < len(values) <= MAX_VALUES:
        raise ServiceError("InvalidInputException", f"A tag has 1 to {MAX_VALUES} values")
    return values
