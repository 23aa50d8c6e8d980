"""A Terraform plan's JSON as typed changes (https://developer.hashicorp.com/terraform/internals/json-format).

Example: read_plan(json.loads(Path("plan.json").read_text())).changes
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from trilake.core.errors import InputError

VERBS = {
    ("create",): "created",
    ("update",): "changed in place",
    ("delete",): "destroyed",
    ("delete", "create"): "replaced",
    ("create", "delete"): "replaced",
    ("forget",): "removed from Terraform's state",
    ("no-op",): "unchanged",
    ("read",): "read",
}
Values = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """One resource of the plan. `before` and `after` are its arguments, None where it does not exist.

    `unknown` has True where a value is known only after apply.
    """

    address: str
    type: str
    actions: tuple[str, ...]
    before: Values | None
    after: Values | None
    unknown: Values = field(default_factory=dict)
    replace_paths: tuple[str, ...] = ()

    @property
    def verb(self) -> str:
        return VERBS.get(self.actions, " and ".join(self.actions))

    @property
    def changes(self) -> bool:
        return self.actions not in (("no-op",), ("read",))

    @property
    def destroys(self) -> bool:
        return "delete" in self.actions

    @property
    def sides(self) -> tuple[Values | None, Values | None]:
        return self.before, self.after

    def is_unknown(self, *path: str | int) -> bool:
        """Whether the value at a path, or anything in it or around it, is known only after apply."""
        value: Any = self.unknown
        for step in path:
            if value is True:
                return True
            if isinstance(value, dict):
                value = value.get(str(step))
            elif isinstance(value, list) and isinstance(step, int) and step < len(value):
                value = value[step]
            else:
                return False
        return holds_true(value)


def first(values: Values | None, block: str) -> Values | None:
    """The one block of a kind, None when it is not there."""
    blocks = (values or {}).get(block) or []
    return blocks[0] if isinstance(blocks, list) and blocks else blocks if isinstance(blocks, dict) and blocks else None


def holds_true(value: Any) -> bool:
    if isinstance(value, dict):
        return any(holds_true(item) for item in value.values())
    if isinstance(value, list):
        return any(holds_true(item) for item in value)
    return value is True


@dataclass(frozen=True)
class Plan:
    """All managed resources of a plan, unchanged ones too. `gaps` says in words what the plan itself leaves out."""

    changes: tuple[Change, ...]
    gaps: tuple[str, ...] = ()

    def of_type(self, *types: str) -> Iterator[Change]:
        return (change for change in self.changes if change.type in types)

    @property
    def counts(self) -> dict[str, int]:
        """Resources by what happens to them, unchanged ones left out."""
        verbs = [change.verb for change in self.changes if change.changes]
        return {verb: verbs.count(verb) for verb in sorted(set(verbs))}


def read_plan(plan: Values, before: Values | None = None) -> Plan:
    """The plan, held against a state's JSON where given. InputError when it is no `terraform show -json` of a plan.

    With a state, "before" is what the state holds, whatever the plan thought; what only the state knows stays as it is.
    """
    if "resource_changes" not in plan and "planned_values" not in plan:
        raise InputError(
            "This is not the JSON of a Terraform plan", next_step="terraform show -json PLANFILE > plan.json"
        )
    changes = [change_from(entry) for entry in plan.get("resource_changes", []) if entry.get("mode") == "managed"]
    if before is not None:
        changes = against_state(changes, dict(state_resources(before)))
    return Plan(tuple(changes), tuple(gaps_of(plan)))


def change_from(entry: Values) -> Change:
    change = entry["change"]
    unknown = change.get("after_unknown")
    return Change(
        address=entry["address"],
        type=entry["type"],
        actions=tuple(change["actions"]),
        before=change.get("before"),
        after=change.get("after"),
        unknown=unknown if isinstance(unknown, dict) else {},
        replace_paths=tuple(".".join(map(str, path)) for path in change.get("replace_paths", [])),
    )


def gaps_of(plan: Values) -> Iterator[str]:
    if plan.get("errored"):
        yield "The plan ended in an error: what comes after the error is not in it"
    elif plan.get("complete") is False:
        yield "The plan is not complete: deferred or untargeted resources are not in it"


def state_resources(state: Values) -> Iterator[tuple[str, Change]]:
    """Each managed resource of `terraform show -json` of a state, as an unchanged one."""
    if "values" not in state and (set(state) - {"format_version", "terraform_version"} or not state):
        raise InputError("This is not the JSON of a Terraform state", next_step="terraform show -json > state.json")
    modules = [state.get("values", {}).get("root_module", {})]
    while modules:
        module = modules.pop()
        modules += module.get("child_modules", [])
        for item in module.get("resources", []):
            if item["mode"] == "managed":
                values = item["values"]
                yield item["address"], Change(item["address"], item["type"], ("no-op",), values, values)


def against_state(changes: list[Change], state: dict[str, Change]) -> list[Change]:
    """The changes with the state's values as `before`, and the resources that only the state holds."""
    planned = {change.address for change in changes}
    rebased = [rebase(change, state.get(change.address)) for change in changes]
    return rebased + [change for address, change in state.items() if address not in planned]


def rebase(change: Change, in_state: Change | None) -> Change:
    before = in_state.before if in_state is not None else None
    actions = change.actions
    if actions == ("create",) and before is not None:
        actions = ("update",)
    return Change(change.address, change.type, actions, before, change.after, change.unknown, change.replace_paths)
