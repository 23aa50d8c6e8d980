"""What a person decided about whom a study or a sample belongs to, and what that leaves of its candidates. Pure.

A decision holds as long as the object's evidence is what it was; `imaging.study` and `genomic.sample` apply the newest.

Example: decide(Standing("mrn=p1;mrn=p2"), Order("accept", "1.2.3", "p1")).accepted  ->  "p1"
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta


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


def split_words(decision: str, words: str, known: set[str]) -> Order:
    """`OBJECT` or `OBJECT=PATIENT`; an object's own name may hold an equals sign, a patient's id may not."""
    if words in known or "=" not in words:
        return Order(decision, words)
    object_id, patient_id = words.rsplit("=", 1)
    return Order(decision, object_id, patient_id or None)


def fault_of(order: Order, standing: Standing, patients: set[str]) -> str | None:
    """Why the order cannot be followed, in words; `patients` are the known ones among those named."""
    named = f"{order.object_id}={order.patient_id or ''}"
    if order.decision == "accept" and order.patient_id is None:
        return f"--accept {named}: no patient named; expected OBJECT=PATIENT"
    if order.decision == "accept" and order.patient_id not in patients:
        return f"--accept {named}: no patient has this id"
    if (
        order.decision == "reject"
        and order.patient_id is not None
        and order.patient_id not in standing.candidates | {standing.accepted}
    ):
        return f"--reject {named}: the patient is no candidate of the object"
    return None


def decide(standing: Standing, order: Order) -> Standing:
    """What the object is after the order."""
    patient = order.patient_id
    if order.decision == "accept":
        return replace(standing, accepted=patient, rejected=standing.rejected - {patient}, is_decided=True)
    rejected = standing.rejected | ({patient} if patient else standing.candidates | {standing.accepted})
    accepted = None if patient in (None, standing.accepted) else standing.accepted
    kept = frozenset(one for one in rejected if one is not None)
    return replace(standing, accepted=accepted, rejected=kept, is_decided=True)


def stamp_after(standing: Standing, now: datetime) -> datetime:
    """A time for the next decision: now, or just after the newest one where clocks disagree."""
    moment = now.astimezone(UTC).replace(tzinfo=None)
    if standing.decided_at is not None and standing.decided_at >= moment:
        return standing.decided_at + timedelta(microseconds=1)
    return moment
