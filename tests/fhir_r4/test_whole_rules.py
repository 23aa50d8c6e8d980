"""Rules between the parts of a resource: ids of elements, links of narratives, types of references, codes left out.

Each case is what HL7's validator (6.6.7, R4 4.0.1) says of it.
"""

from typing import Any

import orjson
import pytest

from fhir_r4.fast import Fast
from fhir_r4.rules import faults_of
from tests.clinical.builders import a_condition, a_patient, an_observation
from trilake.clinical.preflight import Checker
from trilake.clinical.reading import Piece

UNKNOWN = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
ORGANIZATION = {"resourceType": "Organization", "id": "o", "name": "x"}
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">q</div>'
FAST = Fast(usual=0)


def prefixed(inner: str, namespace: str = "http://www.w3.org/1999/xhtml") -> dict[str, Any]:
    """A patient with a narrative whose div has a prefix."""
    return {**a_patient(), "text": {"status": "generated", "div": f'<x:div xmlns:x="{namespace}">{inner}</x:div>'}}


def told(inner: str, **elements: Any) -> dict[str, Any]:
    """A patient with a narrative."""
    div = f'<div xmlns="http://www.w3.org/1999/xhtml">a {inner}</div>'
    return a_patient(text={"status": "generated", "div": div}, **elements)


def a_value_set(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "ValueSet", "id": "v", "status": "draft", **elements}


BROKEN: dict[str, tuple[dict[str, Any], str, str]] = {
    "an element id twice": (
        a_patient(name=[{"id": "x", "family": "a", "period": {"id": "x", "start": "2020"}}]),
        "FHIR_ID_TWICE",
        "Patient.name[0].period.id",
    ),
    "an element id twice, in companions": (
        a_patient(gender="male", _gender={"id": "x"}, birthDate="1950", _birthDate={"id": "x"}),
        "FHIR_ID_TWICE",
        "Patient._birthDate.id",
    ),
    "a link to no id": (told('<a href="#x">a</a>'), "FHIR_NARRATIVE", "Patient.text.div"),
    "a picture that is nowhere": (told('<img src="#x" alt="a"/>'), "FHIR_NARRATIVE", "Patient.text.div"),
    "an empty link": (told('<a href="">a</a>'), "FHIR_NARRATIVE", "Patient.text.div"),
    "a link with a blank": (told('<a href="http://x.example/a b">a</a>'), "FHIR_NARRATIVE", "Patient.text.div"),
    "a link that is a script": (told('<a href="javascript:a()">a</a>'), "FHIR_NARRATIVE", "Patient.text.div"),
    "an attribute of another element": (told('<p href="http://x.example">a</p>'), "FHIR_NARRATIVE", "Patient.text.div"),
    "an element that R4 leaves out": (told("<del>a</del>"), "FHIR_NARRATIVE", "Patient.text.div"),
    "a reference of another type than it says": (
        a_condition(encounter={"reference": "http://x.example/fhir/Patient/1", "type": "Encounter"}),
        "FHIR_REFERENCE",
        "Condition.encounter.type",
    ),
    "no code where one is required": (an_observation(status=None, _status=UNKNOWN), "FHIR_CODE", "Observation._status"),
    "no coding where one is required": (
        a_condition(clinicalStatus=UNKNOWN),
        "FHIR_CODE",
        "Condition.clinicalStatus",
    ),
    "a string beyond a megabyte": (an_observation(note=[{"authorString": "a" * (1 << 20 | 1), "text": "a"}]),
        "FHIR_FORM",
        "Observation.note[0].authorString",
    ),
    "a relative URL of a value set": (a_value_set(url="ValueSet/v"), "FHIR_FORM", "ValueSet.url"),
    "a relative code system": (
        a_value_set(compose={"include": [{"system": "x"}]}),
        "FHIR_FORM",
        "ValueSet.compose.include[0].system",
    ),
}  # fmt: skip
SOUND: dict[str, dict[str, Any]] = {
    "an element with the resource's id": a_patient("a", name=[{"id": "a", "family": "a"}]),
    "an element id of its own in a contained resource": a_patient(
        name=[{"id": "n", "family": "a"}],
        contained=[{**ORGANIZATION, "identifier": [{"id": "n", "value": "1"}]}],
        managingOrganization={"reference": "#o"},
    ),
    "a link to an id of the narrative": told('<a href="#x">a</a><p id="x">b</p>'),
    "a link to a name of the narrative": told('<a href="#x">a</a><a name="x">b</a>'),
    "a link to an element": told('<a href="#x">a</a>', name=[{"id": "x", "family": "a"}]),
    "a link to what is contained, which is a use of it": told('<a href="#o">a</a>', contained=[ORGANIZATION]),
    "a link to a page": told('<a href="https://x.example/a?b=c#d" rel="x">a</a>'),
    "a link to a file": told('<a href="file:///a">a</a>'),
    "a table": told('<table border="1"><tr><td colspan="2">a</td></tr></table>'),
    "a reference of the type it says": a_condition(encounter={"reference": "Encounter/1", "type": "Encounter"}),
    "a search of any type": a_condition(encounter={"reference": "Encounter?identifier=1", "type": "Encounter"}),
    "a date left out with a reason": a_patient(birthDate=None, _birthDate=UNKNOWN),
    "a value set": a_value_set(url="http://x.example/v", compose={"include": [{"system": "http://x.example/s"}]}),
    "a device's own URL": {"resourceType": "Device", "id": "d", "url": "x"},
}


def text_of(resource: dict[str, Any]) -> bytes:
    return orjson.dumps({name: value for name, value in resource.items() if value is not None})


@pytest.mark.parametrize(("resource", "code", "path"), BROKEN.values(), ids=BROKEN)
def test_what_the_validator_rejects_is_refused(resource: dict[str, Any], code: str, path: str) -> None:
    line = text_of(resource)
    assert [(fault.code, fault.path) for fault in faults_of(orjson.loads(line))] == [(code, path)]
    assert FAST.check(line) is None


@pytest.mark.parametrize("resource", SOUND.values(), ids=SOUND)
def test_what_the_validator_accepts_is_not(resource: dict[str, Any]) -> None:
    assert faults_of(orjson.loads(text_of(resource))) == []


def test_a_resource_that_tells_the_types_of_its_references_passes_the_fast_check() -> None:
    assert FAST.check(text_of(SOUND["a reference of the type it says"])) is not None


def test_a_resource_without_an_id_is_loaded_under_one_made_of_its_content() -> None:
    resource = a_patient()
    del resource["id"]
    line = orjson.dumps(resource)
    first, again = Checker(usual=0).piece(Piece(1, line + b"\n" + line)).checked
    assert (first.faults, first.id, first.sha) == ([], again.id, again.sha)
    assert orjson.loads(first.data) == {"id": first.id, **resource}
    assert [fault.code for fault in first.warnings] == ["FHIR_ID_MAPPED"]
    (other,) = Checker(usual=0).piece(Piece(0, orjson.dumps({**resource, "birthDate": "1901"}))).checked
    assert other.id != first.id


def test_an_entry_with_a_relative_full_url_is_loaded_with_a_warning() -> None:
    entry = {"fullUrl": "Patient/a", "resource": a_patient("a")}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
    (found,) = Checker().piece(Piece(0, orjson.dumps(bundle))).checked
    assert (found.faults, found.id) == ([], "a")
    assert [(fault.code, fault.path) for fault in found.warnings] == [("FHIR_BUNDLE", "Bundle.entry[0].fullUrl")]


def test_a_reference_to_a_type_that_may_not_stand_there_is_a_warning() -> None:
    line = orjson.dumps(a_condition(encounter={"reference": "Patient/1"}))
    assert FAST.check(line) is None
    (found,) = Checker(usual=0).piece(Piece(1, line)).checked
    assert found.faults == []
    assert [(fault.code, fault.path, fault.found) for fault in found.warnings] == [
        ("FHIR_REFERENCE_TARGET", "Condition.encounter.reference", "Patient")
    ]


@pytest.mark.parametrize(
    "text", ["Encounter/1", "Encounter?identifier=1", "urn:uuid:x", "https://x.example/Encounter/1"]
)
def test_other_references_pass_the_fast_check(text: str) -> None:
    line = orjson.dumps(a_condition(encounter={"reference": text}))
    assert FAST.check(line) is not None
    assert Checker().piece(Piece(1, line)).checked[0].warnings == []


@pytest.mark.parametrize(
    ("resource", "code"),
    [
        (told('<span xmlns="urn:x">b</span>'), "FHIR_NARRATIVE"),
        (
            {**a_patient(), "text": {"status": "generated", "div": '<!DOCTYPE div [<!ENTITY a "b">]>' + DIV}},
            "FHIR_NARRATIVE",
        ),
        (prefixed("<x:p>a<x:br/></x:p><p>b</p>"), None),
        (prefixed('<x:a href="#x">a</x:a><x:p id="x">b</x:p>'), None),
        (prefixed("<x:script>a</x:script>"), "FHIR_NARRATIVE"),
        (prefixed(""), "FHIR_NARRATIVE"),
        (prefixed("a", "urn:x"), "FHIR_NARRATIVE"),
        (prefixed('<y:p xmlns:y="urn:y">a</y:p>'), "FHIR_NARRATIVE"),
        (told('<x:p xmlns:x="http://www.w3.org/1999/xhtml">a</x:p><x:p>b</x:p>'), "FHIR_NARRATIVE"),
        ({**a_patient(), "text": {"status": "generated", "div": "<!DOCTYPE div>" + DIV}}, None),
        ({**a_patient(), "text": {"status": "generated", "div": DIV.replace("q", "\u00a0")}}, None),
        (a_patient(contained=[{**ORGANIZATION, "partOf": {"reference": "#o"}}]), "FHIR_CONTAINED"),
        (a_patient(managingOrganization={"reference": "a b"}), "FHIR_REFERENCE"),
        (a_patient(managingOrganization={"reference": "Organization/a\u00a0b"}), None),
        ({"resourceType": "Patient", "_id": UNKNOWN}, "FHIR_ID_FORM"),
        (a_patient(managingOrganization={"reference": "#"}), "FHIR_CONTAINED"),
        (an_observation(derivedFrom=[{"type": "http://x.org/Patient", "display": "x"}]), "FHIR_CODE"),
        (a_patient(link=[{"type": "seealso", "other": {"type": "Foo", "display": "x"}}]), "FHIR_CODE"),
    ],
)
def test_rare_forms_are_judged_as_by_the_validator(resource: dict[str, Any], code: str | None) -> None:
    line = orjson.dumps(resource)
    assert [fault.code for fault in faults_of(resource)][:1] == ([code] if code else [])
    assert code is None or FAST.check(line) is None
    (checked,) = Checker().piece(Piece(1, line)).checked
    assert bool(checked.faults) == bool(code)
