"""DICOM files into the image store: preflight, import jobs, metadata tables, radiomics.

Reads DICOM with or without preamble; writes below imaging/ in the raw bucket. `make ingest`.

Example: Importer().load(session, files, run)
"""

import json
from dataclasses import dataclass, field, replace

from trilake.core.importer import IngestRun, SourceFile
from trilake.core.job import run_job
from trilake.core.ledger import FileOutcome, Reason
from trilake.core.recognise import Kind
from trilake.core.session import Session
from trilake.imaging.header import read_header
from trilake.imaging.import_job import MOST_BYTES, Imported, run_imports
from trilake.imaging.jobs import report_key, work_key

SAY_EVERY = 5_000


@dataclass
class Sorted:
    """Files after preflight: those that may load with their warnings, and the outcomes of the rest."""

    accepted: list[SourceFile] = field(default_factory=list)
    warnings: dict[str, list[Reason]] = field(default_factory=dict)
    outcomes: list[FileOutcome] = field(default_factory=list)
    first_of: dict[str, SourceFile] = field(default_factory=dict)


class Importer:
    """See `core.importer.Importer`."""

    modality = "imaging"

    def load(self, session: Session, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        sorted_files = preflight(files, run)
        if not sorted_files.accepted:
            return sorted_files.outcomes
        results = {result.sha256: result for result in run_imports(session, sorted_files.accepted, run)}
        image_sets = sorted({result.image_set_id for result in results.values() if result.image_set_id})
        problems = describe_image_sets(session, image_sets, run) if image_sets else {}
        outcomes = [settle(file, results.get(file.sha256), sorted_files, run) for file in sorted_files.accepted]
        attach(problems, sorted_files.accepted, results, outcomes)
        return outcomes + sorted_files.outcomes

    def preview(self, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        sorted_files = preflight(files, run)
        loaded = [
            file.outcome(records_in=1, loaded=1, reasons=sorted_files.warnings[file.sha256])
            for file in sorted_files.accepted
        ]
        return loaded + sorted_files.outcomes


def preflight(files: list[SourceFile], run: IngestRun) -> Sorted:
    """Every file's header read, in order of name; a second file of the same instance is a duplicate or refused."""
    found = Sorted()
    for number, file in enumerate(files, start=1):
        sort_file(file, found, run)
        if number % SAY_EVERY == 0:
            run.say(f"  checked {number:,} of {len(files):,} DICOM files")
    return found


def sort_file(file: SourceFile, found: Sorted, run: IngestRun) -> None:
    if file.kind is Kind.DICOMDIR:
        reason = Reason(
            "DICOM_DIRECTORY", expected="the files that it lists, which load by themselves", is_warning=True
        )
        found.outcomes.append(file.outcome(reasons=[reason]))
        return
    header, reasons = read_header(file.path)
    if file.n_bytes > MOST_BYTES:
        header, reasons = None, [too_large(file)]
    if header is None:
        found.outcomes.append(refuse(file, reasons, run))
        return
    earlier = found.first_of.setdefault(header.sop_uid, file)
    if earlier is file:
        found.accepted.append(file)
        found.warnings[file.sha256] = reasons
    elif earlier.sha256 == file.sha256:
        found.outcomes.append(file.outcome(records_in=1, duplicate=1))
    else:
        expected = "one content for a SOPInstanceUID; a file before this one holds another"
        found.outcomes.append(refuse(file, [Reason("DICOM_CONFLICT", expected=expected, path="(0008,0018)")], run))


def too_large(file: SourceFile) -> Reason:
    return Reason("DICOM_TOO_LARGE", expected=f"{MOST_BYTES:,} bytes at most", found=f"{file.n_bytes:,} bytes")


def refuse(file: SourceFile, reasons: list[Reason], run: IngestRun) -> FileOutcome:
    item = run.quarantine.keep_file(file.sha256, file.path)
    return file.outcome(records_in=1, quarantined=1, reasons=[replace(reason, item=item) for reason in reasons])


def settle(file: SourceFile, result: Imported | None, found: Sorted, run: IngestRun) -> FileOutcome:
    """The outcome of one submitted file; a file that no manifest names is refused, not forgotten."""
    if result is not None and result.image_set_id:
        return file.outcome(records_in=1, loaded=1, reasons=found.warnings[file.sha256])
    problem = "the job's manifests do not name the file" if result is None else result.problem
    return refuse(
        file, [Reason("SERVICE_REFUSED", expected="an object that HealthImaging accepts", found=problem)], run
    )


def describe_image_sets(session: Session, image_sets: list[str], run: IngestRun) -> dict[str, str]:
    """Run both jobs on the image sets; what could not be measured, by image set."""
    bucket, s3, imaging = session.settings.core.raw_bucket, session.client("s3"), session.settings.imaging
    body = json.dumps([{"image_set_id": image_set_id} for image_set_id in image_sets]).encode()
    s3.put_object(Bucket=bucket, Key=work_key(run.ingest_id), Body=body)
    run.say(f"  Metadata and radiomics of {len(image_sets):,} image sets")
    run_job(session, imaging.flatten_job_name, {"load_id": run.ingest_id})
    run_job(session, imaging.radiomics_job_name, {"load_id": run.ingest_id})
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=report_key(run.ingest_id, "")[:-5])
    problems = {}
    for entry in (entry for page in pages for entry in page.get("Contents", [])):
        told = json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
        problems[told["image_set_id"]] = told["problem"]
    return problems


def attach(
    problems: dict[str, str], files: list[SourceFile], results: dict[str, Imported], outcomes: list[FileOutcome]
) -> None:
    """A warning on the first file of each image set whose features could not be measured."""
    left = dict(problems)
    for file, outcome in zip(files, outcomes, strict=True):
        result = results.get(file.sha256)
        problem = left.pop(result.image_set_id, None) if result else None
        if problem:
            expected = "frames that can be measured"
            outcome.reasons.append(Reason("RADIOMICS_FAILED", expected=expected, found=problem, is_warning=True))
