"""Where SQL finds the stores' tables: the service's shares accepted, linked into the catalog, granted to the pipeline.

HealthOmics keeps the tables in databases of an account of its own, and shares them through RAM. Which account that is
differs by Region, so the databases are found by the stores' ids. An administrator of the lake reads shared tables only
by a grant.
Source: https://docs.aws.amazon.com/omics/latest/dev/setting-up-lf.html

Example: links = connect(session)
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from trilake.core.errors import ServiceError
from trilake.core.session import Session

EXISTS = "AlreadyExistsException"


@dataclass(frozen=True)
class Links:
    """Names of the resource links: databases of the own catalog that stand for the stores' databases."""

    variant: str
    annotation: str


def link_names(session: Session) -> Links:
    base = session.settings.genomic.store_database
    return Links(f"{base}_hosted_variant", f"{base}_hosted_annotation")


def connect(session: Session) -> Links:
    """The links, made where they are not there yet. ServiceError when the service does not share the databases."""
    stores, names = session.settings.genomic.healthomics, link_names(session)
    assert stores is not None
    for link, store_id in ((names.variant, stores.variant_store_id), (names.annotation, stores.annotation_store_id)):
        if not is_linked(session, link, str(store_id)):
            accept_shares(session)
            owner, database = shared_database(session, str(store_id))
            make_link(session, link, owner, database)
            grant(session, owner, database)
    return names


def is_linked(session: Session, link: str, store_id: str) -> bool:
    """Whether the link is there and stands for this very store."""
    glue = session.client("glue")
    try:
        target = glue.get_database(Name=link)["Database"].get("TargetDatabase", {})
    except ClientError as error:
        if error.response["Error"]["Code"] == "EntityNotFoundException":
            return False
        raise
    if is_of(target.get("DatabaseName", ""), store_id):
        return True
    glue.delete_database(Name=link)  # It stands for a store that is gone.
    return False


def is_of(name: str, store_id: str) -> bool:
    """Whether a name holds the id, with or without its hyphens."""
    return any(form in name for form in (store_id, store_id.replace("-", ""), store_id.replace("-", "_")))


def accept_shares(session: Session) -> None:
    """Accept what HealthOmics offers; other invitations are not ours to accept."""
    ram, stores = session.client("ram"), session.settings.genomic.healthomics
    assert stores is not None
    for item in pages(ram.get_resource_share_invitations, "resourceShareInvitations"):
        name = item["resourceShareName"]
        if item["status"] == "PENDING" and any(
            is_of(name, str(store_id)) for store_id in (stores.variant_store_id, stores.annotation_store_id)
        ):
            ram.accept_resource_share_invitation(resourceShareInvitationArn=item["resourceShareInvitationArn"])


def shared_database(session: Session, store_id: str) -> tuple[str, str]:
    """(owner account, database) of a store."""
    request = {"resourceOwner": "OTHER-ACCOUNTS", "resourceType": "glue:Database"}
    for item in pages(session.client("ram").list_resources, "resources", **request):
        place = item["arn"].split(":", 5)
        if is_of(place[5], store_id):
            return place[4], place[5].split("/", 1)[1]
    raise ServiceError(
        f"HealthOmics shares no database of the store {store_id} with this account",
        next_step="accept its invitation in RAM (aws ram get-resource-share-invitations), then make ingest",
    )


def make_link(session: Session, link: str, owner: str, database: str) -> None:
    target = {"CatalogId": owner, "DatabaseName": database}
    try:
        session.client("glue").create_database(
            DatabaseInput={"Name": link, "TargetDatabase": target, "CreateTableDefaultPermissions": []}
        )
    except ClientError as error:
        if error.response["Error"]["Code"] != EXISTS:
            raise


def grant(session: Session, owner: str, database: str) -> None:
    """Let the caller, who runs the pipeline, read all tables of a shared database."""
    session.client("lakeformation").grant_permissions(**grant_on(session, owner, database))


def grant_on(session: Session, owner: str, database: str) -> dict[str, Any]:
    return {
        "Principal": {"DataLakePrincipalIdentifier": caller_arn(session)},
        "Resource": {"Table": {"CatalogId": owner, "DatabaseName": database, "TableWildcard": {}}},
        "Permissions": ["SELECT", "DESCRIBE"],
    }


def disconnect(session: Session) -> None:
    """Take back the grants and links, before the stores go; what is not there is no error."""
    names, glue = link_names(session), session.client("glue")
    for link in (names.variant, names.annotation):
        try:
            target = glue.get_database(Name=link)["Database"]["TargetDatabase"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "EntityNotFoundException":
                raise
            continue
        place = target["CatalogId"], target["DatabaseName"]
        session.client("lakeformation").revoke_permissions(**grant_on(session, *place))
        glue.delete_database(Name=link)


def caller_arn(session: Session) -> str:
    """The user or role (not the session of it) that calls."""
    arn = str(session.client("sts").get_caller_identity()["Arn"])
    if ":assumed-role/" not in arn:
        return arn
    return str(session.client("iam").get_role(RoleName=arn.split("/")[1])["Role"]["Arn"])


def pages(call: Any, member: str, **request: Any) -> Iterator[dict[str, Any]]:
    """All items of a paged call."""
    while True:
        answer = call(**request)
        yield from answer[member]
        if not answer.get("nextToken"):
            return
        request["nextToken"] = answer["nextToken"]
