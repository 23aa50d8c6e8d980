"""Step Functions' check of a definition: what it takes, what it names, as the real Terraform provider asks."""

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
