"""State machines that an event starts, where their steps are ours: a Task that starts a Glue job, Pass, Succeed, Fail.

Reads the definition from moto, whose own interpreter knows nothing of our Glue. Behind EventBridge's targets.
Example: `follow(world, arn)` starts the job that the machine's Task names, under the machine's role.

A refused start is tried again as its Retry says, but every second, not at its intervals: a laptop's jobs are short.
Other kinds of states end the walk, and the log says so.
"""

from __future__ import annotations

import json
import logging
import time
from typing import Any

from botocore.exceptions import ClientError
from moto.backends import get_backend

from localaws.world import World

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
