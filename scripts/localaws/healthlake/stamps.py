"""The version and time that the service gives each resource it stores.

Reads the clock. Behind `make ingest`. Example: `Stamps(store).put(resource)` sets meta.versionId and meta.lastUpdated.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from localaws.healthlake.datastores import Datastore

_STEP = timedelta(microseconds=1)


class Stamps:
    """Times of one data store, each later than the one before: the newest row of an id is the current one.

    They have six decimals always, so that they sort as text. The version is the same instant in microseconds: FHIR
    asks for an opaque text, and counting per resource would need the version before.
    """

    def __init__(self, store: Datastore) -> None:
        self._store = store

    def next(self) -> datetime:
        now = max(datetime.now(UTC), self._store.last_stamp + _STEP)
        self._store.last_stamp = now
        return now

    def put(self, resource: dict[str, Any]) -> None:
        """Set `meta.versionId` and `meta.lastUpdated`, whatever the resource said of them."""
        now = self.next()
        given = resource.get("meta")
        meta = given if isinstance(given, dict) else {}
        resource["meta"] = {**meta, "versionId": version_of(now), "lastUpdated": text_of(now)}


def text_of(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def version_of(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1_000_000))
