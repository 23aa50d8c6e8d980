"""The flatten job: metadata of image sets into the instance and series tables, after a load or to catch up.

After a load (--load_id) it reads the image sets that imaging/loads/<load_id>/work.json names. Without one, as an event
or the clock starts it, it finds for itself what the tables lack: image sets whose newest version is not there, and rows
of image sets that are gone.

Example: flatten(Job.start(sys.argv))
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from trilake.core.glue_job import Item, Job, patiently
from trilake.core.lakehouse.replace import Replaced, replace_rows
from trilake.core.lakehouse.store_table import Target, ensure_table, fill
from trilake.core.session import Session
from trilake.imaging.metadata import FLATTENED_BY, ImageSet, instance_rows, series_rows
from trilake.imaging.tables import INSTANCE_TABLE, RADIOMICS_TABLE, SERIES_TABLE, stored_series
from trilake.imaging.values import Json

LONGEST_WAIT_SECONDS = 120
MakeRows = Callable[[Json, ImageSet], Iterator[Json]]


def work_key(load_id: str) -> str:
    return f"imaging/loads/{load_id}/work.json"


def report_key(load_id: str, image_set_id: str) -> str:
    return f"imaging/reports/{load_id}/{image_set_id}.json"


def flatten(job: Job) -> None:
    """Metadata of the load's image sets, or of all that changed, into the instance and series tables."""
    load_id = job.arguments.get("load_id")
    items, gone = (read_work(job.session, load_id), []) if load_id else differences(job.session)
    with TemporaryDirectory() as folder:
        reader = MetadataReader(job.session, folder)
        # The series table last: its rows say that an image set is done.
        for target, make in ((INSTANCE_TABLE, instance_rows), (SERIES_TABLE, series_rows)):
            if items:
                fill_table(job, target, items, RowMaker(reader, target.schema, make))
            if gone:
                remove(job, target, gone)
    if gone:
        remove(job, RADIOMICS_TABLE, gone)


def differences(session: Session) -> tuple[list[Item], list[str]]:
    """Image sets to flatten, and the ids of those that are only in the tables any more.

    Versions come from SearchImageSets, which leaves image sets in the tier they are in.
    """
    flattened = {row.image_set_id: (row.version, row.flattened_by) for row in stored_series(session)}
    pages = session.client("medical-imaging").get_paginator("search_image_sets")
    summaries = pages.paginate(datastoreId=session.settings.imaging.datastore_id)
    current = {item["imageSetId"]: item["version"] for page in summaries for item in page["imageSetsMetadataSummaries"]}
    new = [name for name, version in current.items() if flattened.get(name) != (version, FLATTENED_BY)]
    return [{"image_set_id": name} for name in sorted(new)], sorted(set(flattened) - set(current))


def fill_table(job: Job, target: Target, items: list[Item], read: "RowMaker") -> None:
    ids = tuple(item["image_set_id"] for item in items)
    fill(job, target, items, read, [replaced_by(job.session, ids)])


def remove(job: Job, target: Target, image_set_ids: list[str]) -> None:
    """The rows of image sets that the service has no more."""
    replace_rows(lambda: ensure_table(job, target), [], [replaced_by(job.session, tuple(image_set_ids))])


def replaced_by(session: Session, image_set_ids: tuple[str, ...]) -> Replaced:
    return Replaced("datastore_id", session.settings.imaging.datastore_id, "image_set_id", image_set_ids)


def read_work(session: Session, load_id: str) -> list[Item]:
    body = (
        session.client("s3").get_object(Bucket=session.settings.core.raw_bucket, Key=work_key(load_id))["Body"].read()
    )
    items: list[Item] = json.loads(body)
    return items


@dataclass(frozen=True)
class MetadataReader:
    """Image sets with their metadata. None is held in memory; with a folder, a second look reads what lies there.

    Two tables are made of the same metadata. Under Spark each machine has a folder of its own, and may read once more.
    """

    session: Session
    folder: str = ""

    def __call__(self, image_set_id: str) -> tuple[Json, ImageSet]:
        copy = Path(self.folder) / f"{image_set_id}.json.gz" if self.folder else None
        if copy is not None and copy.exists():
            properties, body = json.loads(copy.with_suffix(".properties").read_text()), copy.read_bytes()
        else:
            properties, body = self.ask(image_set_id)
            if copy is not None:
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.with_suffix(".properties").write_text(json.dumps(properties))
                copy.write_bytes(body)
        image_set = ImageSet(
            self.session.settings.imaging.datastore_id, image_set_id, properties["version"], properties["primary"]
        )
        return json.loads(gzip.decompress(body)), image_set

    def ask(self, image_set_id: str) -> tuple[Json, bytes]:
        client = self.session.client("medical-imaging")
        name = {"datastoreId": self.session.settings.imaging.datastore_id, "imageSetId": image_set_id}
        properties = free(partial(client.get_image_set, **name))
        # Reading metadata moves an image set out of the archive tier: once a version, and never to look what is new.
        body = free(partial(client.get_image_set_metadata, **name, versionId=properties["versionId"]))
        is_primary = bool(properties.get("isPrimary", True))
        return {"version": int(properties["versionId"]), "primary": is_primary}, body["imageSetMetadataBlob"].read()


def free(call: Callable[[], Any]) -> Any:
    """The answer about an image set, which the service refuses with a conflict while it works on it."""
    return patiently(call, busy={"ConflictException"}, longest=LONGEST_WAIT_SECONDS)


@dataclass(frozen=True)
class RowMaker:
    """The function of the job: one image set -> its rows as Arrow."""

    read: MetadataReader
    schema: pa.Schema
    make: MakeRows

    def __call__(self, item: Item) -> Iterator[pa.RecordBatch]:
        rows = list(self.make(*self.read(item["image_set_id"])))
        if rows:
            yield pa.RecordBatch.from_pylist(rows, schema=self.schema)
