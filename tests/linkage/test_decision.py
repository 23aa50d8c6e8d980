"""Decisions about links: what each order leaves, in any order, and words that are read as they were meant."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilake.linkage.decision import Order, Standing, decide, fault_of, parse_order, stamp_after

OPEN = Standing("mrn=p1;mrn=p2;study_uid=p1")
ORDERS = st.builds(Order, st.sampled_from(["accept", "reject"]), st.just("o"), st.sampled_from(["p1", "p2", None]))


def test_candidates_are_those_of_the_evidence() -> None:
    assert OPEN.candidates == {"p1", "p2"} and Standing("").candidates == frozenset()


def test_an_order_leaves_what_it_says() -> None:
    accepted = decide(OPEN, Order("accept", "o", "p1"))
    assert (accepted.accepted, accepted.rejected) == ("p1", frozenset())
    assert decide(accepted, Order("reject", "o", "p2")).accepted == "p1"
    assert decide(accepted, Order("reject", "o", "p1")).accepted is None
    nobody = decide(accepted, Order("reject", "o"))
    assert (nobody.accepted, nobody.rejected) == (None, {"p1", "p2"})
    assert decide(nobody, Order("accept", "o", "p3")).rejected == {"p1", "p2"}


@given(st.lists(ORDERS.filter(lambda order: order.decision == "reject" or order.patient_id is not None), max_size=6))
def test_orders_are_idempotent_and_never_accept_what_is_rejected(orders: list[Order]) -> None:
    standing = OPEN
    for order in orders:
        standing = decide(standing, order)
        assert decide(standing, order) == standing
        assert standing.accepted not in standing.rejected and standing.is_decided


@pytest.mark.parametrize(
    ("words", "known", "expected"),
    [
        ("1.2=p1", {"1.2"}, ("1.2", "p1")),
        ("1.2", set(), ("1.2", None)),
        ("a=b", {"a=b"}, ("a=b", None)),
        ("a=b=p1", {"a=b"}, ("a=b", "p1")),
        ("1.2=", {"1.2"}, ("1.2", None)),
    ],
)
def test_words_name_an_object_and_perhaps_a_patient(words: str, known: set[str], expected: tuple[str, str]) -> None:
    order = parse_order("reject", words, known)
    assert (order.object_id, order.patient_id) == expected


def test_orders_that_cannot_be_followed_say_why() -> None:
    assert fault_of(Order("accept", "o", "p9"), OPEN, {"p9"}) is None
    assert "no patient has this id" in str(fault_of(Order("accept", "o", "p9"), OPEN, set()))
    assert "no patient named" in str(fault_of(Order("accept", "o"), OPEN, set()))
    assert "no candidate" in str(fault_of(Order("reject", "o", "p9"), OPEN, {"p9"}))
    assert fault_of(Order("reject", "o", "p1"), OPEN, set()) is None


def test_a_decision_is_newer_than_the_last_whatever_the_clock_says() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    later = now.replace(tzinfo=None) + timedelta(hours=1)
    assert stamp_after(OPEN, now) == now.replace(tzinfo=None)
    assert stamp_after(Standing("", decided_at=later), now) == later + timedelta(microseconds=1)
