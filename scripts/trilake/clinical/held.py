"""What the FHIR store holds by our hand: key, content hash and lastUpdated of every resource that was loaded.

One Parquet file a load and type, s3://<raw bucket>/clinical/held/<datastore>/<Type>/<ingest_id>.parquet, so that a
later load knows its duplicates without asking the store, whose tables lag minutes behind and carry no hash. A load
killed before these files were written is loaded again; the newest row per id stays the same.

Example: register.meet(held(session, register, ["Patient"], run.work_dir))
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trilake.clinical.register import Held, Register
from trilake.core.session import Session

SCHEMA = pa.schema([("id", pa.string()), ("sha", pa.binary(16)), ("updated", pa.string()), ("version", pa.int64())])
Row = tuple[str, bytes, str | None, int | None]
BATCH = 50_000
IDS_AT_ONCE = 500_000
"""Ids of a load that are looked for in one pass over the files: memory stays, time grows with the load."""


def prefix(session: Session, kind: str) -> str:
    return f"clinical/held/{session.settings.clinical.datastore_id}/{kind}/"


def held(session: Session, register: Register, kinds: list[str], work_dir: Path) -> Iterator[Held]:
    """(type, id, sha, updated, version) of what earlier loads left of these resources, in the order of the loads."""
    for kind in kinds:
        paths = files(session, kind, work_dir)
        for ids in register.ids(kind, IDS_AT_ONCE) if paths else ():
            yield from ((kind, *row) for row in rows_of(paths, ids))


def held_ids(session: Session, kind: str, ids: set[str], work_dir: Path) -> set[str]:
    """Those of the ids that earlier loads left in the store."""
    return {row[0] for row in rows_of(files(session, kind, work_dir), sorted(ids))}


def files(session: Session, kind: str, work_dir: Path) -> list[Path]:
    """The files of one type, fetched once a run, in the order of the loads."""
    bucket, s3 = session.settings.core.raw_bucket, session.client("s3")
    folder = work_dir / "held"
    folder.mkdir(exist_ok=True)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix(session, kind))
    paths: list[Path] = []
    for key in sorted(found["Key"] for page in pages for found in page.get("Contents", [])):
        paths.append(folder / f"{kind}-{len(paths)}.parquet")
        if not paths[-1].exists():
            s3.download_file(bucket, key, str(paths[-1]))
    return paths


def is_remembered(session: Session, job_id: str, kinds: set[str]) -> bool:
    """Whether a load has counted what an import job brought."""
    bucket, pages = session.settings.core.raw_bucket, session.client("s3").get_paginator("list_objects_v2")
    return any(
        job_id in found["Key"]
        for kind in kinds
        for page in pages.paginate(Bucket=bucket, Prefix=prefix(session, kind))
        for found in page.get("Contents", [])
    )


def rows_of(paths: list[Path], ids: list[str]) -> Iterator[Row]:
    """The rows with one of these ids, file by file."""
    wanted = pa.array(ids, pa.string())
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(BATCH):
            ours = batch.filter(pc.is_in(batch["id"], wanted))
            yield from zip(*(column.to_pylist() for column in ours.columns), strict=True)


def remember(session: Session, register: Register, kinds: list[str], *, name: str, work_dir: Path) -> None:
    """Write what this load added; `name` is its ingest id and the ids of its import jobs."""
    local = work_dir / "held.parquet"
    for kind in kinds:
        rows = register.loaded(kind)
        if write(rows, local):
            session.client("s3").upload_file(
                str(local), session.settings.core.raw_bucket, f"{prefix(session, kind)}{name}.parquet"
            )


def write(rows: Iterator[Row], path: Path) -> int:
    """Rows into one Parquet file, batch by batch; how many there were."""
    n_rows = 0
    with pq.ParquetWriter(path, SCHEMA) as writer:
        while batch := list(itertools.islice(rows, BATCH)):
            columns = zip(*batch, strict=True)
            arrays = [pa.array(list(column), field.type) for column, field in zip(columns, SCHEMA, strict=True)]
            writer.write_batch(pa.record_batch(arrays, schema=SCHEMA))
            n_rows += len(batch)
    return n_rows
