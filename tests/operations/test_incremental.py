"""The law of incremental building: after any loads, changes and deletions, in any order, tables hold what a rebuild
would hold; and where little changed, little is done."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws.healthlake.rows import schema, shape
from tests.lake import NAMES
from tests.sql.cases import comparable
from trilake.core.athena import run
from trilake.core.contract import load_contract
from trilake.core.lakehouse.iceberg import open_catalog, open_table
from trilake.core.session import Session
from trilake.core.sql import DIALECT, load_relations
from trilake.operations.changes import PROPERTY, read_last_build
from trilake.operations.refresh import Built, missing_sources, refresh, without_missing

DATABASE = "test_healthlake"
TYPES = ("Patient", "Organization", "Consent", "Condition", "Observation", "Medication", "MedicationRequest")
CONSENT = "https://trilake.example/consent"
SITE = "https://trilake.example/site"
CHECKED = (
    "clinical.patient",
    "clinical.patient_identifier",
    "clinical.site",
    "clinical.condition",
    "clinical.observation",
    "clinical.medication",
    "clinical.medication_request",
    "clinical.consent",
    "clinical.coding",
)
PEOPLE = st.sampled_from(["p1", "p2", "p3"])
WORDS = st.sampled_from(["a", "b"])


def subject(people: str, by: str) -> dict[str, Any]:
    return {"identifier": {"system": "urn:x:mrn", "value": by}} if by != "-" else {"reference": f"Patient/{people}"}


def patient(name: str, site: str, mrn: str) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": name,
        "identifier": [{"system": "urn:x:mrn", "value": mrn}],
        "managingOrganization": {"reference": f"Organization/{site}"},
    }


def organization(name: str, site: str) -> dict[str, Any]:
    return {"resourceType": "Organization", "id": name, "identifier": [{"system": SITE, "value": site}]}


def consent(name: str, people: str, permits: bool) -> dict[str, Any]:
    rules = [{"type": "permit", "code": [{"coding": [{"system": CONSENT, "code": "genomic"}]}]}]
    return {
        "resourceType": "Consent",
        "id": name,
        "status": "active",
        "scope": {"coding": [{"code": "research"}]},
        "patient": {"reference": f"Patient/{people}"},
        "provision": {"type": "permit" if permits else "deny", "provision": rules},
    }


def condition(name: str, people: str, by: str, codes: list[str]) -> dict[str, Any]:
    code = {"coding": [{"code": one} for one in codes]} if codes else {"text": "words"}
    return {"resourceType": "Condition", "id": name, "subject": subject(people, by), "code": code}


def observation(name: str, people: str, parts: int) -> dict[str, Any]:
    component = [{"code": {"coding": [{"code": f"c{n}"}]}, "valueInteger": n} for n in range(parts)]
    found = {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "code": {"text": "x"},
        "subject": subject(people, "-"),
    }
    return {**found, "component": component} if component else found


def medication(name: str, code: str) -> dict[str, Any]:
    return {"resourceType": "Medication", "id": name, "code": {"coding": [{"code": code}]}}


def request(name: str, people: str, drug: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": name,
        "status": "active",
        "intent": "order",
        "medicationReference": {"reference": f"Medication/{drug}"},
        "subject": subject(people, "-"),
    }


BY = st.sampled_from(["-", "-", "-", "1", "2"])
RESOURCES = st.one_of(
    st.builds(patient, PEOPLE, WORDS, st.sampled_from(["1", "2", "3"])),
    st.builds(organization, WORDS, st.sampled_from(["north", "south"])),
    st.builds(consent, st.sampled_from(["k1", "k2"]), PEOPLE, st.booleans()),
    st.builds(condition, st.sampled_from(["x", "y"]), PEOPLE, BY, st.lists(WORDS, max_size=3)),
    st.builds(observation, st.sampled_from(["x", "y"]), PEOPLE, st.integers(0, 2)),
    st.builds(medication, WORDS, WORDS),
    st.builds(request, st.sampled_from(["r", "s"]), PEOPLE, WORDS),
)
LOADS = st.lists(st.tuples(RESOURCES, st.booleans()), min_size=1, max_size=5)
"""Resources, each stored or (True) deleted."""


class Store:
    """HealthLake's tables, appended to as the service does, without its jobs."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.second = 0

    def put(self, resource: dict[str, Any], *, is_gone: bool = False) -> None:
        self.second += 1
        stamp = f"2026-01-01T{self.second // 3600:02d}:{self.second // 60 % 60:02d}:{self.second % 60:02d}.000000Z"
        kind = resource["resourceType"]
        if is_gone:
            row = {"id": resource["id"], "meta": {"lastupdated": stamp}}
        else:
            row = shape(kind).row({**resource, "meta": {"lastUpdated": stamp}})
        table = open_table(self.session, f"healthlake.{kind.lower()}")
        table.append(rows_of(row, table))


def rows_of(row: dict[str, Any], table: Any) -> Any:
    return pa.Table.from_pylist([row], schema=table.schema().as_arrow())


@pytest.fixture(scope="module")
def store(lake: Session) -> Iterator[Store]:
    """A store that has a table of each type; its database is the lake's own, so that tests may append to it."""
    lake.client("glue").create_database(DatabaseInput={"Name": DATABASE})
    catalog = open_catalog(lake)
    with patch("trilake.core.catalog.resolve_healthlake", return_value=DATABASE):
        for kind in TYPES:
            place = f"s3://{NAMES['lake']}/raw/{kind.lower()}"
            catalog.create_table((DATABASE, kind.lower()), schema(kind), location=place)
        found = Store(lake)
        for resource in (patient("p0", "a", "0"), organization("a", "north"), condition("x0", "p0", "-", ["a"])):
            found.put(resource)
        refresh(lake, say=str)
        yield found


def rebuilt(session: Session, name: str) -> list[dict[str, Any]]:
    relation = load_relations()[name]
    tree = without_missing(relation.tree, missing_sources(session, relation))
    return run(session, tree.sql(dialect=DIALECT, comments=False)).records()


def held(session: Session, name: str) -> list[dict[str, Any]]:
    return run(session, f"SELECT * FROM {name}").records()


def assert_equal_to_a_rebuild(session: Session) -> None:
    for name in CHECKED:
        rows = rebuilt(session, name)
        columns = list(rows[0]) if rows else []
        assert comparable(held(session, name), columns) == comparable(rows, columns), name


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(loads=st.lists(LOADS, min_size=1, max_size=2))
def test_what_is_merged_equals_a_rebuild(store: Store, loads: list[Any]) -> None:
    for load in loads:
        for resource, is_gone in load:
            store.put(resource, is_gone=is_gone)
        refresh(store.session, say=str)
    assert_equal_to_a_rebuild(store.session)


def built(store: Store, *resources: dict[str, Any]) -> Built:
    for resource in resources:
        store.put(resource)
    return refresh(store.session, say=str)


def test_a_new_condition_touches_conditions_and_codings_only(store: Store) -> None:
    built(store)
    found = built(store, condition("fresh", "p0", "-", ["a", "b"]))
    changed = {name for name, how in found.how.items() if how != "unchanged"}
    assert changed == {"clinical.condition", "clinical.coding", "cohort.discordance"}
    assert found.how["clinical.condition"] == "merged"
    assert_equal_to_a_rebuild(store.session)


def test_a_withdrawn_consent_reaches_every_row_of_the_patient(store: Store) -> None:
    built(store, patient("p9", "a", "9"), condition("c9", "p9", "-", ["a"]), observation("o9", "p9", 1))
    seen = "SELECT DISTINCT consent_research FROM clinical.observation WHERE patient_id = 'p9'"
    built(store, consent("k9", "p9", True))
    assert run(store.session, seen).rows == [[True]]
    found = built(store, consent("k9", "p9", False))
    assert run(store.session, seen).rows == [[False]]
    assert (found.how["clinical.observation"], found.how["clinical.patient"]) == ("merged", "merged")
    assert_equal_to_a_rebuild(store.session)


def late(store: Store) -> None:
    """A row that comes after newer ones."""
    before, store.second = store.second, 1
    store.put(condition("late", "p0", "-", ["a"]))
    store.second = before


def tampered(store: Store) -> None:
    run(store.session, "DELETE FROM clinical.condition WHERE condition_id = 'x0'")


@pytest.mark.parametrize("disturb", [late, tampered])
def test_what_cannot_be_told_from_what_is_new_is_rebuilt(store: Store, disturb: Callable[[Store], None]) -> None:
    built(store)
    disturb(store)
    found = built(store, condition("after", "p0", "-", ["b"]))
    assert found.how["clinical.condition"] == "rebuilt"
    assert_equal_to_a_rebuild(store.session)


def test_the_state_is_of_the_table_as_it_was_left(store: Store) -> None:
    built(store)
    table = open_table(store.session, "clinical.condition")
    state = read_last_build(table)
    assert state is not None
    assert state.rows == len(held(store.session, "clinical.condition"))
    assert PROPERTY in table.properties
    run(store.session, "DELETE FROM clinical.condition WHERE condition_id = 'x0'")
    assert read_last_build(open_table(store.session, "clinical.condition")) is None


def test_every_clinical_table_says_what_keeps_it_current() -> None:
    for name, relation in load_relations().items():
        if name.startswith("clinical.") and relation.kind == "table":
            sources = {source.table for source in load_contract()[name].kept_current_by}
            assert sources == {read for read in relation.reads if read.startswith("healthlake.")}, name
