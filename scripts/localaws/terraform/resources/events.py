"""EventBridge rules and their targets.

Reads and writes EventBridge. Make targets: deploy, plan, destroy.
Example: resource "aws_cloudwatch_event_rule" "imports" { event_pattern = jsonencode({...}) }
"""

import uuid
from typing import Any

from localaws.terraform.aws import Aws
from localaws.terraform.resource import Resource
from localaws.terraform.resources.iam import generated
from localaws.terraform.resources.tags import as_list, as_map, observed_tags, retag, wanted_tags
from localaws.terraform.shapes import from_api, to_api
from localaws.terraform.values import Problem, Values

DEFAULT_BUS = "default"
RENAMES = {"target_id": "Id", "input_paths": "InputPathsMap", "sqs_target": "SqsParameters"}


class Rule(Resource):
    """aws_cloudwatch_event_rule: id is the name, on another bus than the default bus/name."""

    type_name = "aws_cloudwatch_event_rule"
    replaces = frozenset({"event_bus_name", "name", "name_prefix"})
    defaults = {"event_bus_name": DEFAULT_BUS, "force_destroy": False, "state": "ENABLED"}
    json_arguments = frozenset({"event_pattern"})
    unheeded = frozenset({"is_enabled"})
    imported_as = ("name",)

    def check(self, config: Values) -> list[Problem]:
        if config.get("event_pattern") is None and config.get("schedule_expression") is None:
            return [Problem("A rule needs a pattern or a schedule", "Give event_pattern or schedule_expression.")]
        return []

    def create(self, aws: Aws, wanted: Values) -> str:
        wanted["name"] = generated(wanted)
        self._put(aws, wanted, Tags=as_list(wanted_tags(wanted)))
        bus = wanted["event_bus_name"]
        return str(wanted["name"]) if bus == DEFAULT_BUS else f"{bus}/{wanted['name']}"

    def _put(self, aws: Aws, wanted: Values, **more: Any) -> None:
        asked = to_api(self.spec, {**wanted, "tags": None}, aws.shape("events", "PutRuleRequest"))
        aws.client("events").put_rule(**asked, **more)

    def read(self, aws: Aws, state: Values) -> Values | None:
        events, name = aws.client("events"), state["id"].rsplit("/", 1)[-1]
        bus = state.get("event_bus_name") or DEFAULT_BUS
        found = events.describe_rule(Name=name, EventBusName=bus)
        values = from_api(self.spec, found, aws.shape("events", "DescribeRuleResponse"))
        tags = as_map(events.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"])
        prefix = state.get("name_prefix") or ""
        return {**values, "event_bus_name": bus, "name_prefix": prefix, **observed_tags(tags, state)}

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        events, arn = aws.client("events"), before["arn"]
        self._put(aws, wanted)
        retag(
            before,
            wanted,
            add=lambda tags: events.tag_resource(ResourceARN=arn, Tags=as_list(tags)),
            remove=lambda names: events.untag_resource(ResourceARN=arn, TagKeys=names),
        )

    def delete(self, aws: Aws, state: Values) -> None:
        events, bus = aws.client("events"), state["event_bus_name"]
        if state.get("force_destroy"):
            targets = events.list_targets_by_rule(Rule=state["name"], EventBusName=bus)["Targets"]
            if targets:
                ids = [target["Id"] for target in targets]
                events.remove_targets(Rule=state["name"], EventBusName=bus, Ids=ids)
        events.delete_rule(Name=state["name"], EventBusName=bus)


class Target(Resource):
    """aws_cloudwatch_event_target: id is rule-target."""

    type_name = "aws_cloudwatch_event_target"
    replaces = frozenset({"event_bus_name", "rule", "target_id"})
    defaults = {"event_bus_name": DEFAULT_BUS, "force_destroy": False}
    unheeded = frozenset(
        {
            "appsync_target",
            "batch_target",
            "ecs_target",
            "http_target",
            "kinesis_target",
            "redshift_target",
            "run_command_targets",
            "sagemaker_pipeline_target",
        }
    )

    def create(self, aws: Aws, wanted: Values) -> str:
        wanted["target_id"] = wanted.get("target_id") or f"terraform-{uuid.uuid4().hex[:26]}"
        self.update(aws, wanted, wanted)
        return f"{wanted['rule']}-{wanted['target_id']}"

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        target = to_api(self.spec, wanted, aws.shape("events", "Target"), RENAMES)
        answer = aws.client("events").put_targets(
            Rule=wanted["rule"], EventBusName=wanted["event_bus_name"], Targets=[target]
        )
        if answer["FailedEntryCount"]:
            raise ValueError(answer["FailedEntries"][0]["ErrorMessage"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        bus = state.get("event_bus_name") or DEFAULT_BUS
        found = aws.client("events").list_targets_by_rule(Rule=state["rule"], EventBusName=bus)["Targets"]
        target = next((item for item in found if item["Id"] == state["target_id"]), None)
        if target is None:
            return None
        return from_api(self.spec, target, aws.shape("events", "Target"), {**RENAMES, "id": "-"})

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("events").remove_targets(
            Rule=state["rule"], EventBusName=state["event_bus_name"], Ids=[state["target_id"]]
        )

    def imported(self, given: str) -> Values:
        bus, rule, target = given.split("/") if given.count("/") == 2 else [DEFAULT_BUS, *given.split("/")]
        return {"id": f"{rule}-{target}", "event_bus_name": bus, "rule": rule, "target_id": target}


TYPES = {kind.type_name: kind for kind in (Rule, Target)}
