"""Which counts may leave: none below a cell, and none from which a small one follows."""

from hypothesis import given, settings
from hypothesis import strategies as st

from trilake.cohort.attrition import Step, releasable
from trilake.core.disclosure import WITHHELD, below


def steps(*numbers: int) -> list[Step]:
    return [
        Step("everyone", "start", "", numbers[0]),
        *(Step(f"s{index}", "include", "", n, 0) for index, n in enumerate(numbers[1:])),
    ]


def shown(*numbers: int) -> list[int | None]:
    return [step.n for step in releasable(steps(*numbers))]


def test_a_count_below_ten_is_not_shown_and_neither_is_none() -> None:
    released = releasable(steps(100, 50, 9, 0))
    assert [step.n for step in released] == [100, 50, None, None]
    assert [step.shown for step in released] == [100, 50, below(), below()]


def test_ten_is_shown() -> None:
    assert shown(100, 10) == [100, 10]


def test_neighbours_that_differ_by_a_few_hide_the_one_between_and_keep_the_last() -> None:
    assert shown(100, 50, 45, 30) == [100, 50, None, 30]
    assert shown(100, 35, 30) == [100, None, 30]
    assert releasable(steps(100, 35, 30))[1].shown == WITHHELD


def test_a_last_count_close_to_the_first_hides_the_first() -> None:
    assert shown(100, 95) == [None, 95]


def test_equal_counts_are_shown_together() -> None:
    assert shown(100, 100, 60, 60) == [100, 100, 60, 60]


counts = st.lists(st.integers(0, 60), min_size=1, max_size=8).map(lambda drops: accumulate(drops))


def accumulate(drops: list[int]) -> list[int]:
    """A falling sequence that ends at or above zero."""
    left = [sum(drops)]
    for drop in drops:
        left.append(left[-1] - drop)
    return left


@settings(deadline=None)
@given(counts)
def test_no_two_shown_counts_differ_by_less_than_a_cell(numbers: list[int]) -> None:
    visible_counts = [n for n in shown(*numbers) if n is not None]
    assert all(n >= 10 for n in visible_counts)
    assert all(abs(a - b) == 0 or abs(a - b) >= 10 for a in visible_counts for b in visible_counts)


@settings(deadline=None)
@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200), st.booleans())
def test_who_is_not_assessable_is_told_only_when_no_group_of_the_step_is_small(
    kept: int, unknown: int, gone: int, keeps_unknown: bool
) -> None:
    after = kept + unknown if keeps_unknown else kept
    one = Step("s", "exclude", "", after, unknown, keeps_unknown=keeps_unknown)
    step = releasable([Step("everyone", "start", "", kept + unknown + gone), one])[1]
    is_safe = all(n == 0 or n >= 10 for n in (kept, unknown, gone))
    assert step.n_not_assessable == (unknown if is_safe else None)


def test_nobody_not_assessable_is_told() -> None:
    assert releasable(steps(100, 50))[1].n_not_assessable == 0
