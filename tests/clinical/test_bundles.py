"""Entries of Bundles stand alone after conversion: ids that FHIR allows, references that name them."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from fhir_r4.primitives import ID
from tests.clinical.builders import a_bundle, a_condition, a_patient, an_observation, check_document
from trilake.clinical.documents import conditional_target, references
from trilake.clinical.preflight import Checked, Checker
from trilake.clinical.reading import Piece

UUID = "5cbc121b-cd71-4428-b8b7-31e53eba8184"


def converted(bundle: dict[str, Any]) -> list[Checked]:
    return check_document(bundle)


def resources(checked: list[Checked]) -> list[dict[str, Any]]:
    return [orjson.loads(one.data) for one in checked]


def test_urn_references_become_type_and_id() -> None:
    bundle = a_bundle(a_patient(UUID), an_observation("o1", f"urn:uuid:{UUID}"))
    assert resources(converted(bundle))[1]["subject"] == {"reference": f"Patient/{UUID}"}


def test_a_reference_may_come_before_its_target_and_lie_deep() -> None:
    inner = {"extension": [{"url": "http://u.example", "valueReference": {"reference": f"urn:uuid:{UUID}"}}]}
    bundle = a_bundle(an_observation("o1", f"urn:uuid:{UUID}", **inner), a_patient(UUID))
    assert set(references(converted(bundle)[0].data)) == {f"Patient/{UUID}".encode()}


def test_an_entry_without_id_takes_the_one_of_its_full_url() -> None:
    patient = a_patient()
    del patient["id"]
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"fullUrl": f"urn:uuid:{UUID}", "resource": patient}],
    }
    (checked,) = converted(bundle)
    assert (checked.id, [fault.code for fault in checked.warnings]) == (UUID, ["FHIR_BUNDLE"])


def test_an_entry_without_any_id_gets_the_same_one_each_time_with_a_warning() -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": {"resourceType": "Patient"}}]}
    first, second = (converted(orjson.loads(orjson.dumps(bundle)))[0] for _ in range(2))
    assert first.id == second.id
    assert "FHIR_ID_MAPPED" in [warning.code for warning in first.warnings]


def test_a_forbidden_id_is_mapped_and_references_follow() -> None:
    bundle = a_bundle(a_patient("patient_1"), an_observation("o1", "Patient/patient_1"))
    patient, observation = converted(bundle)
    assert ID.fullmatch(patient.id) and patient.id != "patient_1"
    assert "FHIR_ID_MAPPED" in [warning.code for warning in patient.warnings]
    assert patient.given_id == "patient_1"
    assert orjson.loads(observation.data)["subject"]["reference"] == f"Patient/{patient.id}"


def test_contained_and_outside_references_stay() -> None:
    kept = ["#inner", "https://other.example/fhir/Patient/9", "Patient/elsewhere"]
    inner = {"contained": [a_patient("inner")]}
    bundle = a_bundle(*(an_observation(f"o{n}", text, **inner if n == 0 else {}) for n, text in enumerate(kept)))
    assert [one["subject"]["reference"] for one in resources(converted(bundle))] == kept
    assert resources(converted(bundle))[0]["contained"] == [a_patient("inner")]


def test_numbers_keep_their_digits_through_a_bundle() -> None:
    text = orjson.dumps(a_bundle(an_observation("o1", valueQuantity={"value": 7777}))).replace(b"7777", b"1.10")
    huge = text.replace(b"1.10", b"123456789012345678901234567890.120")
    assert [b"1.10" in one.data for one in check_document(text)] == [True]
    assert [b"123456789012345678901234567890.120" in one.data for one in check_document(huge)] == [True]
    forbidden = text.replace(b'"id":"o1"', b'"id":"o_1"')
    assert [b"1.10" in one.data and one.given_id == "o_1" for one in check_document(forbidden)] == [True]


def test_what_the_bundle_itself_breaks_is_a_warning_of_its_first_entry() -> None:
    checked = converted(a_bundle(a_patient("p1"), a_patient("p2"), kind="nonsense"))
    assert [one.faults for one in checked] == [[], []]
    assert ("FHIR_BUNDLE", "Bundle.type") in [(one.code, one.path) for one in checked[0].warnings]
    assert checked[1].warnings == []
    request = {"request": {"method": "PUT", "url": "Patient/p1"}}
    sound = {"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": a_patient("p1"), **request}]}
    assert converted(sound)[0].warnings == []


def test_an_array_of_resources_is_read_item_by_item() -> None:
    assert [one.id for one in check_document([a_patient("p1"), a_patient("p2")])] == ["p1", "p2"]


def test_values_one_after_another_are_read_one_by_one_and_a_broken_one_is_refused() -> None:
    whole = [orjson.dumps(a_patient(id=f"p{n}"), option=orjson.OPT_INDENT_2) for n in range(2)]
    bundle = orjson.dumps(a_bundle(a_patient(id="p2"), a_patient(id="p3")))
    batch = Checker().piece(Piece(0, b"\n".join([*whole, bundle, b'{"resourceType": "Patient",\n}'])))
    assert [(one.entry, one.id) for one in batch.checked] == [(0, "p0"), (1, "p1"), (2, "p2"), (3, "p3"), (4, "")]
    assert [fault.code for one in batch.checked for fault in one.faults] == ["FHIR_NOT_JSON"]


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
