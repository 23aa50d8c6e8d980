"""What moto lacks of Step Functions and Terraform asks for: whether a definition would be taken, a machine's versions.

Reads moto's machines; writes nothing. Behind `make plan` and `make deploy` with the real provider.
Example: `boto3.client("stepfunctions").validate_state_machine_definition(definition=text)["result"]` is OK or FAIL.

Syntax is judged by moto's grammar of the Amazon States Language, transitions by the states that there are. Service:
API reference, ValidateStateMachineDefinition, whose codes these are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from moto.backends import get_backend

from localaws.paging import page
from localaws.service import Service, ServiceError

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
