"""What a person decided about whom a study or a sample belongs to: its effect on the object, and its row in the lake.

A decision holds as long as the object's evidence is what it was; `linkage.object` applies the newest.

Example: decide(Standing("mrn=p1;mrn=p2"), Order("accept", "1.2.3", "p1")).accepted  ->  "p1"
"""

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa

from trilake.core.athena import run
from trilake.core.lakehouse.iceberg import append, open_table
from trilake.core.session import Session

DECISION = "linkage.decision"
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


@dataclass(frozen=True)
class Order:
    """One --accept or --reject. `patient_id` None: the whole object is meant."""

    decision: str
    object_id: str
    patient_id: str | None = None


@dataclass(frozen=True)
class Standing:
    """An object's evidence (`link_evidence`: method=patient, by semicolons), and what was decided on that evidence."""

    evidence: str
    accepted: str | None = None
    rejected: frozenset[str] = frozenset()
    decided_at: datetime | None = None
    """Of the newest decision on whatever evidence."""
    is_decided: bool = False

    @property
    def candidates(self) -> frozenset[str]:
        """The patients that the evidence names."""
        return frozenset(part.split("=", 1)[1] for part in self.evidence.split(";") if part)


def parse_order(decision: str, text: str, known: set[str]) -> Order:
    """`OBJECT` or `OBJECT=PATIENT`; an object's own name may hold an equals sign, a patient's id may not."""
    if text in known or "=" not in text:
        return Order(decision, text)
    object_id, patient_id = text.rsplit("=", 1)
    return Order(decision, object_id, patient_id or None)


def fault_of(order: Order, standing: Standing, patients: set[str]) -> str | None:
    """Why the order cannot be followed, in words; `patients` are the known ones among those named."""
    text = f"{order.object_id}={order.patient_id or ''}"
    if order.decision == "accept" and order.patient_id is None:
        return f"--accept {text}: no patient named; expected OBJECT=PATIENT"
    if order.decision == "accept" and order.patient_id not in patients:
        return f"--accept {text}: no patient has this id"
    if (
        order.decision == "reject"
        and order.patient_id is not None
        and order.patient_id not in standing.candidates | {standing.accepted}
    ):
        return f"--reject {text}: the patient is no candidate of the object"
    return None


def decide(standing: Standing, order: Order) -> Standing:
    """What the object is after the order."""
    patient = order.patient_id
    if order.decision == "accept":
        return replace(standing, accepted=patient, rejected=standing.rejected - {patient}, is_decided=True)
    rejected = standing.rejected | ({patient} if patient else standing.candidates | {standing.accepted})
    accepted = None if patient in (None, standing.accepted) else standing.accepted
    patients = frozenset(patient_id for patient_id in rejected if patient_id is not None)
    return replace(standing, accepted=accepted, rejected=patients, is_decided=True)


def stamp_after(standing: Standing, now: datetime) -> datetime:
    """A time for the next decision: now, or just after the newest one, since the newest holds and clocks disagree."""
    moment = now.astimezone(UTC).replace(tzinfo=None)
    if standing.decided_at is not None and standing.decided_at >= moment:
        return standing.decided_at + timedelta(microseconds=1)
    return moment


def standings(session: Session, object_ids: set[str]) -> dict[tuple[str, str], Standing]:
    """(modality, object) -> its evidence and what was decided on it, of those that are in the lake."""
    rows = select_among(
        session, "SELECT modality, object_id, link_evidence FROM linkage.object WHERE object_id IN", object_ids
    )
    by_object = {(modality, object_id): Standing(evidence) for modality, object_id, evidence in rows}
    for row in decisions(session, object_ids):
        key = (row["modality"], row["object_id"])
        if key in by_object:
            by_object[key] = with_decision(by_object[key], row)
    return by_object


def with_decision(standing: Standing, row: dict[str, Any]) -> Standing:
    """The standing under a decision; on other evidence it leaves its time alone. Rows come oldest first."""
    if row["evidence"] != standing.evidence:
        return Standing(standing.evidence, decided_at=row["decided_at"])
    rejected = frozenset(row["rejected_patient_ids"] or [])
    return Standing(standing.evidence, row["accepted_patient_id"], rejected, row["decided_at"], is_decided=True)


def known_patients(session: Session, patient_ids: set[str]) -> set[str]:
    """Those of the ids that a patient has."""
    rows = select_among(session, "SELECT patient_id FROM clinical.patient WHERE patient_id IN", patient_ids)
    return {row[0] for row in rows}


def select_among(session: Session, start: str, values: set[str]) -> list[list[Any]]:
    """Rows of a query that ends in `IN`, over the values as bound parameters."""
    if not values:
        return []
    marks = ", ".join("?" for _ in values)
    literals = ["'" + value.replace("'", "''") + "'" for value in sorted(values)]
    return run(session, f"{start} ({marks})", parameters=literals).rows


def decisions(session: Session, object_ids: set[str] | None = None) -> list[dict[str, Any]]:
    """Rows of linkage.decision, oldest first."""
    rows = open_table(session, DECISION).scan().to_arrow().sort_by("decided_at").to_pylist()
    return [row for row in rows if object_ids is None or row["object_id"] in object_ids]


def record(session: Session, rows: list[dict[str, Any]]) -> None:
    """Append decisions, in one commit."""
    append(session, DECISION, pa.Table.from_pylist(rows, schema=SCHEMA))


def decision_row(
    modality: str, order: Order, after: Standing, *, why: str | None, by: str, at: datetime
) -> dict[str, Any]:
    """A row of linkage.decision."""
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
