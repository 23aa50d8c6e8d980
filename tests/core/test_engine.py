"""Rows of items into an Iceberg table: in bounded portions, in one commit with what they replace, or not at all."""

import pickle
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyiceberg.expressions import And, EqualTo, In, Or

from trilake.core import engine
from trilake.core.engine import Replaced, Target, condition_of, fill_in_process, items_to_rows, portions
from trilake.core.iceberg import open_catalog, open_table
from trilake.core.job import Item, Job
from trilake.core.session import Session

SCHEMA = pa.schema([("file", pa.string()), ("sample", pa.string()), ("value", pa.int64())])
TARGET = Target("genomic_store.engine", SCHEMA, bucket_by="sample", buckets=4)


def batch(*values: int, file: str = "f", sample: str = "s") -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"file": file, "sample": sample, "value": value} for value in values], SCHEMA)


@given(st.lists(st.integers(0, 20), max_size=40), st.integers(1, 30))
def test_portions_hold_all_rows_in_order_and_not_many_more_than_told(sizes: list[int], most: int) -> None:
    numbers = iter(range(10_000))
    batches = [batch(*(next(numbers) for _ in range(size))) for size in sizes]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "COMMIT_ROWS", most)
        found = list(portions(iter(batches), SCHEMA))
    assert [value for table in found for value in table["value"].to_pylist()] == list(range(sum(sizes)))
    assert all(table.num_rows < most + 20 for table in found)
    assert all(table.num_rows >= most for table in found[:-1])


def test_a_portion_is_given_before_the_next_batch_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "COMMIT_ROWS", 4)
    made: list[int] = []

    def source() -> Iterator[pa.RecordBatch]:
        for number in range(10):
            made.append(number)
            yield batch(number, number)

    first = next(portions(source(), SCHEMA))
    assert (first.num_rows, made) == (4, [0, 1])


ONE = Replaced("file", "a", "sample", ("s1", "s2"))
TWO = Replaced("file", "b", "sample", ("s1",))


@pytest.mark.parametrize(
    ("replaced", "expected"),
    [
        ([], None),
        ([Replaced("file", "a", "sample", ())], None),
        ([ONE], And(EqualTo("file", "a"), In("sample", ("s1", "s2")))),
        (
            [ONE, Replaced("file", "c", "sample", ()), TWO],
            Or(And(EqualTo("file", "a"), In("sample", ("s1", "s2"))), And(EqualTo("file", "b"), In("sample", ("s1",)))),
        ),
    ],
)
def test_what_is_replaced_is_one_condition(replaced: list[Replaced], expected: object) -> None:
    assert condition_of(replaced) == expected


def test_thousands_of_files_are_a_condition_too() -> None:
    condition = condition_of([Replaced("file", str(number), "sample", ("s",)) for number in range(5_000)])
    assert "4999" in repr(condition)


def read(item: Item) -> Iterator[pa.RecordBatch]:
    """Two rows of the item's sample; an item named `broken` fails after the first."""
    yield batch(int(item["value"]), file=item["file"], sample=item["sample"])
    if item["file"] == "broken":
        raise OSError("the stream broke")
    yield batch(int(item["value"]) + 1, file=item["file"], sample=item["sample"])


def an_item(file: str, sample: str, value: int) -> Item:
    return {"file": file, "sample": sample, "value": str(value)}


def fill(lake: Session, *items: Item) -> None:
    replaced = [Replaced("file", item["file"], "sample", (item["sample"],)) for item in items]
    fill_in_process(Job({}, lake), TARGET, list(items), read, replaced)


def stored(lake: Session) -> set[tuple[str, str, int]]:
    return {tuple(row.values()) for row in open_table(lake, TARGET.name).scan().to_arrow().to_pylist()}


@pytest.fixture
def store(lake: Session) -> Iterator[Session]:
    """A lake whose genomic store has no table yet."""
    catalog = open_catalog(lake)
    catalog.create_namespace_if_not_exists("test_genomic_store")
    yield lake
    catalog.drop_table(("test_genomic_store", "engine"))


def test_a_load_replaces_its_own_rows_and_no_others(store: Session) -> None:
    fill(store, an_item("a", "s1", 10), an_item("a", "s2", 20), an_item("b", "s1", 30))
    fill(store, an_item("a", "s1", 50), an_item("c", "s2", 70))
    assert stored(store) == {
        ("a", "s1", 50), ("a", "s1", 51), ("a", "s2", 20), ("a", "s2", 21),
        ("b", "s1", 30), ("b", "s1", 31), ("c", "s2", 70), ("c", "s2", 71),
    }  # fmt: skip


def test_rows_of_several_portions_are_all_there(store: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "COMMIT_ROWS", 1)
    fill(store, an_item("a", "s1", 10), an_item("b", "s2", 20))
    assert len(stored(store)) == 4
    assert len({file.file.file_path for file in open_table(store, TARGET.name).scan().plan_files()}) == 4


def test_a_load_that_breaks_leaves_the_table_as_it_was(store: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "COMMIT_ROWS", 1)
    fill(store, an_item("broken?", "s1", 10), an_item("a", "s1", 20))
    before = stored(store)
    with pytest.raises(OSError, match="broke"):
        fill(store, an_item("a", "s1", 90), an_item("broken", "s1", 95))
    assert stored(store) == before
    fill(store, an_item("a", "s1", 90))
    assert ("a", "s1", 90) in stored(store) and ("a", "s1", 20) not in stored(store)


def test_a_load_without_rows_makes_the_table(store: Session) -> None:
    fill_in_process(Job({}, store), TARGET, [], read, [])
    assert stored(store) == set()
    assert open_table(store, TARGET.name).spec().fields[0].name == "sample_bucket"


def test_spark_s_form_of_a_reader_gives_the_same_rows() -> None:
    items = pa.RecordBatch.from_pylist([an_item("a", "s1", 10), an_item("b", "s2", 20)])
    found = [row for rows in items_to_rows(read)(iter([items])) for row in rows.to_pylist()]
    assert [row["value"] for row in found] == [10, 11, 20, 21]


def test_a_session_reaches_another_process_with_its_settings(lake: Session) -> None:
    revived = pickle.loads(pickle.dumps(lake))
    assert revived.settings == lake.settings
    assert revived.client("s3").list_buckets()["Buckets"]
