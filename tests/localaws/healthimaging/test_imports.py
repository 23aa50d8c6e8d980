"""HealthImaging import jobs through boto3: image sets, reports, limits, roles, events.

Reads and writes a LocalAws of the test. Make target: `test`. Example: `pytest tests/localaws/healthimaging`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000Lossless

from localaws.healthimaging import import_jobs
from localaws.healthimaging.instance import Instance
from tests.localaws.healthimaging.conftest import SERIES, STUDY, ImageStore, a_slice, file_bytes


def test_series_becomes_one_primary_image_set(store: ImageStore) -> None:
    for number in (1, 2, 3):
        store.put(f"study/{number}", a_slice(number))
    job = store.run(jobName="first")
    assert (job["jobStatus"], job["jobName"]) == ("COMPLETED", "first")
    [found] = store.search()
    summary = store.summary(job)
    assert summary["imageSetsSummary"] == [{"imageSetId": found["imageSetId"], "numberOfMatchedSOPInstances": 3}]
    assert (summary["numberOfScannedFiles"], summary["numberOfImportedFiles"]) == (3, 3)
    lines = store.output(job, "SUCCESS/success.ndjson")
    assert lines[0] == {
        "inputFile": "in/study/1",
        "importResponse": {"imageSetId": found["imageSetId"], "isPrimary": True},
    }
    assert store.output(job, "FAILURE/failure.ndjson") == store.output(job, "WARNING/warning.ndjson") == []
    tags = found["DICOMTags"]
    assert (tags["DICOMPatientId"], tags["DICOMSeriesNumber"], tags["DICOMStudyDate"]) == ("MRN-1", 3, "20200102")
    assert (tags["DICOMNumberOfStudyRelatedSeries"], tags["DICOMNumberOfStudyRelatedInstances"]) == (1, 3)


@pytest.mark.filterwarnings("ignore:The value length:UserWarning")
def test_refused_files_stop_no_other_and_the_job_completes(store: ImageStore) -> None:
    good = file_bytes(a_slice(1))
    store.put("a-good", good)
    store.put("b-text", b"not DICOM at all" * 20)
    store.put("c-cut", good[:-40])
    store.put("d-no-study", a_slice(2, StudyInstanceUID=None))
    store.put("f-long-id", a_slice(4, PatientID="x" * 300))
    store.put("g-empty", b"")
    job = store.run()
    assert job["jobStatus"] == "COMPLETED"
    failures = {
        line["inputFile"].removeprefix("in/"): line["exception"] for line in store.output(job, "FAILURE/failure.ndjson")
    }
    assert set(failures) == {"b-text", "c-cut", "d-no-study", "f-long-id", "g-empty"}
    assert {failure["exceptionType"] for failure in failures.values()} == {"ValidationException"}
    assert failures["d-no-study"]["message"] == "DICOM attribute StudyInstanceUID does not exist"
    assert "truncated" in failures["c-cut"]["message"]
    assert "PatientID" in failures["f-long-id"]["message"]
    summary = store.summary(job)
    assert (summary["numberOfImportedFiles"], summary["numberOfFilesWithCustomerError"]) == (1, 5)


@pytest.mark.parametrize(
    ("changes", "warning"),
    [
        ({"PixelData": b""}, "FRAMES_EXTRACTION_FAILURE"),
        ({"Rows": 0}, "FRAMES_EXTRACTION_FAILURE"),
        ({"Columns": 0}, "FRAMES_EXTRACTION_FAILURE"),
        ({"BitsAllocated": 64, "PixelData": bytes(1 << 16)}, "TRANSCODING_EXCEPTION"),
    ],
)
def test_pixels_that_are_none_end_neither_the_job_nor_the_instance(
    store: ImageStore, changes: dict[str, Any], warning: str
) -> None:
    store.put("good", a_slice(1))
    store.put("none", a_slice(2, **changes))
    job = store.run()
    assert (job["jobStatus"], store.summary(job)["numberOfImportedFiles"]) == ("COMPLETED", 2)
    [line] = store.output(job, "WARNING/warning.ndjson")
    assert (line["inputFile"], line["importResponse"]["warnings"][0]["type"]) == ("in/none", warning)


def test_a_file_on_which_the_reader_itself_fails_is_the_services_error(
    store: ImageStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    read = import_jobs.read_instance

    def fail_on_one(path: Path, storage_format: str) -> Instance:
        instance = read(path, storage_format)
        if instance.sop_uid.endswith(".2"):
            raise KeyError("a defect")
        return instance

    monkeypatch.setattr(import_jobs, "read_instance", fail_on_one)
    store.put("1", a_slice(1))
    store.put("2", a_slice(2))
    job = store.run()
    summary = store.summary(job)
    assert (summary["numberOfImportedFiles"], summary["numberOfFilesWithServerError"]) == (1, 1)
    assert summary["numberOfFilesWithCustomerError"] == 0
    [line] = store.output(job, "FAILURE/failure.ndjson")
    assert line["exception"]["exceptionType"] == "InternalServerException"
    assert "in/2" in caplog.text


def test_same_instance_again_is_a_new_version_not_a_second_instance(store: ImageStore) -> None:
    store.put("1", a_slice(1))
    store.run()
    store.put("2", a_slice(2))
    store.run()
    [found] = store.search()
    assert found["version"] == 2
    instances = store.metadata(found["imageSetId"])["Study"]["Series"][SERIES]["Instances"]
    assert sorted(instances) == [f"{SERIES}.1", f"{SERIES}.2"]
    versions = store.api.list_image_set_versions(datastoreId=store.id, imageSetId=found["imageSetId"])
    assert [(item["versionId"], item["ImageSetWorkflowStatus"]) for item in versions["imageSetPropertiesList"]] == [
        ("2", "UPDATED"),
        ("1", "CREATED"),
    ]
    first = store.metadata(found["imageSetId"], versionId="1")["Study"]["Series"][SERIES]["Instances"]
    assert list(first) == [f"{SERIES}.1"]


@pytest.mark.parametrize("change", [{"PatientID": "MRN-2"}, {"StudyDate": "20200103"}, {"SeriesNumber": "9"}])
def test_conflicting_instance_goes_to_a_non_primary_image_set(store: ImageStore, change: dict[str, str]) -> None:
    store.put("1", a_slice(1))
    store.put("2", a_slice(2, **change))
    job = store.run()
    primary = {line["inputFile"]: line["importResponse"] for line in store.output(job, "SUCCESS/success.ndjson")}
    assert primary["in/1"]["isPrimary"] is True
    assert primary["in/2"]["isPrimary"] is False
    assert len(store.search(filters=[{"values": [{"isPrimary": True}], "operator": "EQUAL"}])) == 1
    store.run()
    assert len(store.search()) == 2


def test_another_series_of_the_study_must_agree_with_it(store: ImageStore) -> None:
    other = f"{STUDY}.2"
    store.put("1", a_slice(1))
    store.put("2", a_slice(2, SeriesInstanceUID=other, SOPInstanceUID=f"{other}.1", SeriesNumber="4"))
    store.put("3", a_slice(3, SeriesInstanceUID=f"{STUDY}.3", SOPInstanceUID=f"{STUDY}.3.1", AccessionNumber="A2"))
    store.run()
    found = {item["DICOMTags"]["DICOMSeriesInstanceUID"]: item["isPrimary"] for item in store.search()}
    assert found == {SERIES: True, other: True, f"{STUDY}.3": False}


@pytest.mark.filterwarnings("ignore:Invalid value:UserWarning")
def test_doubtful_values_are_imported_with_a_warning(store: ImageStore) -> None:
    store.put("1", a_slice(1, SOPInstanceUID="1.2.03.4"))
    job = store.run()
    [line] = store.output(job, "WARNING/warning.ndjson")
    response = line["importResponse"]
    assert (response["imageSetVersion"], response["isPrimary"]) == (1, True)
    [warning] = response["warnings"]
    assert (warning["type"], warning["warning_reason_code"]) == ("INVALID_UID_FORMAT", 45570)
    assert len(store.output(job, "SUCCESS/success.ndjson")) == 1


@pytest.mark.filterwarnings("ignore")
def test_pixels_that_are_no_use_keep_no_instance_out(store: ImageStore) -> None:
    unknown = a_slice(2, PixelData=encapsulate([b"of no known kind"]))
    undecodable = a_slice(4, PixelData=encapsulate([b"no JPEG 2000 at all."]))
    few = a_slice(5, NumberOfFrames=3, PixelData=encapsulate([b"one", b"two"]))
    for data in (unknown, undecodable, few):
        data.file_meta.TransferSyntaxUID = JPEG2000Lossless
    expected = {
        "unknown": (file_bytes(unknown).replace(b"1.2.4.90", b"1.2.4.99"), "UNSUPPORTED_TRANSFER_SYNTAX", 45344),
        "short": (a_slice(3, PixelData=b"\0" * 100), "FRAMES_EXTRACTION_FAILURE", 45328),
        "undecodable": (undecodable, "TRANSCODING_EXCEPTION", 45312),
        "few": (few, "FRAME_NUMBER_MISMATCH", 45329),
    }
    for name, (data, _, _) in expected.items():
        store.put(name, data)
    job = store.run()
    assert store.output(job, "FAILURE/failure.ndjson") == []
    for line in store.output(job, "WARNING/warning.ndjson"):
        [warning] = line["importResponse"]["warnings"]
        _, kind, code = expected.pop(line["inputFile"].removeprefix("in/"))
        assert (warning["type"], warning["warning_reason_code"]) == (kind, code)
    assert expected == {}
    [found] = store.search()
    [series] = store.metadata(found["imageSetId"])["Study"]["Series"].values()
    assert [item["ImageFrames"] for item in series["Instances"].values()] == [[]] * 4


def test_job_beyond_a_quota_fails(store: ImageStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.put("1", a_slice(1))
    store.put("2", a_slice(2))
    monkeypatch.setattr(import_jobs, "MAX_FILES", 1)
    job = store.run()
    assert job["jobStatus"] == "FAILED"
    assert "1 files at most, found 2" in job["message"]
    monkeypatch.setattr(import_jobs, "MAX_FILES", 5000)
    monkeypatch.setattr(import_jobs, "MAX_BYTES", 100)
    assert "100 bytes at most" in store.run()["message"]


def test_role_is_needed_for_every_object(store: ImageStore) -> None:
    policy: dict[str, Any] = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": ["s3:ListBucket", "s3:GetObject", "s3:PutObject"], "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::raw-bucket/in/secret*"},
        ],
    }
    store.client("iam").put_role_policy(RoleName="imaging", PolicyName="data", PolicyDocument=json.dumps(policy))
    store.put("open", a_slice(1))
    store.put("secret", a_slice(2))
    job = store.run()
    [failure] = store.output(job, "FAILURE/failure.ndjson")
    assert failure["inputFile"] == "in/secret"
    assert failure["exception"]["exceptionType"] == "AccessDeniedException"
    assert "does not exist" in store.run(dataAccessRoleArn="arn:aws:iam::123456789012:role/nobody")["message"]


def test_jobs_and_image_sets_become_events(store: ImageStore) -> None:
    sqs, events = store.client("sqs"), store.client("events")
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="images", EventPattern=json.dumps({"source": ["aws.medical-imaging"]}))
    events.put_targets(Rule="images", Targets=[{"Id": "1", "Arn": arn}])
    store.put("1", a_slice(1))
    store.run()
    [found] = store.search()
    name = {"datastoreId": store.id, "imageSetId": found["imageSetId"]}
    changes = {"updatableAttributes": json.dumps({"Patient": {"DICOM": {"PatientSex": "O"}}}).encode()}
    store.api.update_image_set_metadata(
        **name, latestVersionId="1", updateImageSetMetadataUpdates={"DICOMUpdates": changes}
    )
    store.api.delete_image_set(**name)
    seen = {}
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            event = json.loads(message["Body"])
            seen[event["detail-type"]] = event["detail"]
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert set(seen) == {
        "Import Job Submitted",
        "Import Job In Progress",
        "Import Job Completed",
        "Image Set Created",
        "Image Set Updating",
        "Image Set Updated",
        "Image Set Deleting",
        "Image Set Deleted",
    }
    under_way = {
        kind: (seen[kind]["imageSetState"], seen[kind]["imageSetWorkflowStatus"]) for kind in seen if "Set" in kind
    }
    assert under_way["Image Set Updating"] == ("LOCKED", "UPDATING")
    assert under_way["Image Set Updated"] == ("ACTIVE", "UPDATED")
    assert under_way["Image Set Deleted"] == ("DELETED", "DELETED")
    assert seen["Image Set Created"]["imagesetId"] == found["imageSetId"]
    assert seen["Image Set Created"]["isPrimary"] is True
    assert seen["Import Job Completed"]["jobStatus"] == "COMPLETED"
