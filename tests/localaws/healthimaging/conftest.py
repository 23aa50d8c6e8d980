"""A HealthImaging data store with a bucket and a role that may be used for imports, and DICOM files to import.

Reads and writes a LocalAws of the test. Make target: `test`.
Example: `def test_it(store): store.put("a.dcm", a_slice()); store.run()`.
"""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

from tests.localaws.conforming import conforming

BUCKET = "raw-bucket"
STUDY = "1.2.826.0.1.3680043.8.498.1"
SERIES = f"{STUDY}.1"


def a_slice(number: int = 1, **changes: Any) -> Dataset:
    """One 16-bit MR slice whose pixels depend on its number; a change to None takes the attribute away."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = MRImageStorage
    data.SOPClassUID = MRImageStorage
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"{SERIES}.{number}"
    data.StudyInstanceUID, data.SeriesInstanceUID = STUDY, SERIES
    data.PatientID, data.PatientName, data.PatientSex = "MRN-1", "Doe^Ann", "F"
    data.StudyDate, data.StudyTime, data.StudyID, data.AccessionNumber = "20200102", "101500", "S1", "A1"
    data.Modality, data.SeriesNumber, data.InstanceNumber = "MR", "3", str(number)
    data.ImagePositionPatient, data.SliceThickness = ["0", "1.50", str(number)], "1.0"
    data.Rows, data.Columns, data.SamplesPerPixel = 16, 12, 1
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PhotometricInterpretation = "MONOCHROME2"
    data.PixelData = slice_pixels(number).tobytes()
    for name, value in changes.items():
        if value is None:
            delattr(data, name)
        else:
            setattr(data, name, value)
    return data


def slice_pixels(number: int = 1) -> np.ndarray[Any, np.dtype[np.uint16]]:
    return ((np.arange(16 * 12, dtype=np.uint16) * 7 + number) % 4096).reshape(16, 12)


def file_bytes(data: Dataset) -> bytes:
    buffer = BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


class ImageStore:
    """One data store and what an import into it needs."""

    def __init__(self, client: Callable[..., Any]) -> None:
        self.client = client
        self.api = conforming(client("medical-imaging"))
        self.s3 = client("s3")
        self.s3.create_bucket(Bucket=BUCKET)
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "medical-imaging.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        statements = [
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": f"arn:aws:s3:::{BUCKET}"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/in/*"},
            {"Effect": "Allow", "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{BUCKET}/out/*"},
        ]
        iam = client("iam")
        self.role: str = iam.create_role(RoleName="imaging", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName="imaging", PolicyName="data", PolicyDocument=policy)
        self.id = ""
        self.renew()

    def renew(self, **options: str) -> None:
        """Go on with a new, empty data store."""
        self.id = self.api.create_datastore(datastoreName="images", **options)["datastoreId"]
        self.wait_status("ACTIVE")

    def wait_status(self, wanted: str) -> dict[str, Any]:
        for _ in range(200):
            found: dict[str, Any] = self.api.get_datastore(datastoreId=self.id)["datastoreProperties"]
            if found["datastoreStatus"] == wanted:
                return found
            time.sleep(0.02)
        raise AssertionError(f"the data store did not become {wanted}")

    def put(self, name: str, content: Dataset | bytes) -> None:
        body = content if isinstance(content, bytes) else file_bytes(content)
        self.s3.put_object(Bucket=BUCKET, Key=f"in/{name}", Body=body)

    def run(self, **changes: Any) -> dict[str, Any]:
        params: dict[str, Any] = {
            "datastoreId": self.id,
            "dataAccessRoleArn": self.role,
            "inputS3Uri": f"s3://{BUCKET}/in/",
            "outputS3Uri": f"s3://{BUCKET}/out/",
            **changes,
        }
        job_id = self.api.start_dicom_import_job(**params)["jobId"]
        for _ in range(1500):
            job: dict[str, Any] = self.api.get_dicom_import_job(datastoreId=self.id, jobId=job_id)["jobProperties"]
            if job["jobStatus"] in {"COMPLETED", "FAILED"}:
                return job
            time.sleep(0.02)
        raise AssertionError("the job did not end")

    def output(self, job: dict[str, Any], name: str) -> list[dict[str, Any]]:
        """The lines of one report file; none when it is not there."""
        key = f"out/{self.id}-DicomImport-{job['jobId']}/{name}"
        try:
            body = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return []
        return [json.loads(line) for line in body.splitlines()]

    def summary(self, job: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = self.output(job, "job-output-manifest.json")[0]["jobSummary"]
        return found

    def search(self, **criteria: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.api.search_image_sets(datastoreId=self.id, searchCriteria=criteria)[
            "imageSetsMetadataSummaries"
        ]
        return found

    def metadata(self, image_set_id: str, **more: str) -> dict[str, Any]:
        answer = self.api.get_image_set_metadata(datastoreId=self.id, imageSetId=image_set_id, **more)
        assert answer["contentEncoding"] == "gzip"
        found: dict[str, Any] = json.loads(gzip.decompress(answer["imageSetMetadataBlob"].read()))
        return found

    def frame(self, image_set_id: str, frame_id: str) -> tuple[bytes, str]:
        answer = self.api.get_image_frame(
            datastoreId=self.id, imageSetId=image_set_id, imageFrameInformation={"imageFrameId": frame_id}
        )
        return answer["imageFrameBlob"].read(), answer["contentType"]


@pytest.fixture
def store(client: Callable[..., Any]) -> ImageStore:
    return ImageStore(client)
