"""Entries of Bundles stand alone after conversion: ids that FHIR allows, references that name them."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from tests.clinical.builders import a_bundle, a_condition, a_patient, an_observation
from trilake.clinical.bundles import Names, conditional_target, references
from trilake.clinical.preflight import Checked, check
from trilake.clinical.reading import expand
from trilake.clinical.rules import ID

UUID = "5cbc121b-cd71-4428-b8b7-31e53eba8184"


def converted(bundle: dict[str, Any]) -> list[Checked]:
    return [check(record) for record in expand(bundle, b"", None)]


def resources(checked: list[Checked]) -> list[dict[str, Any]]:
    return [orjson.loads(one.data) for one in checked]


def test_urn_references_become_type_and_id() -> None:
    bundle = a_bundle(a_patient(UUID), an_observation("o1", f"urn:uuid:{UUID}"))
    assert resources(converted(bundle))[1]["subject"] == {"reference": f"Patient/{UUID}"}


def test_a_reference_may_come_before_its_target_and_lie_deep() -> None:
    inner = {"extension": [{"url": "u", "valueReference": {"reference": f"urn:uuid:{UUID}"}}]}
    bundle = a_bundle(an_observation("o1", f"urn:uuid:{UUID}", **inner), a_patient(UUID))
    assert set(references(resources(converted(bundle))[0])) == {f"Patient/{UUID}"}


def test_an_entry_without_id_takes_the_one_of_its_full_url() -> None:
    patient = a_patient()
    del patient["id"]
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"fullUrl": f"urn:uuid:{UUID}", "resource": patient}],
    }
    (checked,) = converted(bundle)
    assert (checked.id, checked.warnings) == (UUID, [])


def test_an_entry_without_any_id_gets_the_same_one_each_time_with_a_warning() -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient"}}]}
    first, second = (converted(orjson.loads(orjson.dumps(bundle)))[0] for _ in range(2))
    assert first.id == second.id
    assert [warning.code for warning in first.warnings] == ["FHIR_ID_MAPPED"]


def test_a_forbidden_id_is_mapped_and_references_follow() -> None:
    bundle = a_bundle(a_patient("patient_1"), an_observation("o1", "Patient/patient_1"))
    patient, observation = converted(bundle)
    assert ID.fullmatch(patient.id) and patient.id != "patient_1"
    assert [warning.code for warning in patient.warnings] == ["FHIR_ID_MAPPED"]
    assert orjson.loads(observation.data)["subject"]["reference"] == f"Patient/{patient.id}"


def test_contained_and_outside_references_stay() -> None:
    kept = ["#inner", "https://other.example/fhir/Patient/9", "Patient/elsewhere"]
    bundle = a_bundle(*(an_observation(f"o{n}", text) for n, text in enumerate(kept)))
    assert [one["subject"]["reference"] for one in resources(converted(bundle))] == kept


def test_a_server_address_that_is_an_entry_becomes_type_and_id() -> None:
    bundle = a_bundle(a_patient("p1"), an_observation("o1", "https://server.example/fhir/Patient/p1"))
    bundle["entry"][0]["fullUrl"] = "https://server.example/fhir/Patient/p1"
    assert resources(converted(bundle))[1]["subject"]["reference"] == "Patient/p1"


def test_faults_are_placed_in_the_bundle() -> None:
    (_, broken) = converted(a_bundle(a_patient("p1"), a_patient("p2", gender="Male")))
    assert [fault.path for fault in broken.faults] == ["Bundle.entry[1].resource.gender"]


def test_a_second_version_in_one_bundle_is_refused_and_an_equal_one_is_not() -> None:
    checked = converted(a_bundle(a_condition("c1"), a_condition("c1"), a_condition("c1", onsetDateTime="2016")))
    assert [[fault.code for fault in one.faults] for one in checked] == [[], [], ["FHIR_TWICE_IN_BUNDLE"]]


def test_a_history_may_hold_versions() -> None:
    checked = converted(a_bundle(a_condition("c1"), a_condition("c1", onsetDateTime="2016"), kind="history"))
    assert [one.faults for one in checked] == [[], []]


def test_conditional_references_are_taken_apart() -> None:
    assert conditional_target("Practitioner?identifier=http://x|99") == ("Practitioner", "http://x|99")
    assert conditional_target("Practitioner?name=Smith") is None
    assert conditional_target("Practitioner/1") is None


ENTRIES = st.lists(
    st.none()
    | st.text()
    | st.fixed_dictionaries(
        {},
        optional={
            "fullUrl": st.text(max_size=8) | st.integers(-(2**53), 2**53),
            "resource": st.dictionaries(
                st.sampled_from(["resourceType", "id", "identifier", "subject", "reference"]),
                st.sampled_from(["Patient", "Bundle", 1, None, {}, [], {"reference": "urn:uuid:a"}]),
            ),
        },
    ),
    max_size=4,
)


@given(ENTRIES)
def test_any_entries_give_one_record_each_and_no_crash(entries: list[Any]) -> None:
    bundle = {"resourceType": "Bundle", "entry": entries}
    assert len(converted(bundle)) == len(entries)
    Names(entries)
