"""Which failures of one engine alone SQL leaves open: those of a value that need not be looked at, and no others."""

import pytest

from verify.random_sql import is_open


@pytest.mark.parametrize("code", ["INVALID_CAST_ARGUMENT", "DIVISION_BY_ZERO"])
def test_a_value_that_fails_may_be_skipped(code):
    assert is_open([f"only one fails: {code}: words"])


@pytest.mark.parametrize(
    "found",
    [
        ["only one fails: TYPE_MISMATCH: words"],
        ["only one fails: GENERIC_INTERNAL_ERROR: DIVISION_BY_ZERO"],
        ["row (1,) against (2,)"],
        ["only one fails: DIVISION_BY_ZERO: words", "columns: a bigint against a integer"],
    ],
)
def test_anything_else_is_a_difference(found):
    assert not is_open(found)
