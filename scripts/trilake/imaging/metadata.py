"""The heart of the flatten job: one image set's metadata JSON to rows of the series and instance tables.

Pure. Source of the JSON's shape: HealthImaging developer guide, GetImageSetMetadata (SchemaVersion 1.1); keys below
`DICOM` are keywords of PS3.6.

Example: series_rows(metadata, ImageSet("store", "id", 1, True))
"""

from collections.abc import Iterator
from dataclasses import dataclass

from trilake.imaging.values import Json, day, integer, number, numbers, text


@dataclass(frozen=True)
class ImageSet:
    """Which image set the metadata is of."""

    datastore_id: str
    image_set_id: str
    version: int
    is_primary: bool


def series_rows(metadata: Json, image_set: ImageSet) -> Iterator[Json]:
    """One row per series of the image set, in the shape `shape.SERIES`."""
    patient: Json = metadata["Patient"].get("DICOM", {})
    study: Json = metadata["Study"].get("DICOM", {})
    for uid, series in metadata["Study"]["Series"].items():
        header: Json = series.get("DICOM", {})
        instances: Json = series["Instances"]
        first: Json = next(iter(instances.values()))["DICOM"] if instances else {}
        spacing = numbers(first.get("PixelSpacing"))
        yield {
            "datastore_id": image_set.datastore_id,
            "image_set_id": image_set.image_set_id,
            "image_set_version": image_set.version,
            "is_primary": image_set.is_primary,
            "study_instance_uid": study.get("StudyInstanceUID"),
            "series_instance_uid": uid,
            "dicom_patient_id": text(patient.get("PatientID")),
            "dicom_patient_sex": text(patient.get("PatientSex")),
            "dicom_birth_date": day(patient.get("PatientBirthDate")),
            "dicom_patient_age": text(study.get("PatientAge")),
            "accession_number": text(study.get("AccessionNumber")),
            "study_date": day(study.get("StudyDate")),
            "study_description": text(study.get("StudyDescription")),
            "modality": text(header.get("Modality")),
            "body_part": text(header.get("BodyPartExamined")),
            "series_description": text(header.get("SeriesDescription")),
            "manufacturer": text(header.get("Manufacturer", first.get("Manufacturer"))),
            "model_name": text(header.get("ManufacturerModelName", first.get("ManufacturerModelName"))),
            "field_strength": number(header.get("MagneticFieldStrength", first.get("MagneticFieldStrength"))),
            "n_instances": len(instances),
            "n_rows": integer(first.get("Rows")),
            "n_columns": integer(first.get("Columns")),
            "row_spacing": spacing[0] if len(spacing) == 2 else None,
            "column_spacing": spacing[1] if len(spacing) == 2 else None,
            "slice_thickness": number(header.get("SliceThickness", first.get("SliceThickness"))),
        }


def instance_rows(metadata: Json, image_set: ImageSet) -> Iterator[Json]:
    """One row per instance, in the shape `shape.INSTANCE`."""
    study_uid = metadata["Study"].get("DICOM", {}).get("StudyInstanceUID")
    for series_uid, series in metadata["Study"]["Series"].items():
        for sop_uid, instance in series["Instances"].items():
            header, frames = instance.get("DICOM", {}), instance.get("ImageFrames", [])
            position = numbers(header.get("ImagePositionPatient"))
            x, y, z = position if len(position) == 3 else (None, None, None)
            yield {
                "datastore_id": image_set.datastore_id,
                "image_set_id": image_set.image_set_id,
                "study_instance_uid": study_uid,
                "series_instance_uid": series_uid,
                "sop_instance_uid": sop_uid,
                "sop_class_uid": text(header.get("SOPClassUID")),
                "instance_number": integer(header.get("InstanceNumber")),
                "n_frames": len(frames),
                "position_x": x,
                "position_y": y,
                "position_z": z,
                "frame_ids": [frame["ID"] for frame in frames] or None,
            }
