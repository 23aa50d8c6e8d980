"""HealthOmics import jobs: planned within the quotas, started with patience, taken up again after a kill.

A note s3://<raw>/genomic/healthomics/<content hash>.json says which job a file went into, so that a run after a kill
waits for that job instead of starting another. A job's status alone says nothing of a file: its items do.
Quotas: 1,000 files a variant job, one file an annotation job, 5 jobs at once, 10 versions of an annotation store
(https://docs.aws.amazon.com/general/latest/gr/healthomics-quotas.html). Jobs of others count among the 5.

Example: imported = ImportJobs(session, say=print).run(orders)
"""

import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from trilake.core.errors import ServiceError
from trilake.core.glue_job import Polling, patiently
from trilake.core.session import Session
from trilake.genomic.healthomics.stage import PREFIX

MOST_FILES = 1_000
MOST_JOBS = 5
RUNNING = {"SUBMITTED", "IN_PROGRESS"}
BUSY = {"ThrottlingException", "RequestTimeoutException"}
FULL = "ServiceQuotaExceededException"
GONE = "ResourceNotFoundException"


@dataclass(frozen=True)
class Order:
    """One staged file to import, known by its content."""

    sha256: str
    uri: str
    is_annotation: bool


@dataclass(frozen=True)
class Imported:
    """What the service did with one file: the job (and annotation version) that its rows are of, or why not."""

    job_id: str = ""
    version: str = ""
    problem: str = ""


@dataclass
class Running:
    """A job under way, with its files by address."""

    job_id: str
    orders: list[Order]
    version: str = ""

    @property
    def kind(self) -> str:
        return "annotation" if self.orders[0].is_annotation else "variant"


class ImportJobs:
    """The import jobs of one ingest run; `normalises` asks HealthOmics to left-align alleles."""

    def __init__(self, session: Session, *, say: Callable[[str], None], normalises: bool = False) -> None:
        stores = session.settings.genomic.healthomics
        assert stores is not None and stores.variant_store and stores.annotation_store
        self._session, self._say, self._stores = session, say, stores
        self._omics = session.client("omics")
        self._names = {"variant": stores.variant_store, "annotation": stores.annotation_store}
        self._normalises = normalises

    def run(self, orders: list[Order]) -> dict[str, Imported]:
        """Every file's fate by content. Files that an earlier run imported, or is importing, are not sent again."""
        imported: dict[str, Imported] = {}
        running: list[Running] = []
        new: list[Order] = []
        for order in orders:
            self._take_up(order, imported, running, new)
        waiting = deque(portions(new))
        if waiting:
            self._say(f"  HealthOmics import of {len(new):,} files in {len(waiting):,} jobs")
        polling = Polling()
        while waiting or running:
            while waiting and len(running) < MOST_JOBS and (started := self._start(waiting[0])):
                waiting.popleft()
                running.append(started)
            running = [job for job in running if not self._is_over(job, imported)]
            if waiting or running:
                polling.pause()
        return imported

    def _take_up(self, order: Order, imported: dict[str, Imported], running: list[Running], new: list[Order]) -> None:
        """Sort a file by what an earlier run did with it: imported, being imported, or nothing that holds."""
        note = self._noted(order)
        job = note and self._find(Running(note["job_id"], [order], note["version"]))
        if not note or not job:
            new.append(order)
            return
        status = self._item(job, order).get("jobStatus")
        if job["status"] in RUNNING:
            earlier = next((job for job in running if job.job_id == note["job_id"]), None)
            if earlier is None:
                running.append(Running(note["job_id"], [order], note["version"]))
            else:
                earlier.orders.append(order)
        elif status == "COMPLETED":
            imported[order.sha256] = Imported(note["job_id"], note["version"])
        else:
            new.append(order)

    def _key(self, order: Order) -> str:
        return f"{PREFIX}/{order.sha256}.json"

    def _noted(self, order: Order) -> dict[str, str] | None:
        """The note of an earlier run on this content, for these very stores."""
        bucket = self._session.settings.core.raw_bucket
        try:
            body = self._session.client("s3").get_object(Bucket=bucket, Key=self._key(order))["Body"].read()
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise
        note: dict[str, str] = json.loads(body)
        return note if note.items() >= self._conditions(order).items() else None

    def _conditions(self, order: Order) -> dict[str, Any]:
        """What an earlier import must have in common with this one to stand for it."""
        return {"store_id": self._store_id(order), "normalises": self._normalises}

    def _store_id(self, order: Order) -> str:
        return str(self._stores.annotation_store_id if order.is_annotation else self._stores.variant_store_id)

    def _note(self, job: Running) -> None:
        for order in job.orders:
            note = {"job_id": job.job_id, "version": job.version, **self._conditions(order)}
            self._session.client("s3").put_object(
                Bucket=self._session.settings.core.raw_bucket, Key=self._key(order), Body=json.dumps(note).encode()
            )

    def _start(self, orders: list[Order]) -> Running | None:
        """Start one job; None while there are as many as the account may have."""
        job = Running("", orders)
        request: dict[str, Any] = {
            "destinationName": self._names[job.kind],
            "roleArn": self._stores.import_role_arn,
            "items": [{"source": order.uri} for order in orders],
            "runLeftNormalization": self._normalises,
        }
        if job.kind == "annotation":
            job.version = request["versionName"] = self._new_version(orders[0])
        try:
            answer = patient(getattr(self._omics, f"start_{job.kind}_import_job"), **request)
        except ClientError as error:
            if job.version:
                self.drop_versions([job.version])
            if error.response["Error"]["Code"] == FULL:
                return None
            raise refused(error) from None
        job.job_id = answer["jobId"]
        self._note(job)
        return job

    def _new_version(self, order: Order) -> str:
        """A new version of the annotation store for one file, made and ready."""
        name, version = self._names["annotation"], f"v{order.sha256[:12]}_{secrets.token_hex(3)}"
        try:
            patient(self._omics.create_annotation_store_version, name=name, versionName=version)
        except ClientError as error:
            if error.response["Error"]["Code"] == FULL:
                raise ServiceError(
                    f"The annotation store {name} has as many versions as HealthOmics allows",
                    next_step=f"aws omics delete-annotation-store-versions --name {name} --versions OLD_VERSION",
                ) from None
            raise refused(error) from None
        polling = Polling()
        while True:
            answer = patient(self._omics.get_annotation_store_version, name=name, versionName=version)
            if answer["status"] == "ACTIVE":
                return version
            if answer["status"] == "FAILED":
                raise ServiceError(f"Version {version} of {name} could not be made: {answer['statusMessage']}")
            polling.pause()

    def drop_versions(self, versions: list[str]) -> None:
        """Delete annotation versions that nothing refers to any more."""
        if versions:
            name = self._names["annotation"]
            patient(self._omics.delete_annotation_store_versions, name=name, versions=versions, force=True)

    def _find(self, job: Running) -> dict[str, Any] | None:
        try:
            answer: dict[str, Any] = patient(getattr(self._omics, f"get_{job.kind}_import_job"), jobId=job.job_id)
        except ClientError as error:
            if error.response["Error"]["Code"] == GONE:
                return None
            raise refused(error) from None
        return answer

    def _is_over(self, job: Running, imported: dict[str, Imported]) -> bool:
        answer = self._find(job)
        if answer is None:
            raise ServiceError(f"HealthOmics no longer knows the import job {job.job_id}", next_step="make ingest")
        if answer["status"] in RUNNING:
            return False
        for order in job.orders:
            item = self._item(answer, order)
            if item.get("jobStatus") == "COMPLETED":
                imported[order.sha256] = Imported(job.job_id, job.version)
            else:
                message = item.get("statusMessage") or answer["statusMessage"] or "no message"
                imported[order.sha256] = Imported(problem=f"{item.get('jobStatus', answer['status'])}: {message}")
        failed = [order for order in job.orders if imported[order.sha256].problem]
        if failed and job.version:
            self.drop_versions([job.version])
        return True

    @staticmethod
    def _item(job: dict[str, Any], order: Order) -> dict[str, Any]:
        return next((item for item in job["items"] if item["source"] == order.uri), {})


def portions(orders: list[Order]) -> list[list[Order]]:
    """Orders as jobs: variant files by the thousand, annotation files one by one."""
    variants = [order for order in orders if not order.is_annotation]
    cut = [variants[start : start + MOST_FILES] for start in range(0, len(variants), MOST_FILES)]
    return cut + [[order] for order in orders if order.is_annotation]


def patient(call: Callable[..., dict[str, Any]], **request: Any) -> dict[str, Any]:
    """The call's answer; throttled calls are made again, with growing pauses, for about ten minutes."""
    return patiently(partial(call, **request), busy=BUSY, longest=600, seconds=0.5)


def refused(error: ClientError) -> ServiceError:
    cause = error.response["Error"]
    return ServiceError(f"HealthOmics refused {error.operation_name}: {cause['Code']}: {cause.get('Message', '')}")
