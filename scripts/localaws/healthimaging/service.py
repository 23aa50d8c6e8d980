"""AWS HealthImaging: data stores, import jobs, image sets and frames, as botocore's `medical-imaging` model has them.

Example: `boto3.client("medical-imaging").get_image_set_metadata(datastoreId=..., imageSetId=...)`.
"""

from __future__ import annotations

import re
import tempfile
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from localaws.buckets import remove_bucket
from localaws.healthimaging.changes import copied, update
from localaws.healthimaging.datastore import Datastore, HealthImagingState, ImageSet, Vault, Version
from localaws.healthimaging.events import tell_datastore, tell_image_set
from localaws.healthimaging.image_sets import read_frame
from localaws.healthimaging.import_jobs import ImportJobs
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
# The tags that SearchImageSets filters by (API reference, SearchByAttributeValue); it shows more than these.
_TAGS = {
    "DICOMPatientId",
    "DICOMAccessionNumber",
    "DICOMStudyId",
    "DICOMStudyInstanceUID",
    "DICOMSeriesInstanceUID",
}
_MOMENT = re.compile(r"\d{14}")
_RANGES = {"createdAt", "updatedAt", "DICOMStudyDateAndTime"}


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
        optional = ("kmsKeyArn", "lambdaAuthorizerArn", "losslessStorageFormat")
        return {
            "losslessStorageFormat": "HTJ2K",
            **{name: params[name] for name in optional if name in params},
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
        stores = [store for store in self._state.datastores.values() if wanted in {None, store.status}]
        summaries = [{name: store.properties[name] for name in _SUMMARY} for store in stores]
        return _listed("datastoreSummaries", summaries, params)

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
        summaries = [
            {name: job[name] for name in _JOB_SUMMARY if name in job}
            for job in reversed(list(jobs))
            if wanted in {None, job["jobStatus"]}
        ]
        return _listed("jobSummaries", summaries, params)

    def search_image_sets(self, params: Params, caller: Caller) -> Result:
        store = self._state.active(params["datastoreId"])
        criteria = params.get("searchCriteria", {})
        image_sets, token = page(hits(store, criteria), params.get("nextToken"), params.get("maxResults", DEFAULT_PAGE))
        return {
            "imageSetsMetadataSummaries": [summary(store, image_set) for image_set in image_sets],
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
        versions = [
            {
                "imageSetId": image_set.id,
                "versionId": str(version.number),
                "imageSetState": version.state,
                # With a capital I here alone: the model's own spelling.
                "ImageSetWorkflowStatus": version.workflow,
                **_times(version),
                **_overrides(version),
                "isPrimary": image_set.is_primary,
            }
            for version in reversed(image_set.versions)
        ]
        return _listed("imageSetPropertiesList", versions, params)

    def get_image_set_metadata(self, params: Params, caller: Caller) -> Result:
        store, image_set = self._living(params)
        image_set.last_accessed_at = datetime.now(UTC)
        content = Vault(self.world, store.bucket).metadata(image_set.version(params.get("versionId")))
        return {"imageSetMetadataBlob": content, "contentType": "application/json", "contentEncoding": "gzip"}

    def get_image_frame(self, params: Params, caller: Caller) -> Result:
        store, image_set = self._living(params)
        image_set.last_accessed_at = datetime.now(UTC)
        content, content_type = read_frame(
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
            for updated in update(Vault(self.world, store.bucket), store, image_set, params):
                tell_image_set(self.world, store, updated, "Image Set Updated")
        return {"datastoreId": store.id, **_latest(image_set)}

    def copy_image_set(self, params: Params, caller: Caller) -> Result:
        store = self._state.active(params["datastoreId"])
        _, source = self._living({**params, "imageSetId": params["sourceImageSetId"]})
        tell_image_set(self.world, store, source, "Image Set Copying", under_way="COPYING")
        with store.lock, tempfile.TemporaryDirectory(prefix="healthimaging-") as scratch:
            copy = copied(Vault(self.world, store.bucket), store, source, params, Path(scratch))
        tell_image_set(self.world, store, copy, "Image Set Copied")
        return {
            "datastoreId": store.id,
            "sourceImageSetProperties": _latest(source),
            "destinationImageSetProperties": _latest(copy),
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
    times = {"createdAt": version.created_at, "updatedAt": version.updated_at}
    return {**times, **({"deletedAt": version.deleted_at} if version.deleted_at else {})}


def _overrides(version: Version) -> Result:
    return {"overrides": {"forced": True}} if version.is_forced else {}


def _listed(name: str, items: list[dict[str, Any]], params: Params) -> Result:
    shown, token = page(items, params.get("nextToken"), params.get("maxResults", DEFAULT_PAGE))
    return {name: shown, **({"nextToken": token} if token else {})}


def hits(store: Datastore, criteria: dict[str, Any]) -> list[ImageSet]:
    """The living image sets that all filters keep, in the order asked for; newest change first by default."""
    keeps = [_filter(item) for item in criteria.get("filters", [])]
    matches = [image_set for image_set in store.living() if all(keep(image_set) for keep in keeps)]
    sort = criteria.get("sort", {"sortField": "updatedAt", "sortOrder": "DESC"})
    field, is_descending = sort["sortField"], sort["sortOrder"] == "DESC"
    have = [image_set for image_set in matches if _value(image_set, field) is not None]
    have_not = [image_set for image_set in matches if _value(image_set, field) is None]
    return sorted(have, key=lambda item: (_value(item, field), item.id), reverse=is_descending) + have_not


def _filter(item: dict[str, Any]) -> Callable[[ImageSet], bool]:
    names = {name for value in item["values"] for name in value}
    if len(names) != 1:
        raise ServiceError("ValidationException", "A filter has one field.")
    [name] = names
    values = [_wanted(name, value[name]) for value in item["values"]]
    if item["operator"] == "BETWEEN":
        if name not in _RANGES or len(values) != 2:
            raise ServiceError("ValidationException", f"BETWEEN takes two values, and no {name}.")
        low, high = values
        if low > high:
            raise ServiceError("ValidationException", "The lower bound of BETWEEN comes first.")
        return _between(name, low, high)
    if len(values) != 1:
        raise ServiceError("ValidationException", "EQUAL takes one value.")
    [wanted] = values
    if isinstance(wanted, datetime):  # SDKs send whole seconds.
        return lambda image_set: _value(image_set, name).replace(microsecond=0) == wanted.replace(microsecond=0)
    return lambda image_set: _value(image_set, name) == wanted


def _between(name: str, low: Any, high: Any) -> Callable[[ImageSet], bool]:
    def keep(image_set: ImageSet) -> bool:
        value = _value(image_set, name)
        return value is not None and low <= value <= high

    return keep


def _wanted(name: str, value: Any) -> Any:
    if name == "DICOMStudyDateAndTime":
        moment = _moment(value["DICOMStudyDate"], value.get("DICOMStudyTime"))
        if not _MOMENT.fullmatch(moment):
            raise ServiceError("ValidationException", "DICOMStudyDateAndTime takes yyyyMMdd and HHmmss.FFFFFF.")
        return moment
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.astimezone()
    return value


def _value(image_set: ImageSet, name: str) -> Any:
    if name in _TAGS:
        return image_set.tags.get(name)
    if name == "isPrimary":
        return image_set.is_primary
    if name == "createdAt":
        return image_set.created_at
    if name == "updatedAt":
        return image_set.latest.updated_at
    date = image_set.tags.get("DICOMStudyDate")
    return None if date is None else _moment(date, image_set.tags.get("DICOMStudyTime"))


def _moment(date: str, time: str | None) -> str:
    """Date and time as one text that sorts: YYYYMMDDHHMMSS, a missing time being midnight."""
    return date.replace("-", "") + (time or "").replace(":", "").split(".")[0].ljust(6, "0")


def summary(store: Datastore, image_set: ImageSet) -> dict[str, Any]:
    """One hit as SearchImageSets answers it."""
    related = [other for other in store.of_study(image_set.key[0]) if other.is_primary or other is image_set]
    return {
        "imageSetId": image_set.id,
        "version": image_set.latest.number,
        "createdAt": image_set.created_at,
        "updatedAt": image_set.latest.updated_at,
        "lastAccessedAt": image_set.last_accessed_at,
        "storageTier": "FREQUENT_ACCESS",
        "DICOMTags": {
            **image_set.tags,
            "DICOMNumberOfStudyRelatedSeries": len({other.key for other in related}),
            "DICOMNumberOfStudyRelatedInstances": sum(other.n_instances for other in related),
        },
        "isPrimary": image_set.is_primary,
    }
