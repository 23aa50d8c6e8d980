"""The plan review: what a Terraform plan would do to access, stores, keys and policies, in words.

Offline and without credentials: it needs the JSON of a plan (and of a state, if there is one) and the contract. What a
plan leaves unknown, and what is not read here, is listed and never passed as harmless.

Example: terraform show -json plan.out > plan.json && trilake plan-review plan.json --out review.md
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from trilake.core.contract import load_contract, sensitivity_classes
from trilake.core.errors import EXIT_REFUSALS, InputError
from trilake.core.verb import Run, verb
from trilake.governance.plan_access import ALL_ROWS, Effect, Naming, Reach, effects, naming, reach, ungranted_filters
from trilake.governance.plan_findings import (
    Finding,
    admin_findings,
    cost_findings,
    iam_findings,
    open_findings,
    protection_findings,
    store_findings,
    unknown_policies,
    wildcard_findings,
)
from trilake.governance.plan_json import Plan, Values, read_plan

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


FULL_NAMES = 3
"""Columns up to which each is named in full; more are listed behind the table's name."""
MOST_COLUMNS = 6
"""Columns of one class that a sentence names before it counts the rest."""


def sentences(effect: Effect) -> Iterator[str]:
    """What changes for one persona on one table."""
    who = f"{effect.persona} would"
    if effect.gains:
        yield f"{who} gain {columns_in_words(effect.table, effect.gains)}, rows: {effect.rows_gained}"
    if effect.loses:
        yield f"{who} lose {columns_in_words(effect.table, effect.loses)}"
    for change in effect.rows:
        yield f"{who} see other rows of {effect.table}: {change.before} becomes {change.after}"


def columns_in_words(table: str, grouped: dict[str, tuple[str, ...]]) -> str:
    """`genomic.variant.calls (GT)`, or `genomic.variant: calls, depth, phased, ps (GT); names (AN)`."""
    if sum(len(columns) for columns in grouped.values()) <= FULL_NAMES:
        return ", ".join(f"{table}.{column} ({name})" for name, columns in grouped.items() for column in columns)
    return f"{table}: " + "; ".join(f"{enumerate_some(columns)} ({name})" for name, columns in grouped.items())


def enumerate_some(columns: tuple[str, ...]) -> str:
    rest = len(columns) - MOST_COLUMNS
    return ", ".join(columns) if rest <= 1 else f"{', '.join(columns[:MOST_COLUMNS])} and {rest} more"


def sensitive_in_words(effect: Effect) -> str:
    """A warning for a gain of sensitive classes."""
    classes = ", ".join(f"{name} ({sensitivity_classes()[name]})" for name in effect.sensitive)
    new = "the new persona " if effect.is_new else ""
    return f"{new}{effect.persona} would see {classes} in {effect.table}"


def dropped_rules(effect: Effect) -> Iterator[str]:
    """Tables that a persona would see whole, where a rule held it back before."""
    if any(change.after == ALL_ROWS for change in effect.rows):
        yield f"{effect.persona} would see {effect.table} of every patient"


def sections(review: Review) -> Iterator[tuple[str, list[str]]]:
    """Titles with their lines, most urgent first; empty ones left out."""
    everything = (
        ("Blocks until someone decides", [item.text for item in review.blocking]),
        ("Access that would change", [line for effect in review.effects for line in sentences(effect)]),
        ("Sensitive classes gained", [sensitive_in_words(effect) for effect in review.effects if effect.sensitive]),
        ("Row rules that fall away", [line for effect in review.effects for line in dropped_rules(effect)]),
        ("Catalog permissions that would change", list(review.permissions)),
        ("Worth a look", [item.text for item in review.findings if not item.blocks]),
        ("Cannot be known from this plan", list(gaps(review))),
    )
    return ((title, lines) for title, lines in everything if lines)


def gaps(review: Review) -> Iterator[str]:
    """What could not be resolved, by reason, with the addresses it holds for."""
    for reason in dict.fromkeys(item.text for item in review.unresolved):
        addresses = [item.address for item in review.unresolved if item.text == reason and item.address]
        yield f"{reason}: {', '.join(addresses)}" if addresses else reason


def verdict(review: Review) -> str:
    counts = ", ".join(f"{number} {verb}" for verb, number in review.counts.items()) or "no resource changes"
    if review.blocking:
        return f"Blocked: {len(review.blocking)} to decide. Resources: {counts}."
    if not review.effects and not review.permissions and not review.unresolved:
        return f"Nobody gains or loses access. Resources: {counts}."
    return f"Nothing blocks. Resources: {counts}."


def as_text(review: Review) -> str:
    lines = ["Plan review", verdict(review)]
    for title, entries in sections(review):
        lines += ["", title, *(f"  {entry}" for entry in entries)]
    return "\n".join([*lines, *causes(review)])


def causes(review: Review) -> list[str]:
    """Why access changes; nothing where all of it is new, as on a first deployment."""
    changed = [effect for effect in review.effects if any(not cause.endswith("is created") for cause in effect.because)]
    lines = [f"  {effect.persona} on {effect.table}: {'; '.join(effect.because)}" for effect in changed]
    return ["", "Why access changes", *lines] if lines else []


def as_markdown(review: Review) -> str:
    """For a pull request: the verdict, the sections, and the cause of each change of access below them."""
    lines = ["## Plan review", "", f"**{verdict(review)}**"]
    for title, entries in sections(review):
        lines += ["", f"### {title}", *(f"- {entry}" for entry in entries)]
    if review.effects:
        lines += ["", "<details><summary>Why: resources behind each change of access</summary>", ""]
        lines += ["| Persona | Table | Because |", "|---|---|---|"]
        lines += [f"| {item.persona} | {item.table} | {'<br>'.join(item.because)} |" for item in review.effects]
        lines += ["", "</details>"]
    return "\n".join([*lines, ""])


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
    result = review(read_json(plan), read_json(before) if before else None)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(as_markdown(result))
        run.say(f"Wrote {out}")
    run.emit(result.as_dict(), text=as_text(result))
    if result.blocking:
        context.exit(EXIT_REFUSALS)


def read_json(path: Path) -> Values:
    try:
        content: Values = json.loads(path.read_text())
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(f"{path} cannot be read as JSON: {error}", next_step="terraform show -json PLANFILE") from None
    if not isinstance(content, dict):
        raise InputError(f"{path} holds a {type(content).__name__}; expected the object of `terraform show -json`")
    return content
