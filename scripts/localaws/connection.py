"""How a program reaches a LocalAws: keys, and the address of one that already runs on a state folder.

`<state>/endpoint.json` (mode 600) is there while a LocalAws is in the foreground.
Example: `aws = running(Path("state"))`, then `aws.endpoint`, `aws.credentials`, `aws.engine`.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.saved_state import LocalAwsBusy, written_by


@dataclass(frozen=True)
class Credentials:
    """Keys of an IAM user, or of a role's session when a token is there."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


FILE = "endpoint.json"
PATIENCE = 5.0


@dataclass(frozen=True)
class Running:
    """A LocalAws of another process: where it answers, the deployer's keys, the engine of its Athena."""

    endpoint: str
    credentials: Credentials
    engine: str
    pid: int


def publish(folder: Path, found: Running) -> None:
    """Say that this LocalAws may be used."""
    keys = {"access_key_id": found.credentials.access_key_id, "secret_access_key": found.credentials.secret_access_key}
    content = {"endpoint": found.endpoint, "engine": found.engine, "pid": found.pid, "written_by": written_by(), **keys}
    draft = folder / f"{FILE}.new"
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file)
    draft.replace(folder / FILE)


def withdraw(folder: Path) -> None:
    """No longer, or: whoever wrote it is gone."""
    (folder / FILE).unlink(missing_ok=True)


def running(folder: Path) -> Running | None:
    """The LocalAws that answers for the folder; None if there is none to use.

    LocalAwsBusy when there is one, but of another version than this program.
    """
    try:
        content: dict[str, Any] = json.loads((folder / FILE).read_text())
    except (FileNotFoundError, ValueError):
        return None
    if content["written_by"] != written_by():
        raise LocalAwsBusy(
            f"The local AWS in {folder} is run by process {content['pid']} of another version of this program. "
            "End it and start it again."
        )
    keys = Credentials(content["access_key_id"], content["secret_access_key"])
    found = Running(content["endpoint"], keys, content["engine"], content["pid"])
    return found if _answers(found) else None


def _answers(found: Running) -> bool:
    """Whether it is there and knows the keys."""
    from botocore.exceptions import BotoCoreError, ClientError

    from localaws.world import make_client

    try:
        make_client("sts", found.endpoint, found.credentials, patience=PATIENCE).get_caller_identity()
    except (BotoCoreError, ClientError):
        return False
    return True
