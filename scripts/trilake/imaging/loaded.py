"""What earlier imports put into the image store: one row per file, kept beside the jobs' manifests.

Reads and writes s3://<raw>/imaging/loaded/<token>.parquet, one object an import job. Preflight holds new files against
it: the same SOPInstanceUID with other content, a study with another patient. PatientIDs are kept as hashes.

Example: earlier = read_earlier(session, headers)
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from io import BytesIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trilake.core.session import Session
from trilake.imaging.quick_header import DicomHeader

PREFIX = "imaging/loaded/"
SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("content_sha256", pa.string()),
        ("sop_instance_uid", pa.string()),
        ("series_instance_uid", pa.string()),
        ("study_instance_uid", pa.string()),
        ("patient_hash", pa.string()),
        ("image_set_id", pa.string()),
        ("image_set_version", pa.int32()),
        ("is_primary", pa.bool_()),
        ("warnings", pa.list_(pa.string())),
    ]
)


@dataclass
class Earlier:
    """Of earlier loads: (content, file) by SOPInstanceUID; file by patient hash, by StudyInstanceUID."""

    contents: dict[str, tuple[str, str]] = field(default_factory=dict)
    patients: dict[str, dict[str, str]] = field(default_factory=dict)


def patient_hash(header: DicomHeader) -> str:
    """A key of the PatientID that tells equal from different and nothing else; empty where there is none."""
    patient_id = header.patient_id.strip()
    return hashlib.sha256(patient_id.encode()).hexdigest()[:32] if patient_id else ""


def keep_loaded(session: Session, token: str, rows: list[dict[str, object]]) -> None:
    """The files that one job loaded; the same job again writes the same object."""
    body = BytesIO()
    pq.write_table(pa.Table.from_pylist(rows, schema=SCHEMA), body, compression="zstd")
    key = f"{PREFIX}{token}.parquet"
    session.client("s3").put_object(Bucket=session.settings.core.raw_bucket, Key=key, Body=body.getvalue())


def read_earlier(session: Session, headers: Iterable[DicomHeader]) -> Earlier:
    """What the store has of these instances and studies, oldest job first: a later one takes its place."""
    found = Earlier()
    pairs = [(header.sop_uid, header.study_uid) for header in headers]
    instances, studies = (pa.array(sorted({pair[place] for pair in pairs}), pa.string()) for place in (0, 1))
    bucket, s3 = session.settings.core.raw_bucket, session.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX)
    objects = [entry for page in pages for entry in page.get("Contents", [])] if pairs else []
    for entry in sorted(objects, key=lambda entry: entry["LastModified"]):
        table = pq.read_table(BytesIO(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()))
        concerned = pc.or_(
            pc.is_in(table["sop_instance_uid"], instances), pc.is_in(table["study_instance_uid"], studies)
        )
        for row in table.filter(concerned).to_pylist():
            found.contents[row["sop_instance_uid"]] = row["content_sha256"], row["file"]
            if row["patient_hash"]:
                found.patients.setdefault(row["study_instance_uid"], {}).setdefault(row["patient_hash"], row["file"])
    return found
