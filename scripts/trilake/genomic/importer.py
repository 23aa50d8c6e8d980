"""VCF files into the variant store: preflight, staging, one load job, what it refused.

VCF (plain, gzip, BGZF), BCF, and the Coherent data set's DNA csv, which becomes a VCF first. All that a load leaves in
the raw bucket stands below genomic/.

Example: Importer().load(session, files, run)
"""

import gzip
import json
import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TextIO

from pyiceberg.expressions import And, EqualTo, GreaterThan

from trilake.core.glue_job import Item, bucket_and_key, run_job
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.lakehouse.iceberg import open_table
from trilake.core.ledger import LEDGER, FileOutcome, Reason
from trilake.core.recognise import Kind
from trilake.core.session import Session
from trilake.genomic.callers import caller_of
from trilake.genomic.dna_csv import Conversion, convert
from trilake.genomic.header import VcfHeader, encode
from trilake.genomic.healthomics.backend import Hosted, import_hosted
from trilake.genomic.load import Work, reasons_of, report_key, work_key
from trilake.genomic.reader import Reading, Report, open_vcf, report_of
from trilake.genomic.reference import local_reference, stage_reference


@dataclass(frozen=True)
class Checked:
    """A file that may load, with its header read and its stream closed again."""

    file: SourceFile
    header: VcfHeader
    release: str
    conversion: Conversion | None = None
    """Of a DNA csv: then `file` leads to the VCF that was made of it, under the csv's name and content hash."""

    @property
    def head(self) -> str:
        """What goes before a refused record, so that it can be mended and loaded alone."""
        return self.conversion.header if self.conversion else "\n".join(self.header.lines)


class Importer:
    """See `core.importer.Importer`."""

    modality = "genomic"

    def load(self, session: Session, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        accepted, outcomes = preflight(files, run)
        if accepted:
            run.say(f"  Loading {len(accepted):,} VCF files")
            reports = load_accepted(session, accepted, run)
            loaded = [outcome_of(checked, reports[checked.file.sha256], run) for checked in accepted]
            outcomes += with_remarks(accepted, loaded)
        return outcomes

    def replaced(self, session: Session, contents: set[str]) -> set[str]:
        """Those whose name another content took later, with its rows in the place of theirs (`load.replaced_by`)."""
        is_load = And(EqualTo("modality", self.modality), GreaterThan("loaded", 0))
        columns = ("file", "content_sha256", "recorded_at")
        loads = open_table(session, LEDGER).scan(is_load, selected_fields=columns).to_arrow()
        content_of: dict[str, str] = {}
        name_of: dict[str, str] = {}
        for row in loads.sort_by("recorded_at").to_pylist():
            content_of[row["file"]] = row["content_sha256"]
            name_of[row["content_sha256"]] = row["file"]
        return {content for content in contents & set(name_of) if content_of[name_of[content]] != content}

    def preview(self, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        accepted, outcomes = preflight(files, run)
        return outcomes + with_remarks(accepted, [previewed(checked, run) for checked in accepted])


def preflight(files: list[SourceFile], run: IngestRun) -> tuple[list[Checked], list[FileOutcome]]:
    """Files whose header holds, and the outcomes of those refused whole."""
    accepted: list[Checked] = []
    outcomes: list[FileOutcome] = []
    for file in files:
        conversion = converted(file) if file.kind is Kind.DNA_CSV else None
        if conversion and conversion.faults:
            outcomes.append(refuse_file(file, conversion.faults, [], run))
            continue
        if conversion:
            file = replace(file, path=written(conversion, file, run))
        reading = read_locally(file, run)
        if reading.faults:
            outcomes.append(refuse_file(file, reading.faults, reading.warnings, run))
        else:
            accepted.append(Checked(file, reading.header, reading.origin.release, conversion))
    return accepted, outcomes


def converted(file: SourceFile) -> Conversion:
    """A DNA csv as a VCF; one that breaks off is refused whole."""
    try:
        with opened(file.path) as lines:
            return convert(lines, file.name)
    except (EOFError, OSError, zlib.error) as error:
        reason = Reason("FILE_UNREADABLE", expected="a file that is whole", found=type(error).__name__)
        return Conversion(faults=[reason])


def opened(path: Path) -> TextIO:
    """The lines of a plain or gzip text; bytes that are no UTF-8 are kept as they are."""
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    if is_gzip:
        return gzip.open(path, "rt", encoding="utf-8", errors="surrogateescape")
    return path.open(encoding="utf-8", errors="surrogateescape")


def written(conversion: Conversion, file: SourceFile, run: IngestRun) -> Path:
    path = run.work_dir / f"{file.sha256}.vcf"
    path.write_text("\n".join([*conversion.lines, ""]))
    return path


def with_remarks(accepted: list[Checked], outcomes: list[FileOutcome]) -> list[FileOutcome]:
    """The outcomes, with a warning on each file whose samples another file of the load has too.

    A sample split over files by chromosome is usual; two laboratories that both say "S1" is how patients are mixed up.
    """
    files_of: dict[str, list[str]] = {}
    for checked in accepted:
        for sample in checked.header.samples:
            files_of.setdefault(sample, []).append(checked.file.name)
    for checked, outcome in zip(accepted, outcomes, strict=True):
        others = {name for sample in checked.header.samples for name in files_of[sample]} - {checked.file.name}
        if others:
            expected = "sample names that mean one sample"
            where = f"also in {len(others):,} other files of the load"
            outcome.reasons.append(
                Reason("VCF_SAMPLE_SHARED", expected=expected, found=where, path="#CHROM line", is_warning=True)
            )
    return outcomes


def read_locally(file: SourceFile, run: IngestRun) -> Reading:
    """The file as the job will read it; which build it is assumed to be of makes no difference to its outcome."""
    return open_vcf(
        file.path, file.name, load_id=run.ingest_id, job_id="", default_genome="GRCh38", reference=local_reference(run)
    )


def refuse_file(file: SourceFile, faults: list[Reason], warnings: list[Reason], run: IngestRun) -> FileOutcome:
    """A bad header refuses the file: its records cannot be read without it. It counts as one record, the file."""
    item = run.quarantine.keep_file(file.sha256, file.path)
    reasons = [replace(fault, item=item) for fault in faults] + warnings
    return file.outcome(records_in=1, quarantined=1, reasons=reasons)


def load_accepted(session: Session, accepted: list[Checked], run: IngestRun) -> dict[str, Report]:
    """Load into the backend that is deployed; the report on each file by content hash."""
    if session.settings.genomic.backend == "healthomics":
        hosted = [Hosted(checked.file, item_of(session, checked)) for checked in accepted]
        return import_hosted(session, hosted, run)
    submit(session, accepted, run)
    return {checked.file.sha256: fetch_report(session, checked, run) for checked in accepted}


def item_of(session: Session, checked: Checked) -> Item:
    """What the load's work list says of a file."""
    settings, caller = session.settings, caller_of(checked.header.lines)
    return {
        "uri": f"s3://{settings.core.raw_bucket}/genomic/staged/{checked.file.sha256}.vcf",
        "name": checked.file.name,
        "sha256": checked.file.sha256,
        "is_annotation": "false" if checked.header.samples else "true",
        "samples": "\t".join(checked.header.samples),
        "release": checked.release,
        "reference_genome": checked.header.reference_genome or settings.genomic.reference_genome,
        "file_format": checked.header.version,
        "caller": caller.name,
        "caller_version": caller.version,
    }


def submit(session: Session, accepted: list[Checked], run: IngestRun) -> None:
    """Stage the files under their content hash, write the work list, run the job."""
    # A run that was killed puts the same files at the same keys, so nothing is left twice.
    settings, s3 = session.settings, session.client("s3")
    items = [item_of(session, checked) for checked in accepted]
    for checked, item in zip(accepted, items, strict=True):
        s3.upload_file(str(checked.file.path), *bucket_and_key(item["uri"]))
    uri = stage_reference(session, run.reference) if run.reference else ""
    work = Work(run.ingest_id, settings.genomic.reference_genome, items, uri)
    body = json.dumps(asdict(work)).encode()
    s3.put_object(Bucket=settings.core.raw_bucket, Key=work_key(run.ingest_id), Body=body)
    run_job(session, settings.genomic.load_job_name, {"load_id": run.ingest_id})


def fetch_report(session: Session, checked: Checked, run: IngestRun) -> Report:
    """The job's report on one file."""
    key = report_key(run.ingest_id, checked.file.sha256)
    body = session.client("s3").get_object(Bucket=session.settings.core.raw_bucket, Key=key)["Body"].read()
    report: Report = json.loads(body)
    return report


def outcome_of(checked: Checked, report: Report, run: IngestRun) -> FileOutcome:
    """Each refused line is kept with its header, so that it can be mended and loaded alone; a broken file, whole."""
    if checked.conversion:
        report = checked.conversion.in_rows(report)
    counts, reasons = report["counts"], reasons_of(report["warnings"])
    for refused in report["refused"]:
        data = encode(f"{checked.head}\n{refused['text']}\n")
        item = run.quarantine.keep(checked.file.sha256, data, record=str(refused["line"]))
        reasons += [replace(reason, item=item) for reason in reasons_of(refused["reasons"])]
    if report["faults"]:
        item = run.quarantine.keep_file(checked.file.sha256, checked.file.path)
        reasons += [replace(reason, item=item) for reason in reasons_of(report["faults"])]
    return checked.file.outcome(
        records_in=counts["records_in"],
        loaded=counts["loaded"],
        duplicate=counts["duplicate"],
        quarantined=counts["refused"],
        reasons=reasons,
    )


def previewed(checked: Checked, run: IngestRun) -> FileOutcome:
    """What the job would report, found by reading the file here."""
    reading = read_locally(checked.file, run)
    for _ in reading.batches():
        pass
    return outcome_of(checked, report_of(reading), run)
