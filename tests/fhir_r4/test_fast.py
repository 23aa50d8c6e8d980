"""The fast check takes sound resources, and never one that the exact rules refuse."""

import copy
import hashlib
import tracemalloc
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_r4.fast import Fast
from fhir_r4.parsing import NotJson, parse
from fhir_r4.rules import faults_of
from tests.fhir_r4.corpus import SOUND
from trilake.clinical.preflight import Checker, content_hash, exact
from trilake.clinical.reading import Piece

FAST = Fast(usual=0)
DATES = ["2020", "2020-02-30", "2020-01-01T10:00:00", "2020-01-01T10:00:00Z"]
TEXTS = ["", " ", "x", "a b", "a  b", "#x", "http://x.example", "urn:oid:x", "Patient/p1", "male", "final", "active"]
OBJECTS = [[], {}, [None], {"id": "x"}, {"text": "x"}, [{"text": "x"}], ["x"], {"extension": [{"url": "u"}]}]
VALUES: list[Any] = [None, True, 0, -1, 1.5, 2**31, *DATES, *TEXTS, *OBJECTS]
NAMES = "id status extension valueString valueBoolean reference foo _status system code"


def nodes(value: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every value in a resource."""
    found: list[tuple[Any, Any]] = []
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            found += [(value, key), *nodes(item)]
    return found


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A sound resource with one to three changes: a value replaced, taken away, added, or written twice."""
    resource = copy.deepcopy(draw(st.sampled_from(SOUND)))
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(nodes(resource)))
        action = draw(st.sampled_from(["replace", "delete", "add", "copy"]))
        value = copy.deepcopy(draw(st.sampled_from(VALUES)))
        if action == "replace":
            container[key] = value
        elif action == "delete" and isinstance(container, dict):
            del container[key]
        elif action == "add" and isinstance(container, dict):
            container[draw(st.sampled_from(NAMES.split()))] = value
        elif isinstance(container, list):
            container.append(copy.deepcopy(container[0]))
    text = orjson.dumps(resource)
    if draw(st.booleans()):
        return text
    name = draw(st.sampled_from(sorted({part[1:] for part in text.split(b'"')[1::2] if part})))
    return text.replace(b'"status":', b'"status":"final","status":', 1) if name else text


@settings(max_examples=400, deadline=None)
@given(mutated())
def test_the_fast_check_takes_nothing_that_the_rules_refuse(line: bytes) -> None:
    sound, faults = FAST.check(line), faults_of(parse(line))
    if sound is not None:
        assert faults == []
        assert exact(line, 1, -1).sha == content_hash(parse(line))


@pytest.mark.parametrize("resource", SOUND, ids=lambda one: str(one["id"]))
def test_sound_resources_keep_every_rule_and_pass_the_fast_check(resource: dict[str, Any]) -> None:
    line = orjson.dumps(resource)
    assert faults_of(parse(line)) == []
    assert FAST.check(line) is not None


@pytest.mark.parametrize("resource", SOUND, ids=lambda one: str(one["id"]))
def test_both_checks_tell_contents_apart_alike(resource: dict[str, Any]) -> None:
    line = orjson.dumps(dict(reversed(resource.items())))
    sound = FAST.check(line)
    if sound is not None:
        assert hashlib.sha256(sound.canonical).digest()[:16] == content_hash(parse(line))


@pytest.mark.parametrize(
    "text",
    [
        b'{"resourceType":"Patient","id":"a","gender":"male","gender":"male"}',
        b'{"resourceType":"Patient","id":"a","name":[{}]}',
        b'{"resourceType":"Patient","id":"a","name":[{"family":"a","family":"b\\u0022\\u0022"}]}',
        b'{"resourceType":"Observation","id":"a","status":"final","code":{"text":"x"},"valueQuantity":{"value":"1"}}',
        b'{"resourceType":"Observation","id":"a","status":"final","code":{"text":"x"},"valueQuantity":{"value":true}}',
        b'{"resourceType":"Patient","id":"a","multipleBirthInteger":2.0}',
        b'{"resourceType":"Patient","id":"a\n"}',
        b'{"resourceType":"Patient","id":"a"} x',
    ],
)
def test_what_a_decoder_would_pass_over_is_left_to_the_rules(text: bytes) -> None:
    assert FAST.check(text) is None
    with pytest.raises((NotJson, AssertionError)):
        assert faults_of(parse(text)) == []


def test_two_decimals_of_other_precision_are_other_contents() -> None:
    line = (
        b'{"resourceType":"Observation","id":"a","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.10}}'
    )
    first, second = FAST.check(line), FAST.check(line.replace(b"1.10", b"1.1"))
    assert first is not None and second is not None
    assert first.canonical != second.canonical
    assert exact(line, 1, -1).sha != exact(line.replace(b"1.10", b"1.1"), 1, -1).sha


def test_a_check_keeps_nothing_of_the_pieces_it_has_read() -> None:
    consent = (
        b'{"resourceType":"Consent","id":"a","status":"active","provision":{"period":{"start":"2021","end":"2020"}}}'
    )
    checker = Checker(usual=0)
    checker.piece(Piece(1, consent))
    tracemalloc.start()
    try:
        for _ in range(20):
            assert checker.piece(Piece(1, consent + b"\n" + b" " * 1_000_000)).checked[0].faults
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
