"""The review queue in the lake: open cases of cohort.link, objects with their evidence, decisions read and recorded.

Reads cohort.link, imaging.study, genomic.sample, clinical.patient; appends to clinical.link_decision. `make review`.

Example: open_cases(session.as_persona("data_steward"))
"""

import secrets
from datetime import datetime
from typing import Any

import pyarrow as pa

from trilake.cohort.decision import Order, Standing
from trilake.core.athena import run
from trilake.core.iceberg import append, open_table
from trilake.core.session import Session

DECISION = "clinical.link_decision"
OBJECTS = {"imaging": ("imaging.study", "study_instance_uid"), "genomic": ("genomic.sample", "sample_id")}
CASE = ("modality", "object_id", "reason", "decided_by", "decided_at", "awaits_views")
SCHEMA = pa.schema(
    [
        ("decision_id", pa.string()),
        ("modality", pa.string()),
        ("object_id", pa.string()),
        ("decision", pa.string()),
        ("patient_id", pa.string()),
        ("accepted_patient_id", pa.string()),
        ("rejected_patient_ids", pa.list_(pa.string())),
        ("evidence", pa.string()),
        ("why", pa.string()),
        ("decided_by", pa.string()),
        ("decided_at", pa.timestamp("us")),
    ]
)


def open_cases(caller: Session, modality: str | None = None, reason: str | None = None) -> list[dict[str, Any]]:
    """Objects that wait for a person, with their candidates by id and the rules that lead to each.

    `awaits_views`: somebody decided since the tables were brought up to date.
    """
    answer = run(
        caller,
        """
        SELECT link.modality, link.object_id, link.reason, link.patient_id, link.link_method, link.verdict,
            link.decided_by, link.decided_at,
            coalesce(newest.decided_at > coalesce(link.decided_at, timestamp '1970-01-01 00:00:00'), false)
                AS awaits_views
        FROM cohort.link
        INNER JOIN (SELECT DISTINCT modality, object_id FROM cohort.link WHERE verdict = 'review') AS waiting
            ON link.modality = waiting.modality AND link.object_id = waiting.object_id
        LEFT JOIN (
            SELECT modality, object_id, max(decided_at) AS decided_at
            FROM clinical.link_decision
            GROUP BY modality, object_id
        ) AS newest
            ON link.modality = newest.modality AND link.object_id = newest.object_id
        ORDER BY link.modality, link.object_id, link.candidate_index
        """,
    )
    cases: dict[tuple[str, str], dict[str, Any]] = {}
    for row in answer.records():
        about = {name: row[name] for name in CASE}
        case = cases.setdefault((row["modality"], row["object_id"]), {**about, "candidates": []})
        if row["patient_id"] is not None:
            case["candidates"].append({name: row[name] for name in ("patient_id", "link_method", "verdict")})
    return [
        case for case in cases.values() if modality in (None, case["modality"]) and reason in (None, case["reason"])
    ]


def standings(session: Session, object_ids: set[str]) -> dict[tuple[str, str], Standing]:
    """(modality, object) -> its evidence and what was decided on it, of those that are in the lake."""
    found = {}
    for modality, (table, column) in OBJECTS.items():
        for object_id, evidence in ask(
            session, f"SELECT DISTINCT {column}, link_evidence FROM {table} WHERE {column} IN", object_ids
        ):
            found[modality, object_id] = Standing(evidence)
    for row in decisions(session, object_ids):
        key = (row["modality"], row["object_id"])
        if key in found:
            found[key] = with_decision(found[key], row)
    return found


def with_decision(standing: Standing, row: dict[str, Any]) -> Standing:
    """The standing under a decision; on other evidence it leaves its time alone. Rows come oldest first."""
    if row["evidence"] != standing.evidence:
        return Standing(standing.evidence, decided_at=row["decided_at"])
    rejected = frozenset(row["rejected_patient_ids"] or [])
    return Standing(standing.evidence, row["accepted_patient_id"], rejected, row["decided_at"], is_decided=True)


def known_patients(session: Session, patient_ids: set[str]) -> set[str]:
    """Those of the ids that a patient has."""
    return {row[0] for row in ask(session, "SELECT patient_id FROM clinical.patient WHERE patient_id IN", patient_ids)}


def ask(session: Session, start: str, values: set[str]) -> list[list[Any]]:
    """Rows of a query that ends in `IN`, over the values as bound parameters."""
    if not values:
        return []
    marks = ", ".join("?" for _ in values)
    literals = ["'" + value.replace("'", "''") + "'" for value in sorted(values)]
    return run(session, f"{start} ({marks})", parameters=literals).rows


def decisions(session: Session, object_ids: set[str] | None = None) -> list[dict[str, Any]]:
    """Rows of clinical.link_decision, oldest first."""
    rows = open_table(session, DECISION).scan().to_arrow().sort_by("decided_at").to_pylist()
    return [row for row in rows if object_ids is None or row["object_id"] in object_ids]


def record(session: Session, rows: list[dict[str, Any]]) -> None:
    """Append decisions, in one commit."""
    append(session, DECISION, pa.Table.from_pylist(rows, schema=SCHEMA))


def decision_row(
    modality: str, order: Order, after: Standing, *, why: str | None, by: str, at: datetime
) -> dict[str, Any]:
    """A row of clinical.link_decision."""
    return {
        "decision_id": f"{at:%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}",
        "modality": modality,
        "object_id": order.object_id,
        "decision": order.decision,
        "patient_id": order.patient_id,
        "accepted_patient_id": after.accepted,
        "rejected_patient_ids": sorted(after.rejected),
        "evidence": after.evidence,
        "why": why,
        "decided_by": by,
        "decided_at": at,
    }
