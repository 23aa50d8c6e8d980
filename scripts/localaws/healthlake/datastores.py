"""Data stores: their records, the service-owned database behind each, and the link to it in the customer's catalog.

Example: build(world, store) makes bucket, database, grant and resource link
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from localaws.buckets import remove_bucket
from localaws.healthlake.tables import bucket_name, database_name
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.world import World

MAX_DATASTORES = 20
_STEP = timedelta(microseconds=1)
CONFIGURATIONS = (
    "SseConfiguration",
    "PreloadDataConfig",
    "IdentityProviderConfiguration",
    "AnalyticsConfiguration",
    "NlpConfiguration",
    "ProfileConfiguration",
)


@dataclass
class Datastore:
    """One data store and its import jobs, oldest first; `properties` are as DescribeFHIRDatastore gives them.

    `link` is the name of its resource link, which stays when the data store is renamed.
    """

    properties: dict[str, Any]
    link: str
    tags: dict[str, str] = field(default_factory=dict)
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    queue: list[str] = field(default_factory=list)
    running: str | None = None
    last_stamp: datetime = datetime.min.replace(tzinfo=UTC)

    @property
    def id(self) -> str:
        return str(self.properties["DatastoreId"])

    @property
    def status(self) -> str:
        return str(self.properties["DatastoreStatus"])


@dataclass
class HealthLakeState:
    """All that HealthLake knows, kept between commands; the locks are made afresh."""

    datastores: dict[str, Datastore] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)

    def find(self, datastore_id: str) -> Datastore:
        """The data store of an id; ResourceNotFoundException when there is none."""
        store = self.datastores.get(datastore_id)
        if store is None:
            raise ServiceError("ResourceNotFoundException", f"The data store {datastore_id} was not found.")
        return store


def arn(world: World, datastore_id: str) -> str:
    return f"arn:aws:healthlake:{world.region}:{world.account_id}:datastore/fhir/{datastore_id}"


def endpoint(world: World, datastore_id: str) -> str:
    """The FHIR endpoint as AWS names it: the same in every process, while localaws' own port changes."""
    return f"https://healthlake.{world.region}.amazonaws.com/datastore/{datastore_id}/r4/"


def link_name(properties: dict[str, Any]) -> str:
    """The resource link in the customer's catalog (as seen in public code; AWS documents no name)."""
    plain = re.sub(r"[^a-z0-9_]", "_", properties.get("DatastoreName", "").lower())
    return f"{plain}_{properties['DatastoreId']}_healthlake_view"


def new_properties(world: World, datastore_id: str, params: dict[str, Any]) -> dict[str, Any]:
    """What DescribeFHIRDatastore says of a data store that was just asked for."""
    configured = {name: params[name] for name in ("DatastoreName", *CONFIGURATIONS) if name in params}
    return {
        "SseConfiguration": {"KmsEncryptionConfig": {"CmkType": "AWS_OWNED_KMS_KEY"}},
        "IdentityProviderConfiguration": {"AuthorizationStrategy": "AWS_AUTH"},
        "AnalyticsConfiguration": {"Status": "ENABLED"},
        "NlpConfiguration": {"Status": "DISABLED"},
        **configured,
        "DatastoreId": datastore_id,
        "DatastoreArn": arn(world, datastore_id),
        "DatastoreStatus": "CREATING",
        "DatastoreTypeVersion": params["DatastoreTypeVersion"],
        "DatastoreEndpoint": endpoint(world, datastore_id),
        "CreatedAt": datetime.now(UTC),
    }


def check_new(world: World, params: dict[str, Any]) -> None:
    """ValidationException for what the service, or localaws, cannot make."""
    if "PreloadDataConfig" in params:
        raise ServiceError("ValidationException", "localaws has no Synthea data to preload; import NDJSON instead.")
    encryption = params.get("SseConfiguration", {}).get("KmsEncryptionConfig", {})
    if encryption.get("CmkType") != "CUSTOMER_MANAGED_KMS_KEY":
        return
    if not encryption.get("KmsKeyId"):
        raise ServiceError("ValidationException", "KmsKeyId is required for a CUSTOMER_MANAGED_KMS_KEY.")
    try:
        key = world.client("kms").describe_key(KeyId=encryption["KmsKeyId"])["KeyMetadata"]
    except ClientError as error:
        raise ServiceError("ValidationException", f"The KMS key cannot be used: {error}") from error
    if not key["Enabled"]:
        raise ServiceError("ValidationException", f"The KMS key {key['Arn']} is not enabled.")


def build(world: World, store: Datastore) -> None:
    """Make what a data store stands on: bucket and database in the service account, link in the customer's."""
    owner = world.service_account_id
    world.client("s3", owner).create_bucket(Bucket=bucket_name(store.id))
    _administer(world)
    database = {"Name": database_name(store.id), "LocationUri": f"s3://{bucket_name(store.id)}/"}
    world.client("glue", owner).create_database(DatabaseInput=database)
    _share(world, store)
    target = {"CatalogId": owner, "DatabaseName": database_name(store.id)}
    world.client("glue").create_database(DatabaseInput={"Name": store.link, "TargetDatabase": target})


def _administer(world: World) -> None:
    """Make the service's user the one administrator of its own lake: nobody has anything by default."""
    owner = world.service_account_id
    administrator = {"DataLakePrincipalIdentifier": world.client("sts", owner).get_caller_identity()["Arn"]}
    world.client("lakeformation", owner).put_data_lake_settings(
        DataLakeSettings={
            "DataLakeAdmins": [administrator],
            "CreateDatabaseDefaultPermissions": [],
            "CreateTableDefaultPermissions": [],
        }
    )


def _share(world: World, store: Datastore) -> None:
    """Let the customer's account see and read the database, and grant on; who reads what is then its own affair."""
    owner = world.service_account_id
    place = {"CatalogId": owner, "DatabaseName": database_name(store.id)}
    grants: list[tuple[dict[str, Any], list[str]]] = [
        ({"Database": {"CatalogId": owner, "Name": database_name(store.id)}}, ["DESCRIBE"]),
        ({"Table": {**place, "TableWildcard": {}}}, ["SELECT", "DESCRIBE"]),
    ]
    for resource, permissions in grants:
        world.client("lakeformation", owner).grant_permissions(
            CatalogId=owner,
            Principal={"DataLakePrincipalIdentifier": world.account_id},
            Resource=resource,
            Permissions=permissions,
            PermissionsWithGrantOption=permissions,
        )


def remove(world: World, store: Datastore) -> None:
    """Take away link, database, tables and bucket; what is already gone is no error."""
    owner = world.service_account_id
    _quietly(lambda: world.client("glue").delete_database(Name=store.link))
    glue = world.client("glue", owner)
    _quietly(lambda: _delete_tables(glue, database_name(store.id)))
    _quietly(lambda: glue.delete_database(Name=database_name(store.id)))
    remove_bucket(world.client("s3", owner), bucket_name(store.id))


def _delete_tables(glue: Any, database: str) -> None:
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for table in page["TableList"]:
            glue.delete_table(DatabaseName=database, Name=table["Name"])


def _quietly(work: Callable[[], object]) -> None:
    try:
        work()
    except ClientError as error:
        if error.response["Error"]["Code"] != "EntityNotFoundException":
            raise


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
        # Under minimal validation meta may be anything.
        meta = meta if isinstance(meta := resource.get("meta"), dict) else {}
        resource["meta"] = {**meta, "versionId": version_of(now), "lastUpdated": text_of(now)}


def text_of(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def version_of(moment: datetime) -> str:
    return str(int(moment.timestamp() * 1_000_000))
