"""Laws of granting and revoking, over any sequence: granting only adds, revoking only takes, undone is undone.

Run: `python -m pytest tests/localaws/lakeformation/test_grants.py`
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.lakeformation.access import granted
from localaws.lakeformation.entries import TableEntry
from localaws.lakeformation.grants import grant, revoke
from localaws.lakeformation.resources import PERMISSIONS, Target
from localaws.lakeformation.rules import Access
from localaws.lakeformation.state import Lake
from localaws.service import ServiceError

ACCOUNT, WHO = "123456789012", "arn:aws:iam::123456789012:role/reader"
COLUMNS = ("a", "b", "c")
ENTRY = TableEntry(
    ACCOUNT, "d", "t", datetime(2026, 1, 1, tzinfo=UTC), dict.fromkeys(COLUMNS, "string"), frozenset(), None, False
)
some_columns = st.sets(st.sampled_from(COLUMNS), min_size=1).map(frozenset)
tables = st.tuples(
    st.just(Target("table", ACCOUNT, "d", "t")), st.sets(st.sampled_from(sorted(PERMISSIONS["table"])), min_size=1)
)
columns = st.tuples(
    st.one_of(
        st.builds(lambda names: Target("columns", ACCOUNT, "d", "t", names=names), some_columns),
        st.builds(lambda names: Target("columns", ACCOUNT, "d", "t", excluded=names), some_columns),
    ),
    st.just({"SELECT"}),
)
deeds = st.one_of(tables, columns)
histories = st.lists(st.tuples(st.booleans(), deeds), max_size=8)


def access(own: Lake) -> Access:
    return granted(own, frozenset({WHO}), ENTRY)


def cells(found: Access) -> tuple[set[str], frozenset[str]]:
    return set(found.visible), found.permissions


def do(own: Lake, is_grant: bool, target: Target, permissions: set[str]) -> bool:
    """Carry it out; whether it was carried out."""
    if is_grant:
        grant(own, WHO, target, set(permissions), set(), by=WHO)
        return True
    try:
        revoke(own, WHO, target, set(permissions), set(), by=WHO)
    except ServiceError:
        return False
    return True


@given(histories, deeds)
def test_granting_only_adds_and_twice_is_once(
    history: list[tuple[bool, tuple[Target, set[str]]]], deed: object
) -> None:
    own = Lake(ACCOUNT)
    for is_grant, (target, permissions) in history:
        do(own, is_grant, target, permissions)
    before = cells(access(own))
    target, permissions = deed  # type: ignore[misc]
    do(own, True, target, permissions)
    once = cells(access(own))
    assert before[0] <= once[0] and before[1] <= once[1]
    kept = {key: (set(held.permissions), held.updated_at) for key, held in own.grants.items()}
    do(own, True, target, permissions)
    assert {key: (set(held.permissions), held.updated_at) for key, held in own.grants.items()} == kept


@given(histories, deeds)
def test_revoking_only_takes(history: list[tuple[bool, tuple[Target, set[str]]]], deed: object) -> None:
    own = Lake(ACCOUNT)
    for is_grant, (target, permissions) in history:
        do(own, is_grant, target, permissions)
    before = cells(access(own))
    target, permissions = deed  # type: ignore[misc]
    is_done = do(own, False, target, permissions)
    after = cells(access(own))
    assert after[0] <= before[0] and after[1] <= before[1]
    assert is_done or after == before


@given(st.lists(deeds, min_size=1, max_size=5, unique_by=lambda deed: deed[0]), st.randoms())
def test_what_was_granted_can_be_taken_back(history: list[tuple[Target, set[str]]], random: object) -> None:
    own = Lake(ACCOUNT)
    for target, permissions in history:
        do(own, True, target, permissions)
    random.shuffle(history)  # type: ignore[attr-defined]
    for target, permissions in history:
        do(own, False, target, permissions)
    assert own.grants == {}


@given(st.lists(deeds, max_size=6))
def test_revoking_everything_leaves_nothing(history: list[tuple[Target, set[str]]]) -> None:
    own = Lake(ACCOUNT)
    for target, permissions in history:
        do(own, True, target, permissions)
    table = Target("table", ACCOUNT, "d", "t")
    for _ in history:
        do(own, False, table, {"ALL"})
        do(own, False, table, {"SELECT"})
        for permission in PERMISSIONS["table"]:
            do(own, False, table, {permission})
    assert own.grants == {}


def test_the_grant_option_goes_alone_or_with_the_permission() -> None:
    own, table = Lake(ACCOUNT), Target("table", ACCOUNT, "d", "t")
    grant(own, WHO, table, {"INSERT", "DELETE"}, {"INSERT", "DELETE"}, by=WHO)
    revoke(own, WHO, table, set(), {"INSERT"}, by=WHO)
    [held] = own.grants.values()
    assert held.permissions == {"INSERT", "DELETE"} and held.grantable == {"DELETE"}
    revoke(own, WHO, table, {"DELETE"}, set(), by=WHO)
    assert held.permissions == {"INSERT"} and held.grantable == set()


def test_nothing_held_nothing_revoked() -> None:
    with pytest.raises(ServiceError, match="No permissions revoked"):
        revoke(Lake(ACCOUNT), WHO, Target("table", ACCOUNT, "d", "t"), {"SELECT"}, set(), by=WHO)
