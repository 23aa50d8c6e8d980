"""Each rule of the FHIR preflight: what breaks it, where it says so, and that it tells no patient's value."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_r4.definitions import resource_types
from fhir_r4.rules import faults_of
from tests.clinical.builders import a_condition, a_patient, an_observation
from trilake.core.ledger import shape

CS = "http://terminology.hl7.org/CodeSystem/"
XHTML = '<div xmlns="http://www.w3.org/1999/xhtml">a</div>'
ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
BIRTH_PLACE = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


BROKEN: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown type": ({"resourceType": "Pateint", "id": "a"}, "FHIR_UNKNOWN_TYPE", "resourceType"),
    "abstract type": ({"resourceType": "DomainResource", "id": "a"}, "FHIR_UNKNOWN_TYPE", "resourceType"),
    "no type": ({"id": "a"}, "FHIR_UNKNOWN_TYPE", "resourceType"),
    "a module that is no type": ({"resourceType": "Fhirdate", "id": "a"}, "FHIR_UNKNOWN_TYPE", "resourceType"),
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
    "code with a blank at its end": (
        a_condition(code={"coding": [{"code": "a "}]}),
        "FHIR_FORM",
        "Condition.code.coding[0].code",
    ),
    "URI with a blank": (a_patient(implicitRules="http://a b"), "FHIR_FORM", "Patient.implicitRules"),
    "OID that is none": (
        a_condition(code={"coding": [{"system": "urn:oid:1.x"}]}),
        "FHIR_FORM",
        "Condition.code.coding[0].system",
    ),
    "UUID in capitals": (
        a_patient(implicitRules="urn:uuid:5CBC121B-CD71-4428-B8B7-31E53EBA8184"),
        "FHIR_FORM",
        "Patient.implicitRules",
    ),
    "relative canonical": (a_patient(meta={"profile": ["x"]}), "FHIR_FORM", "Patient.meta.profile[0]"),
    "relative identifier system": (
        a_patient(identifier=[{"system": "x", "value": "1"}]),
        "FHIR_FORM",
        "Patient.identifier[0].system",
    ),
    "IETF identifier without a URI": (
        a_patient(identifier=[{"system": "urn:ietf:rfc:3986", "value": "1"}]),
        "FHIR_FORM",
        "Patient.identifier[0].value",
    ),
    "relative system of a tag": (a_patient(meta={"tag": [{"system": "x"}]}), "FHIR_FORM", "Patient.meta.tag[0].system"),
    "code that its system does not have": (
        a_patient(maritalStatus=coded(CS + "v3-MaritalStatus", "ZZ")),
        "FHIR_CODE_UNKNOWN",
        "Patient.maritalStatus.coding[0].code",
    ),
    "unit that UCUM does not have": (
        an_observation(valueQuantity={"value": 1, "system": "http://unitsofmeasure.org", "code": "zork"}),
        "FHIR_CODE_UNKNOWN",
        "Observation.valueQuantity.code",
    ),
    "concept outside a required binding": (
        a_condition(clinicalStatus=coded("http://other.example", "active")),
        "FHIR_CODE",
        "Condition.clinicalStatus",
    ),
    "concept of words alone where a code is required": (
        a_condition(clinicalStatus={"text": "active"}),
        "FHIR_CODE",
        "Condition.clinicalStatus",
    ),
    "rank below one": (
        a_patient(telecom=[{"system": "phone", "value": "1", "rank": 0}]),
        "FHIR_NUMBER_RANGE",
        "Patient.telecom[0].rank",
    ),
    "whole number of more than 32 bits": (
        a_patient(multipleBirthInteger=2**31),
        "FHIR_NUMBER_RANGE",
        "Patient.multipleBirthInteger",
    ),
    "narrative without a namespace": (
        a_patient(text={"status": "generated", "div": "<div>a</div>"}),
        "FHIR_NARRATIVE",
        "Patient.text.div",
    ),
    "narrative with a script": (
        a_patient(text={"status": "generated", "div": XHTML.replace(">a<", "><script>a</script><")}),
        "FHIR_NARRATIVE",
        "Patient.text.div",
    ),
    "attachment of another size": (
        a_patient(photo=[{"contentType": "a/b", "data": "AAAA", "size": 4}]),
        "FHIR_ATTACHMENT",
        "Patient.photo[0].size",
    ),
    "attachment of another hash": (
        a_patient(photo=[{"contentType": "a/b", "data": "AAAA", "hash": "AAAA"}]),
        "FHIR_ATTACHMENT",
        "Patient.photo[0].hash",
    ),
    "attachment that is no base64": (
        a_patient(photo=[{"contentType": "a/b", "data": "A*AA"}]),
        "FHIR_FORM",
        "Patient.photo[0].data",
    ),
    "extension without url": (
        a_patient(extension=[{"valueString": "a"}]),
        "FHIR_ELEMENT_MISSING",
        "Patient.extension[0].url",
    ),
    "extension with a relative url": (
        a_patient(extension=[{"url": "a", "valueString": "a"}]),
        "FHIR_EXTENSION",
        "Patient.extension[0].url",
    ),
    "HL7's extension with a value of another type": (
        a_patient(extension=[{"url": BIRTH_PLACE, "valueString": "a"}]),
        "FHIR_EXTENSION",
        "Patient.extension[0]",
    ),
    "reference with a blank": (
        a_condition(encounter={"reference": "Encounter/a b"}),
        "FHIR_REFERENCE",
        "Condition.encounter.reference",
    ),
    "reference that names a type it may not lead to": (
        a_condition(encounter={"reference": "Encounter/1", "type": "Patient"}),
        "FHIR_REFERENCE",
        "Condition.encounter.type",
    ),
    "reference to nothing contained": (
        a_condition(encounter={"reference": "#e"}),
        "FHIR_CONTAINED",
        "Condition.encounter",
    ),
    "contained that nothing refers to": (
        a_patient(contained=[{"resourceType": "Organization", "id": "o", "name": "x"}]),
        "FHIR_CONTAINED",
        "Patient.contained[0]",
    ),
    "contained of a type that the reference may not lead to": (
        a_patient(contained=[{"resourceType": "Location", "id": "o"}], managingOrganization={"reference": "#o"}),
        "FHIR_REFERENCE",
        "Patient.managingOrganization",
    ),
    "companion without content": (a_patient(_birthDate={}), "FHIR_EMPTY", "Patient._birthDate"),
    "list and companions of one length, both empty there": (
        a_patient(name=[{"given": ["a", None], "_given": [None, None]}]),
        "FHIR_EMPTY",
        "Patient.name[0].given[1]",
    ),
}
SOUND = {
    "code with a blank inside": a_condition(code={"coding": [{"code": "a b"}]}),
    "OID and UUID": a_patient(
        identifier=[{"system": "urn:oid:2.16.840.1.113883", "value": "1"}],
        meta={"tag": [{"system": "urn:uuid:5cbc121b-cd71-4428-b8b7-31e53eba8184", "code": "a"}]},
    ),
    "IETF identifier with a URI": a_patient(identifier=[{"system": "urn:ietf:rfc:3986", "value": "urn:oid:1.2.3"}]),
    "code of a system that is not listed": a_patient(maritalStatus=coded("http://other.example", "ZZ")),
    "code of a system that is": a_patient(maritalStatus=coded(CS + "v3-MaritalStatus", "M")),
    "concept of a required binding beside another": a_condition(
        clinicalStatus={
            "coding": [
                {"system": "http://a.example", "code": "x"},
                *coded(CS + "condition-clinical", "active")["coding"],
            ]
        }
    ),
    "UCUM units": an_observation(
        valueQuantity={"value": 1, "system": "http://unitsofmeasure.org", "code": "mL/min/{1.73_m2}"}
    ),
    "narrative": a_patient(text={"status": "generated", "div": XHTML}),
    "attachment of its size and hash": a_patient(
        photo=[{"contentType": "a/b", "data": "AAAA", "size": 3, "hash": "KeLc+7FvY7sCVN91haFbtvtekn0="}]
    ),
    "HL7's extension with its value": a_patient(extension=[{"url": BIRTH_PLACE, "valueAddress": {"city": "a"}}]),
    "reference that names its type": a_condition(encounter={"reference": "Encounter/1", "type": "Encounter"}),
    "reference to what is contained": a_condition(
        contained=[{"resourceType": "Encounter", "id": "e", "status": "finished", "class": {"code": "AMB"}}],
        encounter={"reference": "#e"},
    ),
    "patient": a_patient(),
    "year only": a_patient(birthDate="1950"),
    "month only": a_patient(birthDate="1950-03"),
    "leap day": a_patient(birthDate="2024-02-29"),
    "time with offset and fraction": a_condition(recordedDate="2020-01-01T10:00:00.123+05:30"),
    "required element by its companion": an_observation(note=[{"_text": ABSENT}]),
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
