"""What a resource type is to the provider: five calls, and a few facts about its arguments.

Reads and writes nothing itself. Make targets: deploy, plan, destroy.
Example: class Alias(Resource): type_name = "aws_kms_alias"; replaces = frozenset({"name"})
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from localaws.terraform.schemas import Spec
from localaws.terraform.values import Problem, Values, holders, is_empty

if TYPE_CHECKING:
    from localaws.terraform.aws import Aws

Names = frozenset[str]
NONE: Names = frozenset()
EVERYTHING: Names = frozenset({"*"})


class Resource:
    """One resource type. Instances hold nothing but their schema and serve all threads.

    `create` returns the id; what else is computed is read back at once by `read`, which returns the attributes it
    can see, or None when the resource is gone. Errors of boto3 pass through.
    """

    type_name: ClassVar[str]
    replaces: ClassVar[Names] = NONE
    """Argument paths (`table_data.name`) whose change destroys and creates; EVERYTHING for all but `updates`."""
    updates: ClassVar[Names] = NONE
    """The arguments that EVERYTHING leaves out."""
    defaults: ClassVar[dict[str, Any]] = {}
    """The real provider's values for arguments that are not given (paths allowed)."""
    volatile: ClassVar[Names] = NONE
    """Computed attributes that any update may change, where they are not given."""
    json_arguments: ClassVar[Names] = NONE
    """Arguments that are JSON texts, compared by meaning."""
    unheeded: ClassVar[Names] = NONE
    """Arguments (paths allowed) kept in state that change nothing on the laptop: a warning says so."""
    imported_as: ClassVar[tuple[str, ...]] = ()
    """The arguments that an import id is made of."""
    import_separator: ClassVar[str] = ","

    def __init__(self, spec: Spec) -> None:
        self.spec: Spec = spec["block"]

    def check(self, config: Values) -> list[Problem]:
        """What is wrong with a configuration, as far as it is known."""
        return []

    def warnings(self, config: Values) -> list[Problem]:
        """One for each argument that is given and not heeded."""
        detail = "The laptop keeps this argument in Terraform's state and does nothing with it."
        return [
            Problem(f"{path} has no effect on the laptop", detail, (path.split(".")[0],), "warning")
            for path in sorted(self.unheeded)
            if any(
                not is_empty(holder.get(name)) for holder, name, _ in holders(self.spec, path.split("."), dict(config))
            )
        ]

    def create(self, aws: Aws, wanted: Values) -> str:
        raise NotImplementedError

    def finish(self, aws: Aws, wanted: Values) -> None:
        """What is left to do after `create`: when it fails, Terraform keeps the resource and marks it."""

    def read(self, aws: Aws, state: Values) -> Values | None:
        raise NotImplementedError

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        raise NotImplementedError

    def delete(self, aws: Aws, state: Values) -> None:
        raise NotImplementedError

    def imported(self, given: str) -> Values:
        """The attributes that an import id tells."""
        parts = given.split(self.import_separator, max(len(self.imported_as) - 1, 0))
        return {**dict(zip(self.imported_as, parts, strict=False)), "id": given}


class Inert(Resource):
    """A type without a counterpart on the laptop: kept in Terraform's state, made nowhere."""

    type_name = "inert"

    def __init__(self, spec: Spec, type_name: str = "inert") -> None:
        super().__init__(spec)
        self.name = type_name

    def create(self, aws: Aws, wanted: Values) -> str:
        named = (wanted.get(key) for key in ("name", "bucket", "identifier", "arn", "alarm_name"))
        return next((name for name in named if isinstance(name, str) and name), self.name)

    def read(self, aws: Aws, state: Values) -> Values | None:
        service, _, kind = self.name.partition("_")[2].partition("_")
        arn = f"arn:aws:{service}:{aws.region}:{aws.account_id}:{kind or service}/{state['id']}"
        invented = {
            name: arn
            for name, attribute in self.spec.get("attributes", {}).items()
            if name.endswith("arn") and attribute.get("computed") and not isinstance(state.get(name), str)
        }
        return {**invented, "id": state["id"]}

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        """Nothing to change."""

    def delete(self, aws: Aws, state: Values) -> None:
        """Nothing to delete."""
