"""Glue jobs: kept whole, so that what was created is what is read, and updated.

Reads and writes the state `glue_jobs`. Behind `make deploy`.
Example: `boto3.client("glue").create_job(Name="load", Role=role, Command={...})`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from localaws.caller import REGION, Caller
from localaws.glue.base import PAGE_SIZE, GlueBase
from localaws.paging import requested_page
from localaws.service import ServiceError

Params = dict[str, Any]
_UNITS_PER_WORKER = {"G.025X": 0.25, "G.1X": 1, "G.2X": 2, "G.4X": 4, "G.8X": 8, "Standard": 1, "Z.2X": 2}


class JobOperations(GlueBase):
    """Operations on job definitions."""

    def create_job(self, params: Params, caller: Caller) -> Params:
        name = params["Name"]
        jobs = self._jobs(caller.account_id)
        if name in jobs:
            raise ServiceError("AlreadyExistsException", f"Job {name} already exists.")
        _check_command(params)
        now = datetime.now(UTC)
        given = {key: value for key, value in params.items() if key != "Tags"}
        jobs[name] = {**_defaults(), **given, "CreatedOn": now, "LastModifiedOn": now}
        if params.get("Tags"):
            arn = f"arn:aws:glue:{REGION}:{caller.account_id}:job/{name}"
            self._moto("TagResource", {"ResourceArn": arn, "TagsToAdd": params["Tags"]}, caller.account_id)
        return {"Name": name}

    def update_job(self, params: Params, caller: Caller) -> Params:
        """Put a definition in the place of the old one: what the update leaves out is reset, as Glue does."""
        name = params["JobName"]
        old = self._job(caller.account_id, name)
        _check_command(params["JobUpdate"])
        kept = {"Name": name, "CreatedOn": old["CreatedOn"], "LastModifiedOn": datetime.now(UTC)}
        self._jobs(caller.account_id)[name] = {**_defaults(), **params["JobUpdate"], **kept}
        return {"JobName": name}

    def get_job(self, params: Params, caller: Caller) -> Params:
        return {"Job": _shown(self._job(caller.account_id, params["JobName"]))}

    def get_jobs(self, params: Params, caller: Caller) -> Params:
        names, token = self._page(params, caller)
        jobs = self._jobs(caller.account_id)
        return {"Jobs": [_shown(jobs[name]) for name in names], **token}

    def list_jobs(self, params: Params, caller: Caller) -> Params:
        names, token = self._page(params, caller)
        return {"JobNames": names, **token}

    def batch_get_jobs(self, params: Params, caller: Caller) -> Params:
        jobs = self._jobs(caller.account_id)
        found = [_shown(jobs[name]) for name in params["JobNames"] if name in jobs]
        return {"Jobs": found, "JobsNotFound": [name for name in params["JobNames"] if name not in jobs]}

    def delete_job(self, params: Params, caller: Caller) -> Params:
        """Remove a job; one that is not there is no error."""
        name = params["JobName"]
        if self._jobs(caller.account_id).pop(name, None) is not None:
            arn = f"arn:aws:glue:{REGION}:{caller.account_id}:job/{name}"
            tags = self._moto("GetTags", {"ResourceArn": arn}, caller.account_id).get("Tags") or {}
            if tags:
                self._moto("UntagResource", {"ResourceArn": arn, "TagsToRemove": list(tags)}, caller.account_id)
        return {"JobName": name}

    def _jobs(self, account_id: str) -> dict[str, Params]:
        found: dict[str, Params] = self.world.state("glue_jobs", dict).setdefault(account_id, {})
        return found

    def _job(self, account_id: str, name: str) -> Params:
        try:
            return self._jobs(account_id)[name]
        except KeyError:
            raise ServiceError("EntityNotFoundException", f"Job {name} not found.") from None

    def _page(self, params: Params, caller: Caller) -> tuple[list[str], Params]:
        names = sorted(self._jobs(caller.account_id))
        return requested_page(names, params, PAGE_SIZE)


def _check_command(definition: Params) -> None:
    if not definition["Command"].get("ScriptLocation"):
        raise ServiceError("InvalidInputException", "Command.ScriptLocation is missing.")


def _defaults() -> Params:
    """What Glue answers for a job that did not say."""
    return {
        "JobMode": "SCRIPT",
        "ExecutionProperty": {"MaxConcurrentRuns": 1},
        "MaxRetries": 0,
        "Timeout": 2880,
        "GlueVersion": "0.9",
    }


def capacity(job: Params) -> float:
    """The DPUs of a job: asked for, or workers times their size."""
    if job.get("MaxCapacity") is not None:
        return float(job["MaxCapacity"])
    if job["Command"].get("Name") == "pythonshell":
        return 0.0625
    return float(job.get("NumberOfWorkers") or 10) * _UNITS_PER_WORKER.get(job.get("WorkerType") or "Standard", 1)


def _shown(job: Params) -> Params:
    units = capacity(job)
    return {**job, "MaxCapacity": units, "AllocatedCapacity": max(1, int(units))}
