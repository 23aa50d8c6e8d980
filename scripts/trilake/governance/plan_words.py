"""The plan review in words: for a terminal and, as Markdown, for a pull request.

Example: as_markdown(review(plan))
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from trilake.core.contract import sensitivity_classes
from trilake.governance.plan_access import ALL_ROWS
from trilake.governance.plan_effects import Effect

if TYPE_CHECKING:
    from trilake.governance.plan_review import Review

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


def sections(review: "Review") -> Iterator[tuple[str, list[str]]]:
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


def gaps(review: "Review") -> Iterator[str]:
    """What could not be resolved, by reason, with the addresses it holds for."""
    for reason in dict.fromkeys(item.text for item in review.unresolved):
        addresses = [item.address for item in review.unresolved if item.text == reason and item.address]
        yield f"{reason}: {', '.join(addresses)}" if addresses else reason


def verdict(review: "Review") -> str:
    counts = ", ".join(f"{number} {verb}" for verb, number in review.counts.items()) or "no resource changes"
    if review.blocking:
        return f"Blocked: {len(review.blocking)} to decide. Resources: {counts}."
    if not review.effects and not review.permissions and not review.unresolved:
        return f"Nobody gains or loses access. Resources: {counts}."
    return f"Nothing blocks. Resources: {counts}."


def as_text(review: "Review") -> str:
    lines = ["Plan review", verdict(review)]
    for title, entries in sections(review):
        lines += ["", title, *(f"  {entry}" for entry in entries)]
    return "\n".join([*lines, *causes(review)])


def causes(review: "Review") -> list[str]:
    """Why access changes; nothing where all of it is new, as on a first deployment."""
    told = [effect for effect in review.effects if any(not cause.endswith("is created") for cause in effect.because)]
    lines = [f"  {effect.persona} on {effect.table}: {'; '.join(effect.because)}" for effect in told]
    return ["", "Why access changes", *lines] if lines else []


def as_markdown(review: "Review") -> str:
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
