"""The forms of primitive values: what R4 and HL7's validator take and refuse, and the patterns of the fast check."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_r4.primitives import FAST, problem


@pytest.mark.parametrize("kind", FAST)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_the_fast_pattern_takes_nothing_that_the_exact_rule_refuses(kind: str, data: st.DataObject) -> None:
    assert problem(kind, data.draw(st.from_regex(FAST[kind]))) is None


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("instant", "2020-01-01T10:00:00.123Z", "2020-01-01"),
        ("dateTime", "2020-01-01T10:00:00-05:00", "2020-01-01T10:00:00"),
        ("time", "23:59:59", "24:00:00"),
        ("code", "a b", "a  b"),
        ("uri", "urn:x", "a b"),
        ("oid", "urn:oid:1.2.840", "urn:oid:1.2.3"),
        ("oid", "urn:oid:2.16.840.1.113883", "2.16.840.1.113883"),
        ("uuid", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520", "c757873d"),
        ("base64Binary", "aGk=", "a!"),
        ("unsignedInt", 0, -1),
        ("positiveInt", 1, 0),
        ("integer", -5, 2**31),
        ("decimal", 1.25, "1.25"),
        ("boolean", False, 0),
    ],
)
def test_primitive_forms(kind: str, good: Any, bad: Any) -> None:
    assert problem(kind, good) is None
    assert problem(kind, bad) is not None
