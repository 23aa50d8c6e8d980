"""HealthImaging's events on the default EventBridge bus.

Example: `tell_job(world, job)` puts `Import Job Completed` with source `aws.medical-imaging`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localaws.healthimaging.datastore import Datastore, ImageSet
    from localaws.world import World

SOURCE = "aws.medical-imaging"
IMAGING_VERSION = "1.0"
_JOB = {
    "SUBMITTED": "Import Job Submitted",
    "IN_PROGRESS": "Import Job In Progress",
    "COMPLETED": "Import Job Completed",
    "FAILED": "Import Job Failed",
}


def tell_datastore(world: World, store: Datastore, detail_type: str) -> None:
    detail = {
        "imagingVersion": IMAGING_VERSION,
        "datastoreId": store.id,
        "datastoreName": store.properties["datastoreName"],
        "datastoreStatus": store.status,
    }
    world.emit_event(SOURCE, detail_type, detail)


def tell_job(world: World, job: dict[str, Any]) -> None:
    names = ("datastoreId", "jobId", "jobName", "jobStatus", "inputS3Uri", "outputS3Uri")
    detail = {"imagingVersion": IMAGING_VERSION, **{name: job[name] for name in names}}
    world.emit_event(SOURCE, _JOB[job["jobStatus"]], detail)


def tell_image_set(
    world: World, store: Datastore, image_set: ImageSet, detail_type: str, *, under_way: str = ""
) -> None:
    """The name `imagesetId` has a lower-case s in the service's own events; `under_way` names what has begun."""
    state, workflow = image_set.latest.state, image_set.latest.workflow
    detail = {
        "imagingVersion": IMAGING_VERSION,
        "isPrimary": image_set.is_primary,
        "imageSetVersion": image_set.latest.number,
        "datastoreId": store.id,
        "imagesetId": image_set.id,
        "imageSetState": "LOCKED" if under_way else state,
        "imageSetWorkflowStatus": under_way or workflow,
    }
    world.emit_event(SOURCE, detail_type, detail)
