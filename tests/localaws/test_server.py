"""LocalAws starts, answers through real clients, saves, and finds everything again.

Reads and writes temporary folders. Make target: `test`. Example: `pytest tests/localaws/test_server.py`.
"""

from __future__ import annotations

from pathlib import Path

from localaws import LocalAws


def test_state_is_there_again_after_a_restart(tmp_path: Path) -> None:
    with LocalAws(tmp_path) as aws:
        s3 = aws.world.client("s3")
        s3.create_bucket(Bucket="raw-bucket")
        s3.put_object(Bucket="raw-bucket", Key="a/b c.txt", Body=b"bytes")
        key = aws.world.client("kms").create_key()["KeyMetadata"]["KeyId"]
        sealed = aws.world.client("kms").encrypt(KeyId=key, Plaintext=b"secret")["CiphertextBlob"]
    with LocalAws(tmp_path) as aws:
        assert aws.world.client("s3").get_object(Bucket="raw-bucket", Key="a/b c.txt")["Body"].read() == b"bytes"
        assert aws.world.client("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"


def test_each_account_calls_as_itself(aws: LocalAws) -> None:
    mine = aws.world.client("sts").get_caller_identity()
    theirs = aws.world.client("sts", aws.world.service_account_id).get_caller_identity()
    assert (mine["Account"], mine["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:user/deployer")
    assert theirs["Account"] == "888888888888"
