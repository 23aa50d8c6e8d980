"""Reference stores, references and reference import jobs.

Example: `boto3.client("omics").start_reference_import_job(referenceStoreId=..., roleArn=..., sources=[...])`.
"""

from __future__ import annotations

import logging
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from localaws.buckets import remove_bucket
from localaws.job_access import JobAccess, JobRefused, S3Object, split_uri
from localaws.omics import fasta
from localaws.omics.answers import Params, Result, digits, invalid, listed, matches, now, picked, too_many
from localaws.omics.state import OmicsState, Reference, ReferenceStore, is_between
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World

log = logging.getLogger("localaws.omics")

PRINCIPAL = "omics.amazonaws.com"
MAX_STORES = 1
MAX_REFERENCES = 50
MAX_REFERENCE_BYTES = 15 * 10**9
PART_BYTES = 100 * 1024**2
_STORE = ("id", "arn", "name", "description", "sseConfig", "creationTime")
_STARTED = ("id", "referenceStoreId", "roleArn", "status", "creationTime")
_LISTED_REFERENCE = (
    "id", "arn", "referenceStoreId", "md5", "status", "name", "description", "creationTime", "updateTime",
)  # fmt: skip


class ReferenceOperations:
    """The reference part of the service; `Omics` gives it world and state."""

    world: World
    _state: OmicsState

    def create_reference_store(self, params: Params, caller: Caller) -> Result:
        state, token = self._state, f"reference:{params.get('clientToken')}"
        with state.lock:
            if token in state.tokens:
                return picked(state.reference_store(state.tokens[token]).properties, _STORE)
            if len(state.reference_stores) >= MAX_STORES:
                raise too_many(f"An account has {MAX_STORES} reference store in a Region.")
            store_id = digits()
            arn = f"arn:aws:omics:{self.world.region}:{self.world.account_id}:referenceStore/{store_id}"
            given = picked(params, ("name", "description", "sseConfig"))
            properties = {"sseConfig": {"type": "KMS"}, **given, "id": store_id, "arn": arn, "creationTime": now()}
            state.reference_stores[store_id] = ReferenceStore(properties, dict(params.get("tags", {})))
            if "clientToken" in params:
                state.tokens[token] = store_id
        self.world.client("s3", self.world.service_account_id).create_bucket(Bucket=_bucket(store_id))
        return picked(properties, _STORE)

    def get_reference_store(self, params: Params, caller: Caller) -> Result:
        return picked(self._state.reference_store(params["id"]).properties, _STORE)

    def list_reference_stores(self, params: Params, caller: Caller) -> Result:
        wanted = params.get("filter", {})
        stores = [picked(store.properties, _STORE) for store in self._state.reference_stores.values()]
        return listed("referenceStores", stores, params, lambda item: _fits(item, wanted, "name"))

    def delete_reference_store(self, params: Params, caller: Caller) -> Result:
        with self._state.lock:
            store = self._state.reference_store(params["id"])
            if store.references:
                raise ServiceError("ConflictException", f"The reference store {params['id']} still holds references.")
            del self._state.reference_stores[params["id"]]
        remove_bucket(self.world.client("s3", self.world.service_account_id), _bucket(params["id"]))
        return {}

    def start_reference_import_job(self, params: Params, caller: Caller) -> Result:
        store = self._state.reference_store(params["referenceStoreId"])
        token = f"reference-job:{params['referenceStoreId']}:{params.get('clientToken')}"
        with self._state.lock:
            if token in self._state.tokens:
                return picked(store.jobs[self._state.tokens[token]], _STARTED)
            names = {reference.properties["name"] for reference in store.references.values()}
            taken = sorted(names & {source["name"] for source in params["sources"]})
            if taken:
                raise invalid(f"The reference store has a reference named {taken[0]} already.")
            if len(store.references) + len(params["sources"]) > MAX_REFERENCES:
                raise too_many(f"A reference store holds {MAX_REFERENCES} references at most.")
            job: dict[str, Any] = {
                **picked(params, ("referenceStoreId", "roleArn")),
                "id": digits(),
                "status": "SUBMITTED",
                "creationTime": now(),
                "sources": [{**source, "status": "NOT_STARTED"} for source in params["sources"]],
            }
            store.jobs[job["id"]] = job
            if "clientToken" in params:
                self._state.tokens[token] = job["id"]
        answer = picked(job, _STARTED)
        self.world.submit(self._import_references, store, job)
        return answer

    def _import_references(self, store: ReferenceStore, job: dict[str, Any]) -> None:
        job["status"] = "IN_PROGRESS"
        for source in job["sources"]:
            source["status"] = "IN_PROGRESS"
            try:
                source["referenceId"] = self._import_reference(store, job, source)
                source["status"] = "FINISHED"
            except (JobRefused, fasta.FastaError) as error:
                source.update(status="FAILED", statusMessage=str(error)[:255])
        done = [source["status"] == "FINISHED" for source in job["sources"]]
        job["completionTime"] = now()
        job["status"] = "COMPLETED" if all(done) else "COMPLETED_WITH_FAILURES" if any(done) else "FAILED"

    def _import_reference(self, store: ReferenceStore, job: dict[str, Any], source: dict[str, Any]) -> str:
        access = JobAccess(self.world, job["roleArn"], PRINCIPAL, store.properties["arn"])
        path = access.read(S3Object(*split_uri(source["sourceFile"]), 0))
        if path.stat().st_size > MAX_REFERENCE_BYTES:
            raise JobRefused("A reference may have 15 GB at most.")
        reference_id, store_id = digits(), store.properties["id"]
        with tempfile.TemporaryDirectory(prefix="omics-") as scratch:
            plain = fasta.unpacked(path, Path(scratch, "reference.fa"))
            fasta.index_of(plain)
            md5, n_bytes = fasta.md5_of(plain), plain.stat().st_size
            s3 = self.world.client("s3", self.world.service_account_id)
            s3.upload_file(str(plain), _bucket(store_id), f"{reference_id}.fa")
        properties = {
            **picked(source, ("name", "description")),
            "id": reference_id,
            "arn": f"{store.properties['arn']}/reference/{reference_id}",
            "referenceStoreId": store_id,
            "md5": md5,
            "status": "ACTIVE",
            "creationTime": now(),
            "updateTime": now(),
            "files": {
                "source": {
                    "totalParts": -(-n_bytes // PART_BYTES),
                    "partSize": PART_BYTES,
                    "contentLength": n_bytes,
                }
            },
            "creationType": "IMPORT",
            "creationJobId": job["id"],
        }
        key = f"s3://{_bucket(store_id)}/{reference_id}.fa"
        store.references[reference_id] = Reference(properties, key, dict(source.get("tags", {})))
        return reference_id

    def get_reference_import_job(self, params: Params, caller: Caller) -> Result:
        store = self._state.reference_store(params["referenceStoreId"])
        if params["id"] not in store.jobs:
            raise ServiceError("ResourceNotFoundException", f"The import job {params['id']} was not found.")
        return picked(store.jobs[params["id"]], store.jobs[params["id"]])

    def list_reference_import_jobs(self, params: Params, caller: Caller) -> Result:
        wanted = params.get("filter", {})
        jobs = self._state.reference_store(params["referenceStoreId"]).jobs.values()
        items = [picked(job, (*_STARTED, "completionTime")) for job in jobs]
        return listed("importJobs", items, params, lambda item: _fits(item, wanted, "status"))

    def get_reference_metadata(self, params: Params, caller: Caller) -> Result:
        found = self._reference(params).properties
        return picked(found, found)

    def list_references(self, params: Params, caller: Caller) -> Result:
        wanted = params.get("filter", {})
        references = self._state.reference_store(params["referenceStoreId"]).references.values()
        items = [picked(reference.properties, _LISTED_REFERENCE) for reference in references]
        return listed("references", items, params, lambda item: _fits(item, wanted, "name", "md5"))

    def get_reference(self, params: Params, caller: Caller) -> Result:
        reference = self._reference(params)
        if params.get("file", "SOURCE") != "SOURCE":
            raise invalid("localaws keeps no index file beside a reference.")
        bucket, key = split_uri(reference.key)
        path, start = self.world.object_path(bucket, key), (params["partNumber"] - 1) * PART_BYTES
        if not 0 <= start < path.stat().st_size:
            raise ServiceError("RangeNotSatisfiableException", f"There is no part {params['partNumber']}.")
        with path.open("rb") as file:
            file.seek(start)
            return {"payload": file.read(PART_BYTES)}

    def delete_reference(self, params: Params, caller: Caller) -> Result:
        reference = self._reference(params)
        arn = reference.properties["arn"]
        stores = [store for found in self._state.stores.values() for store in found.values()]
        if any(store.properties.get("reference", {}).get("referenceArn") == arn for store in stores):
            raise ServiceError("ConflictException", "A variant or annotation store uses the reference.")
        del self._state.reference_store(params["referenceStoreId"]).references[params["id"]]
        bucket, key = split_uri(reference.key)
        self.world.client("s3", self.world.service_account_id).delete_object(Bucket=bucket, Key=key)
        return {}

    def _reference(self, params: Params) -> Reference:
        found = self._state.reference_store(params["referenceStoreId"]).references.get(params["id"])
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"The reference {params['id']} was not found.")
        return found


def _fits(item: dict[str, Any], wanted: dict[str, Any], *names: str) -> bool:
    return matches(item, wanted, *names) and is_between(item["creationTime"], wanted)


def _bucket(store_id: str) -> str:
    return f"omics-reference-{store_id}"
