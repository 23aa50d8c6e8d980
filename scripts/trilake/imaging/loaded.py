"""What earlier imports put into the image store: one row per file, in imaging/loaded/<token>.parquet, a file a job.

Preflight holds new files against it: the same SOPInstanceUID with other content, a study with another patient.
PatientIDs are kept as hashes: equal or different is all that is asked of them.

Example: earlier = read_earlier(session, headers)
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

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
        ("loaded_at", pa.timestamp("us")),
    ]
)


@dataclass
class Earlier:
    """Of earlier loads: (content, file) by SOPInstanceUID and all contents it had; file by patient hash, by study."""

    contents: dict[str, tuple[str, str]] = field(default_factory=dict)
    before: dict[str, set[str]] = field(default_factory=dict)
    patients: dict[str, dict[str, str]] = field(default_factory=dict)


def patient_hash(header: DicomHeader) -> str:
    """A key of the PatientID that tells equal from different and nothing else; empty where there is none."""
    patient_id = header.patient_id.strip()
    return hashlib.sha256(patient_id.encode()).hexdigest()[:32] if patient_id else ""


def keep_loaded(session: Session, token: str, rows: list[dict[str, object]]) -> None:
    """The files that one job loaded; the same job again writes the same object."""
    body, now = BytesIO(), datetime.now(UTC).replace(tzinfo=None)
    pq.write_table(
        pa.Table.from_pylist([row | {"loaded_at": now} for row in rows], schema=SCHEMA), body, compression="zstd"
    )
    key = f"{PREFIX}{token}.parquet"
    session.client("s3").put_object(Bucket=session.settings.core.raw_bucket, Key=key, Body=body.getvalue())


def read_earlier(session: Session, headers: Iterable[DicomHeader]) -> Earlier:
    """What the store has of these instances and studies: the content that was loaded last stands."""
    earlier = Earlier()
    pairs = [(header.sop_uid, header.study_uid) for header in headers]
    instances, studies = (pa.array(sorted({pair[place] for pair in pairs}), pa.string()) for place in (0, 1))
    concerning: list[dict[str, Any]] = []
    for table in tables(session) if pairs else ():
        concerned = pc.or_(
            pc.is_in(table["sop_instance_uid"], instances), pc.is_in(table["study_instance_uid"], studies)
        )
        concerning += table.filter(concerned).to_pylist()
    for row in sorted(concerning, key=lambda row: row["loaded_at"]):
        uid, content = row["sop_instance_uid"], row["content_sha256"]
        earlier.before.setdefault(uid, set()).add(content)
        earlier.contents[uid] = content, row["file"]
        if row["patient_hash"]:
            earlier.patients.setdefault(row["study_instance_uid"], {}).setdefault(row["patient_hash"], row["file"])
    return earlier


def replaced_contents(session: Session, contents: set[str]) -> set[str]:
    """Those contents whose instance was loaded again, by replay, with other content."""
    uid_of: dict[str, str] = {}
    newest: dict[str, tuple[datetime, str]] = {}
    for table in tables(session):
        columns = (table[name].to_pylist() for name in ("sop_instance_uid", "content_sha256", "loaded_at"))
        for uid, content, at in zip(*columns, strict=True):
            newest[uid] = max(newest.get(uid, (at, content)), (at, content))
            if content in contents:
                uid_of[content] = uid
    return {content for content, uid in uid_of.items() if newest[uid][1] != content}


def tables(session: Session) -> Iterator[pa.Table]:
    """What each job loaded; S3's own time, of whole seconds, where a file has none."""
    bucket, s3 = session.settings.core.raw_bucket, session.client("s3")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=PREFIX)
    objects = [entry for page in pages for entry in page.get("Contents", [])]
    for entry in sorted(objects, key=lambda entry: entry["LastModified"]):
        table = pq.read_table(BytesIO(s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()))
        if "loaded_at" not in table.column_names:
            at = entry["LastModified"].astimezone(UTC).replace(tzinfo=None)
            table = table.append_column("loaded_at", pa.array([at] * len(table), pa.timestamp("us")))
        yield table
