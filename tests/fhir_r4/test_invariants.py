"""Every invariant is broken by the object that breaks it, kept by the one that keeps it, and asked of resources."""

import pytest

from fhir_r4.definitions import read
from fhir_r4.invariants import table
from fhir_r4.rules import faults_of
from tests.clinical.builders import a_patient, an_observation
from tests.fhir_r4.invariant_cases import CASES

RULES = {f"{kind} {rule.key}": rule for kind, rules in table().items() for rule in rules}


def test_every_rule_has_a_case_and_every_type_is_one_of_r4() -> None:
    assert set(RULES) == set(CASES)
    assert set(table()) <= set(read()["types"])


@pytest.mark.parametrize("name", CASES)
def test_a_rule_tells_what_breaks_it_from_what_keeps_it(name: str) -> None:
    broken, sound = CASES[name]
    assert (RULES[name].holds(broken), RULES[name].holds(sound)) == (False, True)


def test_a_resource_that_breaks_one_says_where_and_which() -> None:
    broken = a_patient(contact=[{"gender": "male"}, {"name": {"text": "a"}, "telecom": [{"value": "1"}]}])
    assert [(fault.code, fault.path, fault.found) for fault in faults_of(broken)] == [
        ("FHIR_INVARIANT", "Patient.contact[0]", "pat-1"),
        ("FHIR_INVARIANT", "Patient.contact[1].telecom[0]", "cpt-2"),
    ]


def test_a_primitive_given_by_its_companion_counts_as_there() -> None:
    absent = {"extension": [{"url": "http://u.example", "valueCode": "unknown"}]}
    assert faults_of(a_patient(telecom=[{"system": "phone", "value": "1", "_use": {"id": "x"}, "use": "home"}])) == []
    assert faults_of(a_patient(identifier=[{"value": "1", "period": {"start": "2020", "_end": absent}}])) == []
    assert faults_of(an_observation(valueQuantity={"value": 1})) == []
