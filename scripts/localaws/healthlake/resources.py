"""Single resources of a data store: FHIR read, update and delete.

Reads and writes the resource tables. Behind `make local-aws`.
Example: `Resources(world, state).read(datastore_id, "Patient", "p1")`.

A delete appends a row that has only id and meta.lastUpdated, as HealthLake's tables show it; earlier rows stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fhir_r4.definitions import resource_types
from localaws.healthlake.restore import restore
from localaws.healthlake.shape import shape
from localaws.healthlake.stamps import Stamps, text_of
from localaws.healthlake.tables import append_rows, find_table
from localaws.healthlake.validate import Issue, Issues, check_header, check_resource

if TYPE_CHECKING:
    from localaws.healthlake.datastores import Datastore, HealthLakeState
    from localaws.world import World

Resource = dict[str, Any]


class FhirError(Exception):
    """A refused interaction: an HTTP status and what was wrong."""

    def __init__(self, status: int, issues: Issues) -> None:
        super().__init__(issues[0].diagnostics)
        self.status = status
        self.issues = issues


class Resources:
    """FHIR interactions on one resource."""

    def __init__(self, world: World, state: HealthLakeState) -> None:
        self._world = world
        self._state = state

    def read(self, datastore_id: str, resource_type: str, resource_id: str) -> Resource:
        """The current version; FhirError 404 when there never was one, 410 when it was deleted."""
        row = self._newest(self._store(datastore_id, resource_type), resource_type, resource_id)
        if row is None:
            raise FhirError(404, [Issue("not-found", "", f"{resource_type}/{resource_id} was not found")])
        if row["resourcetype"] is None:
            raise FhirError(410, [Issue("deleted", "", f"{resource_type}/{resource_id} was deleted")])
        return restore(row, resource_type)

    def update(self, datastore_id: str, resource: Any) -> tuple[Resource, bool]:
        """Store a resource; it as stored, and whether it is new. FhirError 400 when it is not valid R4."""
        issues = check_header(resource) or check_resource(resource)
        if issues:
            raise FhirError(400, issues)
        name = resource["resourceType"]
        store = self._store(datastore_id, name)
        with self._state.lock:
            before = self._newest(store, name, resource["id"])
            Stamps(store).put(resource)
            append_rows(self._world, store.id, name, [shape(name).row(resource)])
        return resource, before is None or before["resourcetype"] is None

    def delete(self, datastore_id: str, resource_type: str, resource_id: str) -> None:
        """Append the marker row; nothing when there is no such resource."""
        store = self._store(datastore_id, resource_type)
        with self._state.lock:
            before = self._newest(store, resource_type, resource_id)
            if before is None or before["resourcetype"] is None:
                return
            marker = {"id": resource_id, "meta": {"lastupdated": text_of(Stamps(store).next())}}
            append_rows(self._world, store.id, resource_type, [marker])

    def _store(self, datastore_id: str, resource_type: str) -> Datastore:
        store = self._state.datastores.get(datastore_id)
        if store is None or store.status != "ACTIVE":
            raise FhirError(404, [Issue("not-found", "", f"The data store {datastore_id} was not found")])
        if resource_type not in resource_types():
            raise FhirError(404, [Issue("not-supported", "", f"{resource_type} is not a resource type of FHIR R4")])
        return store

    def _newest(self, store: Datastore, resource_type: str, resource_id: str) -> dict[str, Any] | None:
        table = find_table(self._world, store.id, resource_type)
        if table is None:
            return None
        is_it = f"id = '{resource_id}'"  # an id has no quotes: letters, digits, '-' and '.'
        rows: list[dict[str, Any]] = table.scan(is_it).to_arrow().to_pylist()
        return max(rows, key=lambda row: row["meta"]["lastupdated"], default=None)
