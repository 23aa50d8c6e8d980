"""Athena workgroups.

Reads and writes Athena. Make targets: deploy, plan, destroy.
Example: resource "aws_athena_workgroup" "pipeline" { name = "trilake-local-pipeline" }
"""

from typing import Any

from localaws.terraform.aws import Aws
from localaws.terraform.resource import Resource
from localaws.terraform.resources.tags import as_list, as_map, observed_tags, retag, wanted_tags
from localaws.terraform.shapes import from_api, to_api
from localaws.terraform.values import Values

RENAMES = {"kms_key_arn": "KmsKey"}
UPDATE_RENAMES = {
    **RENAMES,
    "result_configuration": "ResultConfigurationUpdates",
    "managed_query_results_configuration": "ManagedQueryResultsConfigurationUpdates",
}
REMOVALS = {
    "RemoveBytesScannedCutoffPerQuery": "bytes_scanned_cutoff_per_query",
    "RemoveCustomerContentEncryptionConfiguration": "customer_content_encryption_configuration",
}


class Workgroup(Resource):
    """aws_athena_workgroup."""

    type_name = "aws_athena_workgroup"
    replaces = frozenset({"name"})
    imported_as = ("name",)
    defaults = {
        "force_destroy": False,
        "state": "ENABLED",
        "configuration.enforce_workgroup_configuration": True,
        "configuration.publish_cloudwatch_metrics_enabled": True,
        "configuration.engine_version.selected_engine_version": "AUTO",
    }

    def create(self, aws: Aws, wanted: Values) -> str:
        athena = aws.client("athena")
        shape = aws.shape("athena", "CreateWorkGroupInput")
        asked = to_api(self.spec, {**wanted, "tags": None}, shape, RENAMES)
        athena.create_work_group(**{**asked, "Tags": as_list(wanted_tags(wanted))})
        return str(wanted["name"])

    def finish(self, aws: Aws, wanted: Values) -> None:
        if wanted["state"] != "ENABLED":
            aws.client("athena").update_work_group(WorkGroup=wanted["name"], State=wanted["state"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        from botocore.exceptions import ClientError

        athena = aws.client("athena")
        try:
            found = athena.get_work_group(WorkGroup=state["id"])["WorkGroup"]
        except ClientError as error:
            if "is not found" in error.response["Error"].get("Message", ""):
                return None
            raise
        values = from_api(self.spec, found, aws.shape("athena", "WorkGroup"), RENAMES)
        self._drop_unasked(values, state)
        arn = f"arn:aws:athena:{aws.region}:{aws.account_id}:workgroup/{state['id']}"
        tags = as_map(athena.list_tags_for_resource(ResourceARN=arn)["Tags"])
        return {**values, "arn": arn, **observed_tags(tags, state)}

    @staticmethod
    def _drop_unasked(values: Values, state: Values) -> None:
        """Blocks that Athena fills by itself are no drift."""
        if not state.get("configuration"):
            values.pop("configuration", None)
            return
        held = state["configuration"][0]
        for found in values.get("configuration") or []:
            for name in [name for name, value in found.items() if isinstance(value, list) and not held.get(name)]:
                del found[name]

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        athena = aws.client("athena")
        changes = self._changes(aws, before, wanted)
        if changes:
            athena.update_work_group(WorkGroup=wanted["name"], **changes)
        arn = before["arn"]
        retag(
            before,
            wanted,
            add=lambda tags: athena.tag_resource(ResourceARN=arn, Tags=as_list(tags)),
            remove=lambda names: athena.untag_resource(ResourceARN=arn, TagKeys=names),
        )

    def _changes(self, aws: Aws, before: Values, wanted: Values) -> dict[str, Any]:
        changes: dict[str, Any] = {}
        if before.get("description") != wanted.get("description"):
            changes["Description"] = wanted.get("description") or ""
        if before.get("state") != wanted.get("state"):
            changes["State"] = wanted["state"]
        old, new = ((values.get("configuration") or [{}])[0] for values in (before, wanted))
        if old != new:
            spec = self.spec["block_types"]["configuration"]["block"]
            updates = to_api(spec, new, aws.shape("athena", "WorkGroupConfigurationUpdates"), UPDATE_RENAMES)
            removed = {flag: True for flag, name in REMOVALS.items() if old.get(name) and not new.get(name)}
            changes["ConfigurationUpdates"] = {**updates, **removed}
        return changes

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("athena").delete_work_group(
            WorkGroup=state["name"], RecursiveDeleteOption=bool(state.get("force_destroy"))
        )


TYPES = {kind.type_name: kind for kind in (Workgroup,)}
