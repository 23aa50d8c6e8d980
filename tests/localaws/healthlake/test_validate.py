"""What HealthLake takes, what it refuses, and the issue it makes of each rule of `fhir_r4`."""

from __future__ import annotations

from typing import Any

import pytest

from fhir_r4.definitions import definition, resource_types
from localaws.healthlake.imports import read_resource
from localaws.healthlake.validate import check_resource
from tests.localaws.healthlake.conftest import a_patient, an_observation


def test_structure_is_that_of_r4() -> None:
    assert len(resource_types()) == 146
    assert {"Patient", "Observation", "MolecularSequence", "MedicinalProduct"} <= resource_types()
    assert not {"Resource", "DomainResource", "Extension"} & resource_types()
    observation = definition("Observation")
    status = observation.elements["status"]
    assert (status.type, "status" in observation.required, status.is_list) == ("code", True, False)
    assert definition("Patient").elements["gender"].codes == {"male", "female", "other", "unknown"}
    assert definition("Extension").elements["valuePositiveInt"].type == "positiveInt"


ABSENT = {"extension": [{"url": "http://x", "valueCode": "unknown"}]}
NARRATIVE = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">a</div>'}
GOOD: list[dict[str, Any]] = [
    a_patient(),
    a_patient(birthDate="1970"),
    a_patient(birthDate="1970-05"),
    a_patient(name=[{"given": [None, "Ann"], "_given": [ABSENT, None]}]),
    a_patient(_birthDate={"extension": [{"url": "http://x", "valueDateTime": "1970-05-01T10:11:12+01:00"}]}),
    a_patient(deceasedBoolean=False),
    a_patient(text=NARRATIVE),
    a_patient(multipleBirthInteger=2),
    a_patient(contained=[{"resourceType": "Organization", "name": "Clinic"}]),
    an_observation(effectivePeriod={"start": "2020-01-01", "end": "2020-01-01"}),
    an_observation(valueQuantity={"value": 3, "comparator": "<"}),
    an_observation(_status={"extension": [{"url": "http://x", "valueCode": "unknown"}]}),
]


@pytest.mark.parametrize("resource", GOOD)
def test_valid_resources_have_no_issues(resource: dict[str, Any]) -> None:
    assert check_resource(resource) == []


BAD: list[tuple[dict[str, Any], str, str]] = [
    (a_patient(gender="M"), "code-invalid", "Patient.gender"),
    (a_patient(birthDate="1970-13-01"), "value", "Patient.birthDate"),
    (a_patient(birthDate="1971-02-29"), "value", "Patient.birthDate"),
    (a_patient(birthDate="1970-05-01T00:00:00Z"), "value", "Patient.birthDate"),
    (a_patient(active="true"), "value", "Patient.active"),
    (a_patient(multipleBirthInteger=True), "value", "Patient.multipleBirthInteger"),
    (a_patient(name={"family": "Doe"}), "structure", "Patient.name"),
    (a_patient(name=[]), "structure", "Patient.name"),
    (a_patient(name=[{}]), "invariant", "Patient.name"),
    (a_patient(name=[None]), "invariant", "Patient.name"),
    (a_patient(name=[{"family": ""}]), "invariant", "Patient.name.family"),
    (a_patient(maritalStatus=[{"text": "single"}]), "structure", "Patient.maritalStatus"),
    (a_patient(address=[{"line": "one"}]), "structure", "Patient.address.line"),
    (a_patient(nickname="Annie"), "structure", "Patient.nickname"),
    (a_patient(_name=[{"id": "x"}]), "structure", "Patient._name"),
    (a_patient(deceasedBoolean=True, deceasedDateTime="2020"), "structure", "Patient.deceased"),
    (a_patient(link=[{"other": {"reference": "Patient/2"}}]), "required", "Patient.link.type"),
    (a_patient(extension=[{"valueString": "x"}]), "required", "Patient.extension.url"),
    (a_patient(contained=[{"resourceType": "Clinic"}]), "structure", "Patient.contained"),
    (a_patient(text=NARRATIVE | {"div": "<p>a</p>"}), "value", "Patient.text.div"),
    (a_patient(name=[{"given": [None, "Ann"], "_given": [{"id": "g"}, None]}]), "invariant", "Patient.name._given"),
    (a_patient(birthDate="0000"), "value", "Patient.birthDate"),
    (a_patient(meta={"profile": ["x"]}), "value", "Patient.meta.profile"),
    (a_patient(implicitRules="urn:oid:1.2"), "value", "Patient.implicitRules"),
    (a_patient(photo=[{"contentType": "a/b", "data": "aGk"}]), "value", "Patient.photo.data"),
    (an_observation(effectivePeriod={"start": "2020-01-02", "end": "2020-01"}), "invariant", "Observation.effective"),
    (an_observation(status=None), "invariant", "Observation.status"),
    (an_observation(effectiveInstant="2020-01-01T10:00:00"), "value", "Observation.effectiveInstant"),
    (
        an_observation(effectivePeriod={"start": "2020-02-01", "end": "2020-01-01"}),
        "invariant",
        "Observation.effective",
    ),
    (an_observation(valueQuantity={"value": "120"}), "value", "Observation.valueQuantity.value"),
    (
        {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", "subject": {"id": "x"}},
        "required",
        "MedicationRequest.medication",
    ),
]


@pytest.mark.parametrize(("resource", "code", "expression"), BAD)
def test_invalid_resources_have_one_issue_of_their_kind(resource: dict[str, Any], code: str, expression: str) -> None:
    [issue] = check_resource(resource)
    assert issue.code == code
    assert issue.expression.startswith(expression)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"{", "structure"),
        (b"[1]", "structure"),
        (b'"text"', "structure"),
        (b"\xff\xfe", "structure"),
        (b'{"id": "1"}', "structure"),
        (b'{"resourceType": ["Patient"], "id": "1"}', "structure"),
        (b'{"resourceType": "Patiant", "id": "1"}', "structure"),
        (b'{"resourceType": "Patient"}', "required"),
        (b'{"resourceType": "Patient", "id": 1}', "value"),
        (b'{"resourceType": "Patient", "id": "a/b"}', "value"),
    ],
)
def test_lines_without_a_header_have_no_resource(line: bytes, code: str) -> None:
    resource, [issue] = read_resource(line)
    assert resource is None
    assert issue.code == code


def test_all_faults_are_listed_not_the_first() -> None:
    issues = check_resource(a_patient(gender="M", birthDate="x", foo=1))
    assert [issue.expression for issue in issues] == ["Patient.gender", "Patient.birthDate", "Patient.foo"]
