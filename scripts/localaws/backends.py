"""moto's process-wide memory: emptied, taken out to be saved, put back.

Reads and writes moto's backends. Behind every make target that talks to localaws.
Example: `restore(in_use())`.
"""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

Regions = dict[str, Any]


def forget_everything() -> None:
    """Reset moto's memory, so that one state never shows through in another."""
    BackendDict.reset()
    s3_backends.bucket_accounts.clear()
    reset_model_data()


def in_use() -> dict[str, dict[str, Regions]]:
    """service -> account -> region -> backend, of all services that somebody called.

    Without moto's own dictionaries around them: those carry caches and locks.
    """
    found: list[BackendDict[Any]] = [each for each in BackendDict._instances if _is_findable(each)]  # type: ignore[misc]
    return {
        backends.service_name: {account_id: dict(dict.items(regions)) for account_id, regions in dict.items(backends)}
        for backends in found
    }


def _is_findable(backends: BackendDict[Any]) -> bool:
    """Whether moto finds these backends under their own name; a few second faces of a service are not."""
    return get_backend(backends.service_name) is backends  # type: ignore[call-overload]


def restore(saved: dict[str, dict[str, Regions]]) -> None:
    """Put saved backends in the place of what moto holds."""
    for name, accounts in saved.items():
        backends = get_backend(name)  # type: ignore[call-overload]
        for account_id, regions in accounts.items():
            for region, backend in regions.items():
                dict.__setitem__(backends[account_id], region, backend)


def forget_expired_sessions() -> None:
    """Drop role sessions that are over, with their keys: every persona's query opens one."""
    now = utcnow()
    for account_id, partition, backend in list(sts_backends.iter_backends()):
        over = [session for session in backend.assumed_roles if session.expiration < now]  # type: ignore[attr-defined]
        keys = iam_backends[account_id][partition].access_keys
        for session in over:
            backend.assumed_roles.remove(session)  # type: ignore[attr-defined]
            keys.pop(session.access_key_id, None)
