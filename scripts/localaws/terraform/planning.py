"""What Terraform is told about a change before it is made: planned values, and what forces replacement.

Follows the real provider: computed values are unknown on create and keep their prior value on update; defaults,
`tags_all` and `region` are known; JSON texts that mean the same are no change. Pure.
Make targets: plan, deploy.
Example: plan_change(resource, prior, proposed, config, region="us-east-1", default_tags={})
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from localaws.terraform.merge import holds_unknown, with_unknowns
from localaws.terraform.resource import EVERYTHING, Resource
from localaws.terraform.schemas import Spec
from localaws.terraform.values import (
    UNKNOWN,
    Path,
    Values,
    holders,
    is_empty,
    nested_of,
    same,
    same_as_type,
    same_json,
)


@dataclass
class Planned:
    """`is_lenient`: values were set that the configuration leaves out, as only the older kind of provider may."""

    state: Any
    replace_paths: list[Path] = field(default_factory=list)
    is_lenient: bool = False


def plan_change(
    resource: Resource,
    prior: Values | None,
    proposed: Values | None,
    config: Values | None,
    *,
    region: str,
    default_tags: dict[str, str],
) -> Planned:
    """The planned state; for an update also the paths that force replacement."""
    if proposed is None:
        return Planned(None)
    wanted = dict(proposed)
    is_lenient = _set_defaults(resource.spec, resource.defaults, wanted)
    is_lenient |= _keep_spelling(resource, prior, wanted)
    _set_region(resource.spec, wanted, region)
    _set_tags(resource.spec, wanted, config or {}, default_tags)
    wanted = with_unknowns(resource.spec, wanted, prior)
    if prior is None:
        return Planned(wanted, is_lenient=is_lenient)
    if same(resource.spec, prior, wanted):
        return Planned(prior, is_lenient=True)
    _set_volatile(resource.spec, resource.volatile, wanted, dict(config or {}))
    return Planned(wanted, list(replacing(resource, prior, wanted)), is_lenient)


def _set_defaults(spec: Spec, defaults: dict[str, Any], wanted: Values) -> bool:
    """Set defaults where nothing is given; whether that was more than a computed attribute may be."""
    is_lenient = False
    for path, default in defaults.items():
        for holder, name, attribute in holders(spec, path.split("."), wanted):
            if holder.get(name) is None:
                holder[name] = default
                is_lenient |= not attribute.get("computed")
    return is_lenient


def _set_volatile(spec: Spec, paths: Iterable[str], wanted: Values, config: Values) -> None:
    """What the configuration leaves to the service and an update may change is not known."""
    for path in paths:
        steps = path.split(".")
        given = [holder.get(name) for holder, name, _ in holders(spec, steps, config)]
        for position, (holder, name, _) in enumerate(holders(spec, steps, wanted)):
            if position >= len(given) or given[position] is None:
                holder[name] = UNKNOWN


def _keep_spelling(resource: Resource, prior: Values | None, wanted: Values) -> bool:
    """Take the prior text where a JSON text means the same, and nothing where nothing was meant."""
    changed = False
    for name, held in (prior or {}).items():
        new = wanted.get(name)
        is_same_json = name in resource.json_arguments and new != held and same_json(held, new)
        if is_same_json or (new != held and is_empty(new) and is_empty(held)):
            wanted[name] = held
            changed = True
    return changed


def _set_region(spec: Spec, wanted: Values, region: str) -> None:
    if "region" in spec.get("attributes", {}) and wanted.get("region") is None:
        wanted["region"] = region


def _set_tags(spec: Spec, wanted: Values, config: Values, default_tags: dict[str, str]) -> None:
    if "tags_all" not in spec.get("attributes", {}):
        return
    tags = config.get("tags")
    wanted["tags_all"] = UNKNOWN if tags is UNKNOWN else {**default_tags, **(tags or {})}


def replacing(resource: Resource, prior: Values, wanted: Values) -> Iterator[Path]:
    """The paths whose change forces replacement."""
    paths = {path for path in resource.replaces if path != "*"}
    if resource.replaces == EVERYTHING:
        attributes = resource.spec.get("attributes", {})
        blocks = resource.spec.get("block_types", {})
        settable = {name for name, item in attributes.items() if item.get("optional") or item.get("required")}
        paths = (settable | set(blocks)) - resource.updates - {"tags_all", "timeouts", "id"}
    if "region" in resource.spec.get("attributes", {}):
        paths.add("region")
    for path in sorted(paths):
        yield from _changed(resource.spec, path.split("."), prior, wanted)


def _changed(spec: Spec, steps: list[str], prior: Any, wanted: Any) -> Iterator[Path]:
    """Paths of the values at `steps` that differ; a set cannot be pointed into, so its path ends there."""
    name = steps[0]
    attribute = spec.get("attributes", {}).get(name)
    before, after = (prior or {}).get(name), (wanted or {}).get(name)
    if attribute is not None and "type" in attribute:
        if not same_as_type(attribute["type"], before, after) and not (is_empty(before) and is_empty(after)):
            yield (name,)
        return
    child = next((item for item in nested_of(spec) if item.name == name), None)
    if child is None:  # A family's common list of paths may name an argument that this type does not have.
        return
    if len(steps) == 1 or child.nesting in ("set", "map"):
        if not _same_below(child.spec, before, after):
            yield (name,)
        return
    if child.is_single:
        yield from ((name, *rest) for rest in _changed(child.spec, steps[1:], before, after))
        return
    for position in range(max(len(before or []), len(after or []))):
        pair = child.at(before, position), child.at(after, position)
        if None in pair:
            yield (name,)
        else:
            yield from ((name, position, *rest) for rest in _changed(child.spec, steps[1:], *pair))


def _same_below(spec: Spec, before: Any, after: Any) -> bool:
    if is_empty(before) and is_empty(after):
        return True
    if isinstance(before, dict) and isinstance(after, dict):
        return same(spec, before, after)
    if not isinstance(before, list) or not isinstance(after, list) or len(before) != len(after):
        return False
    return not holds_unknown(after) and all(same(spec, *pair) for pair in zip(before, after, strict=True))
