"""Policy documents say what IAM says they say: patterns, conditions, denies.

Reads and writes nothing. Make target: `test`. Example: `pytest tests/localaws/test_policy.py`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.iam.conditions import Truth, conditions_hold
from localaws.iam.policy import Call, Decision, Principal, decide, matches, overlaps

CONTEXT: dict[str, Any] = {
    "aws:PrincipalArn": "arn:aws:iam::123456789012:role/team/reader",
    "aws:SecureTransport": "true",
    "aws:SourceIp": "127.0.0.1",
    "aws:TagKeys": ["a", "b"],
    "s3:max-keys": "10",
    "aws:CurrentTime": "2026-11-24T00:00:00Z",
}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"aws:principalarn": CONTEXT["aws:PrincipalArn"]}}, "YES"),
        ({"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/other", "arn:aws:iam::*:role/team/*"]}}, "YES"),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/team/*"}}, "NO"),
        ({"StringNotLike": {"aws:PrincipalTag/x": "*"}}, "YES"),
        ({"StringLike": {"aws:PrincipalTag/x": "*"}}, "NO"),
        ({"StringEqualsIfExists": {"aws:PrincipalTag/x": "y"}}, "YES"),
        ({"Null": {"aws:PrincipalTag/x": "true"}, "Bool": {"aws:SecureTransport": True}}, "YES"),
        ({"Null": {"aws:SourceIp": "true"}}, "NO"),
        ({"NumericLessThanEquals": {"s3:max-keys": 10}}, "YES"),
        ({"NumericGreaterThan": {"s3:max-keys": "ten"}}, "UNKNOWN"),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-01-01T00:00:00Z"}}, "YES"),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "NO"),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, "YES"),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b", "c"]}}, "YES"),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, "NO"),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["b"]}}, "YES"),
        ({"BinaryEquals": {"aws:x": "y"}}, "UNKNOWN"),
        ({"BinaryEquals": {"aws:x": "y"}, "Bool": {"aws:SecureTransport": "false"}}, "NO"),
    ],
)
def test_conditions(condition: dict[str, Any], expected: str) -> None:
    assert conditions_hold(condition, CONTEXT) is Truth[expected]


def decided(call: Call, *statements: dict[str, Any], principal: Principal | None = None) -> Decision:
    return decide([json.dumps({"Statement": list(statements)})], call, principal)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Effect": "Allow", "Action": "s3:get*", "Resource": "arn:aws:s3:::b/*"}, Decision.ALLOW),
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, Decision.ALLOW),
        ({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}, Decision.SILENT),
        ({"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::other/*"}, Decision.DENY),
        ({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::${aws:username}/*"}, Decision.SILENT),
        ({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::${s3:prefix}/*"}, Decision.ALLOW),
    ],
)
def test_statements(statement: dict[str, Any], expected: Decision) -> None:
    call = Call("s3:GetObject", "arn:aws:s3:::b/k", context={"s3:prefix": "b"})
    assert decided(call, statement) is expected


def test_a_partly_known_resource_is_allowed_by_overlap_and_denied_only_whole() -> None:
    call = Call("athena:GetX", "arn:aws:athena:r:1:workgroup/*", is_partial=True)
    one = "arn:aws:athena:r:1:workgroup/one"
    assert decided(call, {"Effect": "Allow", "Action": "*", "Resource": one}) is Decision.ALLOW
    assert decided(call, {"Effect": "Deny", "Action": "*", "Resource": one}) is Decision.SILENT
    assert decided(call, {"Effect": "Deny", "Action": "*", "Resource": "arn:aws:athena:*"}) is Decision.DENY


@pytest.mark.parametrize(
    ("element", "expected"),
    [
        ({"Principal": "*"}, Decision.ALLOW),
        ({"Principal": {"AWS": ["other", "me"]}}, Decision.ALLOW),
        ({"Principal": {"Service": "glue.amazonaws.com"}}, Decision.SILENT),
        ({"NotPrincipal": {"AWS": "me"}}, Decision.SILENT),
        ({}, Decision.SILENT),
    ],
)
def test_principals(element: dict[str, Any], expected: Decision) -> None:
    me = Principal(frozenset({"me"}))
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*", **element}
    assert decided(Call("s3:GetObject", "x"), statement, principal=me) is expected


PATTERN = st.text("ab*?", max_size=6)


@given(PATTERN, st.text("ab", max_size=6))
def test_a_pattern_that_takes_a_text_overlaps_it(pattern: str, text: str) -> None:
    assert overlaps(pattern, text) == matches(pattern, text)


@given(PATTERN, PATTERN, st.text("ab", max_size=6))
def test_patterns_that_take_one_text_overlap(left: str, right: str, text: str) -> None:
    assert overlaps(left, right) == overlaps(right, left)
    if matches(left, text) and matches(right, text):
        assert overlaps(left, right)
