"""Speed of the governed tables: what one more patient costs, beside a rebuild, in a lake and in one of twice the size.

Patients, their identifiers and observations, as HealthLake stores them, filled by the product's own SQL and merges.
The cost of a change that does not grow with the lake is the figure's point: seconds are of processor time.

Example: python -m bench --only tables
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.figure import Data, Figure, beside, busy, halves
from bench.lake import a_lake, work
from localaws import LocalAws
from localaws.healthlake.shape import shape
from localaws.healthlake.stamps import text_of
from localaws.healthlake.tables import append_rows
from trilake.core.session import Session
from trilake.operations.filling import Filled, fill
from trilake.operations.incremental import Lookout

N_OBSERVATIONS, PER_PATIENT = 100_000, 50
TABLES = ("clinical.patient", "clinical.patient_identifier", "clinical.observation")


def tables(data: Data) -> Iterator[Figure]:
    """One more patient with as many observations as everyone has, in a lake and in one of twice the size."""
    for n in halves(data.size(N_OBSERVATIONS)):
        with a_lake(data.folder / f"tables-{n}", TABLES) as (aws, session):
            datastore = session.settings.clinical.datastore_id
            put(aws, datastore, 0, n)
            busy(lambda: refresh(session))
            idle, rebuilt = busy(lambda: refresh(session)), busy(lambda: refresh(session, full=True))
            put(aws, datastore, n, n + PER_PATIENT)
            merged = busy(lambda: expect_merged(session))
            others = f"{beside('nothing changed', idle)}; {beside('rebuild', rebuilt)}"
            yield Figure(f"one more patient beside {n:,}", PER_PATIENT, "observations", merged, others)


def put(aws: LocalAws, datastore: str, first: int, last: int) -> None:
    """Observations, and the patients that come with them, stamped by the service's clock."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    people = [
        {"resourceType": "Patient", "id": f"p{i}", "identifier": [{"system": "urn:x", "value": str(i)}]}
        for i in range(-(-first // PER_PATIENT), -(-last // PER_PATIENT))
    ]
    for kind, resources in (("Patient", people), ("Observation", [observation(i) for i in range(first, last)])):
        stamped = [
            shape(kind).row({**one, "meta": {"lastUpdated": text_of(start + timedelta(seconds=first + place))}})
            for place, one in enumerate(resources)
        ]
        append_rows(aws.world, datastore, kind, stamped)


def observation(i: int) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"o{i}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2093-3"}], "text": "Cholesterol"},
        "subject": {"reference": f"Patient/p{i // PER_PATIENT}"},
        "effectiveDateTime": "2020-01-02T03:04:05Z",
        "valueQuantity": {"value": 100 + i % 150, "unit": "mg/dL", "code": "mg/dL"},
    }


def refresh(session: Session, *, full: bool = False) -> list[Filled]:
    """The three tables brought up to date, in the order of what reads what."""
    lookout = Lookout(session)
    return [fill(work(session, lookout, name), full=full) for name in TABLES]


def expect_merged(session: Session) -> None:
    """What is measured is a merge, not a rebuild that passes for one."""
    assert [filled.how for filled in refresh(session)] == ["merged"] * len(TABLES)


BENCHMARKS = {"tables": tables}
