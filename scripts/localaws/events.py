"""EventBridge rules that reach their targets: queues, topics, state machines, log groups, buses.

Reads and writes moto's EventBridge, SQS, SNS, Step Functions and Logs backends. Behind `make ingest`.
Example: a rule on `{"source": ["aws.healthlake"]}` with an SNS topic as target publishes each import's end.

moto knows no topics and no state machines as targets, and ends the whole delivery at the first target it does not know.
"""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from moto.backends import get_backend
from moto.events.models import Rule
from moto.events.utils import EventTemplateParser

from localaws import step_functions
from localaws.world import World

log = logging.getLogger("localaws")

Event = dict[str, Any]
_MOTO = Rule.send_to_targets


def install(world: World) -> None:
    """Deliver this way from now on; machines run in `world`."""

    def send(rule: Rule, event: Any, transform_input: bool = True) -> None:
        _send_to_targets(world, rule, event)

    Rule.send_to_targets = send  # type: ignore[method-assign, assignment]


def _send_to_targets(world: World, rule: Rule, event: Any) -> None:
    """Each target on its own: one that fails, or is unknown here, keeps nothing from the others."""
    is_schedule = bool(rule.scheduled_expression) and not rule.event_pattern.get_pattern()
    if rule.state == "DISABLED" or is_schedule or not rule.event_pattern.matches_event(event):
        return
    for target in list(rule.targets):
        try:
            _deliver(world, rule, target, event)
        except NotImplementedError:
            log.info("localaws delivers nothing to targets like %s", target["Arn"].split(":")[2])
        except Exception:
            log.exception("EventBridge target %s of rule %s failed", target["Id"], rule.name)


def _deliver(world: World, rule: Rule, target: dict[str, Any], event: Event) -> None:
    _, _, service, region, account_id, name = target["Arn"].split(":", 5)
    send = _TARGETS.get(service)
    if send is not None:
        send(world, target, (region, account_id, name), _text(target, event))
        return
    alone = copy.copy(rule)
    alone.targets = [target]
    _MOTO(alone, event)  # type: ignore[arg-type]


def _text(target: dict[str, Any], event: Event) -> str:
    """What the target gets: the event, a constant, a part of the event, or a template filled from it."""
    whole = {name: value for name, value in event.items() if name != "ingestion-time"}
    moment = event["time"]
    if isinstance(moment, int | float):
        whole["time"] = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if "Input" in target:
        return str(target["Input"])
    if "InputPath" in target:
        from jsonpath_ng.ext import parse as json_path

        found = json_path(target["InputPath"]).find(whole)
        return json.dumps(found[0].value) if found else "{}"
    if "InputTransformer" in target:
        template = target["InputTransformer"]
        filled = {**whole, "ingestion-time": event["ingestion-time"]}
        made = EventTemplateParser.parse(template["InputTemplate"], template.get("InputPathsMap", {}), filled)  # type: ignore[arg-type]
        return made if isinstance(made, str) else json.dumps(made)
    return json.dumps(whole)


Place = tuple[str, str, str]


def _to_queue(world: World, target: dict[str, Any], place: Place, text: str) -> None:
    region, account_id, name = place
    group = (target.get("SqsParameters") or {}).get("MessageGroupId")
    get_backend("sqs")[account_id][region].send_message(queue_name=name, message_body=text, group_id=group)


def _to_topic(world: World, target: dict[str, Any], place: Place, text: str) -> None:
    region, account_id, _ = place
    get_backend("sns")[account_id][region].publish(message=text, arn=target["Arn"])


def _to_state_machine(world: World, target: dict[str, Any], place: Place, text: str) -> None:
    region, account_id, _ = place
    get_backend("stepfunctions")[account_id][region].start_execution(target["Arn"], "", text)
    step_functions.follow(world, target["Arn"])


_TARGETS: dict[str, Callable[[World, dict[str, Any], Place, str], None]] = {
    "sns": _to_topic,
    "sqs": _to_queue,
    "states": _to_state_machine,
}
