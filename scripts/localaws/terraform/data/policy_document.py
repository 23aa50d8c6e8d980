"""The data source that writes IAM policies, in the real provider's words and order.

Pure. Make targets: deploy, plan.
Example: data "aws_iam_policy_document" "trust" { statement { actions = ["sts:AssumeRole"] ... } }
"""

import json
import zlib
from typing import Any

from localaws.terraform.aws import Aws
from localaws.terraform.values import Values

VERSION = "2012-10-17"
LISTS = {
    "actions": "Action",
    "not_actions": "NotAction",
    "resources": "Resource",
    "not_resources": "NotResource",
}
PRINCIPALS = {"principals": "Principal", "not_principals": "NotPrincipal"}
ORDER = ("Sid", "Effect", *LISTS.values(), *PRINCIPALS.values(), "Condition")
Statement = dict[str, Any]


def policy_document(aws: Aws, config: Values) -> Values:
    """The JSON of statements, laid over `source_policy_documents` and under `override_policy_documents`."""
    policy: dict[str, Any] = {"Version": config.get("version") or VERSION}
    if config.get("policy_id"):
        policy["Id"] = config["policy_id"]
    statements: list[Statement] = []
    for text in config.get("source_policy_documents") or []:
        statements += statements_of(text)
    refuse_repeated(statements)
    statements = merged(statements, [statement(block) for block in config.get("statement") or []])
    for text in config.get("override_policy_documents") or []:
        statements = merged(statements, statements_of(text))
    policy["Statement"] = statements
    written = json.dumps(policy, indent=2)
    return {
        "json": written,
        "minified_json": json.dumps(policy, separators=(",", ":")),
        "id": str(zlib.crc32(written.encode())),
        "version": policy["Version"],
    }


def statement(block: Values) -> Statement:
    """One statement: single values bare, lists in falling order, as the real provider writes them."""
    found: Statement = {"Sid": block.get("sid"), "Effect": block.get("effect") or "Allow"}
    for name, member in LISTS.items():
        found[member] = bare(sorted(block.get(name) or [], reverse=True))
    for name, member in PRINCIPALS.items():
        found[member] = principals(block.get(name) or [])
    found["Condition"] = conditions(block.get("condition") or [])
    return {name: found[name] for name in ORDER if found[name]}


def bare(items: list[str]) -> str | list[str]:
    return items[0] if len(items) == 1 else items


def principals(blocks: list[Values]) -> str | dict[str, Any]:
    by_type: dict[str, list[str]] = {}
    for block in blocks:
        by_type.setdefault(block["type"], []).extend(block["identifiers"])
    if by_type == {"*": ["*"]}:
        return "*"
    return {kind: bare(sorted(set(found), reverse=True)) for kind, found in sorted(by_type.items())}


def conditions(blocks: list[Values]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, list[str]]] = {}
    for block in blocks:
        found.setdefault(block["test"], {}).setdefault(block["variable"], []).extend(block["values"])
    return {
        test: {variable: bare(values) for variable, values in sorted(tests.items())}
        for test, tests in sorted(found.items())
    }


def statements_of(text: str) -> list[Statement]:
    found = json.loads(text).get("Statement", [])
    return found if isinstance(found, list) else [found]


def refuse_repeated(statements: list[Statement]) -> None:
    names = [item["Sid"] for item in statements if item.get("Sid")]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"duplicate Sid in source_policy_documents: {', '.join(repeated)}")


def merged(statements: list[Statement], more: list[Statement]) -> list[Statement]:
    """Statements with a Sid that is there already take its place; others are added."""
    done = list(statements)
    for item in more:
        place = next((at for at, old in enumerate(done) if item.get("Sid") and old.get("Sid") == item["Sid"]), None)
        if place is None:
            done.append(item)
        else:
            done[place] = item
    return done


SOURCES = {"aws_iam_policy_document": policy_document}
