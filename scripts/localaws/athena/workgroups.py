"""Workgroups, their configuration and tags, data catalogs.

Reads and writes the service's state. Behind `make deploy`.
Example: `create_work_group({"Name": "analyst", "Configuration": {…}}, caller)`
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from localaws.athena.base import AthenaBase, Params, invalid, page
from localaws.athena.catalog import CATALOG
from localaws.athena.state import ENGINE, Shape
from localaws.caller import Caller
from localaws.service import ServiceError

_SMALLEST_CUTOFF = 10_000_000
_REMOVALS = {
    "RemoveOutputLocation": "OutputLocation",
    "RemoveEncryptionConfiguration": "EncryptionConfiguration",
    "RemoveExpectedBucketOwner": "ExpectedBucketOwner",
    "RemoveAclConfiguration": "AclConfiguration",
}


class WorkGroupOperations(AthenaBase):
    """Operations on workgroups and their tags."""

    def create_work_group(self, params: Params, caller: Caller) -> Params:
        with self._lock:
            if params["Name"] in self._state.workgroups:
                raise invalid("WorkGroup is already created")
            configuration = _completed(params.get("Configuration") or {})
            self._state.workgroups[params["Name"]] = {
                "Name": params["Name"],
                "State": "ENABLED",
                "Configuration": configuration,
                "Description": params.get("Description", ""),
                "CreationTime": datetime.now(UTC),
            }
            self._tag(self._arn(params["Name"]), params.get("Tags") or [])
        return {}

    def get_work_group(self, params: Params, caller: Caller) -> Params:
        return {"WorkGroup": self._workgroup(params["WorkGroup"])}

    def list_work_groups(self, params: Params, caller: Caller) -> Params:
        names = ("Name", "State", "Description", "CreationTime")
        items = [
            {**{name: group[name] for name in names if name in group}, "EngineVersion": dict(ENGINE)}
            for group in self._state.workgroups.values()
        ]
        found, more = page(items, params)
        return {"WorkGroups": found, **more}

    def update_work_group(self, params: Params, caller: Caller) -> Params:
        with self._lock:
            group = self._workgroup(params["WorkGroup"])
            updates = params.get("ConfigurationUpdates") or {}
            configuration = _updated(group["Configuration"], updates)
            changed: Shape = {**group, "Configuration": configuration}
            for key in ("Description", "State"):
                if key in params:
                    changed[key] = params[key]
            self._state.workgroups[group["Name"]] = changed
        return {}

    def delete_work_group(self, params: Params, caller: Caller) -> Params:
        name = params["WorkGroup"]
        if name == "primary":
            raise invalid("Primary WorkGroup cannot be deleted")
        with self._lock:
            state = self._state
            self._workgroup(name)
            prepared = [key for key in state.prepared if key[0] == name]
            named = [key for key, query in state.named.items() if query.get("WorkGroup") == name]
            if (prepared or named) and not params.get("RecursiveDeleteOption"):
                raise invalid(f"WorkGroup {name} is not empty")
            for key in prepared:
                del state.prepared[key]
            for query_id in named:
                del state.named[query_id]
            del state.workgroups[name]
            state.tags.pop(self._arn(name), None)
        return {}

    def _workgroup(self, name: str) -> Shape:
        found = self._state.workgroups.get(name)
        if found is None:
            raise invalid(f"WorkGroup {name} is not found.")
        return found

    def _arn(self, name: str) -> str:
        return f"arn:aws:athena:{self.world.region}:{self.world.account_id}:workgroup/{name}"

    def _tag(self, arn: str, tags: list[dict[str, str]]) -> None:
        kept = self._state.tags.setdefault(arn, {})
        kept.update({tag["Key"]: tag.get("Value", "") for tag in tags})

    def tag_resource(self, params: Params, caller: Caller) -> Params:
        self._known(params["ResourceARN"])
        self._tag(params["ResourceARN"], params["Tags"])
        return {}

    def untag_resource(self, params: Params, caller: Caller) -> Params:
        self._known(params["ResourceARN"])
        for key in params["TagKeys"]:
            self._state.tags.get(params["ResourceARN"], {}).pop(key, None)
        return {}

    def list_tags_for_resource(self, params: Params, caller: Caller) -> Params:
        self._known(params["ResourceARN"])
        tags = self._state.tags.get(params["ResourceARN"], {})
        found, more = page([{"Key": key, "Value": value} for key, value in tags.items()], params, 75)
        return {"Tags": found, **more}

    def _known(self, arn: str) -> None:
        kind, _, name = arn.rpartition(":")[2].partition("/")
        known = self._state.workgroups if kind == "workgroup" else self._state.catalogs
        if name not in known and not (kind == "datacatalog" and name.lower() == CATALOG):
            raise ServiceError("ResourceNotFoundException", f"Resource {arn} is not found", ResourceName=arn)

    def list_engine_versions(self, params: Params, caller: Caller) -> Params:
        fixed = {name: "Athena engine version 3" for name in ("SelectedEngineVersion", "EffectiveEngineVersion")}
        found, more = page([dict(ENGINE), fixed], params, 10)
        return {"EngineVersions": found, **more}


def _completed(given: Shape) -> Shape:
    """A configuration with Athena's defaults where it says nothing."""
    _check(given)
    engine = (given.get("EngineVersion") or {}).get("SelectedEngineVersion", "AUTO")
    return {
        "ResultConfiguration": {},
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
        "RequesterPaysEnabled": False,
        **{key: value for key, value in given.items() if value is not None},
        "EngineVersion": {**ENGINE, "SelectedEngineVersion": engine},
    }


def _check(configuration: Shape) -> None:
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and cutoff < _SMALLEST_CUTOFF:
        raise invalid(f"BytesScannedCutoffPerQuery must be {_SMALLEST_CUTOFF} or more")
    location = (configuration.get("ResultConfiguration") or {}).get("OutputLocation", "s3://")
    if not location.startswith("s3://"):
        raise invalid(f"Invalid S3 folder location: {location}")


def _updated(configuration: Shape, updates: Shape) -> Shape:
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
    kept = {key: value for key, value in current.items() if not (is_bare and key == "EncryptionConfiguration")}
    return {**kept, **{key: value for key, value in updates.items() if key != "RemoveEncryptionConfiguration"}}


def _results(current: Shape, updates: Shape) -> Shape:
    gone = {name for flag, name in _REMOVALS.items() if updates.get(flag)}
    kept: dict[str, Any] = {key: value for key, value in current.items() if key not in gone}
    return {**kept, **{key: value for key, value in updates.items() if key not in _REMOVALS}}
