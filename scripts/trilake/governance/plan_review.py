"""The plan review: what a Terraform plan would do to access, stores, keys and policies, in words.

Reads the JSON of a plan (and of a state, if given) and the contract's classes; no account, no credentials, no network.
What the plan leaves unknown is listed, never passed. `make plan` ends in it; `make plan-review` runs it alone.

Example: terraform show -json plan.out > plan.json && trilake plan-review plan.json --out review.md
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from trilake.core.contract import load_contract
from trilake.core.errors import EXIT_REFUSALS, InputError
from trilake.core.verb import Run, verb
from trilake.governance.plan_access import Reach, reach, ungranted_filters
from trilake.governance.plan_effects import Effect, Naming, effects, naming
from trilake.governance.plan_json import Plan, Values, read_plan
from trilake.governance.plan_principals import (
    admin_findings,
    iam_findings,
    open_findings,
    unknown_policies,
    wildcard_findings,
)
from trilake.governance.plan_stores import Finding, cost_findings, protection_findings, store_findings
from trilake.governance.plan_words import as_markdown, as_text, sentences

NOT_COVERED = {
    "aws_lakeformation_resource_lf_tag": "LF-Tags",
    "aws_lakeformation_resource_lf_tags": "LF-Tags",
    "aws_lakeformation_opt_in": "hybrid-mode opt-ins",
    "aws_quicksight_data_set": "QuickSight's own row and column rules",
    "aws_ram_resource_share": "shares with other accounts",
    "awscc_lakeformation_principal_permissions": "grants through awscc",
    "awscc_lakeformation_data_cells_filter": "filters through awscc",
}


@dataclass(frozen=True)
class Review:
    """All that the review has to say. `blocking` is the part of `findings` on which someone must decide."""

    effects: tuple[Effect, ...]
    permissions: tuple[str, ...]
    findings: tuple[Finding, ...]
    unresolved: tuple[Finding, ...]
    counts: dict[str, int]

    @property
    def blocking(self) -> tuple[Finding, ...]:
        return tuple(item for item in self.findings if item.blocks)

    def as_dict(self) -> dict[str, Any]:
        """The review as one object: changes, blocking, unresolved; then permissions, findings, resources by action."""
        return {
            "changes": [change_as_dict(effect) for effect in self.effects],
            "blocking": [{"text": item.text, "address": item.address} for item in self.blocking],
            "unresolved": [{"text": item.text, "address": item.address} for item in self.unresolved],
            "permissions": list(self.permissions),
            "findings": [{"text": item.text, "address": item.address} for item in self.findings if not item.blocks],
            "resources": self.counts,
        }


def change_as_dict(effect: Effect) -> dict[str, Any]:
    return {
        "text": list(sentences(effect)),
        **asdict(effect),
        "sensitive": list(effect.sensitive),
    }


def review(plan: Values, before: Values | None = None) -> Review:
    """The review of a plan's JSON, held against a state's JSON where given. InputError when they are not that."""
    parsed = read_plan(plan, before)
    contract = load_contract()
    old, new = reach(parsed, 0), reach(parsed, 1)
    return Review(
        effects=tuple(effects(parsed, contract)),
        permissions=tuple(permission_changes(old, new, naming(parsed, contract))),
        findings=tuple(findings(parsed, old, new)),
        unresolved=tuple(unresolved(parsed, new)),
        counts=parsed.counts,
    )


def findings(plan: Plan, before: Reach, after: Reach) -> Iterator[Finding]:
    yield from store_findings(plan)
    yield from admin_findings(plan)
    yield from open_findings(plan, before, after)
    yield from protection_findings(plan)
    yield from iam_findings(plan)
    yield from wildcard_findings(plan)
    yield from cost_findings(plan)
    for address in ungranted_filters(plan):
        yield Finding("A filter that nothing is granted on restricts nobody", address)


def unresolved(plan: Plan, after: Reach) -> Iterator[Finding]:
    """What could not be judged; a reader must not take it for harmless."""
    yield from (Finding(gap, "") for gap in plan.gaps)
    for address, why in sorted(after.unresolved.items()):
        yield Finding(why, address)
    for address in unknown_policies(plan):
        yield Finding("a policy whose text is known only after apply", address)
    for change in plan.of_type(*NOT_COVERED):
        if change.changes:
            yield Finding(f"{NOT_COVERED[change.type]} are not read", change.address)


def permission_changes(before: Reach, after: Reach, names: Naming) -> Iterator[str]:
    """Permissions other than reading tables: who may list, make, change or drop what."""
    for principal, resource in sorted(before.other.keys() | after.other.keys()):
        old, new = (side.other.get((principal, resource), frozenset()) for side in (before, after))
        if new - old:
            yield f"{names.persona(principal)} would gain {', '.join(sorted(new - old))} on {resource}"
        if old - new:
            yield f"{names.persona(principal)} would lose {', '.join(sorted(old - new))} on {resource}"


def read_json(path: Path) -> Values:
    try:
        content: Values = json.loads(path.read_text())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}", next_step="terraform show -json PLANFILE") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}; expected the object of `terraform show -json`")
    return content


@click.command(name="plan-review")
@verb
@click.argument("plan", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--before", type=click.Path(dir_okay=False, path_type=Path), help="State JSON to hold the plan against.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write the review as Markdown.")
@click.pass_context
def plan_review(context: click.Context, run: Run, plan: Path, before: Path | None, out: Path | None) -> None:
    """Who would gain or lose which rows and columns, and what else a plan would do. Ends with 3 when something blocks.

    PLAN is the output of `terraform show -json PLANFILE`.

    Example: trilake plan-review plan.json --out review.md
    """
    found = review(read_json(plan), read_json(before) if before else None)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(as_markdown(found))
        run.say(f"Wrote {out}")
    run.emit(found.as_dict(), text=as_text(found))
    if found.blocking:
        context.exit(EXIT_REFUSALS)
