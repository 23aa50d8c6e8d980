"""The row shape of resources: names, nesting, JSON texts, and the way back.

Reads and writes nothing. Make target: `test`. Example: `pytest tests/localaws/healthlake/test_shape.py`.
"""

from __future__ import annotations

import json

import orjson
import pyarrow as pa
import pytest

from fhir_r4.definitions import resource_types
from localaws.healthlake.rows import elements, prune, read_rows, restore, schema, shape
from tests.localaws.healthlake.conftest import a_patient, an_observation

RICH = a_patient(
    meta={"profile": ["http://x"], "tag": [{"system": "s", "code": "c"}]},
    name=[{"use": "official", "family": "Doe", "_family": {"id": "f"}, "given": ["Ann", "Bea"]}],
    extension=[{"url": "http://e", "extension": [{"url": "in", "valueCoding": {"code": "x"}}]}],
    _birthDate={"extension": [{"url": "http://b", "valueString": "y"}]},
    contained=[{"resourceType": "Organization", "id": "c"}],
    managingOrganization={"reference": "Organization/1", "identifier": {"assigner": {"display": "deep"}}},
    multipleBirthInteger=2,
    deceasedBoolean=False,
)


def test_names_are_lower_case_and_unique_at_every_level() -> None:
    for resource_type in sorted(resource_types()):
        _check_names(schema(resource_type), resource_type)


def _check_names(fields: pa.Schema | pa.StructType, path: str) -> None:
    names = [field.name for field in fields]
    assert len(set(names)) == len(names), path
    for field in fields:
        assert field.name == field.name.lower(), path
        inner = field.type.value_type if pa.types.is_list(field.type) else field.type
        if pa.types.is_struct(inner):
            _check_names(inner, f"{path}.{field.name}")


def test_every_element_has_its_column() -> None:
    for resource_type in ("Patient", "Observation", "Consent", "ExplanationOfBenefit"):
        assert {name.lower() for name in elements(resource_type)} <= set(schema(resource_type).names)
    assert {"valuequantity", "valuestring", "valuecodeableconcept", "_status"} <= set(schema("Observation").names)


def test_structures_are_as_deep_as_questions_go() -> None:
    patient, consent = schema("Patient"), schema("Consent")
    assert patient.field("name").type.value_type.field("given").type == pa.list_(pa.field("element", pa.string()))
    assert patient.field("extension").type.value_type == pa.string()
    organization = patient.field("managingorganization").type
    assert organization.field("identifier").type.field("assigner").type == pa.string()
    nested = consent.field("provision").type.field("provision").type.value_type
    assert nested.field("code").type.value_type.field("coding").type.value_type.field("code").type == pa.string()
    assert nested.field("provision").type.value_type == pa.string()


def test_row_of_a_resource() -> None:
    row = shape("Patient").row(RICH)
    assert row["resourcetype"] == "Patient"
    assert row["name"][0]["given"] == ["Ann", "Bea"]
    assert json.loads(row["name"][0]["_family"]) == {"id": "f"}
    assert json.loads(row["extension"][0])["extension"][0]["valueCoding"] == {"code": "x"}
    assert json.loads(row["_birthdate"]["extension"][0])["valueString"] == "y"
    assert json.loads(row["contained"][0]) == {"resourceType": "Organization", "id": "c"}
    assert row["managingorganization"]["reference"] == "Organization/1"
    assert json.loads(row["managingorganization"]["identifier"]["assigner"]) == {"display": "deep"}


@pytest.mark.parametrize("resource", [RICH, an_observation(), an_observation(component=[{"code": {"text": "a"}}])])
def test_row_leads_back_to_the_resource(resource: dict[str, object]) -> None:
    name = str(resource["resourceType"])
    row = shape(name).row(resource)
    [stored] = read_rows([orjson.dumps(row)], name, set(row)).to_pylist()
    assert restore(stored, name) == resource


def test_rows_have_all_columns_of_the_type() -> None:
    lines = [orjson.dumps({"id": "1"}), orjson.dumps({"id": "2", "active": True})]
    table = read_rows(lines, "Patient", {"id", "active"})
    assert table.schema == schema("Patient")
    assert table.column("active").to_pylist() == [None, True]


def test_prune_keeps_what_fits() -> None:
    faulty = a_patient(
        name="Ann", active="yes", foo=1, multipleBirthInteger=2.5, address=[{"city": "X", "line": "one"}, "text"]
    )
    assert prune(faulty) == a_patient(address=[{"city": "X"}])
    assert shape("Patient").row(prune(faulty))["address"] == [{"city": "X"}]
