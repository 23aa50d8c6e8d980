"""What the operations of HealthOmics have in common: new ids, pages, shortened records, who may open stores.

Example: `require_entitlement()` raises AccessDeniedException while the variable says `closed`.
"""

from __future__ import annotations

import copy
import os
import secrets
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from localaws.paging import page
from localaws.service import ServiceError

Params = dict[str, Any]
Result = dict[str, Any]
SWITCH = "LOCALAWS_OMICS_STORES"
DEFAULT_PAGE = 100


def require_entitlement() -> None:
    """Variant and annotation stores are closed to accounts that did not use them before 2025-11-07.

    localaws' account counts as one that did, unless LOCALAWS_OMICS_STORES is `closed`. AWS documents the closing, not
    the error: its code and words are ours.
    """
    if os.environ.get(SWITCH) == "closed":
        message = (
            "AWS HealthOmics variant stores and annotation stores are no longer open to new customers, "
            "and this account did not use them before 2025-11-07."
        )
        raise ServiceError("AccessDeniedException", message)


def now() -> datetime:
    return datetime.now(UTC)


def digits() -> str:
    """An id as reference stores, references and their jobs have it."""
    return str(secrets.randbelow(9 * 10**9) + 10**9)


def new_uuid() -> str:
    return str(uuid.uuid4())


def picked(properties: dict[str, Any], names: Iterable[str]) -> Result:
    """The named members that are there, copied."""
    return {name: copy.deepcopy(properties[name]) for name in names if name in properties}


def listed(
    name: str,
    items: Iterable[dict[str, Any]],
    params: Params,
    keep: Callable[[dict[str, Any]], bool] = lambda item: True,
) -> Result:
    """One page of the items to keep."""
    items_of_page, token = page(
        [item for item in items if keep(item)], params.get("nextToken"), params.get("maxResults", DEFAULT_PAGE)
    )
    return {name: copy.deepcopy(items_of_page), **({"nextToken": token} if token else {})}


def matches(item: dict[str, Any], wanted: dict[str, Any], *names: str) -> bool:
    """Whether an item has the values that a filter gives for the named members."""
    return all(wanted[name] == item.get(name) for name in names if name in wanted)


def invalid(message: str) -> ServiceError:
    return ServiceError("ValidationException", message)


def too_many(message: str) -> ServiceError:
    return ServiceError("ServiceQuotaExceededException", message)
