"""Sessions: a client is made once for each way it is asked for, and belongs to its caller."""

from botocore.config import Config

from trilake.core.session import CallerSession

KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}


def test_a_client_is_made_once():
    session = CallerSession(**KEYS)
    client = session.client("athena", config=Config(connect_timeout=9))
    assert session.client("athena", config=Config(connect_timeout=9)) is client
    assert session.client("athena", config=Config(connect_timeout=8)) is not client
    assert session.client("athena") is not client
    assert session.client("glue").meta.service_model.service_name == "glue"


def test_callers_share_no_clients():
    assert CallerSession(**KEYS).client("sts") is not CallerSession(**KEYS).client("sts")
