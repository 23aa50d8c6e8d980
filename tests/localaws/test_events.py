"""EventBridge rules reach queues, topics and state machines, each on its own, as events or in their own words.

Reads and writes temporary folders. Make target: `test`. Example: `pytest tests/localaws/test_events.py`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from localaws import LocalAws

Client = Callable[..., Any]
DETAIL = {"jobId": "j1", "status": "FAILED"}


def a_queue(client: Client) -> tuple[str, str]:
    sqs = client("sqs")
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def a_rule(client: Client, *targets: dict[str, Any]) -> None:
    pattern = {"source": ["aws.healthlake"], "detail": {"status": ["FAILED"]}}
    client("events").put_rule(Name="r", EventPattern=json.dumps(pattern))
    client("events").put_targets(Rule="r", Targets=[{"Id": str(n), **target} for n, target in enumerate(targets)])


def received(client: Client, url: str) -> list[str]:
    return [message["Body"] for message in client("sqs").receive_message(QueueUrl=url).get("Messages", [])]


def test_a_topic_tells_its_subscribers(aws: LocalAws, client: Client) -> None:
    url, queue = a_queue(client)
    topic = client("sns").create_topic(Name="t")["TopicArn"]
    client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    a_rule(client, {"Arn": topic})
    aws.world.emit_event("aws.healthlake", "Import Job Completed", {**DETAIL, "status": "COMPLETED"})
    aws.world.emit_event("aws.healthlake", "Import Job Failed", DETAIL)
    (body,) = received(client, url)
    event = json.loads(json.loads(body)["Message"])
    assert (event["source"], event["account"], event["detail"]) == ("aws.healthlake", "123456789012", DETAIL)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Input": '{"a": 1}'}, {"a": 1}),
        ({"InputPath": "$.detail"}, DETAIL),
        (
            {"InputTransformer": {"InputPathsMap": {"job": "$.detail.jobId"}, "InputTemplate": '{"text": "<job>"}'}},
            {"text": "j1"},
        ),
    ],
)
def test_a_target_may_want_it_in_other_words(
    aws: LocalAws, client: Client, target: dict[str, Any], expected: dict[str, Any]
) -> None:
    url, queue = a_queue(client)
    a_rule(client, {"Arn": queue, **target})
    aws.world.emit_event("aws.healthlake", "Import Job Failed", DETAIL)
    assert [json.loads(body) for body in received(client, url)] == [expected]


def test_a_state_machine_starts_with_the_event(aws: LocalAws, client: Client) -> None:
    definition = '{"StartAt": "A", "States": {"A": {"Type": "Pass", "End": true}}}'
    role = "arn:aws:iam::123456789012:role/r"
    machine = client("stepfunctions").create_state_machine(name="m", definition=definition, roleArn=role)
    a_rule(client, {"Arn": machine["stateMachineArn"]})
    aws.world.emit_event("aws.healthlake", "Import Job Failed", DETAIL)
    (run,) = client("stepfunctions").list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
    found = client("stepfunctions").describe_execution(executionArn=run["executionArn"])
    assert json.loads(found["input"])["detail"] == DETAIL


def test_a_target_that_fails_or_is_unknown_keeps_nothing_from_the_others(aws: LocalAws, client: Client) -> None:
    url, queue = a_queue(client)
    lambda_arn = "arn:aws:lambda:us-east-1:123456789012:function:f"
    gone = "arn:aws:sns:us-east-1:123456789012:gone"
    a_rule(client, {"Arn": lambda_arn}, {"Arn": gone}, {"Arn": queue})
    aws.world.emit_event("aws.healthlake", "Import Job Failed", DETAIL)
    assert len(received(client, url)) == 1


@pytest.mark.parametrize(
    "rule",
    [{"EventPattern": '{"source": ["aws.healthlake"]}', "State": "DISABLED"}, {"ScheduleExpression": "rate(1 day)"}],
)
def test_rules_that_are_off_or_wait_for_a_time_deliver_nothing(
    aws: LocalAws, client: Client, rule: dict[str, str]
) -> None:
    url, queue = a_queue(client)
    client("events").put_rule(Name="r", **rule)
    client("events").put_targets(Rule="r", Targets=[{"Id": "0", "Arn": queue}])
    aws.world.emit_event("aws.healthlake", "Import Job Failed", DETAIL)
    assert received(client, url) == []
