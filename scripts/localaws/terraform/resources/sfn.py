"""Step Functions state machines.

Reads and writes Step Functions. Make targets: deploy, plan, destroy.
Example: resource "aws_sfn_state_machine" "ingest" { definition = jsonencode({...}) }
"""

import json

from localaws.terraform.aws import Aws
from localaws.terraform.resource import Resource
from localaws.terraform.resources.iam import generated
from localaws.terraform.resources.tags import as_list, as_map, observed_tags, retag, wanted_tags
from localaws.terraform.shapes import from_api, to_api
from localaws.terraform.values import Problem, Values

RENAMES = {"log_destination": "-"}


class StateMachine(Resource):
    """aws_sfn_state_machine: id is its ARN."""

    type_name = "aws_sfn_state_machine"
    replaces = frozenset({"name", "name_prefix", "type"})
    defaults = {"publish": False, "type": "STANDARD"}
    volatile = frozenset({"revision_id", "state_machine_version_arn"})
    json_arguments = frozenset({"definition"})
    imported_as = ("arn",)

    def check(self, config: Values) -> list[Problem]:
        text = config.get("definition")
        if not isinstance(text, str):
            return []
        try:
            states = json.loads(text)
        except ValueError as error:
            return [Problem("The definition is no JSON", str(error), ("definition",))]
        lacking = [name for name in ("StartAt", "States") if name not in states]
        return [Problem(f"The definition has no {name}", "", ("definition",)) for name in lacking]

    def create(self, aws: Aws, wanted: Values) -> str:
        wanted["name"] = generated(wanted)
        asked = self._asked(aws, wanted, "CreateStateMachineInput")
        tags = as_list(wanted_tags(wanted), key="key", value="value")
        return str(aws.client("stepfunctions").create_state_machine(**asked, tags=tags)["stateMachineArn"])

    def _asked(self, aws: Aws, wanted: Values, shape: str) -> dict[str, object]:
        asked = to_api(self.spec, {**wanted, "tags": None}, aws.shape("stepfunctions", shape), RENAMES)
        logging = (wanted.get("logging_configuration") or [{}])[0]
        if logging.get("log_destination"):
            group = {"cloudWatchLogsLogGroup": {"logGroupArn": logging["log_destination"]}}
            asked["loggingConfiguration"] = {**asked.get("loggingConfiguration", {}), "destinations": [group]}
        return asked

    def read(self, aws: Aws, state: Values) -> Values | None:
        client = aws.client("stepfunctions")
        found = client.describe_state_machine(stateMachineArn=state["id"])
        values = from_api(self.spec, found, aws.shape("stepfunctions", "DescribeStateMachineOutput"), RENAMES)
        for name in ("encryption_configuration", "logging_configuration", "tracing_configuration"):
            if not state.get(name):
                values.pop(name, None)
        for logging in values.get("logging_configuration") or []:
            groups = found["loggingConfiguration"].get("destinations") or [{}]
            logging["log_destination"] = groups[0].get("cloudWatchLogsLogGroup", {}).get("logGroupArn")
        tags = as_map(client.list_tags_for_resource(resourceArn=state["id"])["tags"], key="key", value="value")
        named = {"arn": state["id"], "name_prefix": state.get("name_prefix") or ""}
        return {**values, **named, **observed_tags(tags, state)}

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        client, arn = aws.client("stepfunctions"), wanted["id"]
        asked = self._asked(aws, wanted, "UpdateStateMachineInput")
        if asked != self._asked(aws, before, "UpdateStateMachineInput"):
            client.update_state_machine(stateMachineArn=arn, **asked)
        retag(
            before,
            wanted,
            add=lambda tags: client.tag_resource(resourceArn=arn, tags=as_list(tags, key="key", value="value")),
            remove=lambda names: client.untag_resource(resourceArn=arn, tagKeys=names),
        )

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("stepfunctions").delete_state_machine(stateMachineArn=state["id"])


TYPES = {kind.type_name: kind for kind in (StateMachine,)}
