"""What jobs need at run time: their scripts, the trilake package and the settings, in the artifact bucket.

Reads glue_jobs/, scripts/trilake/ and the settings; writes s3://<artifact bucket>/code/. Make target: deploy.
Example: upload(session)  ->  ["settings.json", "trilake.zip", "glue_jobs/genomic_load.py"]
"""

import hashlib
import io
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlparse

from botocore.exceptions import ClientError

from trilake.core.paths import GLUE_JOBS, SCRIPTS
from trilake.core.session import SETTINGS_FILE, Session

PACKAGE = "trilake.zip"
KEPT_SUFFIXES = {".py", ".json", ".yaml", ".html"}
DIGEST = "sha256"
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


def upload(session: Session) -> list[str]:
    """Upload what differs from what is there; its names below the code prefix."""
    target = urlparse(session.settings.core.code_prefix)
    bucket, prefix = target.netloc, target.path.strip("/")
    s3 = session.client("s3")
    return [name for name, body in artifacts(session) if _put(s3, bucket, f"{prefix}/{name}", body)]


def artifacts(session: Session) -> Iterator[tuple[str, bytes]]:
    """Name and content of everything that jobs need."""
    yield SETTINGS_FILE, (session.folder / SETTINGS_FILE).read_bytes()
    yield PACKAGE, package()
    for path in sorted(GLUE_JOBS.glob("*.py")):
        yield f"glue_jobs/{path.name}", path.read_bytes()


PACKAGED = ("fhir_r4", "trilake")


def package() -> bytes:
    """The platform's packages as a zip that is the same, byte by byte, for the same files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(path for name in PACKAGED for path in (SCRIPTS / name).rglob("*")):
            if path.suffix in KEPT_SUFFIXES and "__pycache__" not in path.parts:
                archive.writestr(zipfile.ZipInfo(str(path.relative_to(SCRIPTS)), ZIP_EPOCH), path.read_bytes())
    return buffer.getvalue()


def _put(s3: Any, bucket: str, key: str, body: bytes) -> bool:
    digest = hashlib.sha256(body).hexdigest()
    if _digest_of(s3, bucket, key) == digest:
        return False
    s3.put_object(Bucket=bucket, Key=key, Body=body, Metadata={DIGEST: digest})
    return True


def _digest_of(s3: Any, bucket: str, key: str) -> str | None:
    try:
        metadata: dict[str, str] = s3.head_object(Bucket=bucket, Key=key)["Metadata"]
    except ClientError as error:
        if error.response["Error"]["Code"] in ("404", "NoSuchKey"):
            return None
        raise
    return metadata.get(DIGEST)
