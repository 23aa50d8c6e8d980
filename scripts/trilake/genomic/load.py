"""The load job's work: which files it reads, how each becomes rows, and the report that it leaves of each.

Reads s3://<raw>/genomic/loads/<load_id>/work.json and the files it names; writes the store's tables and
s3://<raw>/genomic/reports/<load_id>/<content hash>.json. Run by glue_jobs/genomic_load_variants.py.

Example: fill_store(Job.start(sys.argv))
"""

import json
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from trilake.core.engine import Replaced, Target, fill
from trilake.core.job import Item, Job, bucket_and_key
from trilake.core.ledger import Reason
from trilake.core.session import Session
from trilake.genomic.reader import Reading, open_vcf
from trilake.genomic.shape import ANNOTATION, SAMPLE_FILE, VARIANT

VARIANTS = Target("genomic_store.variant", VARIANT, bucket_by="sampleid")
SAMPLE_FILES = Target("genomic_store.sample_file", SAMPLE_FILE, bucket_by="sampleid", buckets=1)
ANNOTATIONS = Target("genomic_store.annotation", ANNOTATION, bucket_by="contigname", buckets=1)


@dataclass(frozen=True)
class Work:
    """One load: `items` have uri, name, sha256, is_annotation (true, false) and samples (joined by tabs)."""

    load_id: str
    default_genome: str
    items: list[Item]


def work_key(load_id: str) -> str:
    return f"genomic/loads/{load_id}/work.json"


def report_key(load_id: str, sha256: str) -> str:
    return f"genomic/reports/{load_id}/{sha256}.json"


def fill_store(job: Job) -> None:
    """Do the work that `--load_id` names. Files with samples go to the variant table, sites-only files beside it."""
    work = read_work(job.session, job.arguments["load_id"])
    reader = ItemReader(job.session, work, job.arguments.get("JOB_RUN_ID", work.load_id))
    for target, is_annotation in ((VARIANTS, "false"), (ANNOTATIONS, "true")):
        items = [item for item in work.items if item["is_annotation"] == is_annotation]
        if not items:
            continue
        replaced = [replaced_by(item) for item in items]
        fill(job, target, items, reader, replaced)
        if target is VARIANTS:
            fill(job, SAMPLE_FILES, items, SampleFiles(work.load_id), replaced)


def replaced_by(item: Item) -> Replaced:
    """A file takes the place of what its namesake brought for the same samples (or of its release and build)."""
    if item["is_annotation"] == "true":
        build = (("reference_genome", item["reference_genome"]),)
        return Replaced("source_file", item["name"], "release", (item["release"],), build)
    return Replaced("source_file", item["name"], "sampleid", tuple(item["samples"].split("\t")))


def read_work(session: Session, load_id: str) -> Work:
    body = (
        session.client("s3").get_object(Bucket=session.settings.core.raw_bucket, Key=work_key(load_id))["Body"].read()
    )
    return Work(**json.loads(body))


@dataclass(frozen=True)
class SampleFiles:
    """A file's samples with what its header tells of them, one row each; reads nothing but the work list."""

    load_id: str

    def __call__(self, item: Item) -> Iterator[pa.RecordBatch]:
        samples = item["samples"].split("\t")
        told = {**item, "source_file": item["name"], "load_id": self.load_id}
        yield pa.RecordBatch.from_pydict(
            {
                name: samples if name == "sampleid" else [told[name] or None] * len(samples)
                for name in SAMPLE_FILE.names
            },
            schema=SAMPLE_FILE,
        )


@dataclass(frozen=True)
class ItemReader:
    """The function of the job: one staged file -> its rows. Its report is written when the last row is taken."""

    session: Session
    work: Work
    run_id: str

    def __call__(self, item: Item) -> Iterator[pa.RecordBatch]:
        s3 = self.session.client("s3")
        bucket, key = bucket_and_key(item["uri"])
        with tempfile.NamedTemporaryFile(suffix=".vcf") as file:
            s3.download_fileobj(bucket, key, file)
            file.flush()
            reading = open_vcf(
                Path(file.name),
                item["name"],
                load_id=self.work.load_id,
                job_id=self.run_id,
                default_genome=self.work.default_genome,
            )
            yield from reading.batches()
            body = json.dumps(report(reading)).encode()
            s3.put_object(Bucket=bucket, Key=report_key(self.work.load_id, item["sha256"]), Body=body)


def report(reading: Reading) -> dict[str, Any]:
    """What became of a file's records: counts, each refused line with its reasons, warnings, a fault of the stream."""
    return {
        "counts": asdict(reading.counts),
        "refused": [
            {"line": entry.line, "text": entry.text, "reasons": [asdict(reason) for reason in entry.reasons]}
            for entry in reading.refused
        ],
        "warnings": [asdict(reason) for reason in reading.warnings],
        "faults": [asdict(reason) for reason in reading.faults],
    }


def reasons_of(entries: list[dict[str, Any]]) -> list[Reason]:
    return [Reason(**entry) for entry in entries]
