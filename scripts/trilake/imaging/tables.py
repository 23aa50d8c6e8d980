"""The raw imaging tables that the jobs fill, one row per series, instance and measured feature; and what they hold.

`sql/imaging/contract.yaml` says what the columns mean and where they come from.

Example: pa.RecordBatch.from_pylist(rows, schema=SERIES)
"""

from typing import NamedTuple

import pyarrow as pa
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.expressions import EqualTo

from trilake.core.lakehouse.iceberg import open_table
from trilake.core.lakehouse.store_table import Target
from trilake.core.session import Session

IMAGE_SET = [("datastore_id", pa.string()), ("image_set_id", pa.string())]

SERIES = pa.schema(
    [
        *IMAGE_SET,
        ("image_set_version", pa.int32()),
        ("flattened_by", pa.int32()),
        ("is_primary", pa.bool_()),
        ("study_instance_uid", pa.string()),
        ("series_instance_uid", pa.string()),
        ("dicom_patient_id", pa.string()),
        ("dicom_patient_sex", pa.string()),
        ("dicom_birth_date", pa.date32()),
        ("dicom_patient_age", pa.string()),
        ("accession_number", pa.string()),
        ("study_id", pa.string()),
        ("study_date", pa.date32()),
        ("study_time", pa.string()),
        ("study_description", pa.string()),
        ("modality", pa.string()),
        ("body_part", pa.string()),
        ("series_number", pa.int32()),
        ("series_date", pa.date32()),
        ("series_time", pa.string()),
        ("series_description", pa.string()),
        ("protocol_name", pa.string()),
        ("sop_class_uid", pa.string()),
        ("frame_of_reference_uid", pa.string()),
        ("manufacturer", pa.string()),
        ("model_name", pa.string()),
        ("software_versions", pa.string()),
        ("station_name", pa.string()),
        ("institution_name", pa.string()),
        ("device_serial_number", pa.string()),
        ("field_strength", pa.float64()),
        ("repetition_time", pa.float64()),
        ("echo_time", pa.float64()),
        ("flip_angle", pa.float64()),
        ("n_instances", pa.int32()),
        ("n_frames", pa.int32()),
        ("n_rows", pa.int32()),
        ("n_columns", pa.int32()),
        ("row_spacing", pa.float64()),
        ("column_spacing", pa.float64()),
        ("slice_thickness", pa.float64()),
        ("n_stacks", pa.int32()),
        ("n_slices", pa.int32()),
        ("slice_spacing", pa.float64()),
        ("orientation", pa.list_(pa.float64())),
        ("first_position", pa.list_(pa.float64())),
        ("last_position", pa.list_(pa.float64())),
        ("is_regular", pa.bool_()),
        ("n_gaps", pa.int32()),
        ("n_missing_slices", pa.int32()),
        ("is_multi_frame", pa.bool_()),
        ("n_mosaic_tiles", pa.int32()),
        ("geometry_problem", pa.string()),
    ]
)

INSTANCE = pa.schema(
    [
        *IMAGE_SET,
        ("study_instance_uid", pa.string()),
        ("series_instance_uid", pa.string()),
        ("sop_instance_uid", pa.string()),
        ("sop_class_uid", pa.string()),
        ("instance_number", pa.int32()),
        ("n_frames", pa.int32()),
        ("n_rows", pa.int32()),
        ("n_columns", pa.int32()),
        ("bits_stored", pa.int32()),
        ("photometric_interpretation", pa.string()),
        ("stored_transfer_syntax_uid", pa.string()),
        ("acquisition_date", pa.date32()),
        ("acquisition_time", pa.string()),
        ("position_x", pa.float64()),
        ("position_y", pa.float64()),
        ("position_z", pa.float64()),
        ("orientation", pa.list_(pa.float64())),
        ("slice_place", pa.float64()),
        ("frame_ids", pa.list_(pa.string())),
    ]
)

RADIOMICS = pa.schema(
    [
        *IMAGE_SET,
        ("study_instance_uid", pa.string()),
        ("series_instance_uid", pa.string()),
        ("mask_id", pa.string()),
        ("mask_source", pa.string()),
        ("mask_label", pa.string()),
        ("mask_sha256", pa.string()),
        ("n_voxels", pa.int64()),
        ("feature", pa.string()),
        ("ibsi_code", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("row_spacing", pa.float64()),
        ("column_spacing", pa.float64()),
        ("slice_spacing", pa.float64()),
        ("settings", pa.string()),
        ("settings_sha256", pa.string()),
        ("software", pa.string()),
        ("software_version", pa.string()),
    ]
)

SERIES_TABLE = Target("imaging_store.series", SERIES, bucket_by="image_set_id", buckets=1)
INSTANCE_TABLE = Target("imaging_store.instance", INSTANCE, bucket_by="image_set_id", buckets=1)
RADIOMICS_TABLE = Target("imaging_store.radiomics", RADIOMICS, bucket_by="image_set_id", buckets=1)


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
    present = [name for name in COLUMNS if name in table.schema().column_names]
    rows = table.scan(EqualTo("datastore_id", session.settings.imaging.datastore_id), selected_fields=tuple(present))
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
