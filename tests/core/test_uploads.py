"""Many files reach a bucket, whichever way they are sent, and an error of the service is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws
from trilake.core.lakehouse import uploads

CONTENTS = {f"in/{number}.dcm": bytes([number]) * (number + 1) for number in range(30)}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with LocalAws(tmp_path_factory.mktemp("aws")) as aws:
        client = aws.world.client("s3")
        client.create_bucket(Bucket="data-bucket")
        yield client


@pytest.mark.parametrize(
    ("slow_seconds", "large_bytes"), [(60.0, 1000), (0.0, 1000), (60.0, 10)], ids=["in turn", "side by side", "large"]
)
def test_every_file_arrives(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow_seconds: float, large_bytes: int
) -> None:
    monkeypatch.setattr(uploads, "SLOW_SECONDS", slow_seconds)
    monkeypatch.setattr(uploads, "LARGE_BYTES", large_bytes)
    files = []
    for key, content in CONTENTS.items():
        path = tmp_path / key.rsplit("/", 1)[-1]
        path.write_bytes(content)
        files.append((path, f"{slow_seconds}/{large_bytes}/{key}"))
    uploads.upload_all(s3, "data-bucket", files)
    found = [s3.get_object(Bucket="data-bucket", Key=key)["Body"].read() for _, key in files]
    assert found == list(CONTENTS.values())


@pytest.mark.parametrize("slow_seconds", [60.0, 0.0], ids=["in turn", "side by side"])
def test_the_services_error_is_told(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slow_seconds: float
) -> None:
    monkeypatch.setattr(uploads, "SLOW_SECONDS", slow_seconds)
    (tmp_path / "a").write_bytes(b"a")
    with pytest.raises(ClientError, match="NoSuchBucket"):
        uploads.upload_all(s3, "no-such-bucket", [(tmp_path / "a", str(number)) for number in range(30)])
