"""The HTTP server takes what clients really send, and survives what they should not.

Reads and writes temporary folders. Make target: `test`. Example: `pytest tests/localaws/test_httpd.py`.
"""

from __future__ import annotations

import socket
from contextlib import suppress

import pytest

from localaws import LocalAws


@pytest.fixture
def signed(aws: LocalAws) -> str:
    """An Authorization header that S3 requests of the deployer carry; a bucket to use it on."""
    aws.world.client("s3").create_bucket(Bucket="data-bucket")
    scope = f"{aws.credentials.access_key_id}/20260101/us-east-1/s3/aws4_request"
    return f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0\r\nHost: x\r\n"


def connected(aws: LocalAws) -> socket.socket:
    host, port = aws.endpoint.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def exchange(aws: LocalAws, *sent: bytes) -> bytes:
    """Everything the server answers to these bytes on one connection that the client then ends, unless it was first."""
    answer = b""
    with connected(aws) as connection, suppress(OSError):
        for part in sent:
            connection.sendall(part)
        with suppress(OSError):
            connection.shutdown(socket.SHUT_WR)
        while block := connection.recv(65536):
            answer += block
    return answer


def read(aws: LocalAws, key: str) -> bytes:
    body: bytes = aws.world.client("s3").get_object(Bucket="data-bucket", Key=key)["Body"].read()
    return body


def test_a_chunked_body_is_put_together(aws: LocalAws, signed: str) -> None:
    head = f"PUT /data-bucket/k HTTP/1.1\r\n{signed}Transfer-Encoding: chunked\r\n\r\n".encode()
    answer = exchange(aws, head, b"3\r\nabc\r\n", b"A\r\n0123456789\r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert read(aws, "k") == b"abc0123456789"  # pragma: allowlist secret


def test_a_body_in_s3s_own_chunks_is_put_together(aws: LocalAws, signed: str) -> None:
    body = b"3;chunk-signature=00\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:hYfYZQ==\r\n\r\n"
    headers = (
        "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nx-amz-trailer: x-amz-checksum-crc32\r\n"
        "Content-Encoding: aws-chunked\r\n"
        f"x-amz-decoded-content-length: 5\r\nContent-Length: {len(body)}\r\n"
    )
    answer = exchange(aws, f"PUT /data-bucket/k HTTP/1.1\r\n{signed}{headers}\r\n".encode(), body)
    assert answer.startswith(b"HTTP/1.1 200") and b"x-amz-checksum-crc32: hYfYZQ==" in answer
    assert read(aws, "k") == b"abcde"
    assert "ContentEncoding" not in aws.world.client("s3").head_object(Bucket="data-bucket", Key="k")


def test_requests_one_after_the_other_share_a_connection(aws: LocalAws, signed: str) -> None:
    put = f"PUT /data-bucket/k HTTP/1.1\r\n{signed}Content-Length: 3\r\n\r\nabc".encode()
    get = f"GET /data-bucket/k HTTP/1.1\r\n{signed}\r\n".encode()
    answer = exchange(aws, put, get, get)
    assert answer.count(b"HTTP/1.1 200") == 3 and answer.endswith(b"abc")


def test_a_client_that_waits_to_be_told_is_told(aws: LocalAws, signed: str) -> None:
    with connected(aws) as connection:
        head = f"PUT /data-bucket/k HTTP/1.1\r\n{signed}Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"abc")
        assert connection.recv(100).startswith(b"HTTP/1.1 200")


def test_a_client_that_goes_away_half_way_leaves_no_object(aws: LocalAws, signed: str) -> None:
    exchange(aws, f"PUT /data-bucket/k HTTP/1.1\r\n{signed}Content-Length: 100\r\n\r\nabc".encode())
    assert "Contents" not in aws.world.client("s3").list_objects_v2(Bucket="data-bucket")
    assert [path for path in (aws.world.store.folder / "objects").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
        (b"BREW / HTTP/1.1\r\n\r\n", b"501"),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 300 + b"\r\n", b"431"),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", b"400"),
        (b"GET / HTTP/3.0\r\n\r\n", b"505"),
    ],
)
def test_what_is_no_request_is_refused_and_the_next_is_served(aws: LocalAws, sent: bytes, status: bytes) -> None:
    assert status in exchange(aws, sent).split(b"\r\n", 1)[0]
    assert aws.world.client("s3").list_buckets()["Buckets"] == []


def test_a_body_that_is_not_in_the_chunks_it_promises_is_refused(aws: LocalAws, signed: str) -> None:
    headers = "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER\r\nContent-Length: 5\r\n"
    answer = exchange(aws, f"PUT /data-bucket/k HTTP/1.1\r\n{signed}{headers}\r\nhello".encode())
    assert answer.startswith(b"HTTP/1.1 400") and b"BadDigest" in answer
    assert "Contents" not in aws.world.client("s3").list_objects_v2(Bucket="data-bucket")


@pytest.mark.parametrize(
    ("md5", "status"), [("XUFAKrxLKna5cZ2REBfFkg==", b"200"), ("AAAAAAAAAAAAAAAAAAAAAA==", b"400")]
)
def test_a_content_md5_is_checked(aws: LocalAws, signed: str, md5: str, status: bytes) -> None:
    head = f"PUT /data-bucket/k HTTP/1.1\r\n{signed}Content-MD5: {md5}\r\nContent-Length: 5\r\n\r\nhello"
    assert status in exchange(aws, head.encode()).split(b"\r\n", 1)[0]


def test_the_client_that_says_so_is_the_last_on_its_connection(aws: LocalAws, signed: str) -> None:
    get = f"GET /data-bucket HTTP/1.1\r\n{signed}Connection: close\r\n\r\n".encode()
    assert exchange(aws, get + get).count(b"HTTP/1.1 200") == 1
