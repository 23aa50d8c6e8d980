"""What becomes of an object on its way through a plan: unknowns put in, observations filled in, drift taken over.

Pure. Make targets: deploy, plan, destroy.
Example: fill(spec, {"id": UNKNOWN}, {"id": "a"})  ->  {"id": "a"}
"""

from typing import Any

from localaws.terraform.schemas import Spec
from localaws.terraform.values import (
    UNKNOWN,
    Nested,
    Values,
    blank,
    is_empty,
    nested_of,
    same_as_type,
    same_json,
)


def with_unknowns(spec: Spec, wanted: Any, prior: Any) -> Any:
    """wanted with UNKNOWN for each computed attribute that has no value and belongs to an object that is new."""
    if wanted is None or wanted is UNKNOWN:
        return wanted
    done = dict(wanted)
    if prior is None:
        for name, attribute in spec.get("attributes", {}).items():
            if attribute.get("computed") and done.get(name) is None:
                done[name] = UNKNOWN
    for child in nested_of(spec):
        done[child.name] = _with_unknowns_below(child, done.get(child.name), (prior or {}).get(child.name))
    return done


def _with_unknowns_below(child: Nested, value: Any, before: Any) -> Any:
    return child.map(value, lambda item, key: with_unknowns(child.spec, item, counterpart(child, before, item, key)))


def counterpart(child: Nested, before: Any, item: Values, key: Any) -> Any:
    """The object that item was before: the one in its place; in sets, one that agrees with all item says."""
    if child.nesting != "set":
        return child.at(before, key)
    return next((other for other in before or [] if agrees(child.spec, item, other)), None)


def agrees(spec: Spec, item: Values, other: Values) -> bool:
    """Whether other says all that item says (and may say more)."""
    for name, attribute in spec.get("attributes", {}).items():
        said = item.get(name)
        if "type" in attribute and not is_empty(said) and not same_as_type(attribute["type"], said, other.get(name)):
            return False
    return all(_agrees_below(child, item.get(child.name), other.get(child.name)) for child in nested_of(spec))


def _agrees_below(child: Nested, said: Any, other: Any) -> bool:
    if is_empty(said) or said is UNKNOWN:
        return said is not UNKNOWN
    items = said.items() if isinstance(said, dict) and not child.is_single else enumerate(said)
    pairs = [(said, other)] if child.is_single else [(item, child.at(other, key)) for key, item in items]
    return all(held is not None and agrees(child.spec, item, held) for item, held in pairs)


def fill(spec: Spec, planned: Any, observed: Any) -> Any:
    """planned with every UNKNOWN replaced by what was observed there, or by nothing."""
    if planned is UNKNOWN:
        return observed
    if not isinstance(planned, dict):
        return planned
    observed = observed if isinstance(observed, dict) else {}
    done = dict(planned)
    for name, attribute in spec.get("attributes", {}).items():
        if "type" in attribute and holds_unknown(done.get(name)):
            done[name] = observed.get(name)
    for child in nested_of(spec):
        done[child.name] = _fill_below(child, done.get(child.name), observed.get(child.name))
    return done


def _fill_below(child: Nested, value: Any, seen: Any) -> Any:
    if value is UNKNOWN:
        return completed(child, seen)
    return child.map(value, lambda item, key: fill(child.spec, item, child.at(seen, key)))


def holds_unknown(value: Any) -> bool:
    """Whether value is or contains UNKNOWN."""
    if isinstance(value, dict):
        return any(holds_unknown(item) for item in value.values())
    return any(holds_unknown(item) for item in value) if isinstance(value, list) else value is UNKNOWN


def completed(child: Nested, seen: Any) -> Any:
    """Observed objects with the attributes that were not observed set to nothing."""
    return child.map(seen, lambda item, _: refresh(child.spec, blank(child.spec), item))


def refresh(spec: Spec, state: Values, observed: Values, json_arguments: frozenset[str] = frozenset()) -> Values:
    """state with what was observed, keeping the spelling of values that mean the same."""
    done = dict(state)
    for name, attribute in spec.get("attributes", {}).items():
        if "type" in attribute and name in observed:
            is_json = name in json_arguments
            done[name] = refreshed(attribute["type"], state.get(name), observed[name], is_json=is_json)
    for child in nested_of(spec):
        if child.name in observed:
            done[child.name] = _refresh_below(child, state.get(child.name), observed[child.name], json_arguments)
    return done


def refreshed(kind: Any, held: Any, seen: Any, *, is_json: bool) -> Any:
    """The held value when it still says what AWS says, else the seen one."""
    if is_empty(held) and is_empty(seen):
        return held
    return held if (same_json(held, seen) if is_json else same_as_type(kind, held, seen)) else seen


def _refresh_below(child: Nested, held: Any, seen: Any, json_arguments: frozenset[str]) -> Any:
    if is_empty(held) and is_empty(seen):
        return held
    if is_empty(held) or is_empty(seen):
        return completed(child, seen)
    if child.nesting != "set":
        return child.map(
            seen,
            lambda item, key: refresh(child.spec, child.at(held, key) or blank(child.spec), item, json_arguments),
        )
    rest, done = list(seen), []
    for item in held:
        match = next((other for other in rest if agrees(child.spec, other, item)), None)
        if match is not None:
            rest.remove(match)
            done.append(refresh(child.spec, item, match, json_arguments))
    return done + [refresh(child.spec, blank(child.spec), item) for item in rest]
