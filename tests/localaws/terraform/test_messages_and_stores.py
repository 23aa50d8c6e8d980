"""Rules, topics, queues, log groups, state machines and the awscc stores: made, seen again, changed, removed."""

import json

import pytest

TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})


def test_a_rule_with_its_target(bench, client):
    queue = bench.create("aws_sqs_queue", name="imports", visibility_timeout_seconds=60, tags={"a": "b"})
    pattern = json.dumps({"source": ["aws.medical-imaging"]})
    rule = bench.create("aws_cloudwatch_event_rule", name="imports", event_pattern=pattern)
    target = {"rule": "imports", "target_id": "queue", "arn": queue["arn"]}
    held = bench.create("aws_cloudwatch_event_target", **target)
    held = bench.update("aws_cloudwatch_event_target", held, **target, input_path="$.detail")
    rule = bench.update("aws_cloudwatch_event_rule", rule, name="imports", event_pattern=pattern, state="DISABLED")
    queue = bench.update("aws_sqs_queue", queue, name="imports", visibility_timeout_seconds=90)
    for kind, state in (
        ("aws_cloudwatch_event_target", held),
        ("aws_cloudwatch_event_rule", rule),
        ("aws_sqs_queue", queue),
    ):
        bench.delete(kind, state)


def test_a_topic_with_policy_and_subscription(bench, client):
    topic = bench.create("aws_sns_topic", name="alerts", display_name="Alerts", tags={"a": "b"})
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sns:Publish", "Resource": topic["arn"]}],
    }
    held = bench.create("aws_sns_topic_policy", arn=topic["arn"], policy=json.dumps(policy))
    queue = bench.create("aws_sqs_queue", name="alerts")
    subscription = bench.create(
        "aws_sns_topic_subscription", topic_arn=topic["arn"], protocol="sqs", endpoint=queue["arn"]
    )
    bench.delete("aws_sns_topic_subscription", subscription)
    bench.resource("aws_sns_topic_policy").delete(bench.aws, held)
    topic = bench.update("aws_sns_topic", topic, name="alerts", display_name="Alarms", tags={"a": "b"})
    bench.delete("aws_sns_topic", topic)


def test_a_log_group(bench, client):
    state = bench.create("aws_cloudwatch_log_group", name="/trilake/ingest", retention_in_days=30)
    state = bench.update("aws_cloudwatch_log_group", state, name="/trilake/ingest", retention_in_days=90)
    assert client("logs").describe_log_groups()["logGroups"][0]["retentionInDays"] == 90
    bench.delete("aws_cloudwatch_log_group", state)


def test_a_state_machine(bench, client):
    client("iam").create_role(RoleName="ingest", AssumeRolePolicyDocument=TRUST)
    states = {"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}}
    arguments = {"name": "ingest", "role_arn": "arn:aws:iam::123456789012:role/ingest"}
    state = bench.create("aws_sfn_state_machine", **arguments, definition=json.dumps(states), tags={"a": "b"})
    states["Comment"] = "loads"
    state = bench.update("aws_sfn_state_machine", state, **arguments, definition=json.dumps(states), tags={"a": "b"})
    bench.delete("aws_sfn_state_machine", state)


FHIR = {"datastore_name": "clinical", "datastore_type_version": "R4"}


def test_a_fhir_store_keeps_all_but_its_tags(bench, client):
    kind = "awscc_healthlake_fhir_datastore"
    tags = [{"key": "room", "value": "clinical"}, {"key": "a", "value": "b"}]
    state = bench.create(kind, **FHIR, tags=tags)
    found = client("healthlake").describe_fhir_datastore(DatastoreId=state["datastore_id"])["DatastoreProperties"]
    assert found["DatastoreStatus"] == "ACTIVE"
    assert bench.plan(kind, state, **{**FHIR, "datastore_name": "other"}, tags=tags).replace_paths == [
        ("datastore_name",)
    ]
    state = bench.update(kind, state, **FHIR, tags=tags[:1])
    bench.delete(kind, state)


def test_a_fhir_version_that_the_service_has_not_is_refused_in_validation(bench):
    kind = "awscc_healthlake_fhir_datastore"
    (problem,) = bench.resource(kind).check(bench.config(kind, {**FHIR, "datastore_type_version": "R5"}))
    assert "R5 is not a valid enum value" in problem.detail


def test_a_dicom_store_keeps_everything(bench):
    kind = "awscc_healthimaging_datastore"
    state = bench.create(kind, datastore_name="imaging", tags={"room": "imaging"})
    assert bench.plan(kind, state, datastore_name="imaging", tags={}).replace_paths == [("tags",)]
    bench.delete(kind, state)


OMICS = {
    "awscc_omics_reference_store": (
        {"name": "reference", "sse_config": {"type": "KMS", "key_arn": "arn:aws:kms:us-east-1:123456789012:key/k"}},
        {"Name": "reference", "SseConfig": {"Type": "KMS", "KeyArn": "arn:aws:kms:us-east-1:123456789012:key/k"}},
    ),
    "awscc_omics_variant_store": (
        {"name": "variants", "reference": {"reference_arn": "arn:aws:omics:r"}, "tags": {"Room": "genomic"}},
        {"Name": "variants", "Reference": {"ReferenceArn": "arn:aws:omics:r"}, "Tags": {"Room": "genomic"}},
    ),
    "awscc_omics_annotation_store": (
        {
            "name": "clinvar",
            "store_format": "TSV",
            "store_options": {"tsv_store_options": {"format_to_header": {"CHR": "chrom"}, "schema": [{"pos": "LONG"}]}},
        },
        {
            "Name": "clinvar",
            "StoreFormat": "TSV",
            "StoreOptions": {"TsvStoreOptions": {"FormatToHeader": {"CHR": "chrom"}, "Schema": [{"pos": "LONG"}]}},
        },
    ),
}


@pytest.mark.parametrize("kind", OMICS)
def test_an_omics_store_is_asked_for_in_the_words_of_cloudformation(bench, kind):
    arguments, properties = OMICS[kind]
    resource, config = bench.resource(kind), bench.config(kind, arguments)
    assert not resource.check(config)
    assert resource.properties(config) == properties


def test_the_id_of_a_store_is_not_terraforms_id(bench):
    resource = bench.resource("awscc_omics_annotation_store")
    values = resource._from_properties(resource.spec, {"Id": "0123456789ab", "Name": "n"}, resource.type.schema)
    assert values["annotation_store_id"] == "0123456789ab"
    assert "id" not in values


@pytest.mark.parametrize("kind", ["aws_vpc_that_is_not"])
def test_a_type_without_a_counterpart_is_kept_in_state(bench, kind):
    from localaws.terraform.resource import Inert

    spec = {"block": {"attributes": {name: {"computed": True, "type": "string"} for name in ("arn", "id")}}}
    inert = Inert(spec, kind)
    assert inert.read(bench.aws, {"id": inert.create(bench.aws, {"name": "x"})}) == {
        "arn": "arn:aws:vpc:us-east-1:123456789012:that_is_not/x",
        "id": "x",
    }
