"""Image set metadata documents: built from instances, and added to.

Reads and writes nothing. Behind `make ingest`. Example: `with_instances(empty(...), [instance])["Study"]["Series"]`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from localaws.healthimaging.instance import Instance

Document = dict[str, Any]
SCHEMA_VERSION = "1.1"
# Search result -> level and attribute it is taken from.
SEARCH_TAGS = {
    "DICOMPatientId": ("Patient", "PatientID"),
    "DICOMPatientName": ("Patient", "PatientName"),
    "DICOMPatientBirthDate": ("Patient", "PatientBirthDate"),
    "DICOMPatientSex": ("Patient", "PatientSex"),
    "DICOMStudyInstanceUID": ("Study", "StudyInstanceUID"),
    "DICOMStudyId": ("Study", "StudyID"),
    "DICOMStudyDescription": ("Study", "StudyDescription"),
    "DICOMAccessionNumber": ("Study", "AccessionNumber"),
    "DICOMStudyDate": ("Study", "StudyDate"),
    "DICOMStudyTime": ("Study", "StudyTime"),
    "DICOMSeriesInstanceUID": ("Series", "SeriesInstanceUID"),
    "DICOMSeriesModality": ("Series", "Modality"),
    "DICOMSeriesBodyPart": ("Series", "BodyPartExamined"),
    "DICOMSeriesNumber": ("Series", "SeriesNumber"),
}


def empty(datastore_id: str, image_set_id: str) -> Document:
    return {
        "SchemaVersion": SCHEMA_VERSION,
        "DatastoreID": datastore_id,
        "ImageSetID": image_set_id,
        "Patient": {"DICOM": {}},
        "Study": {"DICOM": {}, "Series": {}},
    }


def with_instances(document: Document, instances: Iterable[Instance]) -> Document:
    """Add instances of one series, the later over the earlier where they are the same; the document itself changes."""
    for instance in instances:
        document["Patient"]["DICOM"] = instance.levels["Patient"]
        document["Study"]["DICOM"] = instance.levels["Study"]
        series = document["Study"]["Series"].setdefault(instance.series_uid, {"DICOM": {}, "Instances": {}})
        series["DICOM"] = instance.levels["Series"]
        series["Instances"][instance.sop_uid] = _instance(instance)
    return document


def _instance(instance: Instance) -> Document:
    found: Document = {
        "DICOM": instance.levels["Instance"],
        "DICOMVRs": instance.representations,
        "ImageFrames": instance.frames,
    }
    if instance.stored_syntax is not None:
        found["StoredTransferSyntaxUID"] = instance.stored_syntax
    return found


def instances_of(document: Document) -> dict[str, Document]:
    """SOP instance UID -> its part of the document."""
    return {uid: item for series in document["Study"]["Series"].values() for uid, item in series["Instances"].items()}


def search_tags(document: Document) -> dict[str, Any]:
    """What SearchImageSets shows of a document; empty attributes are left out."""
    [series] = document["Study"]["Series"].values()
    levels = {"Patient": document["Patient"]["DICOM"], "Study": document["Study"]["DICOM"], "Series": series["DICOM"]}
    found = {name: levels[level].get(keyword) for name, (level, keyword) in SEARCH_TAGS.items()}
    found["DICOMSeriesNumber"] = _whole(found["DICOMSeriesNumber"])
    return {name: value for name, value in found.items() if value is not None}


def _whole(value: Any) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
