"""The configurations of an S3 bucket: one PUT, one GET and one DELETE each, all in one pattern.

Reads and writes S3. Make targets: deploy, plan, destroy.
Example: resource "aws_s3_bucket_versioning" "raw" { bucket = ... }
"""

from __future__ import annotations

from typing import Any, ClassVar

from localaws.terraform.aws import Aws
from localaws.terraform.resource import Resource
from localaws.terraform.shapes import NO_RENAMES, Renames, from_api, to_api
from localaws.terraform.values import Problem, Values, known_objects

OWNER = frozenset({"expected_bucket_owner"})
OWNED = frozenset({"bucket"}) | OWNER


class BucketPart(Resource):
    """A configuration of a bucket; its id is the bucket's name."""

    replaces = frozenset({"bucket"})
    imported_as = ("bucket",)
    operation: ClassVar[str]
    """The operation's name without put_, get_ or delete_."""
    member: ClassVar[str | None] = None
    """The member of the PUT request that holds the configuration; None when the request itself does."""
    shape: ClassVar[str]
    answered: ClassVar[str | None] = None
    """The member of the GET answer that holds it; None when the answer itself does."""
    renames: ClassVar[Renames] = NO_RENAMES

    def create(self, aws: Aws, wanted: Values) -> str:
        self.put(aws, wanted["bucket"], self.configuration(aws, wanted))
        return str(wanted["bucket"])

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        self.put(aws, wanted["bucket"], self.configuration(aws, wanted))

    def read(self, aws: Aws, state: Values) -> Values | None:
        answer = self.call(aws, "get", Bucket=state["bucket"])
        found = answer.get(self.answered, {}) if self.answered else answer
        return self.observed(aws, found, state)

    def delete(self, aws: Aws, state: Values) -> None:
        self.call(aws, "delete", Bucket=state["bucket"])

    def configuration(self, aws: Aws, wanted: Values) -> dict[str, Any]:
        return to_api(self.spec, wanted, aws.shape("s3", self.shape), self.renames)

    def observed(self, aws: Aws, found: dict[str, Any], state: Values) -> Values | None:
        values = from_api(self.spec, found, aws.shape("s3", self.shape), self.renames)
        return {**values, "bucket": state["bucket"]}

    def put(self, aws: Aws, bucket: str, configuration: dict[str, Any]) -> None:
        held = {self.member: configuration} if self.member else configuration
        self.call(aws, "put", Bucket=bucket, **held)

    def call(self, aws: Aws, verb: str, **arguments: Any) -> dict[str, Any]:
        answer: dict[str, Any] = getattr(aws.client("s3"), f"{verb}_{self.operation}")(**arguments)
        return answer


class Versioning(BucketPart):
    """aws_s3_bucket_versioning: it can be suspended, never deleted."""

    type_name = "aws_s3_bucket_versioning"
    operation, member, shape = "bucket_versioning", "VersioningConfiguration", "VersioningConfiguration"
    renames = {"mfa_delete": "MFADelete"}
    replaces = OWNED
    unheeded = frozenset({"expected_bucket_owner", "mfa"})

    def configuration(self, aws: Aws, wanted: Values) -> dict[str, Any]:
        return to_api(self._block, wanted["versioning_configuration"][0], aws.shape("s3", self.shape), self.renames)

    def observed(self, aws: Aws, found: dict[str, Any], state: Values) -> Values | None:
        if not found.get("Status"):
            return None
        values = from_api(self._block, found, aws.shape("s3", self.shape), self.renames)
        return {"bucket": state["bucket"], "versioning_configuration": [values]}

    def delete(self, aws: Aws, state: Values) -> None:
        self.put(aws, state["bucket"], {"Status": "Suspended"})

    @property
    def _block(self) -> dict[str, Any]:
        block: dict[str, Any] = self.spec["block_types"]["versioning_configuration"]["block"]
        return block


class Encryption(BucketPart):
    """aws_s3_bucket_server_side_encryption_configuration."""

    type_name = "aws_s3_bucket_server_side_encryption_configuration"
    replaces, unheeded = OWNED, OWNER
    operation, member = "bucket_encryption", "ServerSideEncryptionConfiguration"
    shape = answered = "ServerSideEncryptionConfiguration"
    renames = {
        "rule": "Rules",
        "sse_algorithm": "SSEAlgorithm",
        "kms_master_key_id": "KMSMasterKeyID",
        "blocked_encryption_types": "BlockedEncryptionTypes",
    }


class PublicAccessBlock(BucketPart):
    """aws_s3_bucket_public_access_block."""

    type_name = "aws_s3_bucket_public_access_block"
    operation, member = "public_access_block", "PublicAccessBlockConfiguration"
    shape = answered = "PublicAccessBlockConfiguration"
    defaults = dict.fromkeys(
        ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), False
    )
    unheeded = frozenset({"skip_destroy"})

    def configuration(self, aws: Aws, wanted: Values) -> dict[str, Any]:
        found = super().configuration(aws, wanted)
        return {name: found.get(name, False) for name in aws.shape("s3", self.shape).members}


class Policy(BucketPart):
    """aws_s3_bucket_policy."""

    type_name = "aws_s3_bucket_policy"
    operation = "bucket_policy"
    json_arguments = frozenset({"policy"})

    def configuration(self, aws: Aws, wanted: Values) -> dict[str, Any]:
        return {"Policy": wanted["policy"]}

    def observed(self, aws: Aws, found: dict[str, Any], state: Values) -> Values | None:
        return {"bucket": state["bucket"], "policy": found["Policy"]}


class Ownership(BucketPart):
    """aws_s3_bucket_ownership_controls."""

    type_name = "aws_s3_bucket_ownership_controls"
    operation = "bucket_ownership_controls"
    member = shape = answered = "OwnershipControls"
    renames = {"rule": "Rules"}


class Lifecycle(BucketPart):
    """aws_s3_bucket_lifecycle_configuration."""

    type_name = "aws_s3_bucket_lifecycle_configuration"
    replaces, unheeded = OWNED, OWNER
    operation = "bucket_lifecycle_configuration"
    member, shape = "LifecycleConfiguration", "BucketLifecycleConfiguration"
    renames = {
        "rule": "Rules",
        "id": "ID",
        "transition": "Transitions",
        "noncurrent_version_transition": "NoncurrentVersionTransitions",
    }

    def check(self, config: Values) -> list[Problem]:
        names = [rule["id"] for rule in known_objects(config.get("rule")) if isinstance(rule["id"], str)]
        if len(names) != len(set(names)):
            return [Problem("Rule ids repeat", "Each lifecycle rule needs an id of its own.", ("rule",))]
        return []

    def configuration(self, aws: Aws, wanted: Values) -> dict[str, Any]:
        found = to_api({**self.spec, "attributes": {}}, wanted, aws.shape("s3", self.shape), self.renames)
        for rule in found["Rules"]:
            if "Prefix" not in rule:
                rule.setdefault("Filter", {"Prefix": ""})
        return found

    def observed(self, aws: Aws, found: dict[str, Any], state: Values) -> Values | None:
        values = from_api({**self.spec, "attributes": {}}, found, aws.shape("s3", self.shape), self.renames)
        found_by_id = {rule["id"]: rule for rule in values["rule"]}
        held_by_id = {rule["id"]: rule for rule in state.get("rule") or []}
        names = [*(name for name in held_by_id if name in found_by_id), *(set(found_by_id) - set(held_by_id))]
        minimum = state.get("transition_default_minimum_object_size") or "all_storage_classes_128K"
        return {
            "bucket": state["bucket"],
            "rule": [self._as_held(found_by_id[name], held_by_id.get(name, {})) for name in names],
            "transition_default_minimum_object_size": minimum,
        }

    @staticmethod
    def _as_held(rule: Values, held: Values) -> Values:
        """A filter that takes everything is the same as none: it is told as the state has it."""
        filters = rule.get("filter") or []
        if filters and not any(filters[0].values()):
            return {**rule, "filter": held.get("filter") or []}
        return rule

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("s3").delete_bucket_lifecycle(Bucket=state["bucket"])


class Notification(BucketPart):
    """aws_s3_bucket_notification: deleting it means putting an empty one."""

    type_name = "aws_s3_bucket_notification"
    operation, member = "bucket_notification_configuration", "NotificationConfiguration"
    shape = "NotificationConfiguration"
    defaults = {"eventbridge": False}
    renames = {
        "topic": "TopicConfigurations",
        "queue": "QueueConfigurations",
        "lambda_function": "LambdaFunctionConfigurations",
        "lambda_function_arn": "LambdaFunctionArn",
        "eventbridge": "-",
    }
    unheeded = frozenset(
        f"{kind}.{part}"
        for kind in ("lambda_function", "queue", "topic")
        for part in ("filter_prefix", "filter_suffix")
    )

    def configuration(self, aws: Aws, wanted: Values) -> dict[str, Any]:
        found = super().configuration(aws, wanted)
        return {**found, **({"EventBridgeConfiguration": {}} if wanted.get("eventbridge") else {})}

    def observed(self, aws: Aws, found: dict[str, Any], state: Values) -> Values | None:
        values = super().observed(aws, found, state) or {}
        # A bucket's answer may leave the empty EventBridge structure out; what was put is then believed.
        return {**values, "eventbridge": "EventBridgeConfiguration" in found or bool(state.get("eventbridge"))}

    def delete(self, aws: Aws, state: Values) -> None:
        self.put(aws, state["bucket"], {})


class Logging(BucketPart):
    """aws_s3_bucket_logging: deleting it means putting an empty one."""

    type_name = "aws_s3_bucket_logging"
    replaces, unheeded = OWNED, OWNER
    operation, member, shape = "bucket_logging", "BucketLoggingStatus", "LoggingEnabled"
    answered = "LoggingEnabled"
    renames = {"target_grant": "TargetGrants"}

    def configuration(self, aws: Aws, wanted: Values) -> dict[str, Any]:
        return {"LoggingEnabled": {"TargetPrefix": "", **super().configuration(aws, wanted)}}

    def observed(self, aws: Aws, found: dict[str, Any], state: Values) -> Values | None:
        return super().observed(aws, found, state) if found else None

    def delete(self, aws: Aws, state: Values) -> None:
        self.put(aws, state["bucket"], {})


TYPES = {
    kind.type_name: kind
    for kind in (
        Versioning,
        Encryption,
        PublicAccessBlock,
        Policy,
        Ownership,
        Lifecycle,
        Notification,
        Logging,
    )
}
