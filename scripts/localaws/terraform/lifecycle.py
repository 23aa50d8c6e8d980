"""From a planned change to a made one: create, update or delete, then look at what is there.

Reads and writes AWS through the resource types. Make targets: deploy, plan, destroy.
Example: apply_change(resource, aws, prior=None, planned={...})
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from localaws.terraform import registry
from localaws.terraform.aws import Aws, NotLocal, is_gone
from localaws.terraform.merge import completed, fill, refresh
from localaws.terraform.resource import Resource
from localaws.terraform.schemas import Spec
from localaws.terraform.values import UNKNOWN, Nested, Problem, Values, blank, nested_of


class Refused(Exception):
    """A call failed; `state` is what is left of the resource when that is known."""

    def __init__(self, problem: Problem, state: Any = UNKNOWN) -> None:
        super().__init__(problem.summary)
        self.problem = problem
        self.state = state

    @property
    def has_state(self) -> bool:
        return self.state is not UNKNOWN


@contextmanager
def explained(doing: str, state: Any = UNKNOWN) -> Iterator[None]:
    """Turn errors of AWS calls into what Terraform shows: what was being done, the service's code and message."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        said = error.response.get("Error", {})
        detail = f"{error.operation_name}: {said.get('Message', '')}".strip()
        raise Refused(Problem(f"{doing}: {said.get('Code', 'Unknown')}", detail), state) from error
    except BotoCoreError as error:
        raise Refused(Problem(f"{doing}: {type(error).__name__}", str(error)), state) from error
    except (NotLocal, ValueError) as error:
        raise Refused(Problem(doing, str(error)), state) from error


def named(resource: Resource, state: Values) -> str:
    """The type and id of a resource, for messages."""
    kind = getattr(resource, "name", resource.type_name)
    names = (state.get(key) for key in ("id", "name", "bucket"))
    name = next((value for value in names if isinstance(value, str) and value), None)
    return f"{kind} ({name})" if name else kind


def read_state(resource: Resource, aws: Aws, state: Values) -> Values | None:
    """The state as it is now; None when the resource is gone."""
    with explained(f"reading {named(resource, state)}"):
        observed = observe(resource, aws, state)
    return None if observed is None else refresh(resource.spec, state, observed, resource.json_arguments)


def observe(resource: Resource, aws: Aws, state: Values) -> Values | None:
    from botocore.exceptions import ClientError

    try:
        return resource.read(aws, state)
    except ClientError as error:
        if is_gone(error):
            return None
        raise


def import_state(resource: Resource, aws: Aws, given: str) -> Values:
    """The state of what an import id names: all that can be seen, and defaults for what cannot. Refused for nothing."""
    known = {**blank(resource.spec), **resource.imported(given)}
    with explained(f"importing {named(resource, known)}"):
        observed = observe(resource, aws, known)
        if observed is None:
            raise ValueError(f"There is no {resource.type_name} with the id {given}.")
    unseen = {name: value for name, value in resource.defaults.items() if name in known and known[name] is None}
    nested = {
        child.name: completed(child, observed[child.name])
        for child in nested_of(resource.spec)
        if child.name in observed
    }
    attributes = {name: value for name, value in observed.items() if name in resource.spec.get("attributes", {})}
    place = {"region": aws.region} if "region" in known else {}
    return {**known, **unseen, **place, **attributes, **nested}


def apply_change(resource: Resource, aws: Aws, prior: Values | None, planned: Values | None) -> Values | None:
    """The new state after the change; None after a deletion."""
    if planned is None:
        delete(resource, aws, prior or {})
        return None
    wanted = known_only(planned)
    if prior is None:
        with explained(f"creating {named(resource, wanted)}"):
            wanted["id"] = resource.create(aws, wanted)
        with explained(f"setting up {named(resource, wanted)}", fill(resource.spec, planned, wanted)):
            resource.finish(aws, wanted)
    else:
        with explained(f"updating {named(resource, prior)}", prior):
            resource.update(aws, prior, wanted)
    with explained(f"reading {named(resource, wanted)} after the change", fill(resource.spec, planned, wanted)):
        observed = observe(resource, aws, wanted)
        if observed is None:
            raise ValueError("It was made and cannot be found.")
    filled: Values = fill(resource.spec, planned, {**observed, "id": observed.get("id", wanted["id"])})
    return filled


def delete(resource: Resource, aws: Aws, state: Values) -> None:
    """Delete; what is gone already is deleted."""
    from botocore.exceptions import ClientError

    with explained(f"deleting {named(resource, state)}", state):
        try:
            resource.delete(aws, state)
        except ClientError as error:
            if not is_gone(error):
                raise


def known_only(value: Any) -> Any:
    """The same with None where a value is not known, for use as call arguments."""
    if isinstance(value, dict):
        return {key: known_only(item) for key, item in value.items()}
    if isinstance(value, list):
        return [known_only(item) for item in value]
    return None if value is UNKNOWN else value


def read_data(type_name: str, spec: Spec, aws: Aws, config: Values) -> Values:
    """A data source's state: its configuration and what it finds."""
    with explained(f"reading {type_name}"):
        found = registry.data_source(type_name)(aws, config)
    return refresh(spec, config, found)


def conform(spec: Spec, raw: Values) -> Values:
    """A stored object in the shape of the schema: attributes that are new are not set, those that are gone dropped."""
    done = blank(spec)
    for name in spec.get("attributes", {}):
        done[name] = raw.get(name)
    for child in nested_of(spec):
        done[child.name] = _conform_below(child, raw.get(child.name), done.get(child.name))
    return done


def _conform_below(child: Nested, raw: Any, otherwise: Any) -> Any:
    return otherwise if raw is None else child.map(raw, lambda item, _: conform(child.spec, item))
