"""What stands in a new AWS: the deployer and the service account, each an IAM user with a key.

Reads and writes moto's IAM backend and `<state>/credentials.json` (mode 600).
Behind every make target that talks to localaws. Example: `credentials(Path(".trilake/local"))`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from moto.iam.models import iam_backends

from localaws.caller import ACCOUNT_ID, DEPLOYER, PARTITION, SERVICE_ACCOUNT_ID, SERVICE_USER
from localaws.keys import Credentials

_USERS = {ACCOUNT_ID: DEPLOYER, SERVICE_ACCOUNT_ID: SERVICE_USER}


def credentials(folder: Path) -> dict[str, Credentials]:
    """Account id -> keys of its administrator; users and keys are made when they are not there yet."""
    found = {account_id: _keys(account_id, user) for account_id, user in _USERS.items()}
    _write(folder / "credentials.json", found[ACCOUNT_ID])
    return found


def _keys(account_id: str, user_name: str) -> Credentials:
    iam = iam_backends[account_id][PARTITION]
    if user_name not in {user.name for user in iam.users.values()}:
        iam.create_user("us-east-1", user_name)
        iam.create_access_key(user_name)
    key = iam.get_user(user_name).access_keys[0]
    return Credentials(key.access_key_id, key.secret_access_key)


def _write(path: Path, keys: Credentials) -> None:
    """Keep the deployer's key where only the owner of the folder reads it."""
    content = {"access_key_id": keys.access_key_id, "secret_access_key": keys.secret_access_key}
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(content, file)
