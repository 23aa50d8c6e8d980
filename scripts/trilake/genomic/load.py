"""The load job's work: which files it reads, how each becomes rows, and the report that it leaves of each.

The work list is s3://<raw>/genomic/loads/<load_id>/work.json, the reports are below genomic/reports/<load_id>/, and the
job is glue_jobs/genomic_load_variants.py.

Example: fill_store(Job.start(sys.argv))
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import In

from trilake.core.glue_job import Item, Job, bucket_and_key, has_spark
from trilake.core.lakehouse.iceberg import open_table
from trilake.core.lakehouse.store_table import Replaced, Target, fill
from trilake.core.ledger import Reason
from trilake.core.session import Session
from trilake.genomic.reader import merged, open_source, processors, report_of
from trilake.genomic.reference import staged_reference
from trilake.genomic.source import S3Source, Span
from trilake.genomic.split import Origin
from trilake.genomic.store_schema import ANNOTATION, SAMPLE_FILE, VARIANT
from trilake.genomic.stream import spans_of

# Parted by buckets of samples and groups of contigs: contig names have no bound (3,366 in GRCh38 with its HLA contigs),
# and Athena refuses a statement that writes more than 100 partitions, so contigs alone could not part the table. Least
# and greatest values are kept of plain columns only: no reader asks for those of lists and maps, and they took a tenth
# of the time to Parquet. Rows are sorted, so that a region is few row groups.
VARIANTS = Target(
    "genomic_store.variant",
    VARIANT,
    bucket_by="sampleid",
    group_by="contigname",
    sort_by=("contigname", "start"),
    full_metrics=("contigname", "start", "end", "sampleid", "reference_genome", "source_file", "load_id"),
)
SAMPLE_FILES = Target("genomic_store.sample_file", SAMPLE_FILE, bucket_by="sampleid", buckets=1)
ANNOTATIONS = Target(
    "genomic_store.annotation",
    ANNOTATION,
    bucket_by="contigname",
    buckets=1,
    group_by="contigname",
    sort_by=("contigname", "start"),
    full_metrics=("contigname", "start", "end", "reference_genome", "release", "source_file", "load_id"),
)


@dataclass(frozen=True)
class Work:
    """One load: `items` have uri, name, sha256, is_annotation (true, false) and samples (joined by tabs)."""

    load_id: str
    default_genome: str
    items: list[Item]
    reference: str = ""


def work_key(load_id: str) -> str:
    return f"genomic/loads/{load_id}/work.json"


def report_key(load_id: str, sha256: str, part: str = "") -> str:
    return f"genomic/reports/{load_id}/{sha256}{part and '.' + part}.json"


def fill_store(job: Job) -> None:
    """Do the work that `--load_id` names. Files with samples go to the variant table, sites-only files beside it."""
    work = read_work(job.session, job.arguments["load_id"])
    reader = ItemReader(job.session, work, job.arguments.get("JOB_RUN_ID", work.load_id))
    shared = samples_elsewhere(job.session, work.items)
    parts: list[Item] = []

    def spread(items: list[Item]) -> list[Item]:
        item_parts = [part for item in items for part in parts_of(job.session, item)]
        parts.extend(item_parts)
        return item_parts

    for target, is_annotation in ((VARIANTS, "false"), (ANNOTATIONS, "true")):
        items = [item for item in work.items if item["is_annotation"] == is_annotation]
        if not items:
            continue
        replaced = [replaced_by(item) for item in items]
        fill(job, target, items, reader, replaced, spread)
        if target is VARIANTS:
            fill(job, SAMPLE_FILES, items, SampleFiles(work.load_id), replaced)
    for item in work.items:
        names = [part["part"] for part in parts if part["sha256"] == item["sha256"]] or [""]
        settle_reports(job.session, work.load_id, item, names, shared.get(item["name"], 0))


def parts_of(session: Session, item: Item) -> list[Item]:
    """The parts of a file that several machines read at once, each an item of its own."""
    source = source_of(session, item)
    spans = spans_of(source)
    if len(spans) == 1:
        return [{**item, "part": "", "start": "", "end": ""}]
    return [
        {**item, "part": str(number), "start": str(span.start), "end": str(span.end)}
        for number, span in enumerate(spans, start=1)
    ]


def source_of(session: Session, item: Item) -> S3Source:
    s3 = session.client("s3")
    bucket, key = bucket_and_key(item["uri"])
    return S3Source(s3, bucket, key, s3.head_object(Bucket=bucket, Key=key)["ContentLength"])


def samples_elsewhere(session: Session, items: list[Item]) -> dict[str, int]:
    """File name -> how many other files, of earlier loads, have one of its samples."""
    samples = {sample for item in items for sample in item["samples"].split("\t") if sample}
    try:
        table = open_table(session, SAMPLE_FILES.name)
    except NoSuchTableError:
        return {}
    columns = ("sampleid", "source_file")
    rows = table.scan(row_filter=In("sampleid", samples), selected_fields=columns).to_arrow() if samples else None
    names_of: dict[str, set[str]] = {}
    for row in rows.to_pylist() if rows else ():
        names_of.setdefault(row["sampleid"], set()).add(row["source_file"])
    ours = {item["name"] for item in items}
    others_of = {
        item["name"]: set().union(*(names_of.get(sample, set()) for sample in item["samples"].split("\t"))) - ours
        for item in items
    }
    return {name: len(others) for name, others in others_of.items() if others}


def settle_reports(session: Session, load_id: str, item: Item, parts: list[str], n_shared: int) -> None:
    """One report of a file from those of its parts, with a remark when earlier loads have its samples elsewhere."""
    s3, bucket = session.client("s3"), bucket_and_key(item["uri"])[0]
    if parts == [""] and not n_shared:
        return
    keys = [report_key(load_id, item["sha256"], part) for part in parts]
    report = merged([json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys])
    if n_shared:
        expected, where = "sample names that mean one sample", f"also in {n_shared:,} files of earlier loads"
        shared = Reason("VCF_SAMPLE_SHARED", expected=expected, found=where, path="#CHROM line", is_warning=True)
        report["warnings"].append(asdict(shared))
    s3.put_object(Bucket=bucket, Key=report_key(load_id, item["sha256"]), Body=json.dumps(report).encode())


def replaced_by(item: Item) -> Replaced:
    """A file takes the place of what its namesake brought for the same samples (or of its release and build)."""
    # So that a corrected file removes what it no longer has. Files of one sample split by chromosome need names of
    # their own when they are loaded one at a time; loaded together, `chr1/calls.vcf` has one.
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
    """A file's samples with what its header tells of them, one row each."""

    load_id: str

    def __call__(self, item: Item) -> Iterator[pa.RecordBatch]:
        samples = item["samples"].split("\t")
        values = {**item, "source_file": item["name"], "load_id": self.load_id}
        yield pa.RecordBatch.from_pydict(
            {
                name: samples if name == "sampleid" else [values[name] or None] * len(samples)
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
        source = source_of(self.session, item)
        origin = Origin(item["name"], self.work.load_id, self.run_id, self.work.default_genome)
        part = item.get("part", "")
        span = Span(int(item["start"]), int(item["end"])) if part else None
        reference = staged_reference(self.session, self.work.reference) if self.work.reference else None
        # Spark runs a task on each processor of the worker already.
        workers = 1 if has_spark() else processors()
        reading = open_source(source, origin, workers=workers, span=span, reference=reference)
        yield from reading.batches()
        body = json.dumps(report_of(reading)).encode()
        key = report_key(self.work.load_id, item["sha256"], part)
        source.s3.put_object(Bucket=source.bucket, Key=key, Body=body)


def reasons_of(entries: list[dict[str, Any]]) -> list[Reason]:
    return [Reason(**entry) for entry in entries]
