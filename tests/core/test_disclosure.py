"""Small counts: hidden, and not to be worked out from what is shown."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trilake.core.disclosure import Counted, hide_small, join_small, minimum_cell
from trilake.core.errors import InputError

LOOSE = Counted(["n"])
PARTITION = Counted(["n"], is_partition=True)
RATE = Counted(["n_all", "n_with"], ["value"])

counts = st.lists(st.integers(0, 40), min_size=1, max_size=9)


def rows_of(*numbers: int) -> list[dict[str, object]]:
    return [{"label": f"g{index}", "n": n} for index, n in enumerate(numbers)]


def shown(*numbers: int, counted: Counted = LOOSE) -> list[object]:
    return [row["n"] for row in hide_small(rows_of(*numbers), counted)]


def test_the_minimum_is_the_policys() -> None:
    assert minimum_cell() == 10


@pytest.mark.parametrize("content", ["personas: {}", "minimum_cell: 1", "minimum_cell: true", "minimum_cell: 9.5", "x"])
def test_a_policy_without_a_minimum_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "access_policy.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match="minimum_cell is .*, expected a whole number"):
        minimum_cell(path)


def test_a_count_below_ten_is_hidden_and_the_others_stay() -> None:
    assert shown(30, 9, 10) == [30, None, 10]


def test_one_hidden_group_of_a_partition_takes_the_smallest_other_with_it() -> None:
    assert shown(30, 9, 12, counted=PARTITION) == [30, None, None]


def test_hidden_groups_of_a_partition_are_together_at_least_a_cell() -> None:
    assert shown(30, 2, 3, 12, counted=PARTITION) == [30, None, None, None]


def test_a_rate_goes_with_its_counts_also_when_those_without_are_few() -> None:
    row = {"value": 0.9, "n_all": 50, "n_with": 45}
    assert hide_small([row], RATE) == [{"value": None, "n_all": None, "n_with": None}]
    assert hide_small([row | {"n_with": 40}], RATE) == [row | {"n_with": 40}]


def test_hidden_groups_become_one() -> None:
    assert join_small(rows_of(30, 9, 12), PARTITION, group="label") == [
        {"label": "g0", "n": 30},
        {"label": "g1 or g2", "n": 21},
    ]
    assert join_small(rows_of(30, 4, 4, 4), PARTITION, group="label")[-1] == {"label": "3 others", "n": 12}


def test_fewer_than_a_cell_in_all_leave_nothing() -> None:
    assert join_small(rows_of(4, 3), PARTITION, group="label") == []


@settings(deadline=None)
@given(counts)
def test_what_a_partition_hides_cannot_be_told_from_its_total(numbers: list[int]) -> None:
    found = shown(*numbers, counted=PARTITION)
    hidden = [n for n, one in zip(numbers, found, strict=True) if one is None]
    assert all(n >= 10 for n in numbers if n not in hidden)
    if hidden and len(hidden) < len(numbers):
        assert len(hidden) >= 2
        assert sum(hidden) >= 10


@settings(deadline=None)
@given(counts)
def test_joining_keeps_the_total_or_says_nothing_of_a_small_one(numbers: list[int]) -> None:
    found = join_small(rows_of(*numbers), PARTITION, group="label")
    assert all(int(str(row["n"])) >= 10 for row in found)
    if sum(numbers) >= 10:
        assert sum(int(str(row["n"])) for row in found) == sum(numbers)
    else:
        assert found == []
