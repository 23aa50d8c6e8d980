"""Tables with position delete files, as Trino and Spark write them: read right, changed right, packed away.

Example: `python -m pytest tests/localaws/athena/test_delete_files.py`
"""

from __future__ import annotations

import io

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.manifest import (
    DataFile,
    DataFileContent,
    FileFormat,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriterV2,
)
from pyiceberg.table.update.snapshot import _FastAppendFiles
from pyiceberg.typedef import Record

from .conftest import Lake


class DeleteManifest(ManifestWriterV2):
    """A manifest of delete files: pyiceberg reads them but writes none."""

    def content(self) -> ManifestContent:
        return ManifestContent.DELETES

    @property
    def _meta(self) -> dict[str, str]:
        return {**super()._meta, "content": "deletes"}


def delete_position(lake: Lake, name: str, position: int) -> None:
    """Commit a delete file for one row of the table's first data file."""
    table = lake.aws.world.iceberg_catalog().load_table(("lake", name))
    (task, *_) = sorted(table.scan().plan_files(), key=lambda item: item.file.file_path)
    schema = pa.schema(
        [
            pa.field("file_path", pa.string(), False, metadata={"PARQUET:field_id": "2147483546"}),
            pa.field("pos", pa.int64(), False, metadata={"PARQUET:field_id": "2147483545"}),
        ]
    )
    content = io.BytesIO()
    pq.write_table(pa.table({"file_path": [task.file.file_path], "pos": [position]}, schema=schema), content)
    place = f"{name}/data/delete-{position}.parquet"
    lake.s3.put_object(Bucket="lake-bucket", Key=place, Body=content.getvalue())
    with table.transaction() as transaction:
        change = transaction.update_snapshot().fast_append()
        manifest = written_manifest(table, change, f"s3://lake-bucket/{place}", len(content.getvalue()))
        existing = change._existing_manifests
        change._existing_manifests = lambda: [*existing(), manifest]  # type: ignore[method-assign]
        change.commit()


def written_manifest(table: object, change: _FastAppendFiles, location: str, size: int) -> ManifestFile:
    file = DataFile.from_args(
        content=DataFileContent.POSITION_DELETES,
        file_path=location,
        file_format=FileFormat.PARQUET,
        partition=Record(),
        record_count=1,
        file_size_in_bytes=size,
    )
    file.spec_id = 0
    output = table.io.new_output(f"{location}.avro")  # type: ignore[attr-defined]
    spec, schema = table.spec(), table.schema()  # type: ignore[attr-defined]
    with DeleteManifest(spec, schema, output, change.snapshot_id, "deflate") as writer:
        writer.add(
            ManifestEntry.from_args(
                status=ManifestEntryStatus.ADDED, snapshot_id=change.snapshot_id, sequence_number=None, data_file=file
            )
        )
    return writer.to_manifest_file()


def a_table(lake: Lake, name: str) -> str:
    lake.done(
        f"CREATE TABLE {name} (id bigint, name string) LOCATION 's3://lake-bucket/{name}/' "
        "TBLPROPERTIES ('table_type' = 'ICEBERG')"
    )
    lake.done(f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')")
    delete_position(lake, name, 1)
    return name


def ids(lake: Lake, name: str) -> list[str | None]:
    return [row[0] for row in lake.rows(f"SELECT id FROM {name} ORDER BY id")]


def test_deleted_rows_are_gone(lake: Lake) -> None:
    name = a_table(lake, "deleted_read")
    assert ids(lake, name) == ["1", "3", "4"]
    assert lake.rows(f"SELECT count(*), max(name) FROM {name} WHERE id <> 3") == [["2", "d"]]
    assert lake.rows(f'SELECT content, sum(record_count) FROM "{name}$files" GROUP BY content ORDER BY 1') == [
        ["0", "4"],
        ["1", "1"],
    ]


def test_changes_hit_the_right_rows(lake: Lake) -> None:
    name = a_table(lake, "deleted_changed")
    assert lake.count(f"UPDATE {name} SET name = 'changed' WHERE id = 3") == 1
    assert lake.rows(f"SELECT * FROM {name} ORDER BY id") == [["1", "a"], ["3", "changed"], ["4", "d"]]
    assert lake.count(f"DELETE FROM {name} WHERE id = 4") == 1
    assert ids(lake, name) == ["1", "3"]


def test_optimize_applies_the_deletes(lake: Lake) -> None:
    name = a_table(lake, "deleted_packed")
    lake.done(f"OPTIMIZE {name} REWRITE DATA USING BIN_PACK")
    assert ids(lake, name) == ["1", "3", "4"]
    assert lake.rows(f'SELECT content, sum(record_count) FROM "{name}$files" GROUP BY content') == [["0", "3"]]
