"""Where a reference FASTA lies: on disk for the check before a load, in the raw bucket for the load job.

Reads a FASTA and, where it is there, its index; writes genomic/reference/ in the raw bucket. `ingest --reference`.

Example: reference = local_reference(run)
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from botocore.exceptions import ClientError

from trilake.core.errors import InputError
from trilake.core.importer import IngestRun
from trilake.core.job import bucket_and_key
from trilake.core.session import Session
from trilake.genomic.reference import Reference, make_index, read_index
from trilake.genomic.source import LocalSource, S3Source


def local_reference(run: IngestRun) -> Reference | None:
    """The reference that the user gave; None without one."""
    return opened(run.reference) if run.reference else None


@lru_cache(maxsize=1)
def opened(path: Path) -> Reference:
    return Reference(LocalSource(path), read_index(index_of(path)))


def index_of(path: Path) -> str:
    """The index beside a FASTA, or one made from it. InputError for a file that cannot be indexed."""
    beside = Path(f"{path}.fai")
    if beside.exists() and beside.stat().st_mtime >= path.stat().st_mtime:
        return beside.read_text()
    with path.open("rb") as file:
        if file.read(1) != b">":
            raise InputError(f"{path.name} is no plain FASTA", next_step="bgzip -d, when it is compressed")
        file.seek(0)
        try:
            return make_index(file)
        except ValueError as error:
            raise InputError(f"{path.name}: {error}", next_step="samtools faidx tells where") from error


def stage_reference(session: Session, path: Path) -> str:
    """The FASTA's address in the raw bucket, where it is put once, with its index."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    s3, bucket = session.client("s3"), session.settings.core.raw_bucket
    key = f"genomic/reference/{digest}.fa"
    try:
        s3.head_object(Bucket=bucket, Key=f"{key}.fai")
    except ClientError:
        s3.upload_file(str(path), bucket, key)
        s3.put_object(Bucket=bucket, Key=f"{key}.fai", Body=index_of(path).encode())
    return f"s3://{bucket}/{key}"


def staged_reference(session: Session, uri: str) -> Reference:
    """The reference of a load, read where it lies."""
    s3 = session.client("s3")
    bucket, key = bucket_and_key(uri)
    size = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
    index = s3.get_object(Bucket=bucket, Key=f"{key}.fai")["Body"].read().decode()
    return Reference(S3Source(s3, bucket, key, size), read_index(index))
