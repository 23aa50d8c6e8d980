"""Which ARNs an operation touches, from its parameters.

Reads moto's KMS backend to find keys behind aliases. Behind every make target that talks to localaws.
Example: `touched(Place("athena", "us-east-1", account), "StartQueryExecution", {"WorkGroup": "w"})`.

Table: https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.kms.models import kms_backends
from moto.kms.utils import _deserialize_ciphertext_blob as deserialize_ciphertext_blob

Params = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Service prefix, Region and account, as they stand in an ARN."""

    prefix: str
    region: str
    account_id: str

    def arn(self, resource: str, account_id: str | None = None) -> str:
        return f"arn:aws:{self.prefix}:{self.region}:{account_id or self.account_id}:{resource}"


@dataclass(frozen=True)
class Touched:
    """A resource of a call; partial where the request does not name all of it."""

    arn: str
    is_partial: bool = False


EVERYTHING = Touched("*")


def touched(place: Place, operation: str, params: Params) -> list[Touched]:
    """The resources of a call, at least one; "*" for operations that know no resources."""
    find = _BY_SERVICE.get(place.prefix)
    found = find(place, operation, params) if find is not None else _by_arn_parameter(place, params)
    return found or [EVERYTHING]


def passed_roles(prefix: str, operation: str, params: Params) -> list[str]:
    """Roles that a call hands to a service: they need iam:PassRole."""
    if prefix not in _ROLE_TAKERS or not operation.startswith(("Create", "Start", "Update", "Put", "Register")):
        return []
    candidates = [value for name, value in params.items() if name.lower().endswith(("role", "rolearn"))]
    nested = [value for value in params.values() if isinstance(value, dict)]
    candidates += [value for block in nested for name, value in block.items() if name.lower().endswith("rolearn")]
    return [value for value in candidates if isinstance(value, str) and ":role/" in value]


_ROLE_TAKERS = {"glue", "healthlake", "medical-imaging", "omics", "states", "sagemaker", "events", "scheduler"}


def _by_arn_parameter(place: Place, params: Params) -> list[Touched]:
    """A service without a table: the parameter that is an ARN of it, else any resource of it."""
    for name, value in params.items():
        if name.lower().endswith("arn") and isinstance(value, str) and value.startswith(f"arn:aws:{place.prefix}:"):
            return [Touched(value)]
    return [Touched(place.arn("*"), is_partial=True)]


def _named(place: Place, params: Params, parameter: str, template: str) -> list[Touched]:
    value = params.get(parameter)
    if not isinstance(value, str):
        return []
    return [Touched(value if value.startswith("arn:") else place.arn(template.format(value)))]


def _athena(place: Place, operation: str, params: Params) -> list[Touched]:
    if "WorkGroup" in params or operation in {"CreateWorkGroup", "GetWorkGroup", "DeleteWorkGroup", "UpdateWorkGroup"}:
        name = params.get("WorkGroup") or params.get("Name") or "primary"
        return [Touched(place.arn(f"workgroup/{name}"))]
    if operation.endswith("DataCatalog") or "CatalogName" in params:
        return [Touched(place.arn(f"datacatalog/{params.get('CatalogName') or params.get('Name')}"))]
    if operation == "StartQueryExecution" or operation.startswith(("ListQuery", "ListNamed", "CreateNamed")):
        return [Touched(place.arn("workgroup/primary"))]
    if operation in {"ListWorkGroups", "ListDataCatalogs", "ListEngineVersions"}:
        return [EVERYTHING]
    return [Touched(place.arn("workgroup/*"), is_partial=True)]


def _glue(place: Place, operation: str, params: Params) -> list[Touched]:
    for parameter, kind in (("JobName", "job"), ("CrawlerName", "crawler"), ("WorkflowName", "workflow")):
        if isinstance(params.get(parameter), str):
            return [Touched(place.arn(f"{kind}/{params[parameter]}"))]
    if operation.endswith(("Job", "JobRun")):
        return [Touched(place.arn(f"job/{params.get('Name') or '*'}"))]
    database = params.get("DatabaseName") or (params.get("DatabaseInput") or {}).get("Name")
    if operation.endswith("Database"):
        database = params.get("Name") or database
    if database is None and not operation.startswith(("GetDatabases", "SearchTables")):
        return [Touched(place.arn("*"), is_partial=True)]
    return _catalog(place, operation, params, database)


def _catalog(place: Place, operation: str, params: Params, database: str | None) -> list[Touched]:
    """Catalog calls need the catalog, the database and the table, each."""
    account_id = str(params.get("CatalogId") or place.account_id).split(":", 1)[0]
    found = [Touched(place.arn("catalog", account_id))]
    name = database or "*"
    found.append(Touched(place.arn(f"database/{name}", account_id), is_partial=database is None))
    table = params.get("TableName") or (params.get("TableInput") or {}).get("Name")
    if table is None and operation in {"GetTable", "DeleteTable"}:
        table = params.get("Name")
    if table is not None:
        found.append(Touched(place.arn(f"table/{name}/{table}", account_id)))
    elif operation in {"GetTables", "SearchTables", "BatchDeleteTable"}:
        found.append(Touched(place.arn(f"table/{name}/*", account_id), is_partial=True))
    return found


def _kms(place: Place, operation: str, params: Params) -> list[Touched]:
    key = params.get("KeyId") or params.get("TargetKeyId")
    if key is None and isinstance(params.get("CiphertextBlob"), str):
        key = deserialize_ciphertext_blob(base64.b64decode(params["CiphertextBlob"])).key_id
    if not isinstance(key, str):
        return []
    return [Touched(kms_key_arn(place, key))]


def kms_key_arn(place: Place, key: str) -> str:
    """The ARN of a key named by id, ARN or alias."""
    if ":key/" in key:
        return key
    account_id = key.split(":")[4] if key.startswith("arn:") else place.account_id
    alias = key.rpartition(":")[2]
    if alias.startswith("alias/"):
        backend = kms_backends[account_id][place.region]
        key = backend.get_key_id_from_alias(alias) or alias
    return f"arn:aws:kms:{place.region}:{account_id}:key/{key}"


def _healthlake(place: Place, operation: str, params: Params) -> list[Touched]:
    if operation == "CreateFHIRDatastore" or operation == "ListFHIRDatastores":
        return [EVERYTHING]
    found = _named(place, params, "DatastoreId", "datastore/fhir/{}")
    return found or _by_arn_parameter(place, params)


def _imaging(place: Place, operation: str, params: Params) -> list[Touched]:
    if "imageSetId" in params:
        return [Touched(place.arn(f"datastore/{params.get('datastoreId')}/imageset/{params['imageSetId']}"))]
    return _named(place, params, "datastoreId", "datastore/{}") or _by_arn_parameter(place, params)


def _sts(place: Place, operation: str, params: Params) -> list[Touched]:
    role = params.get("RoleArn")
    return [Touched(role)] if isinstance(role, str) else []


def _sqs(place: Place, operation: str, params: Params) -> list[Touched]:
    url = params.get("QueueUrl")
    if isinstance(url, str):
        account_id, _, name = url.rpartition("/")
        return [Touched(place.arn(name, account_id.rpartition("/")[2]))]
    return [Touched(place.arn(str(params.get("QueueName", "*"))), is_partial="QueueName" not in params)]


def _iam(place: Place, operation: str, params: Params) -> list[Touched]:
    for parameter, kind in (("RoleName", "role"), ("UserName", "user"), ("GroupName", "group")):
        if isinstance(params.get(parameter), str):
            return [Touched(f"arn:aws:iam::{place.account_id}:{kind}/{params[parameter]}")]
    return [Touched(params["PolicyArn"])] if "PolicyArn" in params else [Touched("arn:aws:iam::*", is_partial=True)]


def _nothing(place: Place, operation: str, params: Params) -> list[Touched]:
    return []


_BY_SERVICE: dict[str, Callable[[Place, str, Params], list[Touched]]] = {
    "athena": _athena,
    "cloudformation": _nothing,
    "cloudwatch": _nothing,
    "glue": _glue,
    "healthlake": _healthlake,
    "iam": _iam,
    "kms": _kms,
    "lakeformation": _nothing,
    "medical-imaging": _imaging,
    "s3control": _nothing,
    "sqs": _sqs,
    "sts": _sts,
}
