"""Which resource types and data sources the local provider really makes, and where they are written.

Modules are imported when a type is first asked for, so that the plugin starts quickly.
Make targets: deploy, plan, destroy.
Example: resource("aws_kms_key", schema); is_made("aws_budgets_budget") is False
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

from localaws.terraform.aws import Aws
from localaws.terraform.resource import Inert, Resource
from localaws.terraform.schemas import Spec
from localaws.terraform.values import Values

DataSource = Callable[[Aws, Values], Values]

_TYPES = {
    "s3_bucket": "aws_s3_bucket",
    "s3_bucket_parts": "aws_s3_bucket_lifecycle_configuration aws_s3_bucket_logging aws_s3_bucket_notification"
    " aws_s3_bucket_ownership_controls aws_s3_bucket_policy aws_s3_bucket_public_access_block"
    " aws_s3_bucket_server_side_encryption_configuration aws_s3_bucket_versioning",
    "s3_object": "aws_s3_object",
    "kms": "aws_kms_alias aws_kms_key",
    "iam": "aws_iam_policy aws_iam_role aws_iam_role_policy aws_iam_role_policy_attachment",
    "glue_catalog": "aws_glue_catalog_database aws_glue_catalog_table",
    "glue_jobs": "aws_glue_data_catalog_encryption_settings aws_glue_job aws_glue_security_configuration",
    "athena": "aws_athena_workgroup",
    "lakeformation": "aws_lakeformation_data_lake_settings aws_lakeformation_resource",
    "lakeformation_access": "aws_lakeformation_data_cells_filter aws_lakeformation_permissions",
    "events": "aws_cloudwatch_event_rule aws_cloudwatch_event_target",
    "logs": "aws_cloudwatch_log_group",
    "messaging": "aws_sns_topic aws_sns_topic_policy aws_sns_topic_subscription aws_sqs_queue",
    "sfn": "aws_sfn_state_machine",
    "cloudcontrol": "awscc_healthimaging_datastore awscc_healthlake_fhir_datastore awscc_omics_annotation_store"
    " awscc_omics_reference_store awscc_omics_variant_store",
}
_SOURCES = {
    "identity": "aws_caller_identity aws_iam_session_context aws_partition aws_region",
    "policy_document": "aws_iam_policy_document",
}
RESOURCES = {name: module for module, names in _TYPES.items() for name in names.split()}
DATA_SOURCES = {name: module for module, names in _SOURCES.items() for name in names.split()}


def is_made(type_name: str) -> bool:
    """Whether applying this type makes something in localaws."""
    return type_name in RESOURCES


def resource(type_name: str, spec: Spec) -> Resource:
    """The resource type over its schema; Inert for types without a counterpart on the laptop."""
    if not is_made(type_name):
        return Inert(spec, type_name)
    module = importlib.import_module(f"localaws.terraform.resources.{RESOURCES[type_name]}")
    kind: type[Resource] = module.TYPES[type_name]
    return kind(spec)


def data_source(type_name: str) -> DataSource:
    """What reads a data source; one that refuses, by name, when the laptop has none."""
    if type_name not in DATA_SOURCES:
        raise ValueError(f"The data source {type_name} cannot be read on the laptop.")
    module = importlib.import_module(f"localaws.terraform.data.{DATA_SOURCES[type_name]}")
    found: DataSource = module.SOURCES[type_name]
    return found
