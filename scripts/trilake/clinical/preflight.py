"""One record to what will be staged of it, or to the reasons why not. Pure.

Example: check(record).faults
"""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from trilake.clinical.bundles import conditional_target, references
from trilake.clinical.reading import Record
from trilake.clinical.rules import Fault, faults_of

VOLATILE_META = ("lastUpdated", "versionId")


@dataclass(slots=True)
class Checked:
    """A record after its checks. `data` is one line of NDJSON, or what was found when there are `faults`.

    `sha` tells two contents of one resource apart, whatever their order of keys, lastUpdated and versionId; `updated`
    is meta.lastUpdated in UTC. `pending` is set where references are still to be found among the other files.
    """

    record: Record
    type: str = ""
    id: str = ""
    sha: bytes = b""
    updated: str | None = None
    data: bytes = b""
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    pending: bool = False


def check(record: Record) -> Checked:
    """The record's faults and warnings and, when it has no faults, its key, content hash and line to stage."""
    resource = record.resource
    if resource is None:
        return Checked(record, data=record.data, faults=record.faults)
    checked = Checked(record)
    if record.names is not None and record.entry is not None and isinstance(resource.get("resourceType"), str):
        checked.warnings = record.names.apply(record.entry, resource)
    checked.data = record.data or orjson.dumps(resource)
    checked.faults = [placed(fault, record, resource) for fault in faults_of(resource)]
    if not checked.faults:
        checked.type, checked.id = resource["resourceType"], resource["id"]
        checked.sha = content_hash(resource)
        checked.updated = utc(resource.get("meta", {}).get("lastUpdated"))
        checked.pending = any(map(is_pending, references(resource)))
        checked.faults = twice_in_bundle(checked)
    return checked


def placed(fault: Fault, record: Record, resource: dict[str, Any]) -> Fault:
    """The fault with its path counted from the Bundle, for a Bundle's entry."""
    if record.entry is None:
        return fault
    below = fault.path.removeprefix(str(resource.get("resourceType"))).removeprefix(".")
    return Fault(fault.code, f"Bundle.entry[{record.entry}].resource.{below}", fault.found, fault.expected)


def content_hash(resource: dict[str, Any]) -> bytes:
    """16 bytes that stand for what the resource says."""
    meta = {key: value for key, value in resource.get("meta", {}).items() if key not in VOLATILE_META}
    bare = {key: value for key, value in resource.items() if key != "meta"} | ({"meta": meta} if meta else {})
    return hashlib.sha256(orjson.dumps(bare, option=orjson.OPT_SORT_KEYS)).digest()[:16]


def utc(instant: str | None) -> str | None:
    """A FHIR instant in UTC, to compare as text; None for none and for a leap second."""
    try:
        return datetime.fromisoformat(instant).astimezone(UTC).isoformat(timespec="microseconds") if instant else None
    except (ValueError, OverflowError):
        return None


def is_pending(reference: str) -> bool:
    return reference.startswith("urn:uuid:") or conditional_target(reference) is not None


def twice_in_bundle(checked: Checked) -> list[Fault]:
    """A Bundle (but for a history) may hold one version of a resource; a second, different one is refused."""
    names = checked.record.names
    if names is None or names.is_history:
        return []
    first = names.seen.setdefault((checked.type, checked.id), checked.sha)
    if first == checked.sha:
        return []
    path = f"Bundle.entry[{checked.record.entry}]"
    return [Fault("FHIR_TWICE_IN_BUNDLE", path, "another content under the same id", "one version of each resource")]
