"""Around a destroy of what can be made again: empty the stores that refuse to go while full; see what is left after.

Reads and writes AWS through the session. Make target: destroy.
Example: left_behind(session)  ->  ["s3 bucket trilake-local-raw-123456789012"]
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from trilake.core.glue_job import Polling
from trilake.core.session import Session
from trilake.core.settings import Settings
from trilake.genomic.healthomics.share import disconnect

Call = Callable[[Any], Iterable[str]]


def empty_stores(session: Session, settings: Settings) -> int:
    """Delete every image set: HealthImaging keeps a data store until it is empty. How many there were.

    HealthOmics' stores go with their reference, where there are any.
    """
    empty_healthomics(session, settings)
    imaging, store = session.client("medical-imaging"), settings.imaging.datastore_id
    try:
        found = [image_set for page in _image_sets(imaging, store) for image_set in page]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return 0
        raise
    for image_set in found:
        imaging.delete_image_set(datastoreId=store, imageSetId=image_set)
    return len(found)


def empty_healthomics(session: Session, settings: Settings) -> None:
    """Delete what a deployment did not make itself: links, and the reference, which its stores hold on to."""
    stores, omics = settings.genomic.healthomics, session.client("omics")
    if stores is None:
        return
    disconnect(session)
    for kind, name in (("variant", stores.variant_store), ("annotation", stores.annotation_store)):
        if name is not None:
            _unless_gone(partial(getattr(omics, f"delete_{kind}_store"), name=name, force=True))
            _wait_until_gone(partial(getattr(omics, f"get_{kind}_store"), name=name))
    if stores.reference_store_id is not None:
        store = stores.reference_store_id
        for reference in omics.list_references(referenceStoreId=store)["references"]:
            omics.delete_reference(referenceStoreId=store, id=reference["id"])


def _unless_gone(call: Callable[[], object]) -> bool:
    """Whether the call found something; others than "not found" are errors."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise
    return True


def _wait_until_gone(look: Callable[[], object]) -> None:
    polling = Polling()
    while _unless_gone(look):
        polling.pause()


def _image_sets(imaging: Any, store: str) -> Iterator[list[str]]:
    pages = imaging.get_paginator("search_image_sets").paginate(datastoreId=store, searchCriteria={})
    for page in pages:
        yield [item["imageSetId"] for item in page["imageSetsMetadataSummaries"]]


def left_behind(session: Session) -> list[str]:
    """Everything of a deployment that is still there, by service, kind and name."""
    return [f"{kind} {name}" for kind, service, names in KINDS for name in names(session.client(service))]


def _paged(operation: str, member: str, name: str, **arguments: Any) -> Call:
    def names(client: Any) -> Iterator[str]:
        for page in client.get_paginator(operation).paginate(**arguments):
            yield from (item[name] for item in page[member])

    return names


def _live(operation: str, member: str, prefix: str) -> Call:
    """Data stores that are not deleted; `prefix` begins the names of their members."""

    def names(client: Any) -> Iterator[str]:
        found = getattr(client, operation)()[member]
        return (item[f"{prefix}Id"] for item in found if item[f"{prefix}Status"] != "DELETED")

    return names


def _buckets(s3: Any) -> Iterator[str]:
    return (bucket["Name"] for bucket in s3.list_buckets()["Buckets"])


def _keys(kms: Any) -> Iterator[str]:
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            found = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            # A key on its way out waits as on AWS; keys that AWS manages are no one's to delete.
            if found["KeyState"] != "PendingDeletion" and found.get("KeyManager") != "AWS":
                yield found["Arn"]


def _workgroups(athena: Any) -> Iterator[str]:
    return (item["Name"] for item in athena.list_work_groups()["WorkGroups"] if item["Name"] != "primary")


def _grants(lakeformation: Any) -> Iterator[str]:
    for item in lakeformation.list_permissions()["PrincipalResourcePermissions"]:
        yield f"to {item['Principal']['DataLakePrincipalIdentifier']} on {', '.join(item['Resource'])}"


def _locations(lakeformation: Any) -> Iterator[str]:
    return (item["ResourceArn"] for item in lakeformation.list_resources()["ResourceInfoList"])


def _filters(lakeformation: Any) -> Iterator[str]:
    found = lakeformation.list_data_cells_filter()["DataCellsFilters"]
    return (f"{item['DatabaseName']}.{item['TableName']}.{item['Name']}" for item in found)


def _omics_stores(omics: Any) -> Iterator[str]:
    for kind in ("reference", "variant", "annotation"):
        yield from (f"{kind} {item['name']}" for item in getattr(omics, f"list_{kind}_stores")()[f"{kind}Stores"])


def _jobs(glue: Any) -> Iterator[str]:
    return iter(glue.list_jobs()["JobNames"])


KINDS: tuple[tuple[str, str, Call], ...] = (
    ("S3 bucket", "s3", _buckets),
    ("KMS key", "kms", _keys),
    ("IAM role", "iam", _paged("list_roles", "Roles", "RoleName")),
    ("Glue database", "glue", _paged("get_databases", "DatabaseList", "Name")),
    ("Glue job", "glue", _jobs),
    ("Athena workgroup", "athena", _workgroups),
    ("Lake Formation grant", "lakeformation", _grants),
    ("Lake Formation filter", "lakeformation", _filters),
    ("Lake Formation location", "lakeformation", _locations),
    ("FHIR data store", "healthlake", _live("list_fhir_datastores", "DatastorePropertiesList", "Datastore")),
    ("DICOM data store", "medical-imaging", _live("list_datastores", "datastoreSummaries", "datastore")),
    ("HealthOmics store", "omics", _omics_stores),
    ("log group", "logs", _paged("describe_log_groups", "logGroups", "logGroupName")),
)
