"""Tables of text: numbers to the right, missing values visible, nothing lost but what is too wide."""

from hypothesis import given
from hypothesis import strategies as st

from trilake.core.text_table import MISSING, text_table


def test_numbers_stand_to_the_right_and_missing_values_show() -> None:
    text = text_table(["name", "n"], [["clinical", 1200], ["imaging", None]])
    assert text.splitlines() == [
        "name          n",
        "--------  -----",
        "clinical  1,200",
        f"imaging       {MISSING}",
    ]


def test_no_rows_are_a_header_alone() -> None:
    assert text_table(["a", "b"], []).splitlines() == ["a  b", "-  -"]


def test_long_values_are_cut_and_line_breaks_do_not_break_the_table() -> None:
    lines = text_table(["a"], [["x" * 100], ["two\nlines"]], widest=10).splitlines()
    assert lines[2:] == ["x" * 9 + "…", "two lines"]


VALUE = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


@given(st.lists(st.tuples(VALUE, VALUE), max_size=5))
def test_any_values_give_one_line_a_row(rows: list[tuple[object, object]]) -> None:
    assert text_table(["a", "b"], rows).count("\n") == len(rows) + 1
