"""Import jobs into variant and annotation stores: submitted within the quotas, run in the background, told as events.

A file is imported whole or not at all: the first line that does not fit fails its item. The rows of all good files are
there at once, when the job ends.

Example: `jobs.submit(store, properties)`.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localaws.job_access import JobAccess, JobRefused, S3Object, split_uri
from localaws.omics import hosting
from localaws.omics.answers import invalid, new_uuid, now, too_many
from localaws.omics.fasta import Fasta
from localaws.omics.files import Row, TableError, VcfError, VcfFile, gff_rows, tsv_rows
from localaws.omics.hosting import annotation_columns, commit, open_table, write_rows
from localaws.omics.rows import Options, annotation_rows, variant_rows
from localaws.omics.state import Job, OmicsState, Store

if TYPE_CHECKING:
    from localaws.world import World

if TYPE_CHECKING:
    from localaws.world import World

PRINCIPAL = "omics.amazonaws.com"
MAX_FILE_BYTES = 20 * 10**9
log = logging.getLogger("localaws.omics")
SOURCE = "aws.omics"
MAX_CONCURRENT = 5
MAX_FILES = {"variant": 1_000, "annotation": 1}


class ImportJobs:
    """All import jobs of one LocalAws."""

    def __init__(self, world: World, state: OmicsState) -> None:
        self._world, self._state = world, state

    def resume(self) -> None:
        """Jobs that were under way when the state was saved are over."""
        for job in self._state.jobs.values():
            if job.is_running:
                self._end(job, "FAILED", "The process that ran the job ended.")

    def submit(self, store: Store, properties: dict[str, Any]) -> Job:
        """A new job of `items`, `roleArn` and options; ValidationException and ServiceQuotaExceededException."""
        state, items = self._state, properties["items"]
        if store.kind == "annotation" and len(items) != 1:
            raise invalid("An annotation import job takes exactly one file.")
        if len(items) > MAX_FILES[store.kind]:
            raise too_many(f"A {store.kind} import job takes {MAX_FILES[store.kind]} files at most.")
        if store.status != "ACTIVE":
            raise invalid(f"The store {store.name} is {store.status}, not ACTIVE.")
        with state.lock:
            if sum(job.is_running for job in state.jobs.values()) >= MAX_CONCURRENT:
                raise too_many(f"{MAX_CONCURRENT} import jobs are running already.")
            moment = now()
            item_states = [{"source": item["source"], "jobStatus": "SUBMITTED"} for item in items]
            job = Job(
                store.kind,
                {
                    "runLeftNormalization": False,
                    **properties,
                    "id": new_uuid(),
                    "destinationName": store.name,
                    "status": "SUBMITTED",
                    "statusMessage": "",
                    "creationTime": moment,
                    "updateTime": moment,
                    "items": item_states,
                },
                store.id,
            )
            state.jobs[job.id] = job
        self._tell(job)
        self._world.submit(self._run, store, job)
        return job

    def cancel(self, job: Job) -> None:
        """End a job before its rows are there; ValidationException when it has ended."""
        with self._state.lock:
            if not job.is_running:
                raise invalid(f"The import job {job.id} is {job.status} and cannot be cancelled.")
            for item in job.properties["items"]:
                item["jobStatus"] = "CANCELLED"
            self._end(job, "CANCELLED", "")

    def _run(self, store: Store, job: Job) -> None:
        with self._state.lock:
            if not job.is_running:
                return
            self._set(job, "IN_PROGRESS")
        try:
            ImportRun(self._world, self._state, store, job).run()
            outcome = outcome_of([item["jobStatus"] for item in job.properties["items"]])
            message = "" if outcome == "COMPLETED" else "Some files could not be imported; see the items."
        except Exception as error:
            log.exception("import job %s failed", job.id)
            outcome, message = "FAILED", f"{type(error).__name__}: {error}"[:1000]
        with self._state.lock:
            if job.is_running:
                self._end(job, outcome, message)

    def _end(self, job: Job, status: str, message: str) -> None:
        if status == "FAILED":
            for item in job.properties["items"]:
                item["jobStatus"] = "FAILED"
        job.properties |= {"statusMessage": message, "completionTime": now()}
        self._set(job, status)

    def _set(self, job: Job, status: str) -> None:
        job.properties |= {"status": status, "updateTime": now()}
        self._tell(job)

    def _tell(self, job: Job) -> None:
        kind = job.kind.capitalize()
        place = f"arn:aws:omics:{self._world.region}:{self._world.account_id}"
        detail = {
            "omicsVersion": "1.0.0",
            "arn": f"{place}:{job.kind}ImportJob/{job.id}",
            "status": job.status,
            "jobId": job.id,
            "storeId": job.store_id,
            "storeName": job.properties["destinationName"],
        }
        self._world.emit_event(SOURCE, f"{kind} Import Job Status Change", detail)


def outcome_of(statuses: list[str]) -> str:
    """A job's status from those of its files."""
    if all(status == "COMPLETED" for status in statuses):
        return "COMPLETED"
    return "FAILED" if all(status == "FAILED" for status in statuses) else "COMPLETED_WITH_FAILURES"


class ImportRun:
    """The work of one job; its items' statuses change as it goes."""

    def __init__(self, world: World, state: OmicsState, store: Store, job: Job) -> None:
        self._world, self._state, self._store, self._job = world, state, store, job
        version = job.properties.get("versionName")
        self._table = store.versions[version].table if version else store.name

    def run(self) -> None:
        """Import every file that can be imported; JobRefused when the role cannot be taken on."""
        properties = self._job.properties
        try:
            access = JobAccess(self._world, properties["roleArn"], PRINCIPAL, self._store.properties["storeArn"])
        except JobRefused as error:
            self._fail_all(str(error))
            return
        with tempfile.TemporaryDirectory(prefix="omics-") as scratch:
            good: list[Path] = []
            for number, item in enumerate(properties["items"]):
                path = Path(scratch, f"{number}.parquet")
                if self._file(access, item, path):
                    good.append(path)
            with self._state.commits:
                if not self._job.is_running:
                    return
                place = hosting.database_name(self._world, self._store)
                n_bytes = commit(self._world, place, self._table, hosting.bucket_name(self._store), good)
                self._store.properties["storeSizeBytes"] += n_bytes

    def _fail_all(self, message: str) -> None:
        for item in self._job.properties["items"]:
            self._end(item, "FAILED", message)

    def _end(self, item: dict[str, Any], status: str, message: str = "") -> None:
        item["jobStatus"] = status
        if self._store.kind == "variant" and message:
            item["statusMessage"] = message

    def _file(self, access: JobAccess, item: dict[str, Any], path: Path) -> bool:
        item["jobStatus"] = "IN_PROGRESS"
        try:
            source = self._source(access, item["source"])
            table = open_table(self._world, hosting.database_name(self._world, self._store), self._table)
            write_rows(self._rows(source), table, path)
        except (JobRefused, VcfError, TableError, ValueError) as error:
            self._end(item, "FAILED", str(error))
            return False
        self._end(item, "COMPLETED")
        return True

    def _source(self, access: JobAccess, uri: str) -> Path:
        bucket, key = split_uri(uri)
        path = access.read(S3Object(bucket, key, 0))
        if path.stat().st_size > MAX_FILE_BYTES:
            raise JobRefused("A file of an import job may have 20 GB at most.")
        return path

    def _rows(self, path: Path) -> Iterator[Row]:
        properties = self._job.properties
        store_format = self._store.properties.get("storeFormat", "VCF")
        if store_format == "GFF":
            yield from gff_rows(path)
        elif store_format == "TSV":
            read_options = properties.get("formatOptions", {}).get("tsvOptions", {}).get("readOptions", {})
            yield from tsv_rows(path, annotation_columns("TSV", self._tsv_options()), read_options)
        else:
            yield from self._vcf_rows(path)

    def _tsv_options(self) -> dict[str, Any]:
        version = self._store.versions[self._job.properties["versionName"]].properties
        options: dict[str, Any] = version["versionOptions"]["tsvVersionOptions"]
        return options

    def _vcf_rows(self, path: Path) -> Iterator[Row]:
        make = variant_rows if self._store.kind == "variant" else annotation_rows
        with VcfFile(path) as file:
            if self._store.kind == "variant" and not file.header.samples:
                raise VcfError("The file has no samples.")
            options = self._options(file)
            for record in file.records():
                yield from make(record, file.header, options)

    def _options(self, file: VcfFile) -> Options:
        properties = self._job.properties
        vcf = properties.get("formatOptions", {}).get("vcfOptions", {})
        vep = properties.get("annotationFields", {}).get("VEP")
        return Options(
            self._job.id,
            self._fasta() if properties["runLeftNormalization"] else None,
            vep,
            file.header.parts_of(vep) if vep else [],
            bool(vcf.get("ignoreQualField")),
            bool(vcf.get("ignoreFilterField")),
        )

    def _fasta(self) -> Fasta:
        reference = self._state.reference(self._store.properties["reference"]["referenceArn"])
        bucket, key = split_uri(reference.key)
        return Fasta(self._world.object_path(bucket, key))
