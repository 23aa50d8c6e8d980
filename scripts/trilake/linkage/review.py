"""`trilake review`: studies and samples whose patient a person has to name, and the decisions about them.

Open cases are read as the caller or a persona; decisions are the deployer's.

Example: trilake review --accept 1.2.840.1=0b9c... --why "confirmed with the ward"
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import click

from trilake.core.athena import run as run_query
from trilake.core.errors import InputError
from trilake.core.session import Session
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, verb
from trilake.linkage.decision import (
    Order,
    Standing,
    decide,
    decision_row,
    decisions,
    fault_of,
    known_patients,
    parse_order,
    record,
    stamp_after,
    standings,
)

MODALITIES = ("imaging", "genomic")
MOST_CASES = 50
CASE = ("modality", "object_id", "reason", "decided_by", "decided_at", "awaits_views")


@dataclass(frozen=True)
class Options:
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
    def orders(self) -> list[tuple[str, str]]:
        """(accept or reject, OBJECT[=PATIENT])"""
        return [("accept", text) for text in self.accepted] + [("reject", text) for text in self.rejected]


@click.command()
@click.option("--accept", "accepted", multiple=True, metavar="OBJECT=PATIENT", help="The object is this patient's.")
@click.option(
    "--reject", "rejected", multiple=True, metavar="OBJECT[=PATIENT]", help="It is not this patient's, or nobody's."
)
@click.option("--why", help="The reason, kept with the decision; name no patient in it.")
@click.option("--by", help="Who decides. [default: the caller of AWS]")
@click.option("--modality", type=click.Choice(MODALITIES), help="Only objects of this kind.")
@click.option("--reason", help="Only cases with this reason: ambiguous, conflict, weak, evidence_changed ...")
@click.option("--history", is_flag=True, help="The decisions so far, in place of the open cases.")
@click.option("--as", "persona", help="List under this persona's role; decisions are the deployer's.")
@verb
@on_engine
def review(run: Run, **words: Any) -> None:
    """List links that wait for a person, or settle some: accepted and rejected ones are remembered over re-loads.

    Example: trilake review --accept 1.2.840.1=0b9c... --reject LAB000042
    """
    options = Options(**words)
    if options.orders and (options.history or options.persona):
        raise click.UsageError("--accept and --reject go without --history and --as")
    with run.session() as session:
        if options.orders:
            decided = settle(session, options)
            run.emit({"decided": decided}, text=settled_in_words(decided))
        elif options.history:
            rows = decisions(session)
            run.emit({"decisions": rows}, text=history_in_words(rows))
        else:
            cases = open_cases(session.as_persona(options.persona), options.modality, options.reason)
            run.emit({"open": cases}, text=cases_in_words(cases))


def open_cases(caller: Session, modality: str | None = None, reason: str | None = None) -> list[dict[str, Any]]:
    """Objects that wait for a person, with their candidates by id and the rules that lead to each.

    `awaits_views`: somebody decided since the tables were brought up to date.
    """
    answer = run_query(
        caller,
        """
        SELECT link.modality, link.object_id, link.reason, link.patient_id, link.link_method, link.verdict,
            link.decided_by, link.decided_at,
            coalesce(newest.decided_at > coalesce(link.decided_at, timestamp '1970-01-01 00:00:00'), false)
                AS awaits_views
        FROM linkage.link
        INNER JOIN (SELECT DISTINCT modality, object_id FROM linkage.link WHERE verdict = 'review') AS waiting
            ON link.modality = waiting.modality AND link.object_id = waiting.object_id
        LEFT JOIN (
            SELECT modality, object_id, max(decided_at) AS decided_at
            FROM linkage.decision
            GROUP BY modality, object_id
        ) AS newest
            ON link.modality = newest.modality AND link.object_id = newest.object_id
        ORDER BY link.modality, link.object_id, link.candidate_index
        """,
    )
    cases: dict[tuple[str, str], dict[str, Any]] = {}
    for row in answer.records():
        case = cases.setdefault(
            (row["modality"], row["object_id"]), {**{name: row[name] for name in CASE}, "candidates": []}
        )
        if row["patient_id"] is not None:
            case["candidates"].append({name: row[name] for name in ("patient_id", "link_method", "verdict")})
    return [
        case for case in cases.values() if modality in (None, case["modality"]) and reason in (None, case["reason"])
    ]


def settle(session: Session, options: Options) -> list[dict[str, Any]]:
    """Record the decisions, all or none; one that is taken already is not recorded again.

    InputError lists every object and patient that is not known.
    """
    by_object = standings(session, {name for _, text in options.orders for name in (text, text.rsplit("=", 1)[0])})
    orders = [
        parse_order(decision, text, {object_id for _, object_id in by_object}) for decision, text in options.orders
    ]
    patients = known_patients(session, {order.patient_id for order in orders if order.patient_id})
    objects = [object_of(order, by_object, options.modality) for order in orders]
    faults = [
        fault or fault_of(order, by_object[key], patients) for order, (key, fault) in zip(orders, objects, strict=True)
    ]
    if any(faults):
        listed = "\n  ".join(fault for fault in faults if fault)
        raise InputError(f"Nothing was decided:\n  {listed}", next_step="trilake review")
    caller = session.client("sts").get_caller_identity()["Arn"]
    by = f"{options.by} ({caller})" if options.by else caller
    rows, outcomes = [], []
    for order, (key, _) in zip(orders, objects, strict=True):
        after = decide(by_object[key], order)
        is_new = after != by_object[key]
        if is_new:
            at = stamp_after(by_object[key], datetime.now(UTC))
            rows.append(decision_row(key[0], order, after, why=options.why, by=by, at=at))
            by_object[key] = replace(after, decided_at=at)
        is_candidate = order.patient_id is None or order.patient_id in by_object[key].candidates
        outcomes.append({"modality": key[0], **vars(order), "is_new": is_new, "is_candidate": is_candidate})
    if rows:
        record(session, rows)
    return outcomes


def object_of(
    order: Order, by_object: dict[tuple[str, str], Standing], modality: str | None
) -> tuple[tuple[str, str], str | None]:
    """The one object that an order names, or what is wrong with its name."""
    keys = [key for key in by_object if key[1] == order.object_id and modality in (None, key[0])]
    option = f"--{order.decision} {order.object_id}"
    if not keys:
        return ("", ""), f"{option}: no study or sample of this name is in the tables (make views after a load)"
    if len(keys) > 1:
        return ("", ""), f"{option}: a study and a sample have this name; say --modality imaging or genomic"
    return keys[0], None


def cases_in_words(cases: list[dict[str, Any]]) -> str:
    if not cases:
        return "No link waits for a person."
    rows = [
        [
            case["modality"],
            case["object_id"],
            case["reason"],
            candidate.get("patient_id"),
            candidate.get("link_method"),
            progress(case, candidate),
        ]
        for case in cases[:MOST_CASES]
        for candidate in case["candidates"] or [{}]
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


def progress(case: dict[str, Any], candidate: dict[str, Any]) -> str | None:
    if case["awaits_views"]:
        return "decided since"
    return "rejected" if candidate.get("verdict") == "refuse" else None


def settled_in_words(outcomes: list[dict[str, Any]]) -> str:
    rows = [
        [row["modality"], row["object_id"], row["decision"], row["patient_id"], "now" if row["is_new"] else "before"]
        for row in outcomes
    ]
    by_word_alone = [
        f"{row['object_id']}: no rule names this patient for it; it is by your word alone"
        for row in outcomes
        if row["decision"] == "accept" and not row["is_candidate"]
    ]
    table = text_table(["modality", "object", "decision", "patient", "recorded"], rows)
    return "\n".join([table, "", *by_word_alone, "The tables follow with: trilake views"])


def history_in_words(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "Nothing was decided so far."
    names = ("decided_at", "decided_by", "modality", "object_id", "decision", "patient_id", "why")
    return text_table(names, [[row[name] for name in names] for row in rows[-MOST_CASES:]])
