"""FHIR files through the importer into the laptop's HealthLake: what is loaded, what the service refuses."""

from pathlib import Path

import orjson
import pytest

from localaws.healthlake.imports import REFUSE_TAG
from tests.clinical.builders import a_bundle, a_condition, a_patient, an_observation, ndjson
from trilake.clinical.importer import Importer
from trilake.core.athena import run
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.ledger import FileOutcome
from trilake.core.quarantine import Quarantine, fetch_item
from trilake.core.recognise import Kind
from trilake.core.session import Session

SITE = "https://trilake.example/site"


class Loads:
    """One importer call after another on one lake, each an ingest run of its own."""

    def __init__(self, session: Session, folder: Path) -> None:
        self.session, self.folder, self.number = session, folder, 0

    def __call__(self, **contents: bytes) -> dict[str, FileOutcome]:
        self.number += 1
        folder = self.folder / str(self.number)
        folder.mkdir()
        files = []
        for name, content in contents.items():
            path = folder / name
            path.write_bytes(content)
            files.append(
                SourceFile(name, path, f"{self.number:032x}{hash(name) % 16**32:032x}", len(content), Kind.FHIR)
            )
        quarantine = Quarantine(f"run-{self.number}", folder)
        outcomes = Importer().load(
            self.session, files, IngestRun(quarantine.ingest_id, lambda text: None, quarantine, folder)
        )
        quarantine.store(self.session)
        for outcome in outcomes:
            outcome.check()
        return {outcome.file: outcome for outcome in outcomes}


@pytest.fixture
def load(lake: Session, tmp_path: Path) -> Loads:
    return Loads(lake, tmp_path)


def stored(session: Session, table: str, resource_id: str, column: str) -> list[str | None]:
    """A column of every row that the store has of a resource, oldest first."""
    text = f"SELECT {column} AS found FROM healthlake.{table} WHERE id = '{resource_id}' ORDER BY meta.lastupdated"
    return [row[0] for row in run(session, text).rows]


def test_references_find_their_target_in_another_file(load: Loads, lake: Session) -> None:
    organization = {"resourceType": "Organization", "id": "org-north", "name": "North"}
    organization["identifier"] = [{"system": SITE, "value": "north"}]  # type: ignore[assignment]
    patient = a_patient("ref-p1", managingOrganization={"reference": f"Organization?identifier={SITE}|north"})
    observation = an_observation("ref-o1", "urn:uuid:ref-p1")
    outcomes = load(bundle=orjson.dumps(a_bundle(patient)), sites=ndjson(organization), lines=ndjson(observation))
    assert [outcome.loaded for outcome in outcomes.values()] == [1, 1, 1]
    assert {reason.code for outcome in outcomes.values() for reason in outcome.reasons} <= {"FHIR_BUNDLE"}
    assert stored(lake, "patient", "ref-p1", "managingorganization.reference") == ["Organization/org-north"]
    assert stored(lake, "observation", "ref-o1", "subject.reference") == ["Patient/ref-p1"]


def test_a_reference_without_target_is_kept_and_warned_of(load: Loads, lake: Session) -> None:
    wanted = "Organization?identifier=https://nowhere.example|x"
    outcome = load(file=ndjson(a_patient("alone", managingOrganization={"reference": wanted})))["file"]
    assert (outcome.status, outcome.loaded, outcome.warnings) == ("loaded", 1, 1)
    assert [reason.code for reason in outcome.reasons] == ["FHIR_REFERENCE_UNRESOLVED"]
    assert stored(lake, "patient", "alone", "managingorganization.reference") == [wanted]


def test_what_the_service_refuses_is_quarantined_under_its_own_line(load: Loads, lake: Session) -> None:
    good = {"resourceType": "Encounter", "id": "good", "status": "finished", "class": {"code": "AMB"}}
    bad = {**good, "id": "bad", "meta": {"tag": [dict(zip(("system", "code"), REFUSE_TAG, strict=True))]}}
    outcome = load(file=b"\n" + ndjson(good, a_patient("svc-p1"), bad))["file"]
    assert (outcome.status, outcome.loaded, outcome.quarantined) == ("partial", 2, 1)
    (reason,) = outcome.reasons
    assert (reason.code, reason.line) == ("SERVICE_REFUSED", 4)
    assert orjson.loads(fetch_item(lake, reason.item))["id"] == "bad"


def test_a_second_load_adds_nothing_and_a_newer_version_one(load: Loads, lake: Session) -> None:
    assert load(file=ndjson(a_condition("twice")))["file"].loaded == 1
    assert load(file=ndjson(a_condition("twice")))["file"].duplicate == 1
    assert load(file=ndjson(a_condition("twice", onsetDateTime="2016")))["file"].loaded == 1
    assert stored(lake, "condition", "twice", "onsetdatetime") == ["2015", "2016"]


def test_going_back_to_an_earlier_content_is_a_new_version(load: Loads, lake: Session) -> None:
    for onset in ("2015", "2016", "2015"):
        assert load(file=ndjson(a_condition("back", onsetDateTime=onset)))["file"].loaded == 1


def test_files_of_refused_records_alone_start_no_job(load: Loads, lake: Session) -> None:
    client = lake.client("healthlake")
    store = lake.settings.clinical.datastore_id
    before = len(client.list_fhir_import_jobs(DatastoreId=store)["ImportJobPropertiesList"])
    outcome = load(file=b"{}\n" + ndjson(a_patient("no job", gender="Male")))["file"]
    assert (outcome.status, outcome.quarantined) == ("refused", 2)
    assert len(client.list_fhir_import_jobs(DatastoreId=store)["ImportJobPropertiesList"]) == before


def test_what_the_store_holds_is_found_however_few_ids_are_looked_for_at_once(
    load: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trilake.clinical.held.IDS_AT_ONCE", 2)
    patients = [a_patient(f"many{number}") for number in range(5)]
    assert load(file=ndjson(*patients, a_condition("many")))["file"].loaded == 6
    again = load(file=ndjson(*patients, a_patient("many5"), a_condition("many")))["file"]
    assert (again.duplicate, again.loaded) == (6, 1)


def test_a_reference_to_nothing_in_the_load_or_the_store_is_a_warning(load: Loads) -> None:
    first = load(file=ndjson(a_patient("here"), an_observation("o-here", "Patient/here")))["file"]
    assert (first.loaded, first.warnings) == (2, 0)
    later = load(file=ndjson(an_observation("o-later", "Patient/here"), an_observation("o-lost", "Patient/nowhere")))
    (reason,) = later["file"].reasons
    assert (reason.code, reason.line, reason.is_warning) == ("FHIR_REFERENCE_UNRESOLVED", 2, True)
    assert reason.path == "Observation.subject.reference"


def test_of_many_unresolved_references_the_first_are_told_and_the_rest_counted(
    load: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trilake.clinical.staging.TOLD", 2)
    outcome = load(file=ndjson(*(an_observation(f"lost{n}", "Patient/lost") for n in range(5))))["file"]
    assert [reason.found for reason in outcome.reasons] == ["1 of them", "1 of them", "in 3 more resources"]


def test_an_id_that_was_replaced_is_recorded_with_its_new_one(load: Loads, lake: Session) -> None:
    bundle = a_bundle(a_patient("patient_7"), an_observation("map-o1", "Patient/patient_7"), kind="collection")
    assert load(file=orjson.dumps(bundle))["file"].loaded == 2
    key = f"clinical/mapped_ids/run-{load.number}.ndjson"
    body = lake.client("s3").get_object(Bucket=lake.settings.core.raw_bucket, Key=key)["Body"].read()
    (mapped,) = [orjson.loads(line) for line in body.splitlines()]
    assert (mapped["resourceType"], mapped["given"]) == ("Patient", "patient_7")
    assert stored(lake, "observation", "map-o1", "subject.reference") == [f"Patient/{mapped['loadedAs']}"]


def test_a_load_beyond_the_quotas_becomes_several_jobs(
    load: Loads, lake: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trilake.clinical.staging.JOB_FILES", 1)
    before = n_jobs(lake)
    bad = a_condition("quota-bad", meta={"tag": [dict(zip(("system", "code"), REFUSE_TAG, strict=True))]})
    outcome = load(file=ndjson(a_patient("quota-p"), bad, a_condition("quota-c"), an_observation("quota-o")))["file"]
    assert (outcome.loaded, outcome.quarantined) == (3, 1)
    assert n_jobs(lake) - before == 3
    assert load(file=ndjson(a_patient("quota-p"), an_observation("quota-o")))["file"].duplicate == 2


def test_a_throttled_and_full_service_is_waited_for(load: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trilake.clinical.staging.JOB_FILES", 1)
    monkeypatch.setattr("localaws.healthlake.imports.MAX_STARTS_A_SECOND", 1)
    outcome = load(file=ndjson(a_patient("slow-p"), a_condition("slow-c"), an_observation("slow-o")))["file"]
    assert outcome.loaded == 3


def test_decimals_arrive_with_their_digits(load: Loads, lake: Session) -> None:
    text = ndjson(an_observation("digits", valueQuantity={"value": 7777})).replace(b"7777", b"0.100000000000000000001")
    assert load(file=text)["file"].loaded == 1
    pages = lake.client("s3").get_paginator("list_objects_v2")
    found = pages.paginate(Bucket=lake.settings.core.raw_bucket, Prefix="clinical/staged/")
    bodies = [
        lake.client("s3").get_object(Bucket=lake.settings.core.raw_bucket, Key=one["Key"])["Body"].read()
        for page in found
        for one in page["Contents"]
        if "Observation" in one["Key"]
    ]
    assert any(b"0.100000000000000000001" in body for body in bodies)


def n_jobs(session: Session) -> int:
    store = session.settings.clinical.datastore_id
    answer = session.client("healthlake").list_fhir_import_jobs(DatastoreId=store, MaxResults=500)
    return len(answer["ImportJobPropertiesList"])
