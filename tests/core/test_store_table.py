"""Rows of items into an Iceberg table: in bounded memory, in one commit with what they replace, or not at all."""

import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pyarrow as pa
import pytest

from trilake.core.glue_job import Item, Job
from trilake.core.lakehouse import data_files, store_table
from trilake.core.lakehouse.iceberg import open_catalog, open_table
from trilake.core.lakehouse.store_table import (
    Replaced,
    Target,
    ensure_table,
    fill_in_process,
    items_to_rows,
    started_table,
)
from trilake.core.session import Session

SCHEMA = pa.schema([("file", pa.string()), ("sample", pa.string()), ("value", pa.int64())])
TARGET = Target("genomic_store.engine", SCHEMA, bucket_by="sample", buckets=4)


def batch(*values: int, file: str = "f", sample: str = "s") -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"file": file, "sample": sample, "value": value} for value in values], SCHEMA)


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


def test_first_loads_that_meet_start_from_one_snapshot(store: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """As fill_on_spark does before its rows: whoever comes second builds on what the first left."""
    job = Job({}, store)
    both_saw_it_empty = [ensure_table(job, TARGET), ensure_table(job, TARGET)]
    (first,) = started_table(job, TARGET).snapshots()
    with monkeypatch.context() as patch:
        seen = iter([both_saw_it_empty[1], ensure_table(job, TARGET)])
        patch.setattr(store_table, "ensure_table", lambda job, target: next(seen))
        assert started_table(job, TARGET).snapshots() == [first]
    assert stored(store) == set()
    fill(store, an_item("a", "s1", 10))
    assert started_table(job, TARGET).current_snapshot() == open_table(store, TARGET.name).current_snapshot() != first
    assert stored(store) == {("a", "s1", 10), ("a", "s1", 11)}


def test_a_load_replaces_its_own_rows_and_no_others(store: Session) -> None:
    fill(store, an_item("a", "s1", 10), an_item("a", "s2", 20), an_item("b", "s1", 30))
    fill(store, an_item("a", "s1", 50), an_item("c", "s2", 70))
    assert stored(store) == {
        ("a", "s1", 50), ("a", "s1", 51), ("a", "s2", 20), ("a", "s2", 21),
        ("b", "s1", 30), ("b", "s1", 31), ("c", "s2", 70), ("c", "s2", 71),
    }  # fmt: skip


def test_rows_that_do_not_fit_into_memory_at_once_are_all_there(
    store: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_files, "ROW_GROUP_ROWS", 1)
    monkeypatch.setattr(data_files, "FILE_BYTES", 1)
    fill(store, an_item("a", "s1", 10), an_item("b", "s2", 20))
    assert len(stored(store)) == 4
    assert len({file.file.file_path for file in open_table(store, TARGET.name).scan().plan_files()}) == 4


def test_a_reload_is_one_snapshot_and_the_one_before_stays_readable(store: Session) -> None:
    fill(store, an_item("a", "s1", 10), an_item("b", "s2", 20))
    first = open_table(store, TARGET.name).current_snapshot()
    fill(store, an_item("a", "s1", 50))
    table = open_table(store, TARGET.name)
    assert first is not None and table.current_snapshot().parent_snapshot_id == first.snapshot_id
    before = table.scan(snapshot_id=first.snapshot_id).to_arrow()["value"].to_pylist()
    assert sorted(before) == [10, 11, 20, 21]


def test_loads_that_meet_all_commit(store: Session) -> None:
    fill(store, an_item("a", "s1", 10))
    loads = [an_item("a", "s1", 50), *(an_item(f"f{number}", "s1", 100 * number) for number in range(1, 4))]
    with ThreadPoolExecutor(len(loads)) as pool:
        list(pool.map(lambda item: fill(store, item), loads))
    assert stored(store) == {(item["file"], "s1", int(item["value"]) + more) for item in loads for more in (0, 1)}


def test_a_row_group_is_pruned_by_what_is_sorted(store: Session) -> None:
    target = replace(TARGET, sort_by=("file", "value"), full_metrics=("value", "file"))
    items = [an_item("a", "s1", value) for value in (30, 10, 20)]
    fill_in_process(Job({}, store), target, items, read, [])
    table = open_table(store, TARGET.name)
    assert table.scan().to_arrow()["value"].to_pylist() == [10, 11, 20, 21, 30, 31]
    assert list(table.scan("value > 31").plan_files()) == []


def test_a_load_that_breaks_leaves_the_table_as_it_was(store: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_files, "ROW_GROUP_ROWS", 1)
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


def test_a_table_of_an_earlier_version_gets_the_columns_that_came_since(store: Session) -> None:
    fill(store, an_item("a", "s1", 10), an_item("b", "s1", 30))
    wider = pa.schema([*SCHEMA, ("note", pa.string()), ("places", pa.list_(pa.float64()))])

    def read_wider(item: Item) -> Iterator[pa.RecordBatch]:
        yield pa.RecordBatch.from_pylist([item | {"value": 7, "note": "new", "places": [1.5]}], wider)

    replaced = [Replaced("file", "a", "sample", ("s1",))]
    fill_in_process(Job({}, store), replace(TARGET, schema=wider), [an_item("a", "s1", 7)], read_wider, replaced)
    rows = open_table(store, TARGET.name).scan().to_arrow().to_pylist()
    assert sorted((row["file"], row["value"], row["note"], row["places"]) for row in rows) == [
        ("a", 7, "new", [1.5]), ("b", 30, None, None), ("b", 31, None, None),
    ]  # fmt: skip
