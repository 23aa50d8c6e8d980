"""One image set's metadata JSON to rows of the series and instance tables: the heart of the flatten job.

Source of the JSON's form: HealthImaging developer guide, GetImageSetMetadata (SchemaVersion 1.1); keys below `DICOM`
are keywords of PS3.6. What keeps a series' largest stack from being a volume is told in words, the same that the
radiomics job puts into the ledger.

Example: series_rows(metadata, ImageSet("store", "id", 1, True))
"""

from collections import ChainMap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trilake.imaging.frame import Frame, Vector, attributes_of_frames, frames_of, mosaic_tiles
from trilake.imaging.pixels import checked
from trilake.imaging.values import Json, clock, day, integer, number, numbers, text
from trilake.imaging.volume import Stack, check, stacks_of

NOTHING: Json = dict.fromkeys(
    ("n_stacks", "n_slices", "slice_spacing", "orientation", "first_position", "last_position", "is_regular", "n_gaps",
     "n_missing_slices", "is_multi_frame", "n_mosaic_tiles", "geometry_problem")
)  # fmt: skip
PICTURE = {"Rows", "Columns", "BitsAllocated"}
"""What only pictures say of themselves (PS3.3 C.7.6.3)."""


def geometry(instances: Json) -> Json:
    """The columns of NOTHING. Positions, spacing and gaps are those of the largest stack; all None without frames.

    A picture without frames is a problem; objects that describe none (reports, documents) are not.
    `n_slices` counts the places of that stack, or the tiles of a mosaic; mosaics have no further geometry.
    """
    pictures = {uid: instance for uid, instance in instances.items() if instance.get("ImageFrames")}
    if not pictures:
        return NOTHING | {"geometry_problem": frameless_problem(instances)}
    frames, problem = frames_with_problem(pictures)
    tiles = max((mosaic_tiles(instance["DICOM"]) or 0 for instance in pictures.values()), default=0)
    stacks = stacks_of(frames)
    columns = NOTHING | {
        "n_stacks": len(stacks),
        "is_multi_frame": any(len(instance["ImageFrames"]) > 1 for instance in pictures.values()),
        "n_mosaic_tiles": tiles or None,
        "n_slices": tiles or None,
        "geometry_problem": problem or problem_of(stacks),
    }
    # The normal of a mosaic's tiles is in a vendor's private header: it has no geometry here.
    return columns if tiles else columns | stack_columns(stacks[0])


def frameless_problem(instances: Json) -> str | None:
    """Why nothing can be made of instances whose headers describe a picture; None for reports and documents."""
    n_pictures = sum(instance.get("DICOM", {}).keys() >= PICTURE for instance in instances.values())
    problem = f"{n_pictures} of {len(instances)} instances describe a picture and have no frames"
    return problem if n_pictures else None


def frames_with_problem(pictures: Json) -> tuple[list[Frame], str]:
    """All frames, and why they can be no part of a volume ('' when they can)."""
    frames, problem = [], ""
    for uid, instance in pictures.items():
        instance_frames = frames_of(instance["DICOM"], uid, len(instance["ImageFrames"]))
        try:
            checked(instance_frames, instance["DICOM"])
        except ValueError as error:
            problem = str(error)
        frames += instance_frames
    return frames, problem


def problem_of(stacks: list[Stack]) -> str | None:
    """Why the largest stack, which is the one that is described and measured, is no volume."""
    try:
        check(stacks[0], keep_gaps=False)
    except ValueError as error:
        return str(error) if len(stacks) == 1 else f"{error} (the largest of {len(stacks)} stacks)"
    return None


def stack_columns(stack: Stack) -> Json:
    first, last = stack.frames[0], stack.frames[-1]
    is_placed = all(frame.position is not None for frame in stack.frames)
    gaps = stack.gaps
    return {
        "n_slices": len(stack.frames) - stack.n_repeated,
        "slice_spacing": stack.spacing if is_placed and len(stack.frames) > 1 else None,
        "orientation": listed(first.orientation),
        "first_position": listed(first.position),
        "last_position": listed(last.position),
        "is_regular": stack.is_regular and not stack.n_repeated if is_placed else None,
        "n_gaps": len(gaps) if is_placed else None,
        "n_missing_slices": sum(gap.n_slices for gap in gaps) if is_placed else None,
    }


def listed(vector: Vector | None) -> list[float] | None:
    return None if vector is None else list(vector)


def instance_geometry(header: Json, n_frames: int) -> dict[str, Any]:
    """The columns of one instance: its first frame's place and plane."""
    first: Frame | None = frames_of(header, "", 1)[0] if n_frames else None
    position = first.position if first and first.position else (None, None, None)
    return {
        "position_x": position[0],
        "position_y": position[1],
        "position_z": position[2],
        "orientation": listed(first.orientation) if first else None,
        "slice_place": first.place if first else None,
    }


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
    """One row per series of the image set, with the columns of `tables.SERIES`."""
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
    attributes = ChainMap(header, dict(next(attributes_of_frames(first, 1))))
    spacing = numbers(attributes.get("PixelSpacing"))
    texts = {column: text(attributes.get(keyword)) for column, keyword in TEXTS.items()}
    values = {column: number(attributes.get(keyword)) for column, keyword in NUMBERS.items()}
    return {
        **texts,
        **values,
        "echo_time": number(attributes.get("EffectiveEchoTime", attributes.get("EchoTime"))),
        "series_number": integer(attributes.get("SeriesNumber")),
        "series_date": day(attributes.get("SeriesDate")),
        "series_time": clock(attributes.get("SeriesTime")),
        "n_instances": len(instances),
        "n_frames": sum(len(instance.get("ImageFrames", [])) for instance in instances.values()),
        "n_rows": integer(attributes.get("Rows")),
        "n_columns": integer(attributes.get("Columns")),
        "row_spacing": spacing[0] if len(spacing) == 2 else None,
        "column_spacing": spacing[1] if len(spacing) == 2 else None,
    }


def instance_rows(metadata: Json, image_set: ImageSet) -> Iterator[Json]:
    """One row per instance, with the columns of `tables.INSTANCE`."""
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
