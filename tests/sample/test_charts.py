"""The FHIR files: valid R4 by fhirclient, whole (every reference leads somewhere), and in two styles."""

import base64
import re
from collections import Counter
from datetime import datetime
from typing import Any

from fhirclient.models import fhirelementfactory

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def references(value: Any):
    """Every reference that leads out of its resource."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str) and not value["reference"].startswith("#"):
            yield value["reference"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_every_resource_is_valid_r4(written) -> None:
    for resource in [*written.resources, *written.bundles]:
        built = fhirelementfactory.FHIRElementFactory.instantiate(resource["resourceType"], resource)
        assert built.as_json()["resourceType"] == resource["resourceType"]


def test_nothing_is_empty(written) -> None:
    def walk(value: Any) -> None:
        assert value not in (None, "", [], {})
        for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(item)

    for resource in written.resources:
        walk(resource)


def test_ids_are_unique_and_every_reference_leads_somewhere(written) -> None:
    names = Counter(f"{resource['resourceType']}/{resource['id']}" for resource in written.resources)
    assert set(names.values()) == {1}
    assert all(UUID.fullmatch(name.split("/")[1]) for name in names)
    seen_references = {
        f"{resource['resourceType']}?identifier={identifier['system']}|{identifier['value']}"
        for resource in written.of_type("Practitioner", "Organization")
        for identifier in resource["identifier"]
    }
    for bundle in written.bundles:
        own = {entry["fullUrl"] for entry in bundle["entry"]}
        assert own == {f"urn:uuid:{entry['resource']['id']}" for entry in bundle["entry"]}
        assert set(references(bundle)) <= own | seen_references
    in_bundles = {id(entry["resource"]) for bundle in written.bundles for entry in bundle["entry"]}
    for resource in written.resources:
        if id(resource) not in in_bundles:
            assert set(references(resource)) <= set(names)


def test_bundles_are_transactions_of_one_patient_within_the_quota(written) -> None:
    for bundle in written.bundles:
        kinds = Counter(entry["resource"]["resourceType"] for entry in bundle["entry"])
        assert bundle["type"] == "transaction"
        assert kinds["Patient"] == 1
        assert len(bundle["entry"]) <= 500
        assert all(entry["request"]["url"] == entry["resource"]["resourceType"] for entry in bundle["entry"])


def test_the_two_styles_are_both_there_and_half_the_patients_each(written) -> None:
    n_bundles = len(written.bundles)
    n_lines = len((written.out / "fhir/ndjson/Patient.ndjson").read_text().splitlines())
    assert n_bundles + n_lines == 100
    assert 35 <= n_bundles <= 65
    systems = Counter(study["identifier"][0]["system"] for study in written.of_type("ImagingStudy"))
    assert set(systems) == {"urn:dicom:uid", "urn:ietf:rfc:3986"}
    codes = Counter(c["code"]["coding"][0]["code"] for c in written.of_type("Condition"))
    assert codes["38341003"] >= 3
    assert codes["59621000"] > codes["38341003"]


def test_times_are_in_order(written) -> None:
    for visit in written.of_type("Encounter"):
        assert when(visit["period"]["start"]) < when(visit["period"]["end"])
    for condition in written.of_type("Condition"):
        if "onsetDateTime" not in condition:
            continue
        onset, recorded = condition["onsetDateTime"], condition["recordedDate"]
        assert onset[:4] <= recorded[:4]
        if len(onset) > 4:
            assert onset[:10] <= recorded[:10]
        if "abatementDateTime" in condition:
            assert when(recorded) < when(condition["abatementDateTime"])
            assert condition["clinicalStatus"]["coding"][0]["code"] == "resolved"


def test_every_patient_has_visits_and_all_measurements_before_any_onset(written) -> None:
    onsets: dict[str, str] = {}
    for row in written.table("outcomes"):
        if row["label"]:
            day = row["onset_date"].isoformat()
            onsets[row["patient_id"]] = min(day, onsets.get(row["patient_id"], day))
    seen: dict[str, set[str]] = {}
    for observation in written.of_type("Observation"):
        patient = observation["subject"]["reference"].removeprefix("urn:uuid:").removeprefix("Patient/")
        if observation.get("effectiveDateTime", "9999")[:10] < onsets.get(patient, "2019-01-01"):
            seen.setdefault(patient, set()).add(observation["code"]["coding"][0]["code"])
    panel = {"85354-9", "39156-5", "2093-3", "18262-6", "4548-4", "72166-2", "8867-4", "2951-2"}
    assert len(seen) == 100
    assert all(panel <= codes for codes in seen.values())


def test_treatments_follow_the_diagnosis(written) -> None:
    recorded = {
        (row["patient_id"], row["outcome"]): row["recorded_date"].isoformat()
        for row in written.table("outcomes")
        if row["label"]
    }
    drugs = {"314076": "hypertension", "312961": "coronary_heart_disease", "997223": "alzheimers_disease"}
    n = 0
    for order in written.of_type("MedicationRequest"):
        drug = order.get("medicationCodeableConcept")
        outcome = drugs.get(drug["coding"][0]["code"]) if drug else None
        if outcome:
            patient = order["subject"]["reference"].removeprefix("urn:uuid:").removeprefix("Patient/")
            assert order["authoredOn"][:10] >= recorded[patient, outcome]
            n += 1
    assert n > 50


def test_notes_decode_to_text_that_names_the_patient_and_says_synthetic(written) -> None:
    families = {row["patient_id"]: row["family_name"] for row in written.table("patients")}
    for document in written.of_type("DocumentReference"):
        attachment = document["content"][0]["attachment"]
        text = base64.b64decode(attachment["data"], validate=True)
        patient = document["subject"]["reference"].removeprefix("urn:uuid:").removeprefix("Patient/")
        assert len(text) == attachment["size"]
        assert text.startswith(b"SYNTHETIC NOTE")
        assert families[patient] in text.decode()


def test_everything_says_synthetic(written) -> None:
    for resource in [*written.resources, *written.bundles]:
        assert resource["meta"]["tag"][0]["code"] == "synthetic"


def test_the_official_name_is_not_always_the_first(written) -> None:
    firsts = Counter(patient["name"][0]["use"] for patient in written.of_type("Patient"))
    assert firsts["official"] > 50
    assert firsts["nickname"] + firsts["old"] > 10
