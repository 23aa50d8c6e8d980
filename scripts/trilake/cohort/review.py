"""`trilake review`: studies and samples whose patient a person has to name, and the decisions about them.

Reads cohort.link as the caller; writes clinical.link_decision. `make review`.

Example: trilake review --accept 1.2.840.1=0b9c... --why "confirmed with the ward"
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import click

from trilake.cohort.decision import Order, Standing, decide, fault_of, split_words, stamp_after
from trilake.cohort.links import OBJECTS, decision_row, decisions, known_patients, open_cases, record, standings
from trilake.core.errors import InputError
from trilake.core.session import Session
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, verb

MOST_CASES = 50


@dataclass(frozen=True)
class Asked:
    """The options of one call."""

    accepted: tuple[str, ...] = ()
    rejected: tuple[str, ...] = ()
    why: str | None = None
    by: str | None = None
    modality: str | None = None
    reason: str | None = None
    history: bool = False
    persona: str | None = None

    @property
    def words(self) -> list[tuple[str, str]]:
        """(accept or reject, OBJECT[=PATIENT])"""
        return [("accept", one) for one in self.accepted] + [("reject", one) for one in self.rejected]


@click.command()
@click.option("--accept", "accepted", multiple=True, metavar="OBJECT=PATIENT", help="The object is this patient's.")
@click.option(
    "--reject", "rejected", multiple=True, metavar="OBJECT[=PATIENT]", help="It is not this patient's, or nobody's."
)
@click.option("--why", help="The reason, kept with the decision; name no patient in it.")
@click.option("--by", help="Who decides. [default: the caller of AWS]")
@click.option("--modality", type=click.Choice(list(OBJECTS)), help="Only objects of this kind.")
@click.option("--reason", help="Only cases with this reason: ambiguous, conflict, weak, evidence_changed ...")
@click.option("--history", is_flag=True, help="The decisions so far, in place of the open cases.")
@click.option("--as", "persona", help="List under this persona's role; decisions are the deployer's.")
@verb
@on_engine
def review(run: Run, **options: Any) -> None:
    """List links that wait for a person, or settle some: accepted and rejected ones are remembered over re-loads.

    Example: trilake review --accept 1.2.840.1=0b9c... --reject LAB000042
    """
    asked = Asked(**options)
    if asked.words and (asked.history or asked.persona):
        raise click.UsageError("--accept and --reject go without --history and --as")
    with run.session() as session:
        if asked.words:
            decided = settle(session, asked)
            run.emit({"decided": decided}, text=settled_in_words(decided))
        elif asked.history:
            rows = decisions(session)
            run.emit({"decisions": rows}, text=history_in_words(rows))
        else:
            cases = open_cases(session.as_persona(asked.persona), asked.modality, asked.reason)
            run.emit({"open": cases}, text=cases_in_words(cases))


def settle(session: Session, asked: Asked) -> list[dict[str, Any]]:
    """Record the decisions, all or none; one that is taken already is not recorded again.

    InputError lists every object and patient that is not known.
    """
    held = standings(session, {name for _, text in asked.words for name in (text, text.rsplit("=", 1)[0])})
    orders = [split_words(decision, text, {name for _, name in held}) for decision, text in asked.words]
    patients = known_patients(session, {order.patient_id for order in orders if order.patient_id})
    objects = [object_of(order, held, asked.modality) for order in orders]
    faults = [
        fault or fault_of(order, held[key], patients) for order, (key, fault) in zip(orders, objects, strict=True)
    ]
    if any(faults):
        listed = "\n  ".join(fault for fault in faults if fault)
        raise InputError(f"Nothing was decided:\n  {listed}", next_step="trilake review")
    caller = session.client("sts").get_caller_identity()["Arn"]
    by = f"{asked.by} ({caller})" if asked.by else caller
    rows, outcomes = [], []
    for order, (key, _) in zip(orders, objects, strict=True):
        after = decide(held[key], order)
        is_new = after != held[key]
        if is_new:
            at = stamp_after(held[key], datetime.now(UTC))
            rows.append(decision_row(key[0], order, after, why=asked.why, by=by, at=at))
            held[key] = replace(after, decided_at=at)
        is_candidate = order.patient_id is None or order.patient_id in held[key].candidates
        outcomes.append({"modality": key[0], **vars(order), "is_new": is_new, "is_candidate": is_candidate})
    if rows:
        record(session, rows)
    return outcomes


def object_of(
    order: Order, held: dict[tuple[str, str], Standing], modality: str | None
) -> tuple[tuple[str, str], str | None]:
    """The one object that an order names, or what is wrong with its name."""
    keys = [key for key in held if key[1] == order.object_id and modality in (None, key[0])]
    named = f"--{order.decision} {order.object_id}"
    if not keys:
        return ("", ""), f"{named}: no study or sample of this name is in the tables (make views after a load)"
    if len(keys) > 1:
        return ("", ""), f"{named}: a study and a sample have this name; say --modality imaging or genomic"
    return keys[0], None


def cases_in_words(cases: list[dict[str, Any]]) -> str:
    if not cases:
        return "No link waits for a person."
    rows = [
        [
            case["modality"],
            case["object_id"],
            case["reason"],
            one.get("patient_id"),
            one.get("link_method"),
            state(case, one),
        ]
        for case in cases[:MOST_CASES]
        for one in case["candidates"] or [{}]
    ]
    lines = [text_table(["modality", "object", "reason", "candidate", "found by", "so far"], rows)]
    if len(cases) > MOST_CASES:
        lines.append(f"the first {MOST_CASES} of {len(cases):,} cases: narrow with --reason, or use --json for all")
    n_decided = sum(case["awaits_views"] for case in cases)
    n_open = len(cases) - n_decided
    noun = "object waits" if n_open == 1 else "objects wait"
    lines += ["", f"{n_open:,} {noun} for a person: trilake review --accept OBJECT=PATIENT or --reject OBJECT"]
    if n_decided:
        lines.append(f"{n_decided:,} decided since; the tables follow with: trilake views")
    return "\n".join(lines)


def state(case: dict[str, Any], candidate: dict[str, Any]) -> str | None:
    if case["awaits_views"]:
        return "decided since"
    return "rejected" if candidate.get("verdict") == "refuse" else None


def settled_in_words(outcomes: list[dict[str, Any]]) -> str:
    rows = [
        [one["modality"], one["object_id"], one["decision"], one["patient_id"], "now" if one["is_new"] else "before"]
        for one in outcomes
    ]
    alone = [
        f"{one['object_id']}: no rule names this patient for it; it is by your word alone"
        for one in outcomes
        if one["decision"] == "accept" and not one["is_candidate"]
    ]
    table = text_table(["modality", "object", "decision", "patient", "recorded"], rows)
    return "\n".join([table, "", *alone, "The tables follow with: trilake views"])


def history_in_words(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "Nothing was decided so far."
    names = ("decided_at", "decided_by", "modality", "object_id", "decision", "patient_id", "why")
    return text_table(names, [[row[name] for name in names] for row in rows[-MOST_CASES:]])
