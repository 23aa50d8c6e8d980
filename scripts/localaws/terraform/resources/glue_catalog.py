"""Glue databases and tables, Iceberg tables among them (`open_table_format_input`).

Reads and writes the Glue catalog. Make targets: deploy, plan, destroy.
Example: resource "aws_glue_catalog_database" "this" { name = "trilake_local_clinical" }
"""

import re
from typing import Any

from localaws.terraform.aws import Aws
from localaws.terraform.resource import Resource
from localaws.terraform.resources.tags import observed_tags, retag, wanted_tags
from localaws.terraform.shapes import from_api, to_api
from localaws.terraform.values import Problem, Values

RENAMES = {
    "create_table_default_permission": "CreateTableDefaultPermissions",
    "iceberg_table_input": "CreateIcebergTableInput",
    "partition_index": "PartitionIndexes",
    "ser_de_info": "SerdeInfo",
}
LOWER = re.compile(r"[^A-Z]{1,255}")


def check_name(config: Values) -> list[Problem]:
    """Glue keeps names in lower case, so others would differ in every plan."""
    name = config.get("name")
    if isinstance(name, str) and not LOWER.fullmatch(name):
        return [Problem("Invalid name", f'"{name}" is not 1 to 255 characters without capitals.', ("name",))]
    return []


class Database(Resource):
    """aws_glue_catalog_database: id is catalog:name."""

    type_name = "aws_glue_catalog_database"
    replaces = frozenset({"catalog_id", "name"})
    imported_as = ("catalog_id", "name")
    import_separator = ":"

    def check(self, config: Values) -> list[Problem]:
        return check_name(config)

    def create(self, aws: Aws, wanted: Values) -> str:
        wanted["catalog_id"] = wanted.get("catalog_id") or aws.account_id
        tags = {"Tags": wanted_tags(wanted)} if wanted_tags(wanted) else {}
        aws.client("glue").create_database(
            CatalogId=wanted["catalog_id"], DatabaseInput=self._input(aws, wanted), **tags
        )
        return f"{wanted['catalog_id']}:{wanted['name']}"

    def read(self, aws: Aws, state: Values) -> Values | None:
        glue, place = aws.client("glue"), {"CatalogId": state["catalog_id"], "Name": state["name"]}
        found = glue.get_database(**place)["Database"]
        arn = f"arn:aws:glue:{aws.region}:{state['catalog_id']}:database/{state['name']}"
        values = from_api(self.spec, found, aws.shape("glue", "Database"), RENAMES)
        if not state.get("create_table_default_permission"):
            del values["create_table_default_permission"]
        tags = glue.get_tags(ResourceArn=arn).get("Tags", {})
        return {**values, "catalog_id": state["catalog_id"], "arn": arn, **observed_tags(tags, state)}

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        glue, changed = aws.client("glue"), self._input(aws, wanted)
        if changed != self._input(aws, before):
            glue.update_database(CatalogId=wanted["catalog_id"], Name=wanted["name"], DatabaseInput=changed)
        arn = wanted.get("arn") or before["arn"]
        retag(
            before,
            wanted,
            add=lambda tags: glue.tag_resource(ResourceArn=arn, TagsToAdd=tags),
            remove=lambda names: glue.untag_resource(ResourceArn=arn, TagsToRemove=names),
        )

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("glue").delete_database(CatalogId=state["catalog_id"], Name=state["name"])

    def _input(self, aws: Aws, wanted: Values) -> dict[str, Any]:
        return to_api(self.spec, wanted, aws.shape("glue", "DatabaseInput"), RENAMES)


class Table(Resource):
    """aws_glue_catalog_table: id is catalog:database:name."""

    type_name = "aws_glue_catalog_table"
    replaces = frozenset({"catalog_id", "database_name", "name", "open_table_format_input", "partition_index"})
    imported_as = ("catalog_id", "database_name", "name")
    import_separator = ":"

    def check(self, config: Values) -> list[Problem]:
        return check_name(config)

    def create(self, aws: Aws, wanted: Values) -> str:
        wanted["catalog_id"] = wanted.get("catalog_id") or aws.account_id
        asked = to_api(self.spec, wanted, aws.shape("glue", "CreateTableRequest"), RENAMES)
        aws.client("glue").create_table(**asked, TableInput=self._input(aws, wanted))
        return ":".join(wanted[name] for name in self.imported_as)

    def read(self, aws: Aws, state: Values) -> Values | None:
        place = {"CatalogId": state["catalog_id"], "DatabaseName": state["database_name"], "Name": state["name"]}
        found = aws.client("glue").get_table(**place)["Table"]
        values = from_api(self.spec, found, aws.shape("glue", "Table"), RENAMES)
        if not state.get("view_definition"):
            values.pop("view_definition", None)
        if state.get("target_table"):
            del values["storage_descriptor"]
        arn = f"arn:aws:glue:{aws.region}:{state['catalog_id']}:table/{state['database_name']}/{state['name']}"
        return {**values, "catalog_id": state["catalog_id"], "arn": arn}

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        aws.client("glue").update_table(
            CatalogId=wanted["catalog_id"], DatabaseName=wanted["database_name"], TableInput=self._input(aws, wanted)
        )

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("glue").delete_table(
            CatalogId=state["catalog_id"], DatabaseName=state["database_name"], Name=state["name"]
        )

    def _input(self, aws: Aws, wanted: Values) -> dict[str, Any]:
        return to_api(self.spec, wanted, aws.shape("glue", "TableInput"), RENAMES)


TYPES = {kind.type_name: kind for kind in (Database, Table)}
