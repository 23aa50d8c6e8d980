"""Glue jobs, their security configurations, and how the catalog is encrypted.

Reads and writes Glue. Make targets: deploy, plan, destroy.
Example: resource "aws_glue_job" "load" { name = "trilake-local-genomic-load" ... }
"""

from typing import Any

from localaws.terraform.aws import Aws
from localaws.terraform.resource import EVERYTHING, Resource
from localaws.terraform.resources.tags import observed_tags, retag, wanted_tags
from localaws.terraform.shapes import from_api, to_api
from localaws.terraform.values import Values

BLOCKS = ("execution_property", "notification_property", "source_control_details")


class Job(Resource):
    """aws_glue_job."""

    type_name = "aws_glue_job"
    replaces = frozenset({"name"})
    imported_as = ("name",)
    defaults = {"command.name": "glueetl"}
    volatile = frozenset({"max_capacity"})
    renames = {"role_arn": "Role", "connections": "-"}

    def create(self, aws: Aws, wanted: Values) -> str:
        tags = {"Tags": wanted_tags(wanted)} if wanted_tags(wanted) else {}
        aws.client("glue").create_job(**{**self._asked(aws, wanted, "CreateJobRequest"), **tags})
        return str(wanted["name"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        glue = aws.client("glue")
        found = glue.get_job(JobName=state["id"])["Job"]
        values = from_api(self.spec, found, aws.shape("glue", "Job"), self.renames)
        arn = f"arn:aws:glue:{aws.region}:{aws.account_id}:job/{state['id']}"
        for name in BLOCKS:
            if not state.get(name):
                values.pop(name, None)
        return {
            **values,
            "arn": arn,
            "connections": found.get("Connections", {}).get("Connections") or None,
            **observed_tags(glue.get_tags(ResourceArn=arn).get("Tags", {}), state),
        }

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        glue = aws.client("glue")
        asked = self._asked(aws, wanted, "JobUpdate")
        if asked != self._asked(aws, before, "JobUpdate"):
            glue.update_job(JobName=wanted["name"], JobUpdate=asked)
        arn = before["arn"]
        retag(
            before,
            wanted,
            add=lambda tags: glue.tag_resource(ResourceArn=arn, TagsToAdd=tags),
            remove=lambda names: glue.untag_resource(ResourceArn=arn, TagsToRemove=names),
        )

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("glue").delete_job(JobName=state["name"])

    def _asked(self, aws: Aws, wanted: Values, shape: str) -> dict[str, Any]:
        asked = to_api(self.spec, {**wanted, "tags": None}, aws.shape("glue", shape), self.renames)
        if wanted.get("connections"):
            asked["Connections"] = {"Connections": wanted["connections"]}
        if "WorkerType" in asked:
            asked.pop("MaxCapacity", None)
        return asked


class SecurityConfiguration(Resource):
    """aws_glue_security_configuration: it cannot be changed, only replaced."""

    type_name = "aws_glue_security_configuration"
    replaces = EVERYTHING
    imported_as = ("name",)

    def create(self, aws: Aws, wanted: Values) -> str:
        asked = to_api(self.spec, wanted, aws.shape("glue", "CreateSecurityConfigurationRequest"))
        aws.client("glue").create_security_configuration(**asked)
        return str(wanted["name"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        found = aws.client("glue").get_security_configuration(Name=state["id"])["SecurityConfiguration"]
        return from_api(self.spec, found, aws.shape("glue", "SecurityConfiguration"))

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("glue").delete_security_configuration(Name=state["name"])


class CatalogEncryption(Resource):
    """aws_glue_data_catalog_encryption_settings: one per catalog; deleting it turns encryption off."""

    type_name = "aws_glue_data_catalog_encryption_settings"
    replaces = frozenset({"catalog_id"})
    imported_as = ("catalog_id",)

    def create(self, aws: Aws, wanted: Values) -> str:
        wanted["catalog_id"] = wanted.get("catalog_id") or aws.account_id
        self.update(aws, wanted, wanted)
        return str(wanted["catalog_id"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        found = aws.client("glue").get_data_catalog_encryption_settings(CatalogId=state["id"])
        values = from_api(self.spec, found, aws.shape("glue", "GetDataCatalogEncryptionSettingsResponse"))
        return {**values, "catalog_id": state["id"]}

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        asked = to_api(self.spec, wanted, aws.shape("glue", "PutDataCatalogEncryptionSettingsRequest"))
        aws.client("glue").put_data_catalog_encryption_settings(**asked)

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("glue").put_data_catalog_encryption_settings(CatalogId=state["id"], DataCatalogEncryptionSettings={})


TYPES = {kind.type_name: kind for kind in (Job, SecurityConfiguration, CatalogEncryption)}
