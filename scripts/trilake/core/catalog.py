"""Names: from `room.table`, as SQL files and people write it, to the Glue database behind it.

Reads settings, and the Glue catalog for the resource link of the HealthLake data store.

Example: database_name(session, "clinical")
"""

from trilake.core.errors import AccessError, ServiceError
from trilake.core.session import Session

HEALTHLAKE = "healthlake"
SOURCES = (HEALTHLAKE, "genomic_store", "imaging_store")
"""Catalog databases that services and jobs fill; no persona sees them."""


def database_name(session: Session, room: str) -> str | None:
    """The Glue database of a room or raw source; None when `room` is neither (then it is a database name itself)."""
    settings = session.settings
    if room == HEALTHLAKE:
        return resolve_healthlake(session)
    return {
        "clinical": settings.clinical.database,
        "linkage": settings.linkage.database,
        "genomic": settings.genomic.database,
        "imaging": settings.imaging.database,
        "cohort": settings.cohort.database,
        "operations": settings.core.operations_database,
        "genomic_store": settings.genomic.store_database,
        "imaging_store": settings.imaging.store_database,
    }.get(room)


def resolve_healthlake(session: Session) -> str:
    """Name of the resource link that HealthLake made: found by the data store's id, since its form is not documented.

    ServiceError when the service has not made it (yet), AccessError for a persona.
    """
    if session.persona is not None:
        raise AccessError(f"{session.persona} may not see {HEALTHLAKE}.*: raw stores are for no persona")
    datastore_id = session.settings.clinical.datastore_id
    for page in session.client("glue").get_paginator("get_databases").paginate():
        for database in page["DatabaseList"]:
            if datastore_id in database["Name"] and "TargetDatabase" in database:
                return str(database["Name"])
    raise ServiceError(
        f"The FHIR data store {datastore_id} has no tables yet",
        next_step="make ingest (tables appear after the first import)",
    )
