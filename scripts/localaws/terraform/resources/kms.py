"""KMS keys and their aliases.

Reads and writes KMS. A deleted key waits for its deletion as on AWS, and counts as gone.
Make targets: deploy, plan, destroy.
Example: resource "aws_kms_key" "this" { enable_key_rotation = true }
"""

import json
from typing import Any

from localaws.terraform.aws import Aws
from localaws.terraform.resource import Resource
from localaws.terraform.resources.tags import as_list, as_map, observed_tags, retag, wanted_tags
from localaws.terraform.values import Problem, Values

POLICY_NAME = "default"


class Key(Resource):
    """aws_kms_key."""

    type_name = "aws_kms_key"
    replaces = frozenset({"custom_key_store_id", "customer_master_key_spec", "key_usage", "multi_region", "xks_key_id"})
    defaults = {
        "bypass_policy_lockout_safety_check": False,
        "customer_master_key_spec": "SYMMETRIC_DEFAULT",
        "enable_key_rotation": False,
        "is_enabled": True,
        "key_usage": "ENCRYPT_DECRYPT",
    }
    json_arguments = frozenset({"policy"})
    unheeded = frozenset({"custom_key_store_id", "xks_key_id"})

    def create(self, aws: Aws, wanted: Values) -> str:
        options: dict[str, Any] = {
            "Policy": wanted.get("policy"),
            "Tags": as_list(wanted_tags(wanted), key="TagKey", value="TagValue"),
            "MultiRegion": wanted.get("multi_region"),
        }
        created = aws.client("kms").create_key(
            Description=wanted.get("description") or "",
            KeyUsage=wanted["key_usage"],
            KeySpec=wanted["customer_master_key_spec"],
            **{name: value for name, value in options.items() if value},
        )
        return str(created["KeyMetadata"]["KeyId"])

    def finish(self, aws: Aws, wanted: Values) -> None:
        self._switch(aws, {"is_enabled": True, "enable_key_rotation": False}, wanted)

    def read(self, aws: Aws, state: Values) -> Values | None:
        kms, key = aws.client("kms"), {"KeyId": state["id"]}
        found = kms.describe_key(**key)["KeyMetadata"]
        if found["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion"):
            return None
        rotation = kms.get_key_rotation_status(**key)
        tags = as_map(kms.list_resource_tags(**key)["Tags"], key="TagKey", value="TagValue")
        return {
            "id": found["KeyId"],
            "key_id": found["KeyId"],
            "arn": found["Arn"],
            "description": found.get("Description", ""),
            "key_usage": found["KeyUsage"],
            "customer_master_key_spec": found["KeySpec"],
            "is_enabled": found["Enabled"],
            "multi_region": found.get("MultiRegion", False),
            "enable_key_rotation": rotation["KeyRotationEnabled"],
            "rotation_period_in_days": rotation.get("RotationPeriodInDays") if rotation["KeyRotationEnabled"] else None,
            "policy": kms.get_key_policy(**key, PolicyName=POLICY_NAME)["Policy"],
            **observed_tags(tags, state),
        }

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        kms, key = aws.client("kms"), {"KeyId": wanted["id"]}
        if before.get("description") != wanted.get("description"):
            kms.update_key_description(**key, Description=wanted.get("description") or "")
        if wanted.get("policy") and before.get("policy") != wanted["policy"]:
            kms.put_key_policy(**key, PolicyName=POLICY_NAME, Policy=wanted["policy"])
        self._switch(aws, before, wanted)
        retag(
            before,
            wanted,
            add=lambda tags: kms.tag_resource(**key, Tags=as_list(tags, key="TagKey", value="TagValue")),
            remove=lambda names: kms.untag_resource(**key, TagKeys=names),
        )

    @staticmethod
    def _switch(aws: Aws, before: Values, wanted: Values) -> None:
        kms, key = aws.client("kms"), {"KeyId": wanted["id"]}
        if before.get("is_enabled") != wanted.get("is_enabled"):
            (kms.enable_key if wanted["is_enabled"] else kms.disable_key)(**key)
        days = wanted.get("rotation_period_in_days")
        period = {"RotationPeriodInDays": days} if days else {}
        switched = before.get("enable_key_rotation") != wanted.get("enable_key_rotation")
        if wanted.get("enable_key_rotation") and (switched or period):
            kms.enable_key_rotation(**key, **period)
        elif switched:
            kms.disable_key_rotation(**key)

    def delete(self, aws: Aws, state: Values) -> None:
        window = state.get("deletion_window_in_days") or 30
        aws.client("kms").schedule_key_deletion(KeyId=state["id"], PendingWindowInDays=int(window))

    def check(self, config: Values) -> list[Problem]:
        policy = config.get("policy")
        if isinstance(policy, str):
            try:
                json.loads(policy)
            except ValueError as error:
                return [Problem("The policy is no JSON", str(error), ("policy",))]
        return []


class Alias(Resource):
    """aws_kms_alias."""

    type_name = "aws_kms_alias"
    replaces = frozenset({"name", "name_prefix"})
    imported_as = ("name",)

    def check(self, config: Values) -> list[Problem]:
        name = config.get("name")
        if isinstance(name, str) and not name.startswith("alias/"):
            return [Problem("Invalid alias", f'"{name}" does not begin with "alias/".', ("name",))]
        return []

    def create(self, aws: Aws, wanted: Values) -> str:
        aws.client("kms").create_alias(AliasName=wanted["name"], TargetKeyId=wanted["target_key_id"])
        return str(wanted["name"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        kms = aws.client("kms")
        pages = kms.get_paginator("list_aliases").paginate()
        found = next((a for page in pages for a in page["Aliases"] if a["AliasName"] == state["id"]), None)
        if found is None:
            return None
        key = kms.describe_key(KeyId=found["TargetKeyId"])["KeyMetadata"]
        held = state.get("target_key_id")
        return {
            "name": found["AliasName"],
            "name_prefix": "",
            "arn": found["AliasArn"],
            "target_key_id": held if held in (key["Arn"], key["KeyId"]) else key["KeyId"],
            "target_key_arn": key["Arn"],
        }

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        aws.client("kms").update_alias(AliasName=wanted["name"], TargetKeyId=wanted["target_key_id"])

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("kms").delete_alias(AliasName=state["name"])


TYPES = {kind.type_name: kind for kind in (Key, Alias)}
