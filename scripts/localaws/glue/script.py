"""A job's script as a process of its own: files fetched, arguments spelled, the role's keys and nothing else of ours.

Reads the script and its libraries from S3; writes `<state>/jobs/<run>/` and `<state>/logs/glue/<job>/<run>.log`.
Behind `make ingest`. Example: `run(script, log_file)` gives the exit status and the last line of its errors.

Source: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localaws.caller import REGION
from localaws.connection import Credentials
from localaws.glue import spark
from localaws.installed import EnginesMissing

_KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "JAVA_HOME", "LD_LIBRARY_PATH", "VIRTUAL_ENV")


@dataclass
class Script:
    """Everything one run needs."""

    folder: Path
    endpoint: str
    credentials: Credentials
    s3: Any
    location: str
    arguments: dict[str, str]
    _process: subprocess.Popen[bytes] | None = None
    _is_stopped: bool = False
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def started(self, process: subprocess.Popen[bytes]) -> None:
        """The script's process is there; it ends at once when the run was stopped before."""
        with self._guard:
            self._process = process
            if self._is_stopped:
                process.terminate()

    def stop(self) -> None:
        """End the script now, or as soon as it starts."""
        with self._guard:
            self._is_stopped = True
            if self._process is not None:
                self._process.terminate()


class ScriptError(Exception):
    """A run that ended badly; the message is what Glue shows as its error."""


def run(script: Script, log_file: Path, timeout_seconds: float) -> None:
    """Run the script to its end; ScriptError says why it failed, TimeoutError that it took too long."""
    script.folder.mkdir(parents=True)
    log_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        main = _fetch(script, script.location)
        libraries = [str(_fetch(script, one)) for one in _listed(script.arguments.get("--extra-py-files"))]
        environment = _environment(script, libraries)
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, str(main), *_spelled(script.arguments)],
                cwd=script.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            script.started(process)
            status = _wait(process, timeout_seconds)
        if status != 0:
            raise ScriptError(_last_line(log_file) or f"The script ended with status {status}.")
    except EnginesMissing as error:
        raise ScriptError(str(error)) from error
    finally:
        shutil.rmtree(script.folder, ignore_errors=True)


def _wait(process: subprocess.Popen[bytes], timeout_seconds: float) -> int:
    try:
        return process.wait(timeout=timeout_seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise TimeoutError from None


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _fetch(script: Script, location: str) -> Path:
    """A copy of an S3 object in the run's folder, read as the job's role; ScriptError when it cannot be."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    target = script.folder / Path(key).name
    try:
        target.write_bytes(script.s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    except script.s3.exceptions.ClientError as error:
        raise ScriptError(f"{location} cannot be read: {error.response['Error']['Message']}") from error
    return target


def _spelled(arguments: dict[str, str]) -> list[str]:
    return [part for name, text in arguments.items() for part in ((name, text) if text != "" else (name,))]


def _environment(script: Script, libraries: list[str]) -> dict[str, str]:
    keys = script.credentials
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return {
        **kept,
        "AWS_ENDPOINT_URL": script.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "AWS_SESSION_TOKEN": keys.session_token or "",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        "PYTHONPATH": os.pathsep.join(libraries),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(script.folder),
        **(spark.environment(script.arguments, script.endpoint, libraries) if spark.is_wanted() else {}),
    }


def _last_line(log_file: Path) -> str:
    """The last line of the log: of a Python traceback, the exception."""
    with log_file.open("rb") as log:
        log.seek(max(0, log_file.stat().st_size - 4096))
        lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:1000] if lines else ""
