"""Step Functions beyond moto: definitions are validated, versions listed, machines of events run their Glue jobs.

Example: `boto3.client("stepfunctions").validate_state_machine_definition(definition=text)["result"]` is OK or FAIL.

Syntax is judged by moto's grammar of the Amazon States Language, transitions by the states that there are. Codes are
those of the API reference, ValidateStateMachineDefinition. Running: moto's interpreter cannot call our Glue, so
`follow` walks Task (startJobRun alone), Pass, Succeed and Fail; other states end the walk, and the log says so. A
refused start is tried again as its Retry says, but every second, not at its intervals: a laptop's jobs are short.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from botocore.exceptions import ClientError
from moto.backends import get_backend

from localaws.paging import page
from localaws.service import Service, ServiceError
from localaws.world import World

if TYPE_CHECKING:
    from localaws.caller import Caller

MOST_DIAGNOSTICS = 100
DEFAULT_PAGE = 100
MACHINE_ARN = re.compile(r"arn:aws:states:([a-z0-9-]+):([0-9]{12}):stateMachine:[^:]+")
Diagnostic = dict[str, Any]


class StepFunctions(Service):
    """Checks of definitions and lists of versions; machines themselves are moto's."""

    service_name: ClassVar[str] = "stepfunctions"
    overlay: ClassVar[bool] = True
    imitated: ClassVar[dict[str, str]] = {
        "validate_state_machine_definition": "syntax, start and transitions; no warnings, no intrinsic functions"
    }

    def validate_state_machine_definition(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found = list(faults(params["definition"]))
        most = params.get("maxResults") or MOST_DIAGNOSTICS
        return {
            "result": "FAIL" if found else "OK",
            "diagnostics": found[:most],
            "truncated": len(found) > most,
        }

    def list_state_machine_versions(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        """Newest first; none of a machine that there is not."""
        named = MACHINE_ARN.fullmatch(params["stateMachineArn"])
        if named is None:
            raise ServiceError("InvalidArn", f"Invalid Arn: '{params['stateMachineArn']}'")
        region, account_id = named.groups()
        machines = get_backend("stepfunctions")[account_id][region].state_machines
        versions = [one for machine in machines if machine.arn == named[0] for one in machine.versions.values()]
        newest = sorted(versions, key=lambda one: one.version, reverse=True)
        listed, token = page(newest, params.get("nextToken"), params.get("maxResults") or DEFAULT_PAGE)
        found = [{"stateMachineVersionArn": one.arn, "creationDate": one.creation_date} for one in listed]
        return {"stateMachineVersions": found, **({"nextToken": token} if token else {})}


def faults(definition: str) -> Iterator[Diagnostic]:
    """What keeps a definition from being taken, worst first; JSON that cannot be read ends the search."""
    from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser, ASLParserException

    try:
        machine = json.loads(definition)
    except ValueError as error:
        yield fault("INVALID_JSON_DESCRIPTION", f"The definition is no JSON: {error}", "/")
        return
    try:
        AmazonStateLanguageParser.parse(definition)
    except ASLParserException as error:
        yield fault("SCHEMA_VALIDATION_FAILED", str(error).removeprefix("ASLParserException "), "/")
        return
    yield from transitions(machine, "")


def transitions(machine: dict[str, Any], place: str) -> Iterator[Diagnostic]:
    """Targets that name no state of the machine, or of the branch or iterator that they stand in."""
    states = machine.get("States", {})
    targets = [("StartAt", machine.get("StartAt"))]
    for name, state in states.items():
        at = f"States/{name}"
        targets += [(f"{at}/Next", state["Next"])] if "Next" in state else []
        targets += [(f"{at}/Default", state["Default"])] if "Default" in state else []
        for field in ("Choices", "Catch"):
            targets += [(f"{at}/{field}[{n}]/Next", rule.get("Next")) for n, rule in enumerate(state.get(field, []))]
        inner = {f"Branches[{n}]": branch for n, branch in enumerate(state.get("Branches", []))}
        inner |= {field: state[field] for field in ("ItemProcessor", "Iterator") if field in state}
        for field, part in inner.items():
            yield from transitions(part, f"{place}/{at}/{field}")
    for at, target in targets:
        if target not in states:
            yield fault("MISSING_TRANSITION_TARGET", f"Missing 'Next' target: {target}", f"{place}/{at}")


def fault(code: str, message: str, location: str) -> Diagnostic:
    return {"severity": "ERROR", "code": code, "message": message, "location": location}


log = logging.getLogger("localaws")
START_JOB_RUN = "arn:aws:states:::aws-sdk:glue:startJobRun"
PRINCIPAL = "states.amazonaws.com"
MOST_STATES = 100
State = dict[str, Any]


def follow(world: World, machine_arn: str) -> None:
    """Walk the machine in the background, from its first state to an end."""
    _, _, _, region, account_id, *_ = machine_arn.split(":")
    machine = get_backend("stepfunctions")[account_id][region].describe_state_machine(machine_arn)
    world.submit(walk, world, json.loads(machine.definition), machine.roleArn)


def walk(world: World, definition: dict[str, Any], role_arn: str) -> None:
    name: str | None = definition["StartAt"]
    for _ in range(MOST_STATES):
        if name is None:
            return
        name = after(world, definition["States"][name], role_arn)


def after(world: World, state: State, role_arn: str) -> str | None:
    """The state that follows; None at an end."""
    if state["Type"] == "Task" and state["Resource"] == START_JOB_RUN:
        problem = start(world, state, role_arn)
        if problem is not None:
            caught = [rule for rule in state.get("Catch", []) if matches(rule, problem)]
            if not caught:
                log.error("A state machine could not start a Glue job: %s", problem)
            return caught[0]["Next"] if caught else None
    elif state["Type"] not in ("Pass", "Succeed", "Fail"):
        log.info("localaws walks no states of type %s", state["Type"])
        return None
    return state.get("Next")


def start(world: World, state: State, role_arn: str) -> str | None:
    """None when the run was started; else the name of the error, after the tries that Retry allows."""
    glue = world.role_client("glue", role_arn, PRINCIPAL, "localaws-machine")
    deadline: float | None = None
    while True:
        try:
            glue.start_job_run(**state["Parameters"])
            return None
        except ClientError as error:
            problem = f"Glue.{error.response['Error']['Code'].removesuffix('Exception')}Exception"
        patience = sum(seconds(rule) for rule in state.get("Retry", []) if matches(rule, problem))
        deadline = deadline or time.monotonic() + patience
        if time.monotonic() >= deadline:
            return problem
        time.sleep(1)


def seconds(rule: dict[str, Any]) -> float:
    """How long a Retry would try for."""
    interval, rate = rule.get("IntervalSeconds", 1), rule.get("BackoffRate", 2)
    return float(sum(interval * rate**number for number in range(rule.get("MaxAttempts", 3))))


def matches(rule: dict[str, Any], problem: str) -> bool:
    return problem in rule["ErrorEquals"] or "States.ALL" in rule["ErrorEquals"]
