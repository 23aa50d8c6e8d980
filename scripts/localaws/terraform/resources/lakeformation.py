"""Lake Formation's settings and registered locations.

Reads and writes Lake Formation. Make targets: deploy, plan, destroy.
Example: resource "aws_lakeformation_data_lake_settings" "this" { admins = [...] }
"""

from typing import Any

from localaws.terraform.aws import Aws
from localaws.terraform.resource import EVERYTHING, Resource
from localaws.terraform.shapes import from_api, to_api
from localaws.terraform.values import Problem, Values

DEFAULTS = {
    "create_database_default_permissions": "CreateDatabaseDefaultPermissions",
    "create_table_default_permissions": "CreateTableDefaultPermissions",
}
PRINCIPALS = {"admins": "DataLakeAdmins", "read_only_admins": "ReadOnlyAdmins"}
FILTERING = {"external_data_filtering_allow_list": "ExternalDataFilteringAllowList"}
LISTS = {
    "trusted_resource_owners": "TrustedResourceOwners",
    "authorized_session_tag_value_list": "AuthorizedSessionTagValueList",
}
FLAGS = {
    "allow_external_data_filtering": "AllowExternalDataFiltering",
    "allow_full_table_external_data_access": "AllowFullTableExternalDataAccess",
}
VERSION = "CROSS_ACCOUNT_VERSION"


def principal(arn: str) -> dict[str, str]:
    return {"DataLakePrincipalIdentifier": arn}


class Settings(Resource):
    """aws_lakeformation_data_lake_settings: one per account and Region; an omitted list is an empty one."""

    type_name = "aws_lakeformation_data_lake_settings"
    replaces = frozenset({"catalog_id"})

    def check(self, config: Values) -> list[Problem]:
        admins = config.get("admins")
        named = [name for name in admins if isinstance(name, str)] if isinstance(admins, list) else []
        wrong = [name for name in named if not name.startswith("arn:")]
        return [Problem("Invalid administrator", f'"{name}" is no ARN.', ("admins",)) for name in wrong]

    def create(self, aws: Aws, wanted: Values) -> str:
        self.update(aws, {}, wanted)
        return str(wanted.get("catalog_id") or aws.account_id)

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        settings: dict[str, Any] = {name: [] for name in (*PRINCIPALS.values(), *LISTS.values())}
        for name, member in {**PRINCIPALS, **FILTERING}.items():
            settings[member] = [principal(arn) for arn in wanted.get(name) or []]
        for name, member in LISTS.items():
            settings[member] = wanted.get(name) or []
        for name, member in DEFAULTS.items():
            settings[member] = [self._permission(item) for item in wanted.get(name) or []]
        for name, member in FLAGS.items():
            settings[member] = bool(wanted.get(name))
        if wanted.get("parameters"):
            settings["Parameters"] = wanted["parameters"]
        aws.client("lakeformation").put_data_lake_settings(**_catalog(wanted), DataLakeSettings=settings)

    @staticmethod
    def _permission(item: Values) -> dict[str, Any]:
        return {"Principal": principal(item["principal"]), "Permissions": item.get("permissions") or []}

    def read(self, aws: Aws, state: Values) -> Values | None:
        found = aws.client("lakeformation").get_data_lake_settings(**_catalog(state))["DataLakeSettings"]
        values: Values = {
            name: [item["DataLakePrincipalIdentifier"] for item in found.get(member) or []]
            for name, member in {**PRINCIPALS, **FILTERING}.items()
        }
        for name, member in DEFAULTS.items():
            values[name] = [
                {"principal": item["Principal"]["DataLakePrincipalIdentifier"], "permissions": item["Permissions"]}
                for item in found.get(member) or []
            ]
        values |= {name: found.get(member) or [] for name, member in LISTS.items()}
        values |= {name: found.get(member, False) for name, member in FLAGS.items()}
        parameters = found.get("Parameters") or {}
        held = state.get("parameters")
        # The service adds parameters of its own; only those that are asked for can drift.
        values["parameters"] = {key: parameters.get(key, "") for key in held} if held else parameters
        return values

    def delete(self, aws: Aws, state: Values) -> None:
        self.update(aws, state, {"catalog_id": state.get("catalog_id"), "parameters": {VERSION: "1"}})


def _catalog(values: Values) -> dict[str, str]:
    return {"CatalogId": values["catalog_id"]} if values.get("catalog_id") else {}


class Location(Resource):
    """aws_lakeformation_resource: an S3 location under Lake Formation's rule; id is its ARN."""

    type_name = "aws_lakeformation_resource"
    replaces = EVERYTHING
    imported_as = ("arn",)

    def check(self, config: Values) -> list[Problem]:
        arn = config.get("arn")
        if isinstance(arn, str) and not arn.startswith("arn:"):
            return [Problem("Invalid location", f'"{arn}" is no ARN.', ("arn",))]
        return []

    def create(self, aws: Aws, wanted: Values) -> str:
        shape = aws.shape("lakeformation", "RegisterResourceRequest")
        asked = to_api(self.spec, wanted, shape, {"arn": "ResourceArn"})
        if "RoleArn" not in asked:
            asked["UseServiceLinkedRole"] = True
        aws.client("lakeformation").register_resource(**asked)
        return str(wanted["arn"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        found = aws.client("lakeformation").describe_resource(ResourceArn=state["id"])["ResourceInfo"]
        shape = aws.shape("lakeformation", "ResourceInfo")
        values = from_api(self.spec, found, shape, {"arn": "ResourceArn"})
        for name in ("hybrid_access_enabled", "with_federation", "with_privileged_access"):
            values[name] = bool(values.get(name) if values.get(name) is not None else state.get(name))
        return {**values, "arn": state["id"]}

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("lakeformation").deregister_resource(ResourceArn=state["arn"])


TYPES = {kind.type_name: kind for kind in (Settings, Location)}
