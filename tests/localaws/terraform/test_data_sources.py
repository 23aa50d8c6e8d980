"""Data sources: what they say of the caller, and policies in the real provider's words."""

import json

import pytest

from localaws.terraform.data.policy_document import policy_document
from localaws.terraform.lifecycle import Refused, read_data
from localaws.terraform.schemas import load
from tests.localaws.terraform.workbench import whole


def read(bench, name, **arguments):
    spec = load("aws")["data_source_schemas"][name]["block"]
    return read_data(name, spec, bench.aws, whole(spec, arguments))


def test_the_caller(bench):
    found = read(bench, "aws_caller_identity")
    assert (found["account_id"], found["arn"]) == ("123456789012", "arn:aws:iam::123456789012:user/deployer")


def test_partition_and_region(bench):
    assert read(bench, "aws_partition")["dns_suffix"] == "amazonaws.com"
    assert read(bench, "aws_region")["region"] == "us-east-1"


def test_the_role_behind_a_session(bench, client):
    client("iam").create_role(RoleName="reader", AssumeRolePolicyDocument="{}")
    found = read(bench, "aws_iam_session_context", arn="arn:aws:sts::123456789012:assumed-role/reader/me")
    assert found["issuer_arn"] == "arn:aws:iam::123456789012:role/reader"
    assert found["session_name"] == "me"


def test_one_that_the_laptop_has_not_is_named(bench):
    with pytest.raises(Refused, match="reading aws_vpc"):
        read_data("aws_vpc", {}, bench.aws, {})


def statement(**given):
    names = ("sid", "effect", "actions", "not_actions", "resources", "not_resources")
    return {**dict.fromkeys(names), "principals": [], "not_principals": [], "condition": [], **given}


def test_a_policy_in_the_words_of_the_real_provider(bench):
    condition = {"test": "StringLike", "variable": "s3:prefix", "values": ["", "home/"]}
    given = statement(
        sid="1",
        actions=["s3:GetBucketLocation", "s3:ListBucket"],
        resources=["arn:aws:s3:::raw"],
        principals=[{"type": "AWS", "identifiers": ["arn:aws:iam::1:root"]}],
        condition=[condition],
    )
    # The order of names and of values in lists is that of hashicorp/aws.
    assert (
        policy_document(bench.aws, {"statement": [given]})["json"]
        == """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "1",
      "Effect": "Allow",
      "Action": [
        "s3:ListBucket",
        "s3:GetBucketLocation"
      ],
      "Resource": "arn:aws:s3:::raw",
      "Principal": {
        "AWS": "arn:aws:iam::1:root"
      },
      "Condition": {
        "StringLike": {
          "s3:prefix": [
            "",
            "home/"
          ]
        }
      }
    }
  ]
}"""
    )


def test_everyone_is_a_star(bench):
    given = statement(effect="Deny", actions=["*"], principals=[{"type": "*", "identifiers": ["*"]}])
    found = json.loads(policy_document(bench.aws, {"statement": [given]})["minified_json"])
    assert found["Statement"] == [{"Effect": "Deny", "Action": "*", "Principal": "*"}]


def test_a_sid_that_is_there_already_is_overridden(bench):
    source = json.dumps({"Statement": [{"Sid": "A", "Effect": "Allow"}, {"Sid": "B", "Effect": "Allow"}]})
    config = {"source_policy_documents": [source], "statement": [statement(sid="B", effect="Deny")]}
    found = json.loads(policy_document(bench.aws, config)["json"])
    assert [(item["Sid"], item["Effect"]) for item in found["Statement"]] == [("A", "Allow"), ("B", "Deny")]
    with pytest.raises(ValueError, match="duplicate Sid"):
        policy_document(bench.aws, {"source_policy_documents": [source, source]})
