"""SNS topics, their policies and subscriptions, and SQS queues: attributes that are all text.

Reads and writes SNS and SQS. Make targets: deploy, plan, destroy.
Example: resource "aws_sns_topic" "alerts" { kms_master_key_id = aws_kms_key.this.id }
"""

from typing import Any

from localaws.terraform.aws import Aws
from localaws.terraform.resource import EVERYTHING, Resource
from localaws.terraform.resources.iam import check_policy, generated
from localaws.terraform.resources.tags import as_list, as_map, observed_tags, retag, wanted_tags
from localaws.terraform.values import Problem, Values, is_empty

TOPIC = {
    "content_based_deduplication": "ContentBasedDeduplication",
    "delivery_policy": "DeliveryPolicy",
    "display_name": "DisplayName",
    "fifo_topic": "FifoTopic",
    "kms_master_key_id": "KmsMasterKeyId",
    "policy": "Policy",
    "signature_version": "SignatureVersion",
    "tracing_config": "TracingConfig",
}
QUEUE = {
    "content_based_deduplication": "ContentBasedDeduplication",
    "delay_seconds": "DelaySeconds",
    "fifo_queue": "FifoQueue",
    "kms_data_key_reuse_period_seconds": "KmsDataKeyReusePeriodSeconds",
    "kms_master_key_id": "KmsMasterKeyId",
    "max_message_size": "MaximumMessageSize",
    "message_retention_seconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receive_wait_time_seconds": "ReceiveMessageWaitTimeSeconds",
    "redrive_allow_policy": "RedriveAllowPolicy",
    "redrive_policy": "RedrivePolicy",
    "visibility_timeout_seconds": "VisibilityTimeout",
}
ONLY_FIFO = ("FifoTopic", "FifoQueue", "ContentBasedDeduplication")


def to_text(value: Any) -> str:
    """An attribute as these services take it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) else str(value)


def from_text(text: str | None, kind: Any) -> Any:
    """An attribute in its Terraform type."""
    if text is None or kind == "string":
        return text
    return text == "true" if kind == "bool" else int(text)


def attributes_of(values: Values, names: dict[str, str]) -> dict[str, str]:
    """The attributes that are set. What only FIFO kinds have is left out elsewhere."""
    found = {member: to_text(values[name]) for name, member in names.items() if values.get(name) not in (None, "")}
    return {name: text for name, text in found.items() if name not in ONLY_FIFO or text == "true"}


class Topic(Resource):
    """aws_sns_topic: id is its ARN."""

    type_name = "aws_sns_topic"
    replaces = frozenset({"fifo_topic", "name", "name_prefix"})
    defaults = {"content_based_deduplication": False, "fifo_topic": False}
    json_arguments = frozenset({"delivery_policy", "policy"})
    unheeded = frozenset({"archive_policy", "fifo_throughput_scope"})
    imported_as = ("arn",)

    def create(self, aws: Aws, wanted: Values) -> str:
        asked = {"Name": generated(wanted), "Attributes": attributes_of(wanted, TOPIC)}
        return str(aws.client("sns").create_topic(**asked, Tags=as_list(wanted_tags(wanted)))["TopicArn"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        sns, arn = aws.client("sns"), state["id"]
        found = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
        kinds = self.spec["attributes"]
        tags = as_map(sns.list_tags_for_resource(ResourceArn=arn)["Tags"])
        return {
            **{name: from_text(found.get(member), kinds[name]["type"]) for name, member in TOPIC.items()},
            "arn": arn,
            "name": arn.rsplit(":", 1)[-1],
            "name_prefix": state.get("name_prefix") or "",
            "owner": found.get("Owner"),
            **observed_tags(tags, state),
        }

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        sns, arn = aws.client("sns"), wanted["id"]
        for name, member in TOPIC.items():
            if before.get(name) != wanted.get(name) and not (is_empty(before.get(name)) and is_empty(wanted.get(name))):
                text = "" if wanted.get(name) is None else to_text(wanted[name])
                sns.set_topic_attributes(TopicArn=arn, AttributeName=member, AttributeValue=text)
        retag(
            before,
            wanted,
            add=lambda tags: sns.tag_resource(ResourceArn=arn, Tags=as_list(tags)),
            remove=lambda names: sns.untag_resource(ResourceArn=arn, TagKeys=names),
        )

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("sns").delete_topic(TopicArn=state["id"])


class TopicPolicy(Resource):
    """aws_sns_topic_policy: id is the topic's ARN; deleting it leaves the topic to its account."""

    type_name = "aws_sns_topic_policy"
    replaces = frozenset({"arn"})
    json_arguments = frozenset({"policy"})
    imported_as = ("arn",)

    def check(self, config: Values) -> list[Problem]:
        return check_policy(config, "policy")

    def create(self, aws: Aws, wanted: Values) -> str:
        self._put(aws, wanted["arn"], wanted["policy"])
        return str(wanted["arn"])

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        self._put(aws, wanted["arn"], wanted["policy"])

    @staticmethod
    def _put(aws: Aws, arn: str, policy: str) -> None:
        aws.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=policy)

    def read(self, aws: Aws, state: Values) -> Values | None:
        found = aws.client("sns").get_topic_attributes(TopicArn=state["id"])["Attributes"]
        return {"arn": state["id"], "owner": found.get("Owner"), "policy": found["Policy"]}

    def delete(self, aws: Aws, state: Values) -> None:
        import json

        own = {
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["sns:GetTopicAttributes", "sns:SetTopicAttributes", "sns:Subscribe", "sns:Publish"],
            "Resource": state["id"],
            "Condition": {"StringEquals": {"AWS:SourceOwner": aws.account_id}},
        }
        self._put(aws, state["id"], json.dumps({"Version": "2008-10-17", "Statement": [own]}))


class Subscription(Resource):
    """aws_sns_topic_subscription: id is its ARN."""

    type_name = "aws_sns_topic_subscription"
    replaces = EVERYTHING
    defaults = {
        "confirmation_timeout_in_minutes": 1,
        "endpoint_auto_confirms": False,
        "raw_message_delivery": False,
    }
    unheeded = frozenset({"delivery_policy", "filter_policy_scope", "redrive_policy", "replay_policy"})
    imported_as = ("arn",)

    def create(self, aws: Aws, wanted: Values) -> str:
        names = {"filter_policy": "FilterPolicy", "raw_message_delivery": "RawMessageDelivery"}
        answer = aws.client("sns").subscribe(
            TopicArn=wanted["topic_arn"],
            Protocol=wanted["protocol"],
            Endpoint=wanted["endpoint"],
            Attributes=attributes_of(wanted, names),
            ReturnSubscriptionArn=True,
        )
        return str(answer["SubscriptionArn"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        found = aws.client("sns").get_subscription_attributes(SubscriptionArn=state["id"])["Attributes"]
        return {
            "arn": state["id"],
            "topic_arn": found["TopicArn"],
            "protocol": found["Protocol"],
            "endpoint": found["Endpoint"],
            "owner_id": found.get("Owner"),
            "pending_confirmation": found.get("PendingConfirmation") == "true",
            "confirmation_was_authenticated": True,
            "raw_message_delivery": found.get("RawMessageDelivery") == "true",
        }

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("sns").unsubscribe(SubscriptionArn=state["id"])


class Queue(Resource):
    """aws_sqs_queue: id is its URL."""

    type_name = "aws_sqs_queue"
    replaces = frozenset({"fifo_queue", "name", "name_prefix"})
    defaults = {
        "content_based_deduplication": False,
        "delay_seconds": 0,
        "fifo_queue": False,
        "max_message_size": 262144,
        "message_retention_seconds": 345600,
        "receive_wait_time_seconds": 0,
        "visibility_timeout_seconds": 30,
    }
    json_arguments = frozenset({"policy", "redrive_allow_policy", "redrive_policy"})
    unheeded = frozenset({"deduplication_scope", "fifo_throughput_limit", "sqs_managed_sse_enabled"})
    imported_as = ("url",)

    def create(self, aws: Aws, wanted: Values) -> str:
        asked = {"QueueName": generated(wanted), "Attributes": attributes_of(wanted, QUEUE)}
        return str(aws.client("sqs").create_queue(**asked, tags=wanted_tags(wanted))["QueueUrl"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        sqs, url = aws.client("sqs"), state["id"]
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        kinds = self.spec["attributes"]
        return {
            **{name: from_text(found.get(member), kinds[name]["type"]) for name, member in QUEUE.items()},
            "arn": found["QueueArn"],
            "name": found["QueueArn"].rsplit(":", 1)[-1],
            "name_prefix": state.get("name_prefix") or "",
            "url": url,
            "sqs_managed_sse_enabled": found.get("SqsManagedSseEnabled", "false") == "true",
            **observed_tags(sqs.list_queue_tags(QueueUrl=url).get("Tags", {}), state),
        }

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        sqs, url = aws.client("sqs"), wanted["id"]
        old, new = attributes_of(before, QUEUE), attributes_of(wanted, QUEUE)
        changed = {name: text for name, text in new.items() if old.get(name) != text}
        changed |= {name: "" for name in set(old) - set(new)}
        if changed:
            sqs.set_queue_attributes(QueueUrl=url, Attributes=changed)
        retag(
            before,
            wanted,
            add=lambda tags: sqs.tag_queue(QueueUrl=url, Tags=tags),
            remove=lambda names: sqs.untag_queue(QueueUrl=url, TagKeys=names),
        )

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("sqs").delete_queue(QueueUrl=state["id"])


TYPES = {kind.type_name: kind for kind in (Topic, TopicPolicy, Subscription, Queue)}
