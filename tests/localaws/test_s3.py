"""S3 through HTTP is S3: what is written is read, in parts, in ranges, in copies, by every client we use.

Reads and writes temporary folders. Make target: `test`. Example: `pytest tests/localaws/test_s3.py`.
"""

from __future__ import annotations

import io
import os
import resource
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.fs
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localaws import LocalAws

Client = Callable[..., Any]
MEGABYTE = 1024 * 1024


@pytest.fixture
def s3(client: Client) -> Any:
    found = client("s3")
    found.create_bucket(Bucket="data-bucket")
    return found


def read(s3: Any, key: str, **more: str) -> bytes:
    content: bytes = s3.get_object(Bucket="data-bucket", Key=key, **more)["Body"].read()
    return content


def files(aws: LocalAws) -> list[Path]:
    return [path for path in (aws.world.store.folder / "objects").rglob("*") if path.is_file()]


@pytest.mark.parametrize("key", ["a", "a b/c+d", "ü/ñ%20x", "a//b", "/lead", "q?x=1&y", "tail/", "*", "a'\"b"])
def test_any_key_reads_back(aws: LocalAws, s3: Any, key: str) -> None:
    s3.put_object(Bucket="data-bucket", Key=key, Body=b"bytes")
    assert read(s3, key) == b"bytes"
    assert [item["Key"] for item in s3.list_objects_v2(Bucket="data-bucket")["Contents"]] == [key]
    assert aws.world.object_path("data-bucket", key).read_bytes() == b"bytes"


def test_headers_and_metadata_travel_with_the_object(s3: Any) -> None:
    given_headers = {
        "ContentType": "application/fhir+ndjson",
        "CacheControl": "no-store",
        "ContentDisposition": "attachment",
        "ContentLanguage": "de",
    }
    metadata = {"some_key": "a", "other-key": "b c"}
    put = s3.put_object(Bucket="data-bucket", Key="k", Body=b"xyz", Metadata=metadata, **given_headers)
    for found in (s3.head_object(Bucket="data-bucket", Key="k"), s3.get_object(Bucket="data-bucket", Key="k")):
        assert {name: found[name] for name in given_headers} == given_headers
        assert found["Metadata"] == metadata
        assert (found["ContentLength"], found["ETag"]) == (3, put["ETag"])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(0, 45), last=st.integers(0, 60), form=st.sampled_from(["{0}-{1}", "{0}-", "-{1}"]))
def test_a_range_is_a_slice(s3: Any, first: int, last: int, form: str) -> None:
    content = bytes(range(40))
    s3.put_object(Bucket="data-bucket", Key="k", Body=content)
    expected: dict[str, bytes] = {
        "{0}-{1}": content[first : last + 1] if first <= last or first > 39 else content,
        "{0}-": content[first:],
        "-{1}": content[max(0, 40 - last) :] if last else b"",
    }
    try:
        assert read(s3, "k", Range=f"bytes={form.format(first, last)}") == expected[form]
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidRange"
        assert expected[form] == b""


def test_large_files_go_up_in_parts_and_come_back_whole(aws: LocalAws, s3: Any, tmp_path: Path) -> None:
    content = os.urandom(19 * MEGABYTE)
    config = TransferConfig(multipart_threshold=5 * MEGABYTE, multipart_chunksize=5 * MEGABYTE)
    s3.upload_fileobj(io.BytesIO(content), "data-bucket", "large", Config=config)
    back = io.BytesIO()
    s3.download_fileobj("data-bucket", "large", back, Config=config)
    assert back.getvalue() == content
    found = s3.head_object(Bucket="data-bucket", Key="large", PartNumber=4)
    assert (found["PartsCount"], found["ContentLength"]) == (4, 4 * MEGABYTE)
    assert aws.world.object_path("data-bucket", "large").stat().st_size == len(content)


def test_an_upload_with_a_wrong_or_small_part_is_refused(s3: Any) -> None:
    upload = s3.create_multipart_upload(Bucket="data-bucket", Key="k")["UploadId"]
    where = {"Bucket": "data-bucket", "Key": "k", "UploadId": upload}
    tags = [s3.upload_part(**where, PartNumber=n, Body=b"small")["ETag"] for n in (1, 2)]

    def complete(*etags: str) -> str:
        parts = [{"PartNumber": n, "ETag": tag} for n, tag in enumerate(etags, 1)]
        try:
            s3.complete_multipart_upload(**where, MultipartUpload={"Parts": parts})
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "ok"

    assert complete(tags[0], '"0123"') == "InvalidPart"
    assert complete(*tags) == "EntityTooSmall"
    assert complete(tags[0]) == "ok"
    assert read(s3, "k") == b"small"


def test_a_copy_shares_the_bytes_and_outlives_its_source(tmp_path: Path) -> None:
    with LocalAws(tmp_path) as aws:
        s3 = aws.world.client("s3")
        s3.create_bucket(Bucket="data-bucket")
        s3.put_object(Bucket="data-bucket", Key="a", Body=b"x" * 100)
        s3.copy_object(Bucket="data-bucket", Key="b", CopySource={"Bucket": "data-bucket", "Key": "a"})
        assert len(files(aws)) == 1
        s3.delete_object(Bucket="data-bucket", Key="a")
    with LocalAws(tmp_path) as aws:
        assert aws.world.client("s3").get_object(Bucket="data-bucket", Key="b")["Body"].read() == b"x" * 100


def test_replaced_and_deleted_bytes_go_when_the_state_is_saved(tmp_path: Path) -> None:
    with LocalAws(tmp_path) as aws:
        s3 = aws.world.client("s3")
        s3.create_bucket(Bucket="data-bucket")
        for body in (b"one", b"two"):
            s3.put_object(Bucket="data-bucket", Key="k", Body=body)
        s3.put_object(Bucket="data-bucket", Key="gone", Body=b"three")
        s3.delete_object(Bucket="data-bucket", Key="gone")
        assert len(files(aws)) == 3
    with LocalAws(tmp_path) as aws:
        assert [path.read_bytes() for path in files(aws)] == [b"two"]


def test_versions_keep_their_bytes(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket="data-bucket", VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket="data-bucket", Key="k", Body=body)["VersionId"] for body in (b"one", b"two")]
    assert [read(s3, "k", VersionId=version) for version in versions] == [b"one", b"two"]
    s3.delete_object(Bucket="data-bucket", Key="k")
    with pytest.raises(s3.exceptions.NoSuchKey):
        read(s3, "k")


def test_what_is_not_there_is_an_s3_error(s3: Any) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey):
        read(s3, "missing")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.get_object(Bucket="no-such-bucket", Key="k")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.put_object(Bucket="no-such-bucket", Key="k", Body=b"x")


def test_conditions_hold(s3: Any) -> None:
    etag = s3.put_object(Bucket="data-bucket", Key="k", Body=b"x")["ETag"]
    with pytest.raises(ClientError, match="304"):
        s3.get_object(Bucket="data-bucket", Key="k", IfNoneMatch=etag)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        s3.put_object(Bucket="data-bucket", Key="k", Body=b"y", IfNoneMatch="*")
    assert read(s3, "k") == b"x"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_bytes_that_are_not_those_of_their_checksum_are_refused(aws: LocalAws, s3: Any, algorithm: str) -> None:
    written = s3.put_object(Bucket="data-bucket", Key="k", Body=b"right", ChecksumAlgorithm=algorithm)
    checksum = {f"Checksum{algorithm}": written[f"Checksum{algorithm}"]}
    assert s3.head_object(Bucket="data-bucket", Key="k", ChecksumMode="ENABLED").items() >= checksum.items()
    with pytest.raises(ClientError, match="BadDigest"):
        s3.put_object(Bucket="data-bucket", Key="k", Body=b"wrong", **checksum)
    assert read(s3, "k") == b"right"
    assert len(files(aws)) == 1


def test_default_encryption_marks_what_is_written(client: Client, s3: Any) -> None:
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    s3.put_bucket_encryption(Bucket="data-bucket", ServerSideEncryptionConfiguration={"Rules": rules})
    s3.put_object(Bucket="data-bucket", Key="k", Body=b"x")
    found = s3.head_object(Bucket="data-bucket", Key="k")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", key)


def test_a_presigned_url_reads_one_object(s3: Any) -> None:
    from urllib.request import urlopen

    s3.put_object(Bucket="data-bucket", Key="a b", Body=b"x")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "data-bucket", "Key": "a b"})
    with urlopen(url) as response:
        assert response.read() == b"x"


def test_arrows_s3_client_writes_and_reads(aws: LocalAws, s3: Any) -> None:
    keys = aws.credentials
    arrow = pyarrow.fs.S3FileSystem(
        access_key=keys.access_key_id,
        secret_key=keys.secret_access_key,
        endpoint_override=aws.endpoint,
        region="us-east-1",
    )
    content = os.urandom(12 * MEGABYTE)
    with arrow.open_output_stream("data-bucket/arrow/large") as stream:
        stream.write(content)
    with arrow.open_input_file("data-bucket/arrow/large") as file:
        assert file.read_at(10, MEGABYTE) == content[MEGABYTE : MEGABYTE + 10]
        file.seek(0)
        assert file.read() == content
    assert read(s3, "arrow/large") == content


def test_a_file_is_streamed_not_held(aws: LocalAws, s3: Any, tmp_path: Path) -> None:
    """Putting and getting a file takes about as much memory as a small one does."""
    big = tmp_path / "big"
    with big.open("wb") as file:
        file.truncate(300 * MEGABYTE)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with big.open("rb") as file:
        s3.put_object(Bucket="data-bucket", Key="big", Body=file)
    s3.copy_object(Bucket="data-bucket", Key="copy", CopySource={"Bucket": "data-bucket", "Key": "big"})
    total = sum(len(block) for block in s3.get_object(Bucket="data-bucket", Key="copy")["Body"].iter_chunks(MEGABYTE))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert total == 300 * MEGABYTE
    assert (after - before) / 1024 < 60


def test_connections_are_kept_alive(aws: LocalAws, s3: Any) -> None:
    """A client that reads an error or leaves a body unread can go on using its connection."""
    import http.client

    connection = http.client.HTTPConnection(aws.endpoint.removeprefix("http://"))
    sockets = set()
    for method in ("GET", "PUT", "HEAD", "GET"):
        connection.request(method, "/data-bucket/x", body=b"y" * 100_000 if method == "PUT" else None)
        response = connection.getresponse()
        response.read()
        assert response.status == 403
        sockets.add(id(connection.sock))
    assert len(sockets) == 1
    connection.close()


def test_bucket_events_reach_eventbridge(client: Client, s3: Any) -> None:
    sqs, events = client("sqs"), client("events")
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    events.put_rule(Name="r", EventPattern='{"source": ["aws.s3"], "detail-type": ["Object Created"]}')
    events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": arn}])
    s3.put_bucket_notification_configuration(
        Bucket="data-bucket", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    s3.put_object(Bucket="data-bucket", Key="k", Body=b"x")
    assert '"key": "k"' in sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"]


NAMES = st.lists(st.text("ab/~é", min_size=1, max_size=5), unique=True, max_size=12)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=NAMES, prefix=st.text("ab/", max_size=2), delimiter=st.sampled_from(["", "/"]), size=st.integers(1, 4))
def test_pages_of_a_listing_add_up(s3: Any, names: list[str], prefix: str, delimiter: str, size: int) -> None:
    for item in s3.list_objects_v2(Bucket="data-bucket").get("Contents", []):
        s3.delete_object(Bucket="data-bucket", Key=item["Key"])
    for name in names:
        s3.put_object(Bucket="data-bucket", Key=name, Body=b"x")
    asked = {"Bucket": "data-bucket", "Prefix": prefix, "Delimiter": delimiter}
    pages = list(s3.get_paginator("list_objects_v2").paginate(**asked, PaginationConfig={"PageSize": size}))
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    folders = [item["Prefix"] for page in pages for item in page.get("CommonPrefixes", [])]
    inside = [name for name in names if name.startswith(prefix)]
    is_deeper = {name: delimiter != "" and delimiter in name[len(prefix) :] for name in inside}
    assert keys == sorted(name for name in inside if not is_deeper[name])
    assert folders == sorted({prefix + name[len(prefix) :].split("/")[0] + "/" for name in inside if is_deeper[name]})
    assert all(page["KeyCount"] <= size for page in pages)
