"""What HealthOmics knows: reference stores with their references, variant and annotation stores, jobs, shares.

Kept by localaws between commands; the rows and the references' bases are objects in the service's own buckets.

Example: `state.store("variant", "trilake_local_variant").status`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localaws.service import ServiceError

Properties = dict[str, Any]


@dataclass
class Reference:
    """One reference genome; `properties` are as GetReferenceMetadata gives them, `key` names its FASTA object."""

    properties: Properties
    key: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class ReferenceStore:
    """The account's store of references, and its import jobs, oldest first."""

    properties: Properties
    tags: dict[str, str] = field(default_factory=dict)
    references: dict[str, Reference] = field(default_factory=dict)
    jobs: dict[str, Properties] = field(default_factory=dict)


@dataclass
class StoreVersion:
    """One version of an annotation store, with the Glue table that its rows are in."""

    properties: Properties
    table: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Store:
    """A variant or annotation store; `share_arns` are the RAM shares of its database, by account."""

    kind: str
    properties: Properties
    tags: dict[str, str] = field(default_factory=dict)
    versions: dict[str, StoreVersion] = field(default_factory=dict)
    share_arns: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return str(self.properties["id"])

    @property
    def name(self) -> str:
        return str(self.properties["name"])

    @property
    def status(self) -> str:
        return str(self.properties["status"])

    def version(self, name: str) -> StoreVersion:
        """A version by its name; ResourceNotFoundException when there is none."""
        if name not in self.versions:
            raise ServiceError("ResourceNotFoundException", f"Version {name} of {self.name} was not found.")
        return self.versions[name]


@dataclass
class Job:
    """One import job into a variant or annotation store; `properties` are as its Get operation gives them."""

    kind: str
    properties: Properties
    store_id: str

    @property
    def id(self) -> str:
        return str(self.properties["id"])

    @property
    def status(self) -> str:
        return str(self.properties["status"])

    @property
    def is_running(self) -> bool:
        return self.status in {"SUBMITTED", "IN_PROGRESS"}


@dataclass
class OmicsState:
    """All that HealthOmics knows. `commits` lets one job at a time add to the tables."""

    reference_stores: dict[str, ReferenceStore] = field(default_factory=dict)
    stores: dict[str, dict[str, Store]] = field(default_factory=lambda: {"variant": {}, "annotation": {}})
    jobs: dict[str, Job] = field(default_factory=dict)
    shares: dict[str, Properties] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)
    commits: Any = field(default_factory=threading.RLock)

    def reference_store(self, store_id: str) -> ReferenceStore:
        if store_id not in self.reference_stores:
            raise ServiceError("ResourceNotFoundException", f"The reference store {store_id} was not found.")
        return self.reference_stores[store_id]

    def reference(self, arn: str) -> Reference:
        """The reference of an ARN; ResourceNotFoundException when there is none."""
        for store in self.reference_stores.values():
            for reference in store.references.values():
                if reference.properties["arn"] == arn:
                    return reference
        raise ServiceError("ResourceNotFoundException", f"The reference {arn} was not found.")

    def store(self, kind: str, name: str) -> Store:
        """A variant or annotation store by its name; ResourceNotFoundException when there is none."""
        store = self.stores[kind].get(name)
        if store is None:
            raise ServiceError("ResourceNotFoundException", f"The {kind} store {name} was not found.")
        return store

    def job(self, kind: str, job_id: str) -> Job:
        job = self.jobs.get(job_id)
        if job is None or job.kind != kind:
            raise ServiceError("ResourceNotFoundException", f"The import job {job_id} was not found.")
        return job


def is_between(moment: datetime, wanted: Properties) -> bool:
    """Whether a moment lies between `createdAfter` and `createdBefore` of a filter."""
    after, before = wanted.get("createdAfter"), wanted.get("createdBefore")
    return (after is None or moment > after) and (before is None or moment < before)
