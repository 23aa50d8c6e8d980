"""What the real Terraform provider asks of Step Functions: is a definition sound, which versions has a machine."""

import json

import pytest

from localaws import LocalAws

TASK = {"Type": "Task", "Resource": "arn:aws:states:::aws-sdk:glue:startJobRun", "Parameters": {"JobName": "a"}}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    with LocalAws(tmp_path_factory.mktemp("states")) as aws:
        yield aws.world.client("stepfunctions")


def machine(**states):
    return json.dumps({"StartAt": next(iter(states), "A"), "States": states})


def test_a_sound_definition_is_ok(client):
    caught = {**TASK, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "B"}], "Next": "B"}
    answer = client.validate_state_machine_definition(definition=machine(A=caught, B={"Type": "Succeed"}))
    assert (answer["result"], answer["diagnostics"], answer["truncated"]) == ("OK", [], False)


@pytest.mark.parametrize(
    ("definition", "code", "location"),
    [
        ("{", "INVALID_JSON_DESCRIPTION", "/"),
        (json.dumps({"States": {}}), "SCHEMA_VALIDATION_FAILED", "/"),
        (machine(A={"Type": "Nope", "End": True}), "SCHEMA_VALIDATION_FAILED", "/"),
        (machine(A={**TASK, "Next": "B"}), "MISSING_TRANSITION_TARGET", "/States/A/Next"),
        (
            machine(A={"Type": "Parallel", "End": True, "Branches": [json.loads(machine(B={**TASK, "Next": "A"}))]}),
            "MISSING_TRANSITION_TARGET",
            "/States/A/Branches[0]/States/B/Next",
        ),
    ],
)
def test_what_is_wrong_is_named(client, definition, code, location):
    answer = client.validate_state_machine_definition(definition=definition)
    assert answer["result"] == "FAIL"
    assert [(one["severity"], one["code"], one["location"]) for one in answer["diagnostics"]] == [
        ("ERROR", code, location)
    ]


def test_the_list_may_be_cut(client):
    definition = machine(A={**TASK, "Next": "X"}, B={**TASK, "Next": "Y"})
    answer = client.validate_state_machine_definition(definition=definition, maxResults=1)
    assert (len(answer["diagnostics"]), answer["truncated"]) == (1, True)


def test_versions_are_listed_newest_first(client):
    role = "arn:aws:iam::123456789012:role/machine"
    made = {"name": "m", "definition": machine(A={"Type": "Succeed"}), "roleArn": role}
    arn = client.create_state_machine(**made)["stateMachineArn"]
    assert client.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"] == []
    for n in (1, 2):
        definition = machine(A={"Type": "Pass", "Comment": str(n), "End": True})
        client.update_state_machine(stateMachineArn=arn, definition=definition, publish=True)
    first = client.list_state_machine_versions(stateMachineArn=arn, maxResults=1)
    rest = client.list_state_machine_versions(stateMachineArn=arn, nextToken=first["nextToken"])
    found = [one["stateMachineVersionArn"] for answer in (first, rest) for one in answer["stateMachineVersions"]]
    assert found == [f"{arn}:2", f"{arn}:1"]


def test_a_name_is_no_arn(client):
    with pytest.raises(client.exceptions.InvalidArn):
        client.list_state_machine_versions(stateMachineArn="m")
