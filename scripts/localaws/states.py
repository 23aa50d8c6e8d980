"""What moto lacks of Step Functions: whether a definition would be taken, which Terraform asks before it plans.

Reads and writes nothing. Behind `make plan` with the real provider.
Example: `boto3.client("stepfunctions").validate_state_machine_definition(definition=text)["result"]` is OK or FAIL.

Syntax is judged by moto's grammar of the Amazon States Language, transitions by the states that there are. Service:
API reference, ValidateStateMachineDefinition, whose codes these are.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from localaws.service import Service

if TYPE_CHECKING:
    from localaws.caller import Caller

MOST_DIAGNOSTICS = 100
Diagnostic = dict[str, Any]


class StepFunctions(Service):
    """Checks of definitions; machines themselves are moto's."""

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
