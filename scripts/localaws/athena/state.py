"""What Athena remembers: workgroups, executions, prepared statements, named queries, data catalogs.

`World.state` keeps it between commands, as a pickle: an attribute added here needs a default.
Example: `world.state("athena", AthenaState).workgroups["primary"]`
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from localaws.athena.errors import invalid

Shape = dict[str, Any]
ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
KEPT_EXECUTIONS = 2000
# The API's own lower limit of BytesScannedCutoffPerQuery (WorkGroupConfiguration).
SMALLEST_CUTOFF = 10_000_000
_REMOVALS = {
    "RemoveOutputLocation": "OutputLocation",
    "RemoveEncryptionConfiguration": "EncryptionConfiguration",
    "RemoveExpectedBucketOwner": "ExpectedBucketOwner",
    "RemoveAclConfiguration": "AclConfiguration",
}


@dataclass
class Execution:
    """One query execution: what the API shows, and what its results need."""

    shape: Shape
    columns: list[Shape] = field(default_factory=list)
    update_count: int | None = None
    rows: int | None = None

    @property
    def state(self) -> str:
        return str(self.shape["Status"]["State"])

    @property
    def location(self) -> str:
        return str(self.shape["ResultConfiguration"]["OutputLocation"])


def new_workgroup(name: str, configuration: Shape, description: str = "") -> Shape:
    """A workgroup as GetWorkGroup shows it."""
    return {
        "Name": name,
        "State": "ENABLED",
        "Configuration": configuration,
        "Description": description,
        "CreationTime": datetime.now(UTC),
    }


def primary() -> Shape:
    """The workgroup that every account has; unlike a new one it enforces nothing."""
    configuration = {
        "ResultConfiguration": {},
        "EnforceWorkGroupConfiguration": False,
        "PublishCloudWatchMetricsEnabled": False,
        "RequesterPaysEnabled": False,
        "EngineVersion": dict(ENGINE),
    }
    return new_workgroup("primary", configuration)


@dataclass
class AthenaState:
    """Everything, picklable."""

    workgroups: dict[str, Shape] = field(default_factory=lambda: {"primary": primary()})
    executions: dict[str, Execution] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    prepared: dict[tuple[str, str], Shape] = field(default_factory=dict)
    named: dict[str, Shape] = field(default_factory=dict)
    catalogs: dict[str, Shape] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def remember(self, execution: Execution) -> None:
        """Add an execution; the oldest finished ones are forgotten beyond a limit, as Athena does after 45 days."""
        self.executions[execution.shape["QueryExecutionId"]] = execution
        while len(self.executions) > KEPT_EXECUTIONS:
            oldest = next(iter(self.executions))
            if self.executions[oldest].state in ("QUEUED", "RUNNING"):
                break
            del self.executions[oldest]
            self.tokens = {token: query_id for token, query_id in self.tokens.items() if query_id != oldest}

    def keep_prepared(self, key: tuple[str, str], params: Shape) -> None:
        """Add or replace the prepared statement of a workgroup and name."""
        self.prepared[key] = {
            "StatementName": key[1],
            "WorkGroupName": key[0],
            "QueryStatement": params["QueryStatement"],
            "Description": params.get("Description", ""),
            "LastModifiedTime": datetime.now(UTC),
        }


def new_configuration(asked: Shape) -> Shape:
    """A configuration with Athena's defaults where it says nothing."""
    _check(asked)
    engine = (asked.get("EngineVersion") or {}).get("SelectedEngineVersion", "AUTO")
    return {
        "ResultConfiguration": {},
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
        "RequesterPaysEnabled": False,
        **{key: value for key, value in asked.items() if value is not None},
        "EngineVersion": {**ENGINE, "SelectedEngineVersion": engine},
    }


def _check(configuration: Shape) -> None:
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and cutoff < SMALLEST_CUTOFF:
        raise invalid(f"BytesScannedCutoffPerQuery must be {SMALLEST_CUTOFF} or more")
    location = (configuration.get("ResultConfiguration") or {}).get("OutputLocation", "s3://")
    if not location.startswith("s3://"):
        raise invalid(f"Invalid S3 folder location: {location}")


def updated_configuration(configuration: Shape, updates: Shape) -> Shape:
    changed: Shape = dict(configuration)
    for key, value in updates.items():
        if key == "ResultConfigurationUpdates":
            changed["ResultConfiguration"] = _results(configuration.get("ResultConfiguration") or {}, value)
        elif key == "ManagedQueryResultsConfigurationUpdates":
            changed["ManagedQueryResultsConfiguration"] = _managed(configuration, value)
        elif key == "RemoveBytesScannedCutoffPerQuery":
            changed.pop("BytesScannedCutoffPerQuery", None) if value else None
        elif key == "RemoveCustomerContentEncryptionConfiguration":
            changed.pop("CustomerContentEncryptionConfiguration", None) if value else None
        elif key == "EngineVersion":
            changed["EngineVersion"] = {**ENGINE, **{k: v for k, v in value.items() if k == "SelectedEngineVersion"}}
        else:
            changed[key] = value
    _check(changed)
    return changed


def _managed(configuration: Shape, updates: Shape) -> Shape:
    """What is said of results that Athena keeps itself, with the updates."""
    is_bare = updates.get("RemoveEncryptionConfiguration")
    current = configuration.get("ManagedQueryResultsConfiguration") or {"Enabled": False}
    remaining = {key: value for key, value in current.items() if not (is_bare and key == "EncryptionConfiguration")}
    return {**remaining, **{key: value for key, value in updates.items() if key != "RemoveEncryptionConfiguration"}}


def _results(current: Shape, updates: Shape) -> Shape:
    removed = {name for flag, name in _REMOVALS.items() if updates.get(flag)}
    remaining: dict[str, Any] = {key: value for key, value in current.items() if key not in removed}
    return {**remaining, **{key: value for key, value in updates.items() if key not in _REMOVALS}}
