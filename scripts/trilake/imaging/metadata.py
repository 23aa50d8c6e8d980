"""The heart of the flatten job: one image set's metadata JSON to rows of the series and instance tables.

Pure. Source of the JSON's shape: HealthImaging developer guide, GetImageSetMetadata (SchemaVersion 1.1); keys below
`DICOM` are keywords of PS3.6.

Example: series_rows(metadata, ImageSet("store", "id", 1, True))
"""

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass

from trilake.imaging.frame import told_of
from trilake.imaging.geometry import geometry, instance_geometry
from trilake.imaging.values import Json, clock, day, integer, number, numbers, text

FLATTENED_BY = 3
"""Version of these rows: image sets that an earlier one flattened are read again by the next reconciliation."""
TEXTS = {
    "modality": "Modality",
    "body_part": "BodyPartExamined",
    "series_description": "SeriesDescription",
    "protocol_name": "ProtocolName",
    "sop_class_uid": "SOPClassUID",
    "frame_of_reference_uid": "FrameOfReferenceUID",
    "manufacturer": "Manufacturer",
    "model_name": "ManufacturerModelName",
    "software_versions": "SoftwareVersions",
    "station_name": "StationName",
    "institution_name": "InstitutionName",
    "device_serial_number": "DeviceSerialNumber",
}
NUMBERS = {
    "field_strength": "MagneticFieldStrength",
    "slice_thickness": "SliceThickness",
    "repetition_time": "RepetitionTime",
    "flip_angle": "FlipAngle",
}


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
    shared = study_columns(patient, study)
    for uid, series in metadata["Study"]["Series"].items():
        header: Json = series.get("DICOM", {})
        instances: Json = series["Instances"]
        yield {
            "datastore_id": image_set.datastore_id,
            "image_set_id": image_set.image_set_id,
            "image_set_version": image_set.version,
            "flattened_by": FLATTENED_BY,
            "is_primary": image_set.is_primary,
            "study_instance_uid": study.get("StudyInstanceUID"),
            "series_instance_uid": uid,
            **shared,
            **series_columns(header, instances),
            **geometry(instances),
        }


def study_columns(patient: Json, study: Json) -> Json:
    return {
        "dicom_patient_id": text(patient.get("PatientID")),
        "dicom_patient_sex": text(patient.get("PatientSex")),
        "dicom_birth_date": day(patient.get("PatientBirthDate")),
        "dicom_patient_age": text(study.get("PatientAge")),
        "accession_number": text(study.get("AccessionNumber")),
        "study_id": text(study.get("StudyID")),
        "study_date": day(study.get("StudyDate")),
        "study_time": clock(study.get("StudyTime")),
        "study_description": text(study.get("StudyDescription")),
    }


def series_columns(header: Json, instances: Json) -> Json:
    """What the series' header says, else its first instance, else that one's first frame."""
    first: Json = next(iter(instances.values()))["DICOM"] if instances else {}
    told = ChainMap(header, dict(next(told_of(first, 1))))
    spacing = numbers(told.get("PixelSpacing"))
    texts = {column: text(told.get(keyword)) for column, keyword in TEXTS.items()}
    values = {column: number(told.get(keyword)) for column, keyword in NUMBERS.items()}
    return {
        **texts,
        **values,
        "echo_time": number(told.get("EffectiveEchoTime", told.get("EchoTime"))),
        "series_number": integer(told.get("SeriesNumber")),
        "series_date": day(told.get("SeriesDate")),
        "series_time": clock(told.get("SeriesTime")),
        "n_instances": len(instances),
        "n_frames": sum(len(one.get("ImageFrames", [])) for one in instances.values()),
        "n_rows": integer(told.get("Rows")),
        "n_columns": integer(told.get("Columns")),
        "row_spacing": spacing[0] if len(spacing) == 2 else None,
        "column_spacing": spacing[1] if len(spacing) == 2 else None,
    }


def instance_rows(metadata: Json, image_set: ImageSet) -> Iterator[Json]:
    """One row per instance, in the shape `shape.INSTANCE`."""
    study_uid = metadata["Study"].get("DICOM", {}).get("StudyInstanceUID")
    for series_uid, series in metadata["Study"]["Series"].items():
        for sop_uid, instance in series["Instances"].items():
            header, frames = instance.get("DICOM", {}), instance.get("ImageFrames", [])
            yield {
                "datastore_id": image_set.datastore_id,
                "image_set_id": image_set.image_set_id,
                "study_instance_uid": study_uid,
                "series_instance_uid": series_uid,
                "sop_instance_uid": sop_uid,
                "sop_class_uid": text(header.get("SOPClassUID")),
                "instance_number": integer(header.get("InstanceNumber")),
                "n_frames": len(frames),
                "n_rows": integer(header.get("Rows")),
                "n_columns": integer(header.get("Columns")),
                "bits_stored": integer(header.get("BitsStored")),
                "photometric_interpretation": text(header.get("PhotometricInterpretation")),
                "stored_transfer_syntax_uid": text(instance.get("StoredTransferSyntaxUID")),
                "acquisition_date": day(header.get("AcquisitionDate")),
                "acquisition_time": clock(header.get("AcquisitionTime")),
                **instance_geometry(header, len(frames)),
                "frame_ids": [frame["ID"] for frame in frames] or None,
            }
