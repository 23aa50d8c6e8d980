"""DICOM files into the image store: preflight, import jobs, metadata tables, radiomics.

Example: Importer().load(session, files, run)
"""

import json

from trilake.core.glue_job import run_job
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.ledger import FileOutcome, Reason
from trilake.core.session import Session
from trilake.imaging.flatten_job import report_key, work_key
from trilake.imaging.import_job import Imported, Staged, run_imports
from trilake.imaging.loaded import Earlier, keep_loaded, patient_hash, read_earlier, replaced_contents
from trilake.imaging.preflight import Accepted, preflight, refuse


class Importer:
    """See `core.importer.Importer`."""

    modality = "imaging"

    def load(self, session: Session, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        sorted_files = preflight(files, run, lambda headers: read_earlier(session, headers))
        accepted = {entry.file.sha256: entry for entry in sorted_files.accepted}
        if not accepted:
            return sorted_files.outcomes
        results = import_all(session, accepted, run)
        image_sets = sorted({result.image_set_id for result in results.values() if result.image_set_id})
        problems = describe_image_sets(session, image_sets, run) if image_sets else {}
        outcomes = [settle(entry, results[sha256], run) for sha256, entry in accepted.items()]
        attach(problems, list(results.values()), {outcome.content_sha256: outcome for outcome in outcomes})
        return outcomes + sorted_files.outcomes

    def replaced(self, session: Session, contents: set[str]) -> set[str]:
        return replaced_contents(session, contents)

    def preview(self, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        sorted_files = preflight(files, run, lambda headers: Earlier())
        loaded = [
            entry.file.outcome(records_in=1, loaded=1, reasons=list(entry.warnings)) for entry in sorted_files.accepted
        ]
        return loaded + sorted_files.outcomes


def import_all(session: Session, accepted: dict[str, Accepted], run: IngestRun) -> dict[str, Imported]:
    """What the service did with each content, kept job by job as the jobs end."""
    results: dict[str, Imported] = {}
    staged = [Staged(entry.file, entry.header.is_part10, entry.header.unpacked_bytes) for entry in accepted.values()]
    for token, imported in run_imports(session, staged, run):
        rows = [loaded_row(accepted[result.sha256], result) for result in imported if result.image_set_id]
        if rows:
            keep_loaded(session, token, rows)
        results |= {result.sha256: result for result in imported}
    return results


def loaded_row(entry: Accepted, result: Imported) -> dict[str, object]:
    return {
        "file": entry.file.name,
        "content_sha256": entry.file.sha256,
        "sop_instance_uid": entry.header.sop_uid,
        "series_instance_uid": entry.header.series_uid,
        "study_instance_uid": entry.header.study_uid,
        "patient_hash": patient_hash(entry.header),
        "image_set_id": result.image_set_id,
        "image_set_version": result.version,
        "is_primary": result.is_primary,
        "warnings": list(result.warnings),
    }


def settle(entry: Accepted, result: Imported, run: IngestRun) -> FileOutcome:
    """The outcome of one submitted file."""
    if result.image_set_id:
        reasons = [*entry.warnings, *service_warnings(result)]
        return entry.file.outcome(records_in=1, loaded=1, reasons=reasons)
    code = "IMPORT_FAILED" if result.is_passing else "SERVICE_REFUSED"
    return refuse(entry.file, [Reason(code, "an object that HealthImaging accepts", result.problem)], run)


def service_warnings(result: Imported) -> list[Reason]:
    reasons = [
        Reason("SERVICE_WARNED", "an object without a warning of HealthImaging", words, is_warning=True)
        for words in result.warnings
    ]
    if not result.is_primary:
        expected = "patient, study and series as the store has them of this study"
        reasons.append(Reason("DICOM_NOT_PRIMARY", expected, is_warning=True))
    return reasons


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
        report = json.loads(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read())
        problems[report["image_set_id"]] = report["problem"]
    return problems


def attach(problems: dict[str, str], results: list[Imported], outcomes: dict[str, FileOutcome]) -> None:
    """A warning on the first file of each image set whose features could not be measured."""
    left = dict(problems)
    for result in results:
        problem = left.pop(result.image_set_id, None)
        if problem:
            expected = "frames that can be measured"
            reason = Reason("RADIOMICS_FAILED", expected=expected, found=problem, is_warning=True)
            outcomes[result.sha256].reasons.append(reason)
