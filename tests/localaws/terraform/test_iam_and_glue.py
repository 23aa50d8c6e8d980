"""Roles and policies, the Glue catalog, jobs: made, seen again, changed, removed."""

import json

import pytest


def document(*actions: str, **more: object) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "glue.amazonaws.com"}}]})  # fmt: skip


def test_a_role_with_its_policies(bench, client):
    arguments = {"name": "loader", "assume_role_policy": TRUST, "tags": {"room": "genomic"}}
    role = bench.create("aws_iam_role", **arguments)
    assert role["arn"] == "arn:aws:iam::123456789012:role/loader"
    inline = {"role": "loader", "name": "files"}
    policy = bench.create("aws_iam_role_policy", **inline, policy=document("s3:GetObject"))
    bench.update("aws_iam_role_policy", policy, **inline, policy=document("s3:GetObject", "s3:PutObject"))
    found = client("iam").get_role_policy(RoleName="loader", PolicyName="files")["PolicyDocument"]
    assert found["Statement"][0]["Action"] == ["s3:GetObject", "s3:PutObject"]
    role = bench.update("aws_iam_role", role, **{**arguments, "description": "loads", "max_session_duration": 7200})
    bench.delete("aws_iam_role_policy", policy)
    bench.delete("aws_iam_role", role)


def test_a_managed_policy_and_its_attachment(bench):
    role = bench.create("aws_iam_role", name="reader", assume_role_policy=TRUST)
    policy = bench.create("aws_iam_policy", name="read", policy=document("s3:GetObject"))
    held = bench.create("aws_iam_role_policy_attachment", role="reader", policy_arn=policy["arn"])
    policy = bench.update("aws_iam_policy", policy, name="read", policy=document("s3:GetObject", "s3:ListBucket"))
    for kind, state in (("aws_iam_role_policy_attachment", held), ("aws_iam_policy", policy), ("aws_iam_role", role)):
        bench.delete(kind, state)


def test_a_policy_that_is_no_json_is_refused_in_validation(bench):
    config = bench.config("aws_iam_role", {"name": "x", "assume_role_policy": "{"})
    assert [problem.path for problem in bench.resource("aws_iam_role").check(config)] == [("assume_role_policy",)]


def test_drift_of_a_role_shows(bench, client):
    state = bench.create("aws_iam_role", name="drifting", assume_role_policy=TRUST)
    client("iam").update_role(RoleName="drifting", MaxSessionDuration=43200)
    assert bench.read("aws_iam_role", state)["max_session_duration"] == 43200
    client("iam").delete_role(RoleName="drifting")
    assert bench.read("aws_iam_role", state) is None


@pytest.fixture
def database(bench):
    arguments = {"name": "lake_clinical", "location_uri": "s3://lake-files/clinical", "tags": {"a": "b"}}
    state = bench.create("aws_glue_catalog_database", **arguments)
    yield state
    bench.delete("aws_glue_catalog_database", state)


def test_a_database_is_changed_in_place_and_found_by_import(bench, database):
    arguments = {"name": "lake_clinical", "location_uri": "s3://lake-files/clinical", "description": "flat"}
    bench.update("aws_glue_catalog_database", database, **arguments)
    found = bench.imported("aws_glue_catalog_database", "123456789012:lake_clinical")
    assert (found["description"], found["arn"]) == ("flat", database["arn"])


def test_a_name_with_capitals_is_refused_in_validation(bench):
    config = bench.config("aws_glue_catalog_database", {"name": "Lake"})
    assert bench.resource("aws_glue_catalog_database").check(config)


def test_an_iceberg_table_can_be_read_by_pyiceberg_at_once(bench, client, aws, database):
    bench.create("aws_s3_bucket", bucket="lake-files", force_destroy=True)
    columns = [{"name": "patient_id", "type": "string"}, {"name": "birth_date", "type": "date", "comment": "QI"}]
    arguments = {
        "database_name": "lake_clinical",
        "name": "patient",
        "table_type": "EXTERNAL_TABLE",
        "open_table_format_input": [{"iceberg_input": [{"metadata_operation": "CREATE", "version": "2"}]}],
        "storage_descriptor": [{"location": "s3://lake-files/clinical/patient", "columns": columns}],
    }
    # Iceberg numbers the columns in their parameters, on AWS too: hashicorp/terraform-provider-aws issue 36641.
    state = bench.create("aws_glue_catalog_table", drifts=("storage_descriptor",), **arguments)
    table = aws.world.iceberg_catalog().load_table("lake_clinical.patient")
    assert [field.name for field in table.schema().fields] == ["patient_id", "birth_date"]
    changed = {**arguments, "open_table_format_input": []}
    assert bench.plan("aws_glue_catalog_table", state, **changed).replace_paths == [("open_table_format_input",)]
    bench.delete("aws_glue_catalog_table", state)


def test_a_resource_link(bench, database):
    target = [{"catalog_id": "888888888888", "database_name": "theirs"}]
    state = bench.create("aws_glue_catalog_database", name="link", target_database=target)
    bench.delete("aws_glue_catalog_database", state)


def test_a_job_and_its_security_configuration(bench, client):
    bench.create("aws_iam_role", name="job", assume_role_policy=TRUST)
    encryption = {
        "cloudwatch_encryption": [{"cloudwatch_encryption_mode": "DISABLED"}],
        "job_bookmarks_encryption": [{"job_bookmarks_encryption_mode": "DISABLED"}],
        "s3_encryption": [{"s3_encryption_mode": "SSE-KMS", "kms_key_arn": "arn:aws:kms:us-east-1:123456789012:key/k"}],
    }
    security = bench.create("aws_glue_security_configuration", name="sealed", encryption_configuration=[encryption])
    arguments = {
        "name": "load",
        "role_arn": "arn:aws:iam::123456789012:role/job",
        "glue_version": "5.0",
        "worker_type": "G.1X",
        "number_of_workers": 2,
        "max_retries": 0,
        "security_configuration": "sealed",
        "command": [{"script_location": "s3://code-files/load.py", "python_version": "3"}],
        "default_arguments": {"--settings": "s3://code-files/settings.json"},
        "execution_property": [{"max_concurrent_runs": 1}],
        "tags": {"a": "b"},
    }
    job = bench.create("aws_glue_job", **arguments)
    job = bench.update("aws_glue_job", job, **{**arguments, "number_of_workers": 4, "tags": {}})
    assert client("glue").get_job(JobName="load")["Job"]["NumberOfWorkers"] == 4
    encryption["s3_encryption"] = [{"s3_encryption_mode": "SSE-S3"}]
    planned = bench.plan(
        "aws_glue_security_configuration", security, name="sealed", encryption_configuration=[encryption]
    )
    assert planned.replace_paths == [("encryption_configuration",)]
    bench.delete("aws_glue_job", job)
    bench.delete("aws_glue_security_configuration", security)


def test_encryption_of_the_catalog(bench):
    block = {
        "connection_password_encryption": [{"return_connection_password_encrypted": False}],
        "encryption_at_rest": [{"catalog_encryption_mode": "SSE-KMS", "sse_aws_kms_key_id": "arn:aws:kms:k"}],
    }
    state = bench.create("aws_glue_data_catalog_encryption_settings", data_catalog_encryption_settings=[block])
    bench.resource("aws_glue_data_catalog_encryption_settings").delete(bench.aws, state)
