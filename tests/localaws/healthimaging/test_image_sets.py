"""HealthImaging data stores and image sets through boto3: life, search, updates, tags, errors.

Reads and writes a LocalAws of the test. Make target: `test`. Example: `pytest tests/localaws/healthimaging`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from tests.localaws.healthimaging.conftest import SERIES, STUDY, ImageStore, a_slice


def _fill(store: ImageStore, count: int) -> None:
    for number in range(1, count + 1):
        study = f"{STUDY}.{number}"
        changes: dict[str, Any] = {
            "StudyInstanceUID": study,
            "SeriesInstanceUID": f"{study}.1",
            "SOPInstanceUID": f"{study}.1.1",
            "PatientID": f"MRN-{number}",
            "StudyDate": f"202001{number:02d}",
        }
        store.put(str(number), a_slice(number, **changes))
    store.run()


def test_store_with_image_sets_cannot_be_deleted(store: ImageStore) -> None:
    store.put("1", a_slice(1))
    store.run()
    [found] = store.search()
    with pytest.raises(store.api.exceptions.ConflictException):
        store.api.delete_datastore(datastoreId=store.id)
    answer = store.api.delete_image_set(datastoreId=store.id, imageSetId=found["imageSetId"])
    assert answer["imageSetState"] == "DELETED"
    assert store.search() == []
    image_set = store.api.get_image_set(datastoreId=store.id, imageSetId=found["imageSetId"])
    assert (image_set["imageSetState"], "deletedAt" in image_set) == ("DELETED", True)
    with pytest.raises(store.api.exceptions.ResourceNotFoundException):
        store.metadata(found["imageSetId"])
    assert store.api.delete_datastore(datastoreId=store.id)["datastoreStatus"] == "DELETING"
    store.wait_status("DELETED")
    with pytest.raises(store.api.exceptions.ResourceNotFoundException):
        store.search()


def test_search_filters_sorts_and_pages(store: ImageStore) -> None:
    _fill(store, 5)
    [one] = store.search(filters=[{"values": [{"DICOMPatientId": "MRN-3"}], "operator": "EQUAL"}])
    assert one["DICOMTags"]["DICOMStudyDate"] == "20200103"
    between = {
        "values": [
            {"DICOMStudyDateAndTime": {"DICOMStudyDate": "20200102", "DICOMStudyTime": "000000"}},
            {"DICOMStudyDateAndTime": {"DICOMStudyDate": "20200104", "DICOMStudyTime": "235959"}},
        ],
        "operator": "BETWEEN",
    }
    sort = {"sortField": "DICOMStudyDateAndTime", "sortOrder": "DESC"}
    found = store.search(filters=[between], sort=sort)
    assert [item["DICOMTags"]["DICOMPatientId"] for item in found] == ["MRN-4", "MRN-3", "MRN-2"]
    first = store.api.search_image_sets(datastoreId=store.id, maxResults=3)
    rest = store.api.search_image_sets(datastoreId=store.id, maxResults=3, nextToken=first["nextToken"])
    ids = [item["imageSetId"] for page in (first, rest) for item in page["imageSetsMetadataSummaries"]]
    assert len(set(ids)) == 5
    with pytest.raises(store.api.exceptions.ValidationException):
        store.search(filters=[{"values": [{"DICOMPatientId": "a"}, {"DICOMPatientId": "b"}], "operator": "BETWEEN"}])
    with pytest.raises(store.api.exceptions.ValidationException, match="lower bound"):
        store.search(filters=[{**between, "values": between["values"][::-1]}])
    created = {"values": [{"createdAt": found[0]["createdAt"]}], "operator": "EQUAL"}
    assert found[0]["imageSetId"] in {item["imageSetId"] for item in store.search(filters=[created])}


def test_metadata_update_is_a_version_that_can_be_taken_back(store: ImageStore) -> None:
    store.put("1", a_slice(1))
    store.run()
    [found] = store.search()
    ids = {"datastoreId": store.id, "imageSetId": found["imageSetId"]}
    changes = {
        "SchemaVersion": "1.1",
        "Patient": {"DICOM": {"PatientID": "MRN-9"}},
        "Study": {"Series": {SERIES: {"Instances": {f"{SERIES}.1": {"DICOM": {"ImageComments": "checked"}}}}}},
    }
    removed = {"Patient": {"DICOM": {"PatientName": ""}}}
    attributes = {
        "updatableAttributes": json.dumps(changes).encode(),
        "removableAttributes": json.dumps(removed).encode(),
    }
    answer = store.api.update_image_set_metadata(
        **ids, latestVersionId="1", updateImageSetMetadataUpdates={"DICOMUpdates": attributes}
    )
    assert answer["latestVersionId"] == "2"
    assert store.metadata(found["imageSetId"])["Patient"]["DICOM"] == {"PatientID": "MRN-9", "PatientSex": "F"}
    assert store.search()[0]["DICOMTags"]["DICOMPatientId"] == "MRN-9"
    revert = {"revertToVersionId": "1"}
    with pytest.raises(store.api.exceptions.ConflictException):
        store.api.update_image_set_metadata(**ids, latestVersionId="1", updateImageSetMetadataUpdates=revert)
    store.api.update_image_set_metadata(**ids, latestVersionId="2", updateImageSetMetadataUpdates=revert)
    assert store.search()[0]["DICOMTags"]["DICOMPatientId"] == "MRN-1"


@pytest.mark.parametrize(
    ("level", "attributes", "is_for_force"),
    [
        ("Patient", {"PatientID": "MRN-9"}, None),
        ("Patient", {"StudyDescription": "of another level"}, False),
        ("Patient", {"00091001": "private"}, False),
        ("Study", {"StudyID": "S9"}, True),
        ("Study", {"ReferencedStudySequence": []}, True),
        ("Patient", {"PatientFavourite": "unknown"}, False),
        ("Study", {"StudyInstanceUID": "1.2"}, False),
    ],
)
def test_what_may_be_changed_and_what_by_force_alone(
    store: ImageStore, level: str, attributes: dict[str, Any], is_for_force: bool | None
) -> None:
    store.put("1", a_slice(1))
    store.run()
    [found] = store.search()
    changes = {"updatableAttributes": json.dumps({level: {"DICOM": attributes}}).encode()}
    asked = {
        "datastoreId": store.id,
        "imageSetId": found["imageSetId"],
        "latestVersionId": "1",
        "updateImageSetMetadataUpdates": {"DICOMUpdates": changes},
    }
    if is_for_force is None:
        assert store.api.update_image_set_metadata(**asked)["latestVersionId"] == "2"
        return
    with pytest.raises(store.api.exceptions.ValidationException):
        store.api.update_image_set_metadata(**asked)
    if is_for_force:
        assert store.api.update_image_set_metadata(**asked, force=True)["latestVersionId"] == "2"
    else:
        with pytest.raises(store.api.exceptions.ValidationException):
            store.api.update_image_set_metadata(**asked, force=True)


def test_tags_of_stores_and_image_sets(store: ImageStore) -> None:
    store.put("1", a_slice(1))
    store.run()
    [found] = store.search()
    image_set = store.api.get_image_set(datastoreId=store.id, imageSetId=found["imageSetId"])
    for arn in (store.wait_status("ACTIVE")["datastoreArn"], image_set["imageSetArn"]):
        store.api.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        store.api.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert store.api.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}


def test_lists(store: ImageStore) -> None:
    store.put("1", a_slice(1))
    store.run(jobName="one")
    store.run(jobName="two")
    jobs = store.api.list_dicom_import_jobs(datastoreId=store.id, maxResults=1)
    assert [job["jobName"] for job in jobs["jobSummaries"]] == ["two"]
    assert "nextToken" in jobs
    stores = store.api.list_datastores(datastoreStatus="ACTIVE")["datastoreSummaries"]
    assert [item["datastoreName"] for item in stores] == ["images"]


def test_unknown_names_are_not_found(store: ImageStore) -> None:
    nothing = "0" * 32
    for call in (
        lambda: store.api.get_datastore(datastoreId=nothing),
        lambda: store.api.get_image_set(datastoreId=store.id, imageSetId=nothing),
        lambda: store.api.get_dicom_import_job(datastoreId=store.id, jobId=nothing),
    ):
        with pytest.raises(store.api.exceptions.ResourceNotFoundException):
            call()


def test_what_is_not_there_says_so(store: ImageStore) -> None:
    with pytest.raises(ClientError, match="CopyImageSet"):
        store.api.copy_image_set(
            datastoreId=store.id,
            sourceImageSetId="0" * 32,
            copyImageSetInformation={"sourceImageSet": {"latestVersionId": "1"}},
        )


def test_image_sets_outlive_the_process(tmp_path: Path) -> None:
    with LocalAws(tmp_path / "kept") as aws:
        store = ImageStore(aws.world.client)
        store.put("1", a_slice(1))
        store.run()
    with LocalAws(tmp_path / "kept") as aws:
        store.api = aws.world.client("medical-imaging")
        [found] = store.search()
        assert store.metadata(found["imageSetId"])["Patient"]["DICOM"]["PatientID"] == "MRN-1"
