"""VCF files into the variant store: preflight, staging, one load job, what it refused.

Reads VCF (plain, gzip, BGZF) and BCF; writes below genomic/ in the raw bucket. `make ingest`.

Example: Importer().load(session, files, run)
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from trilake.core.importer import IngestRun, SourceFile
from trilake.core.job import run_job
from trilake.core.ledger import FileOutcome, Reason
from trilake.core.session import Session
from trilake.genomic.load import Work, reasons_of, report, report_key, work_key
from trilake.genomic.reader import Reading, open_vcf
from trilake.genomic.text import numbered_lines


@dataclass(frozen=True)
class Checked:
    """A file that may load, with its header read."""

    file: SourceFile
    reading: Reading


class Importer:
    """See `core.importer.Importer`."""

    modality = "genomic"

    def load(self, session: Session, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        accepted, outcomes = preflight(files, run, session.settings.genomic.reference_genome)
        if accepted:
            run.say(f"  Loading {len(accepted):,} VCF files")
            submit(session, accepted, run)
            outcomes += [settle(session, checked, run) for checked in accepted]
        return outcomes

    def preview(self, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        accepted, outcomes = preflight(files, run, "GRCh38")
        return outcomes + [previewed(checked, run) for checked in accepted]


def preflight(files: list[SourceFile], run: IngestRun, genome: str) -> tuple[list[Checked], list[FileOutcome]]:
    """Files whose header holds, and the outcomes of those refused whole or given twice."""
    accepted: list[Checked] = []
    outcomes: list[FileOutcome] = []
    first_of: dict[str, str] = {}
    for file in files:
        if file.sha256 in first_of:
            outcomes.append(same_content(file))
            continue
        first_of[file.sha256] = file.name
        reading = open_vcf(file.path, file.name, load_id=run.ingest_id, job_id="", default_genome=genome)
        if reading.faults:
            outcomes.append(refuse_file(file, reading.faults, reading.warnings, run))
        else:
            accepted.append(Checked(file, reading))
    return accepted, outcomes


def same_content(file: SourceFile) -> FileOutcome:
    n_records = sum(1 for _ in open_records(file))
    return file.outcome(records_in=n_records, duplicate=n_records)


def open_records(file: SourceFile) -> Iterator[str]:
    return (line for _, line in numbered_lines(file.path) if line and not line.startswith("#"))


def refuse_file(file: SourceFile, faults: list[Reason], warnings: list[Reason], run: IngestRun) -> FileOutcome:
    """A bad header refuses the file: its records cannot be read without it. It counts as one record, the file."""
    item = run.quarantine.keep_file(file.sha256, file.path)
    reasons = [replace(fault, item=item) for fault in faults] + warnings
    return file.outcome(records_in=1, quarantined=1, reasons=reasons)


def submit(session: Session, accepted: list[Checked], run: IngestRun) -> None:
    """Stage the files under their content hash, write the work list, run the job."""
    settings, s3 = session.settings, session.client("s3")
    items = []
    for checked in accepted:
        key = f"genomic/staged/{checked.file.sha256}.vcf"
        s3.upload_file(str(checked.file.path), settings.core.raw_bucket, key)
        items.append(
            {
                "uri": f"s3://{settings.core.raw_bucket}/{key}",
                "name": checked.file.name,
                "sha256": checked.file.sha256,
                "is_annotation": "true" if checked.reading.is_annotation else "false",
                "samples": "\t".join(checked.reading.header.samples),
                "release": checked.reading.origin.release,
            }
        )
    work = Work(run.ingest_id, settings.genomic.reference_genome, items)
    body = json.dumps(asdict(work)).encode()
    s3.put_object(Bucket=settings.core.raw_bucket, Key=work_key(run.ingest_id), Body=body)
    run_job(session, settings.genomic.load_job_name, {"load_id": run.ingest_id})


def settle(session: Session, checked: Checked, run: IngestRun) -> FileOutcome:
    """The outcome of one file from the job's report."""
    key = report_key(run.ingest_id, checked.file.sha256)
    body = session.client("s3").get_object(Bucket=session.settings.core.raw_bucket, Key=key)["Body"].read()
    return outcome_of(checked, json.loads(body), run)


def outcome_of(checked: Checked, told: dict[str, Any], run: IngestRun) -> FileOutcome:
    """Each refused line is kept with its header, so that it can be mended and loaded alone."""
    counts, reasons = told["counts"], reasons_of(told["warnings"])
    header = "\n".join(checked.reading.header.lines)
    for refused in told["refused"]:
        data = f"{header}\n{refused['text']}\n".encode()
        item = run.quarantine.keep(checked.file.sha256, data, record=str(refused["line"]))
        reasons += [replace(reason, item=item) for reason in reasons_of(refused["reasons"])]
    if told["faults"]:
        item = run.quarantine.keep_file(checked.file.sha256, checked.file.path)
        reasons += [replace(reason, item=item) for reason in reasons_of(told["faults"])]
    return checked.file.outcome(
        records_in=counts["records_in"],
        loaded=counts["loaded"],
        duplicate=counts["duplicate"],
        quarantined=counts["refused"],
        reasons=reasons,
    )


def previewed(checked: Checked, run: IngestRun) -> FileOutcome:
    """What the job would report, found by reading the file here."""
    for _ in checked.reading.batches():
        pass
    return outcome_of(checked, report(checked.reading), run)
