"""Each rule of the FHIR preflight: what breaks it, where it says so, and that it tells no patient's value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.clinical.builders import a_condition, a_patient, an_observation
from trilake.clinical.r4.definitions import resource_types
from trilake.clinical.rules import faults_of
from trilake.core.ledger import shape

BROKEN: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown type": ({"resourceType": "Pateint", "id": "a"}, "FHIR_UNKNOWN_TYPE", "resourceType"),
    "abstract type": ({"resourceType": "DomainResource", "id": "a"}, "FHIR_UNKNOWN_TYPE", "resourceType"),
    "no type": ({"id": "a"}, "FHIR_UNKNOWN_TYPE", "resourceType"),
    "a module that is no type": ({"resourceType": "Fhirdate", "id": "a"}, "FHIR_UNKNOWN_TYPE", "resourceType"),
    "no id": ({"resourceType": "Patient"}, "FHIR_ID_MISSING", "Patient.id"),
    "id with a blank": (a_patient("a b"), "FHIR_ID_FORM", "Patient.id"),
    "id too long": (a_patient("a" * 65), "FHIR_ID_FORM", "Patient.id"),
    "id a number": ({"resourceType": "Patient", "id": 7}, "FHIR_WRONG_TYPE", "Patient.id"),
    "unknown element": (a_patient(sex="f"), "FHIR_ELEMENT_UNKNOWN", "Patient.sex"),
    "unknown nested element": (a_patient(name=[{"first": "A"}]), "FHIR_ELEMENT_UNKNOWN", "Patient.name[0].first"),
    "required element": ({"resourceType": "Encounter", "id": "e"}, "FHIR_ELEMENT_MISSING", "Encounter.status"),
    "required nested element": (
        a_patient(link=[{"other": {"reference": "Patient/b"}}]),
        "FHIR_ELEMENT_MISSING",
        "Patient.link[0].type",
    ),
    "text for a list": (a_patient(name="Ann"), "FHIR_WRONG_TYPE", "Patient.name"),
    "text for an object": (a_condition(code="59621000"), "FHIR_WRONG_TYPE", "Condition.code"),
    "text for a boolean": (a_patient(active="true"), "FHIR_WRONG_TYPE", "Patient.active"),
    "boolean for a whole number": (
        a_patient(multipleBirthInteger=True),
        "FHIR_WRONG_TYPE",
        "Patient.multipleBirthInteger",
    ),
    "fraction for a whole number": (
        a_patient(multipleBirthInteger=1.5),
        "FHIR_WRONG_TYPE",
        "Patient.multipleBirthInteger",
    ),
    "empty object": (an_observation(valueQuantity={}), "FHIR_EMPTY", "Observation.valueQuantity"),
    "empty list": (a_patient(name=[]), "FHIR_EMPTY", "Patient.name"),
    "empty text": (a_patient(gender=""), "FHIR_EMPTY", "Patient.gender"),
    "null": (a_patient(birthDate=None), "FHIR_EMPTY", "Patient.birthDate"),
    "null in a list without companion": (a_patient(name=[{"given": [None]}]), "FHIR_EMPTY", "Patient.name[0].given[0]"),
    "two values": (an_observation(valueString="high"), "FHIR_CHOICE", "Observation.value[x]"),
    "day that is none": (a_patient(birthDate="2023-02-30"), "FHIR_DATE", "Patient.birthDate"),
    "local date form": (a_patient(birthDate="01.03.1950"), "FHIR_DATE", "Patient.birthDate"),
    "time without zone": (a_condition(recordedDate="2020-01-01T10:00:00"), "FHIR_DATE", "Condition.recordedDate"),
    "instant without time": (a_patient(meta={"lastUpdated": "2020-01-01"}), "FHIR_DATE", "Patient.meta.lastUpdated"),
    "code in another spelling": (a_patient(gender="Male"), "FHIR_CODE", "Patient.gender"),
    "contained of no type": (
        a_patient(contained=[{"id": "x"}]),
        "FHIR_UNKNOWN_TYPE",
        "Patient.contained[0].resourceType",
    ),
    "contained that is broken": (
        a_patient(contained=[{"resourceType": "Organization", "naem": "x"}]),
        "FHIR_ELEMENT_UNKNOWN",
        "Patient.contained[0].naem",
    ),
    "companion of no element": (a_patient(_sex={"id": "x"}), "FHIR_ELEMENT_UNKNOWN", "Patient._sex"),
    "companion of the wrong type": (a_patient(_birthDate="x"), "FHIR_WRONG_TYPE", "Patient._birthDate"),
}
SOUND = {
    "patient": a_patient(),
    "year only": a_patient(birthDate="1950"),
    "month only": a_patient(birthDate="1950-03"),
    "leap day": a_patient(birthDate="2024-02-29"),
    "time with offset and fraction": a_condition(recordedDate="2020-01-01T10:00:00.123+05:30"),
    "required element by its companion": {
        **{key: value for key, value in an_observation().items() if key != "status"},
        "_status": {
            "extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]
        },
    },
    "null in a list with companion": a_patient(
        name=[{"given": [None], "_given": [{"extension": [{"url": "http://u.example", "valueString": "x"}]}]}]
    ),
    "contained": a_patient(
        contained=[{"resourceType": "Organization", "id": "o", "name": "x"}], managingOrganization={"reference": "#o"}
    ),
    "nested extension": a_patient(
        extension=[{"url": "http://u.example", "extension": [{"url": "v", "valueDecimal": 1.5}]}]
    ),
    "whole number for a decimal": an_observation(valueQuantity={"value": 120}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_named_with_its_place(name: str) -> None:
    resource, code, path = BROKEN[name]
    assert (code, path) in [(fault.code, fault.path) for fault in faults_of(resource)]


@pytest.mark.parametrize("name", SOUND)
def test_a_sound_resource_has_no_faults(name: str) -> None:
    assert faults_of(SOUND[name]) == []


def test_all_faults_are_listed_not_the_first() -> None:
    resource = a_patient("p 1", gender="Male", birthDate="x", name=[], foo=1)
    assert {fault.code for fault in faults_of(resource)} == {
        "FHIR_ID_FORM", "FHIR_CODE", "FHIR_DATE", "FHIR_EMPTY", "FHIR_ELEMENT_UNKNOWN",
    }  # fmt: skip


def test_a_fault_tells_the_shape_of_a_value_and_not_the_value() -> None:
    found = {fault.found for fault in faults_of(a_patient(birthDate="March 1st 1950", gender="Smith"))}
    assert found == {"xxxxx", "xxxxx 9xx 9999"}


@given(st.text())
def test_a_shape_keeps_no_letter_and_no_digit(text: str) -> None:
    assert not {char for char in shape(text) if char.isalpha() and char != "x"}
    assert not {char for char in shape(text) if char.isdigit() and char != "9"}


@pytest.mark.parametrize("name", ["os", "Os", "../Patient", "Patient.Patient", "FHIRSearch", ""])
def test_no_other_name_is_a_resource_type(name: str) -> None:
    assert name not in resource_types()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.sampled_from(["name", "identifier", "contact", "birthDate", "_birthDate", "contained", "meta", "active"]), JSON
)
def test_any_json_in_any_place_gives_faults_and_no_crash(name: str, value: Any) -> None:
    assert isinstance(faults_of(a_patient(**{name: value})), list)
