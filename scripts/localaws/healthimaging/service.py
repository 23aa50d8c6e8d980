"""AWS HealthImaging: data stores, import jobs, image sets and frames, as botocore's `medical-imaging` model has them.

Reads and writes the HealthImaging state and the service's buckets. Behind `make deploy` and `make ingest`.
Example: `boto3.client("medical-imaging").get_image_set_metadata(datastoreId=..., imageSetId=...)`.
"""

from __future__ import annotations

import tempfile
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from localaws.buckets import remove_bucket
from localaws.healthimaging import frames, updates
from localaws.healthimaging.copies import copied
from localaws.healthimaging.events import tell_datastore, tell_image_set
from localaws.healthimaging.imports import ImportJobs
from localaws.healthimaging.search import hits, summary
from localaws.healthimaging.state import Datastore, HealthImagingState, ImageSet, Version
from localaws.healthimaging.vault import Vault
from localaws.paging import page
from localaws.service import Service, ServiceError

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World

Params = dict[str, Any]
Result = dict[str, Any]
DEFAULT_PAGE = 50
MAX_DATASTORES = 100
_OPEN = {"SUBMITTED", "IN_PROGRESS"}
_SUMMARY = ("datastoreId", "datastoreName", "datastoreStatus", "datastoreArn", "createdAt", "updatedAt")
_JOB_SUMMARY = (
    "jobId", "jobName", "jobStatus", "datastoreId", "dataAccessRoleArn", "endedAt", "submittedAt", "message",
)  # fmt: skip


class HealthImaging(Service):
    """HealthImaging's operations."""

    service_name: ClassVar[str] = "medical-imaging"
    imitated: ClassVar[dict[str, str]] = {
        "copy_image_set": "done when it answers; UIDs stay",
        "get_image_frame": "binary segmentations as HTJ2K; no pixels that could not be used",
        "get_image_set": "one storage tier",
        "start_dicom_import_job": "DICOM JSON metadata files are refused, no throttling, no INVALID_OFFSET_TABLE",
        "update_image_set_metadata": "done when it answers",
    }

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._state: HealthImagingState = world.state("medical-imaging", HealthImagingState)
        self._imports = ImportJobs(world, self._state)
        self._imports.resume()

    def create_datastore(self, params: Params, caller: Caller) -> Result:
        token = f"create:{params['clientToken']}"
        with self._state.lock:
            if token in self._state.tokens:
                return _status(self._state.find(self._state.tokens[token]))
            alive = [store for store in self._state.datastores.values() if store.status != "DELETED"]
            if len(alive) >= MAX_DATASTORES:
                raise ServiceError("ServiceQuotaExceededException", f"An account has {MAX_DATASTORES} data stores.")
            store = Datastore(self._new_properties(params), dict(params.get("tags", {})))
            self._state.datastores[store.id] = store
            self._state.tokens[token] = store.id
        answer = _status(store)
        tell_datastore(self.world, store, "Data Store Creating")
        self.world.submit(self._build, store)
        return answer

    def _new_properties(self, params: Params) -> dict[str, Any]:
        datastore_id, now = uuid.uuid4().hex, datetime.now(UTC)
        given = ("kmsKeyArn", "lambdaAuthorizerArn", "losslessStorageFormat")
        return {
            "losslessStorageFormat": "HTJ2K",
            **{name: params[name] for name in given if name in params},
            "datastoreId": datastore_id,
            "datastoreName": params.get("datastoreName", datastore_id),
            "datastoreStatus": "CREATING",
            "datastoreArn": self._arn(datastore_id),
            "createdAt": now,
            "updatedAt": now,
        }

    def _arn(self, datastore_id: str) -> str:
        return f"arn:aws:medical-imaging:{self.world.region}:{self.world.account_id}:datastore/{datastore_id}"

    def _build(self, store: Datastore) -> None:
        self.world.client("s3", self.world.service_account_id).create_bucket(Bucket=store.bucket)
        self._become(store, "ACTIVE", "Data Store Created")

    def _become(self, store: Datastore, status: str, detail_type: str) -> None:
        store.properties.update(datastoreStatus=status, updatedAt=datetime.now(UTC))
        tell_datastore(self.world, store, detail_type)

    def get_datastore(self, params: Params, caller: Caller) -> Result:
        return {"datastoreProperties": dict(self._state.find(params["datastoreId"]).properties)}

    def list_datastores(self, params: Params, caller: Caller) -> Result:
        wanted = params.get("datastoreStatus")
        found = [store for store in self._state.datastores.values() if wanted in {None, store.status}]
        shown = [{name: store.properties[name] for name in _SUMMARY} for store in found]
        return _listed("datastoreSummaries", shown, params)

    def delete_datastore(self, params: Params, caller: Caller) -> Result:
        with self._state.lock:
            store = self._state.active(params["datastoreId"])
            if store.living():
                raise ServiceError("ConflictException", f"The data store has {len(store.living())} image sets.")
            if any(job["jobStatus"] in _OPEN for job in store.jobs.values()):
                raise ServiceError("ConflictException", "The data store has import jobs under way.")
            store.properties["datastoreStatus"] = "DELETING"
        answer = _status(store)
        tell_datastore(self.world, store, "Data Store Deleting")
        self.world.submit(self._remove, store)
        return answer

    def _remove(self, store: Datastore) -> None:
        remove_bucket(self.world.client("s3", self.world.service_account_id), store.bucket)
        self._become(store, "DELETED", "Data Store Deleted")

    def start_dicom_import_job(self, params: Params, caller: Caller) -> Result:
        job = self._imports.start(params)
        return {name: job[name] for name in ("datastoreId", "jobId", "jobStatus", "submittedAt")}

    def get_dicom_import_job(self, params: Params, caller: Caller) -> Result:
        job = self._state.find(params["datastoreId"]).jobs.get(params["jobId"])
        if job is None:
            raise ServiceError("ResourceNotFoundException", f"The import job {params['jobId']} was not found.")
        return {"jobProperties": dict(job)}

    def list_dicom_import_jobs(self, params: Params, caller: Caller) -> Result:
        jobs = self._state.find(params["datastoreId"]).jobs.values()
        wanted = params.get("jobStatus")
        found = [
            {name: job[name] for name in _JOB_SUMMARY if name in job}
            for job in reversed(list(jobs))
            if wanted in {None, job["jobStatus"]}
        ]
        return _listed("jobSummaries", found, params)

    def search_image_sets(self, params: Params, caller: Caller) -> Result:
        store = self._state.active(params["datastoreId"])
        criteria = params.get("searchCriteria", {})
        found, token = page(hits(store, criteria), params.get("nextToken"), params.get("maxResults", DEFAULT_PAGE))
        return {
            "imageSetsMetadataSummaries": [summary(store, image_set) for image_set in found],
            **({"sort": criteria["sort"]} if "sort" in criteria else {}),
            **({"nextToken": token} if token else {}),
        }

    def get_image_set(self, params: Params, caller: Caller) -> Result:
        store, image_set = self._image_set(params)
        version = image_set.version(params.get("versionId"))
        return {
            "datastoreId": store.id,
            "imageSetId": image_set.id,
            "versionId": str(version.number),
            "imageSetState": version.state,
            "imageSetWorkflowStatus": version.workflow,
            **_times(version),
            **_overrides(version),
            "imageSetArn": f"{self._arn(store.id)}/imageset/{image_set.id}",
            "isPrimary": image_set.is_primary,
            "lastAccessedAt": image_set.last_accessed_at,
            "storageTier": "FREQUENT_ACCESS",
        }

    def list_image_set_versions(self, params: Params, caller: Caller) -> Result:
        _, image_set = self._image_set(params)
        found = [
            {
                "imageSetId": image_set.id,
                "versionId": str(version.number),
                "imageSetState": version.state,
                "ImageSetWorkflowStatus": version.workflow,
                **_times(version),
                **_overrides(version),
                "isPrimary": image_set.is_primary,
            }
            for version in reversed(image_set.versions)
        ]
        return _listed("imageSetPropertiesList", found, params)

    def get_image_set_metadata(self, params: Params, caller: Caller) -> Result:
        store, image_set = self._living(params)
        image_set.last_accessed_at = datetime.now(UTC)
        content = Vault(self.world, store.bucket).metadata(image_set.version(params.get("versionId")))
        return {"imageSetMetadataBlob": content, "contentType": "application/json", "contentEncoding": "gzip"}

    def get_image_frame(self, params: Params, caller: Caller) -> Result:
        store, image_set = self._living(params)
        image_set.last_accessed_at = datetime.now(UTC)
        content, content_type = frames.read(
            Vault(self.world, store.bucket),
            image_set.latest,
            params["imageFrameInformation"]["imageFrameId"],
            store.properties["losslessStorageFormat"],
        )
        return {"imageFrameBlob": content, "contentType": content_type}

    def update_image_set_metadata(self, params: Params, caller: Caller) -> Result:
        store, image_set = self._living(params)
        with store.lock:
            tell_image_set(self.world, store, image_set, "Image Set Updating", under_way="UPDATING")
            for one in updates.update(Vault(self.world, store.bucket), store, image_set, params):
                tell_image_set(self.world, store, one, "Image Set Updated")
        return {"datastoreId": store.id, **_latest(image_set)}

    def copy_image_set(self, params: Params, caller: Caller) -> Result:
        store = self._state.active(params["datastoreId"])
        _, source = self._living({**params, "imageSetId": params["sourceImageSetId"]})
        tell_image_set(self.world, store, source, "Image Set Copying", under_way="COPYING")
        with store.lock, tempfile.TemporaryDirectory(prefix="healthimaging-") as scratch:
            made = copied(Vault(self.world, store.bucket), store, source, params, Path(scratch))
        tell_image_set(self.world, store, made, "Image Set Copied")
        return {
            "datastoreId": store.id,
            "sourceImageSetProperties": _latest(source),
            "destinationImageSetProperties": _latest(made),
        }

    def delete_image_set(self, params: Params, caller: Caller) -> Result:
        store, image_set = self._living(params)
        tell_image_set(self.world, store, image_set, "Image Set Deleting", under_way="DELETING")
        with store.lock:
            version = image_set.latest
            now = datetime.now(UTC)
            version.state, version.workflow, version.updated_at, version.deleted_at = "DELETED", "DELETED", now, now
            Vault(self.world, store.bucket).forget(image_set.id)
        tell_image_set(self.world, store, image_set, "Image Set Deleted")
        ids = {"datastoreId": store.id, "imageSetId": image_set.id}
        return {**ids, "imageSetState": "DELETED", "imageSetWorkflowStatus": "DELETED"}

    def tag_resource(self, params: Params, caller: Caller) -> Result:
        self._tags(params["resourceArn"]).update(params["tags"])
        return {}

    def untag_resource(self, params: Params, caller: Caller) -> Result:
        tags = self._tags(params["resourceArn"])
        for key in params["tagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, params: Params, caller: Caller) -> Result:
        return {"tags": dict(self._tags(params["resourceArn"]))}

    def _tags(self, arn: str) -> dict[str, str]:
        """The tags of a data store or an image set, by its ARN."""
        _, datastore_id, *below = arn.rsplit(":", 1)[-1].split("/")
        store = self._state.find(datastore_id)
        return store.image_set(below[-1]).resource_tags if below else store.tags

    def _image_set(self, params: Params) -> tuple[Datastore, ImageSet]:
        store = self._state.active(params["datastoreId"])
        return store, store.image_set(params["imageSetId"])

    def _living(self, params: Params) -> tuple[Datastore, ImageSet]:
        store, image_set = self._image_set(params)
        if image_set.is_deleted:
            raise ServiceError("ResourceNotFoundException", f"The image set {image_set.id} is deleted.")
        return store, image_set


def _status(store: Datastore) -> Result:
    return {"datastoreId": store.id, "datastoreStatus": store.status}


def _latest(image_set: ImageSet) -> Result:
    version = image_set.latest
    return {
        "imageSetId": image_set.id,
        "latestVersionId": str(version.number),
        "imageSetState": version.state,
        "imageSetWorkflowStatus": version.workflow,
        "createdAt": version.created_at,
        "updatedAt": version.updated_at,
    }


def _times(version: Version) -> Result:
    found = {"createdAt": version.created_at, "updatedAt": version.updated_at}
    return {**found, **({"deletedAt": version.deleted_at} if version.deleted_at else {})}


def _overrides(version: Version) -> Result:
    return {"overrides": {"forced": True}} if version.is_forced else {}


def _listed(name: str, items: list[dict[str, Any]], params: Params) -> Result:
    found, token = page(items, params.get("nextToken"), params.get("maxResults", DEFAULT_PAGE))
    return {name: found, **({"nextToken": token} if token else {})}
