"""Terraform's side of the provider, in-process: proposes, plans, applies and refreshes one resource as the core does.

Holds every plan and every result to the core's own rules (what may be planned, what may change in an apply).
Reads and writes the localaws that the environment points at.
Example: bench.create("aws_kms_key", enable_key_rotation=True)["arn"]
"""

from __future__ import annotations

from typing import Any

from localaws.terraform import registry, schemas
from localaws.terraform.aws import Aws
from localaws.terraform.lifecycle import apply_change, conform, import_state, read_state
from localaws.terraform.merge import counterpart
from localaws.terraform.planning import Planned, plan_change
from localaws.terraform.resource import Resource
from localaws.terraform.schemas import Spec
from localaws.terraform.values import UNKNOWN, Values, blank, nested_of, normal_of_type, same


class Workbench:
    """All resource types of both providers over one AWS."""

    def __init__(self, **provider_block: Any) -> None:
        self.aws = Aws.from_config(provider_block)
        self._resources: dict[str, Resource] = {}

    def resource(self, type_name: str) -> Resource:
        if type_name not in self._resources:
            facts = schemas.load("awscc" if type_name.startswith("awscc_") else "aws")
            self._resources[type_name] = registry.resource(type_name, facts["resource_schemas"][type_name])
        return self._resources[type_name]

    def config(self, type_name: str, arguments: Values) -> Values:
        """Arguments as Terraform hands them over: every name of the schema there."""
        spec = self.resource(type_name).spec
        unknown = set(arguments) - set(blank(spec))
        assert not unknown, f"no such arguments: {unknown}"
        return whole(spec, arguments)

    def plan(self, type_name: str, state: Values | None, /, **arguments: Any) -> Planned:
        """The plan for these arguments on this state; it must be one that Terraform takes."""
        resource, config = self.resource(type_name), self.config(type_name, arguments)
        proposed = proposed_new(resource.spec, state, config)
        tags = self.aws.default_tags
        planned = plan_change(resource, state, proposed, config, region=self.aws.region, default_tags=tags)
        if not planned.is_lenient:
            assert_plan_valid(resource.spec, config, state, planned.state)
        return planned

    def create(self, type_name: str, /, drifts: tuple[str, ...] = (), **arguments: Any) -> Values:
        """The state after creating a resource; a second plan must be empty, but for what is said to drift."""
        resource, config = self.resource(type_name), self.config(type_name, arguments)
        assert not [*resource.check(config), *resource.warnings(config)]
        state = self._applied(type_name, None, self.plan(type_name, None, **arguments).state)
        self.assert_settled(type_name, state, drifts=drifts, **arguments)
        return state

    def update(self, type_name: str, before: Values, /, **arguments: Any) -> Values:
        """The state after changing a resource in place; a second plan of it must be empty."""
        fresh = self.read(type_name, before)
        assert fresh is not None, "gone before it could be changed"
        planned = self.plan(type_name, fresh, **arguments)
        assert not planned.replace_paths, f"replaces: {planned.replace_paths}"
        assert not same(self.resource(type_name).spec, fresh, planned.state), "the plan changes nothing"
        after = self._applied(type_name, fresh, planned.state)
        self.assert_settled(type_name, after, **arguments)
        return after

    def _applied(self, type_name: str, state: Values | None, planned: Any) -> Values:
        resource = self.resource(type_name)
        after = apply_change(resource, self.aws, state, planned)
        assert after is not None
        assert_applied_as_planned(resource.spec, planned, after)
        return after

    def read(self, type_name: str, state: Values) -> Values | None:
        return read_state(self.resource(type_name), self.aws, state)

    def delete(self, type_name: str, state: Values) -> None:
        """Delete, and make sure that it is gone."""
        apply_change(self.resource(type_name), self.aws, state, None)
        assert self.read(type_name, state) is None

    def imported(self, type_name: str, given: str) -> Values:
        return import_state(self.resource(type_name), self.aws, given)

    def assert_settled(self, type_name: str, state: Values, /, drifts: tuple[str, ...] = (), **arguments: Any) -> None:
        """A refresh finds what is in state, and a plan on it changes nothing."""
        fresh = self.read(type_name, state)
        assert fresh is not None, "gone right after it was made"
        spec = self.resource(type_name).spec
        fresh |= {name: state[name] for name in drifts}
        drift = {name: (state[name], fresh[name]) for name in fresh if not _alike(spec, name, state, fresh)}
        assert not drift, f"drifted at once: {drift}"
        planned = self.plan(type_name, fresh, **arguments).state
        moved = {name: (fresh[name], planned[name]) for name in planned if not _alike(spec, name, fresh, planned)}
        assert not moved, f"second plan: {moved}"


def _alike(spec: Spec, name: str, first: Values, second: Values) -> bool:
    part = {
        key: {name: spec.get(key, {})[name]} if name in spec.get(key, {}) else {}
        for key in ("attributes", "block_types")
    }
    return same(part, {name: first.get(name)}, {name: second.get(name)})


def whole(spec: Spec, arguments: Values) -> Values:
    """Arguments with what is left out set to nothing, at every depth."""
    done = {**blank(spec), **arguments}
    for child in nested_of(spec):
        if done.get(child.name) is not UNKNOWN:
            done[child.name] = child.map(done.get(child.name), lambda item, _, c=child: whole(c.spec, item))
    return done


def proposed_new(spec: Spec, prior: Any, config: Any) -> Any:
    """Terraform's proposal: the configuration, and the prior value of computed attributes that it leaves out."""
    if not isinstance(config, dict):
        return config
    done = dict(config)
    prior = prior or {}
    for name, attribute in spec.get("attributes", {}).items():
        if attribute.get("computed") and config.get(name) is None:
            done[name] = prior.get(name)
    for child in nested_of(spec):
        if config.get(child.name) not in (None, UNKNOWN):
            before = prior.get(child.name)
            done[child.name] = child.map(
                config[child.name],
                lambda item, key, c=child, b=before: proposed_new(c.spec, counterpart(c, b, item, key), item),
            )
    return done


def assert_plan_valid(spec: Spec, config: Values, prior: Values | None, planned: Values) -> None:
    """What is configured is planned as it is; only computed attributes may be planned otherwise."""
    for name, attribute in spec.get("attributes", {}).items():
        if "type" not in attribute:
            continue
        wanted, got = config.get(name), planned.get(name)
        is_ours = attribute.get("computed") and wanted is None
        kind = attribute["type"]
        assert is_ours or normal_of_type(kind, wanted) == normal_of_type(kind, got), f"{name}: {wanted!r} -> {got!r}"


def assert_applied_as_planned(spec: Spec, planned: Any, after: Any) -> None:
    """Every value that was known in the plan is the same after the apply, and nothing is unknown any more."""
    assert conform(spec, after).keys() == after.keys()
    for name, attribute in spec.get("attributes", {}).items():
        wanted, got = planned.get(name), after.get(name)
        assert got is not UNKNOWN, f"{name} is still unknown"
        if "type" in attribute and wanted is not UNKNOWN:
            assert normal_of_type(attribute["type"], wanted) == normal_of_type(attribute["type"], got), name
    for child in nested_of(spec):
        if planned.get(child.name) in (None, UNKNOWN):
            continue
        child.map(
            planned[child.name],
            lambda item, key, c=child: assert_applied_as_planned(c.spec, item, c.at(after[c.name], key)),
        )
