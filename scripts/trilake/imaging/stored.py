"""What the series table of the imaging store already holds: image sets, their versions, studies and modalities.

Reads four columns of the table; a store without the table holds nothing.

Example: {one.image_set_id: one.version for one in stored_series(session)}
"""

from typing import NamedTuple

from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import EqualTo

from trilake.core.iceberg import open_table
from trilake.core.session import Session
from trilake.imaging.shape import SERIES_TABLE

COLUMNS = ("image_set_id", "image_set_version", "flattened_by", "study_instance_uid", "modality")


class StoredSeries(NamedTuple):
    """A row of the series table. `flattened_by` is 0 for rows from before it was kept."""

    image_set_id: str
    version: int
    flattened_by: int
    study_instance_uid: str
    modality: str


def stored_series(session: Session) -> list[StoredSeries]:
    """One entry per series of each image set of the data store that the settings name."""
    try:
        table = open_table(session, SERIES_TABLE.name)
    except NoSuchTableError:
        return []
    kept = [name for name in COLUMNS if name in table.schema().column_names]
    rows = table.scan(EqualTo("datastore_id", session.settings.imaging.datastore_id), selected_fields=tuple(kept))
    return [
        StoredSeries(
            row["image_set_id"],
            row["image_set_version"] or 0,
            row.get("flattened_by") or 0,
            row["study_instance_uid"] or "",
            row["modality"] or "",
        )
        for row in rows.to_arrow().to_pylist()
    ]
