"""CloudWatch log groups.

Reads and writes CloudWatch Logs. Make targets: deploy, plan, destroy.
Example: resource "aws_cloudwatch_log_group" "ingest" { name = "/trilake/ingest" }
"""

from localaws.terraform.aws import Aws
from localaws.terraform.resource import Resource
from localaws.terraform.resources.iam import generated
from localaws.terraform.resources.tags import observed_tags, retag, wanted_tags
from localaws.terraform.values import Values


class LogGroup(Resource):
    """aws_cloudwatch_log_group."""

    type_name = "aws_cloudwatch_log_group"
    replaces = frozenset({"log_group_class", "name", "name_prefix"})
    defaults = {"retention_in_days": 0, "skip_destroy": False}
    imported_as = ("name",)
    unheeded = frozenset({"deletion_protection_enabled"})

    def create(self, aws: Aws, wanted: Values) -> str:
        wanted["name"] = generated(wanted)
        options = {"kmsKeyId": wanted.get("kms_key_id"), "tags": wanted_tags(wanted)}
        options["logGroupClass"] = wanted.get("log_group_class")
        given = {name: value for name, value in options.items() if value}
        aws.client("logs").create_log_group(logGroupName=wanted["name"], **given)
        return str(wanted["name"])

    def finish(self, aws: Aws, wanted: Values) -> None:
        if wanted.get("retention_in_days"):
            self._retain(aws, wanted)

    @staticmethod
    def _retain(aws: Aws, wanted: Values) -> None:
        logs, days = aws.client("logs"), wanted.get("retention_in_days")
        if days:
            logs.put_retention_policy(logGroupName=wanted["name"], retentionInDays=int(days))
        else:
            logs.delete_retention_policy(logGroupName=wanted["name"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        logs = aws.client("logs")
        pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=state["id"])
        found = next((g for page in pages for g in page["logGroups"] if g["logGroupName"] == state["id"]), None)
        if found is None:
            return None
        arn = found["arn"].removesuffix(":*")
        return {
            "name": found["logGroupName"],
            "name_prefix": state.get("name_prefix") or "",
            "arn": arn,
            "kms_key_id": found.get("kmsKeyId"),
            "retention_in_days": found.get("retentionInDays", 0),
            "log_group_class": found.get("logGroupClass", "STANDARD"),
            "deletion_protection_enabled": found.get("deletionProtectionEnabled", False),
            **observed_tags(logs.list_tags_for_resource(resourceArn=arn).get("tags", {}), state),
        }

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        logs, arn = aws.client("logs"), before["arn"]
        if before.get("retention_in_days") != wanted.get("retention_in_days"):
            self._retain(aws, wanted)
        if before.get("kms_key_id") != wanted.get("kms_key_id"):
            key = wanted.get("kms_key_id")
            if key:
                logs.associate_kms_key(logGroupName=wanted["name"], kmsKeyId=key)
            else:
                logs.disassociate_kms_key(logGroupName=wanted["name"])
        retag(
            before,
            wanted,
            add=lambda tags: logs.tag_resource(resourceArn=arn, tags=tags),
            remove=lambda names: logs.untag_resource(resourceArn=arn, tagKeys=names),
        )

    def delete(self, aws: Aws, state: Values) -> None:
        if not state.get("skip_destroy"):
            aws.client("logs").delete_log_group(logGroupName=state["name"])


TYPES = {kind.type_name: kind for kind in (LogGroup,)}
