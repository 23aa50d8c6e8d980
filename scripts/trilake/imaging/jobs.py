"""The two imaging jobs: which image sets they read, and how each becomes rows.

Reads s3://<raw>/imaging/loads/<load_id>/work.json and HealthImaging; writes the imaging store's tables, and what could
not be measured to imaging/reports/<load_id>/<image set>.json. Run by glue_jobs/imaging_*.py.

Example: flatten(Job.start(sys.argv))
"""

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from botocore.exceptions import ClientError

from trilake.core.engine import Replaced, Target, fill
from trilake.core.job import Item, Job, Polling
from trilake.core.session import Session
from trilake.imaging.features import MASK_SOURCE, SOFTWARE_VERSION, measure
from trilake.imaging.metadata import ImageSet, Json, instance_rows, series_rows
from trilake.imaging.shape import INSTANCE_TABLE, RADIOMICS_TABLE, SERIES_TABLE
from trilake.imaging.source import ImageSetFrames
from trilake.imaging.volume import read_volume

LONGEST_WAIT_SECONDS = 120
MakeRows = Callable[[Json, ImageSet], Iterator[Json]]


def work_key(load_id: str) -> str:
    return f"imaging/loads/{load_id}/work.json"


def report_key(load_id: str, image_set_id: str) -> str:
    return f"imaging/reports/{load_id}/{image_set_id}.json"


def flatten(job: Job) -> None:
    """Metadata of the load's image sets into the series and instance tables."""
    reader = MetadataReader(job.session)
    fill_table(job, SERIES_TABLE, RowMaker(reader, SERIES_TABLE.schema, series_rows))
    fill_table(job, INSTANCE_TABLE, RowMaker(reader, INSTANCE_TABLE.schema, instance_rows))


def extract_radiomics(job: Job) -> None:
    """Features of every series with pixels among the load's image sets."""
    reader = MetadataReader(job.session)
    measured = Measurer(job.session, job.arguments["load_id"])
    fill_table(job, RADIOMICS_TABLE, RowMaker(reader, RADIOMICS_TABLE.schema, measured))


def fill_table(job: Job, target: Target, read: "RowMaker") -> None:
    items = read_work(job.session, job.arguments["load_id"])
    datastore_id = job.session.settings.imaging.datastore_id
    ids = tuple(item["image_set_id"] for item in items)
    fill(job, target, items, read, [Replaced("datastore_id", datastore_id, "image_set_id", ids)])


def read_work(session: Session, load_id: str) -> list[Item]:
    body = (
        session.client("s3").get_object(Bucket=session.settings.core.raw_bucket, Key=work_key(load_id))["Body"].read()
    )
    items: list[Item] = json.loads(body)
    return items


@dataclass(frozen=True)
class MetadataReader:
    """Image sets with their metadata; none is held, so that memory does not grow with the load."""

    session: Session

    def __call__(self, image_set_id: str) -> tuple[Json, ImageSet]:
        client = self.session.client("medical-imaging")
        name = {"datastoreId": self.session.settings.imaging.datastore_id, "imageSetId": image_set_id}
        told = patiently(client.get_image_set, name)
        body = patiently(client.get_image_set_metadata, name)["imageSetMetadataBlob"].read()
        image_set = ImageSet(
            datastore_id=name["datastoreId"],
            image_set_id=image_set_id,
            version=int(told["versionId"]),
            is_primary=bool(told.get("isPrimary", True)),
        )
        return json.loads(gzip.decompress(body)), image_set


def patiently(call: Callable[..., Json], name: dict[str, str]) -> Json:
    """The answer about an image set, which the service refuses with a conflict while it works on it."""
    polling = Polling()
    while True:
        try:
            return call(**name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException" or polling.waited > LONGEST_WAIT_SECONDS:
                raise
            polling.pause()


@dataclass(frozen=True)
class RowMaker:
    """The function of a job: one image set -> its rows as Arrow."""

    read: MetadataReader
    schema: pa.Schema
    make: MakeRows

    def __call__(self, item: Item) -> Iterator[pa.RecordBatch]:
        rows = list(self.make(*self.read(item["image_set_id"])))
        if rows:
            yield pa.RecordBatch.from_pylist(rows, schema=self.schema)


@dataclass(frozen=True)
class Measurer:
    """Features of each series of an image set; what cannot be measured leaves a report, never a silent gap."""

    session: Session
    load_id: str

    def __call__(self, metadata: Json, image_set: ImageSet) -> Iterator[Json]:
        for series_uid, series in metadata["Study"]["Series"].items():
            instances = {uid: item for uid, item in series["Instances"].items() if item.get("ImageFrames")}
            try:
                yield from self.rows(metadata, image_set, series_uid, instances) if instances else ()
            except (ValueError, RuntimeError) as error:
                self.report(image_set.image_set_id, series_uid, str(error))

    def rows(self, metadata: Json, image_set: ImageSet, series_uid: str, instances: Json) -> list[Json]:
        name = {"datastoreId": image_set.datastore_id, "imageSetId": image_set.image_set_id}
        volume = read_volume(ImageSetFrames(self.session.client("medical-imaging"), name, instances))
        shared: dict[str, Any] = {
            "datastore_id": image_set.datastore_id,
            "image_set_id": image_set.image_set_id,
            "study_instance_uid": metadata["Study"].get("DICOM", {}).get("StudyInstanceUID"),
            "series_instance_uid": series_uid,
            "mask_source": MASK_SOURCE,
            "software_version": SOFTWARE_VERSION,
        }
        return [
            shared | {"feature": feature, "value": found.value, "unit": found.unit}
            for feature, found in measure(volume.array, voxel_ml=volume.voxel_ml).items()
        ]

    def report(self, image_set_id: str, series_uid: str, problem: str) -> None:
        body = json.dumps(
            {"image_set_id": image_set_id, "series_instance_uid": series_uid, "problem": problem}
        ).encode()
        bucket = self.session.settings.core.raw_bucket
        self.session.client("s3").put_object(Bucket=bucket, Key=report_key(self.load_id, image_set_id), Body=body)
