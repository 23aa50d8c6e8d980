"""Job runs: started in the background, followed by their state, stopped, timed out - as Glue shows them.

Reads and writes the state `glue_job_runs`, `<state>/jobs/`, `<state>/logs/glue/`. Behind `make ingest`.
Example: `boto3.client("glue").start_job_run(JobName="load", Arguments={"--source": "s3://..."})`.
"""

from __future__ import annotations

import shutil
import threading
import uuid
from datetime import UTC, datetime
from typing import Any

from localaws.caller import Caller
from localaws.glue import script
from localaws.glue.base import PAGE_SIZE
from localaws.glue.jobs import JobOperations, capacity
from localaws.iam.trust import NotTrusted, session_for_service
from localaws.paging import requested_page
from localaws.service import ServiceError
from localaws.world import World, make_client

Params = dict[str, Any]
_ACTIVE = {"STARTING", "RUNNING", "STOPPING"}
_LOGS_KEPT = 20
_PRINCIPAL = "glue.amazonaws.com"


class RunOperations(JobOperations):
    """Operations on job runs."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._guard = threading.RLock()
        self._scripts: dict[str, script.Script] = {}
        shutil.rmtree(world.store.folder / "jobs", ignore_errors=True)
        for run in (run for runs in world.state("glue_job_runs", dict).values() for run in runs):
            if run["JobRunState"] in _ACTIVE:
                _end(run, "FAILED", "localaws ended while the job was running.")

    def start_job_run(self, params: Params, caller: Caller) -> Params:
        job = self._job(caller.account_id, params["JobName"])
        with self._guard:
            runs = self._runs(caller.account_id)
            active = sum(run["JobName"] == job["Name"] and run["JobRunState"] in _ACTIVE for run in runs)
            if active >= (job.get("ExecutionProperty") or {}).get("MaxConcurrentRuns", 1):
                message = f"Concurrent runs exceeded for {job['Name']}"
                raise ServiceError("ConcurrentRunsExceededException", message)
            run = _new_run(job, params)
            runs.append(run)
        self.world.submit(self._follow, job, run, caller.account_id)
        return {"JobRunId": run["Id"]}

    def get_job_run(self, params: Params, caller: Caller) -> Params:
        run = self._run(caller.account_id, params["JobName"], params["RunId"])
        return {"JobRun": _shown(run)}

    def get_job_runs(self, params: Params, caller: Caller) -> Params:
        """The runs of a job, the newest first."""
        self._job(caller.account_id, params["JobName"])
        runs = [run for run in reversed(self._runs(caller.account_id)) if run["JobName"] == params["JobName"]]
        found, token = requested_page(runs, params, PAGE_SIZE)
        return {"JobRuns": [_shown(run) for run in found], **token}

    def batch_stop_job_run(self, params: Params, caller: Caller) -> Params:
        stopped, errors = [], []
        for run_id in params["JobRunIds"]:
            named = {"JobName": params["JobName"], "JobRunId": run_id}
            try:
                self._stop(self._run(caller.account_id, params["JobName"], run_id))
                stopped.append(named)
            except ServiceError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                errors.append({**named, "ErrorDetail": detail})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}

    def _stop(self, run: Params) -> None:
        with self._guard:
            if run["JobRunState"] not in _ACTIVE:
                raise ServiceError("InvalidInputException", f"Job run {run['Id']} is not running.")
            run["JobRunState"] = "STOPPING"
            found = self._scripts.get(run["Id"])
        if found is not None:
            found.stop()

    def _runs(self, account_id: str) -> list[Params]:
        found: list[Params] = self.world.state("glue_job_runs", dict).setdefault(account_id, [])
        return found

    def _run(self, account_id: str, job_name: str, run_id: str) -> Params:
        for run in self._runs(account_id):
            if run["Id"] == run_id and run["JobName"] == job_name:
                return run
        raise ServiceError("EntityNotFoundException", f"Job run {run_id} of job {job_name} not found.")

    def _follow(self, job: Params, run: Params, account_id: str) -> None:
        """One run from start to end; whatever happens, it ends in a state that says so."""
        try:
            self._execute(job, run, account_id)
            state, message = "SUCCEEDED", None
        except TimeoutError:
            state, message = "TIMEOUT", f"Job run exceeded its timeout of {run['Timeout']} minutes."
        except (script.ScriptError, NotTrusted) as error:
            state, message = "FAILED", str(error)
        except Exception as error:
            state, message = "FAILED", f"{type(error).__name__}: {error}"
        with self._guard:
            self._scripts.pop(run["Id"], None)
            is_stopped = run["JobRunState"] == "STOPPING"
            _end(run, "STOPPED" if is_stopped else state, None if is_stopped else message)
        self._announce(run)

    def _execute(self, job: Params, run: Params, account_id: str) -> None:
        keys = session_for_service(_role_arn(job["Role"], account_id), _PRINCIPAL, "GlueJobRunnerSession")
        folder = self.world.store.folder
        logs = folder / "logs" / "glue" / job["Name"]
        found = script.Script(
            folder=folder / "jobs" / run["Id"],
            endpoint=self.world.endpoint,
            credentials=keys,
            s3=make_client("s3", self.world.endpoint, keys),
            location=job["Command"]["ScriptLocation"],
            arguments={"--JOB_NAME": job["Name"], "--JOB_RUN_ID": run["Id"], **run["Arguments"]},
        )
        with self._guard:
            if run["JobRunState"] == "STOPPING":
                return
            self._scripts[run["Id"]] = found
            run["JobRunState"] = "RUNNING"
            run["LastModifiedOn"] = datetime.now(UTC)
        script.run(found, logs / f"{run['Id']}.log", 60 * run["Timeout"])
        for old in sorted(logs.glob("*.log"), key=lambda path: path.stat().st_mtime)[:-_LOGS_KEPT]:
            old.unlink(missing_ok=True)

    def _announce(self, run: Params) -> None:
        """The event that EventBridge rules on Glue jobs wait for."""
        severity = "INFO" if run["JobRunState"] == "SUCCEEDED" else "ERROR"
        detail = {
            "jobName": run["JobName"],
            "jobRunId": run["Id"],
            "state": run["JobRunState"],
            "severity": severity,
            "message": run.get("ErrorMessage", "Job run succeeded"),
        }
        self.world.emit_event("aws.glue", "Glue Job State Change", detail)


def _role_arn(role: str, account_id: str) -> str:
    return role if role.startswith("arn:") else f"arn:aws:iam::{account_id}:role/{role}"


def _new_run(job: Params, params: Params) -> Params:
    now = datetime.now(UTC)
    kept = ("WorkerType", "NumberOfWorkers", "SecurityConfiguration", "NotificationProperty", "ExecutionClass")
    merged = {**job, **{name: value for name, value in params.items() if value is not None}}
    units = capacity({**job, **params})
    return {
        "Id": f"jr_{uuid.uuid4().hex}{uuid.uuid4().hex}",
        "Attempt": 0,
        "JobName": job["Name"],
        "JobMode": job["JobMode"],
        "StartedOn": now,
        "LastModifiedOn": now,
        "JobRunState": "STARTING",
        "Arguments": {
            **(job.get("DefaultArguments") or {}),
            **(params.get("Arguments") or {}),
            **(job.get("NonOverridableArguments") or {}),
        },
        "PredecessorRuns": [],
        "AllocatedCapacity": max(1, int(units)),
        "MaxCapacity": units,
        "Timeout": merged.get("Timeout") or 2880,
        "LogGroupName": "/aws-glue/jobs",
        "GlueVersion": job["GlueVersion"],
        **{name: merged[name] for name in kept if name in merged},
        **({"PreviousRunId": params["JobRunId"]} if params.get("JobRunId") else {}),
    }


def _end(run: Params, state: str, message: str | None) -> None:
    now = datetime.now(UTC)
    run.update(JobRunState=state, LastModifiedOn=now, CompletedOn=now)
    if message:
        run["ErrorMessage"] = message


def _shown(run: Params) -> Params:
    end = run.get("CompletedOn") or datetime.now(UTC)
    return {**run, "ExecutionTime": int((end - run["StartedOn"]).total_seconds())}
