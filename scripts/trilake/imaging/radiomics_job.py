"""The radiomics job: every series with pixels, measured in its regions, each value with its passport.

What could not be measured is put down in imaging/reports/<load_id>/<image set>.json, from where it gets into the
ledger.

Example: extract_radiomics(Job.start(sys.argv))
"""

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa

from trilake.core.glue_job import Item, Job, ReadItem, has_spark
from trilake.core.lakehouse.replace import Replaced
from trilake.core.lakehouse.store_table import fill
from trilake.core.session import Session
from trilake.imaging import radiomics
from trilake.imaging.flatten_job import MetadataReader, read_work, report_key
from trilake.imaging.metadata import ImageSet, frameless_problem
from trilake.imaging.pixels import ImageSetFrames
from trilake.imaging.radiomics import (
    Feature,
    foreground,
    measure_foreground,
    measure_region,
    settings_hash,
    settings_text,
    software_version,
)
from trilake.imaging.segmentation import Region, mask_hash, regions
from trilake.imaging.tables import RADIOMICS, RADIOMICS_TABLE, stored_series
from trilake.imaging.values import Json
from trilake.imaging.volume import Volume, read_largest

SEGMENTATION = "SEG"
FEWEST_EACH = 4
"""Image sets that a process has to measure to be worth its start."""
Problem = Callable[[str], None]


def extract_radiomics(job: Job) -> None:
    """Features of every series with pixels among the load's image sets, and of those whose segmentations it brought."""
    items = with_segmentations(job.session, read_work(job.session, job.arguments["load_id"]))
    if not items:
        return
    ids = tuple(item["image_set_id"] for item in items)
    replaced = [Replaced("datastore_id", job.session.settings.imaging.datastore_id, "image_set_id", ids)]
    with in_parallel(Measurer(job.session, job.arguments["load_id"]), items) as read:
        fill(job, RADIOMICS_TABLE, items, read, replaced)


def with_segmentations(session: Session, items: list[Item]) -> list[Item]:
    """The items with the segmentations of their studies; the other image sets of a study that got a segmentation too.

    Segmentations themselves are not measured.
    """
    series = stored_series(session)
    loaded = {item["image_set_id"] for item in items}
    drawn: dict[str, list[str]] = {}
    for row in series:
        if row.modality == SEGMENTATION:
            drawn.setdefault(row.study_instance_uid, []).append(row.image_set_id)
    touched = {study for study, ids in drawn.items() if loaded & set(ids)}
    wanted = {
        row.image_set_id: row for row in series if row.image_set_id in loaded or row.study_instance_uid in touched
    }
    known = [
        {"image_set_id": name, "segmentations": ",".join(sorted(drawn.get(row.study_instance_uid, [])))}
        for name, row in sorted(wanted.items())
        if row.modality != SEGMENTATION
    ]
    unknown = sorted(loaded - {row.image_set_id for row in series})
    return known + [{"image_set_id": name, "segmentations": ""} for name in unknown]


@contextmanager
def in_parallel(read: ReadItem, items: list[Item]) -> Iterator[ReadItem]:
    """`read` on all cores, where Spark does not spread the items itself; the rows come in the items' order."""
    workers = min(os.cpu_count() or 1, len(items) // FEWEST_EACH)
    if has_spark() or workers < 2:
        yield read
        return
    # Spawned, not forked: boto3 and pyarrow have threads, and a fork copies their locks as they stand.
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        done = {item["image_set_id"]: pool.submit(listed, read, item) for item in items}
        yield lambda item: iter(done.pop(item["image_set_id"]).result())


def listed(read: ReadItem, item: Item) -> list[pa.RecordBatch]:
    return list(read(item))


@dataclass(frozen=True)
class Measurer:
    """One image set -> the rows of its series; what cannot be measured leaves a report, never a silent gap."""

    session: Session
    load_id: str

    def __call__(self, item: Item) -> Iterator[pa.RecordBatch]:
        problems: list[str] = []
        rows = list(self.rows(item, problems.append))
        if problems:
            self.report(item["image_set_id"], "; ".join(dict.fromkeys(problems)))
        if rows:
            yield pa.RecordBatch.from_pylist(rows, schema=RADIOMICS)

    def rows(self, item: Item, problem: Problem) -> Iterator[Json]:
        metadata, image_set = MetadataReader(self.session)(item["image_set_id"])
        drawings = [name for name in item.get("segmentations", "").split(",") if name]
        for series_uid, series in metadata["Study"]["Series"].items():
            instances = with_frames(series["Instances"])
            if series.get("DICOM", {}).get("Modality") == SEGMENTATION:
                continue
            if not instances:
                if lack := frameless_problem(series["Instances"]):
                    problem(lack)
                continue
            shared = {
                "datastore_id": image_set.datastore_id,
                "image_set_id": image_set.image_set_id,
                "study_instance_uid": metadata["Study"].get("DICOM", {}).get("StudyInstanceUID"),
                "series_instance_uid": series_uid,
            }
            with reported(problem):
                volume = read_largest(self.frames(image_set, instances))
                if volume.n_stacks > 1:
                    problem(f"only the largest of {volume.n_stacks} stacks is measured, {len(volume.array)} slices")
                for row in self.measured(volume, self.drawn(volume, series_uid, instances, drawings, problem), problem):
                    yield shared | row

    def frames(self, image_set: ImageSet, instances: Json) -> ImageSetFrames:
        name = {"datastoreId": image_set.datastore_id, "imageSetId": image_set.image_set_id}
        return ImageSetFrames(self.session.client("medical-imaging"), name, instances)

    def drawn(
        self, volume: Volume, series_uid: str, instances: Json, drawings: list[str], problem: Problem
    ) -> list[Region]:
        """The regions that segmentations of the study draw in the series."""
        drawn: list[Region] = []
        for name in drawings:
            with reported(problem):
                metadata, image_set = MetadataReader(self.session)(name)
                for series in metadata["Study"]["Series"].values():
                    source = self.frames(image_set, with_frames(series["Instances"]))
                    drawn += regions(source, volume, series_uid, set(instances))
        return drawn

    def measured(self, volume: Volume, drawn: list[Region], problem: Problem) -> Iterator[Json]:
        """Our own features of the foreground; the IBSI's of the drawn regions, else of the foreground."""
        head = foreground(volume.array)
        whole = Region(radiomics.FOREGROUND, "foreground", radiomics.FOREGROUND, head.inside)
        own = Passport(
            radiomics.FOREGROUND_SETTINGS,
            radiomics.FOREGROUND_SOFTWARE,
            software_version(radiomics.FOREGROUND_SOFTWARE),
        )
        yield from own.rows(volume, whole, measure_foreground(volume.array, head, voxel_ml=volume.voxel_ml))
        passport = Passport(settings_text(), radiomics.SOFTWARE, software_version(radiomics.SOFTWARE))
        for region in drawn or [whole]:
            with reported(problem):
                yield from passport.rows(volume, region, measure_region(volume, region.mask))

    def report(self, image_set_id: str, problem: str) -> None:
        body = json.dumps({"image_set_id": image_set_id, "problem": problem}).encode()
        bucket = self.session.settings.core.raw_bucket
        self.session.client("s3").put_object(Bucket=bucket, Key=report_key(self.load_id, image_set_id), Body=body)


def with_frames(instances: Json) -> Json:
    return {uid: instance for uid, instance in instances.items() if instance.get("ImageFrames")}


@contextmanager
def reported(problem: Problem) -> Iterator[None]:
    """One item's failure is told and does not stop the others, whatever a library raises over odd pixels."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        problem(str(error).splitlines()[0] if str(error) else type(error).__name__)
    except Exception as error:
        problem(f"{type(error).__name__} while measuring")


@dataclass(frozen=True)
class Passport:
    """How values came about: settings and software, beside the region and the volume they were measured in."""

    settings: str
    software: str
    software_version: str

    def rows(self, volume: Volume, region: Region, measured: list[Feature]) -> Iterator[Json]:
        column_spacing, row_spacing, slice_spacing = volume.spacing
        settings = with_stack(self.settings, volume)
        shared = {
            "mask_id": region.mask_id,
            "mask_source": region.source,
            "mask_label": region.label,
            "mask_sha256": mask_hash(region.mask),
            "n_voxels": int(region.mask.sum()),
            "row_spacing": row_spacing,
            "column_spacing": column_spacing,
            "slice_spacing": slice_spacing,
            "settings": settings,
            "settings_sha256": settings_hash(settings),
            "software": self.software,
            "software_version": self.software_version,
        }
        for name, value, unit, code in measured:
            yield shared | {"feature": name, "value": value, "unit": unit, "ibsi_code": code or None}


def with_stack(settings: str, volume: Volume) -> str:
    """The settings; where the series holds several stacks, they say that the largest was measured."""
    if volume.n_stacks == 1:
        return settings
    stack = {"stack": {"chosen": "largest", "of": volume.n_stacks, "n_slices": len(volume.array)}}
    return json.dumps(json.loads(settings) | stack, sort_keys=True)
