"""What a plan does beside access itself: to stores and keys, to what protects them, to administrators, IAM and cost.

A finding is a sentence, the address of the resource, and whether someone must decide before it is applied.

Example: [finding.text for finding in store_findings(read_plan(plan)) if finding.blocks]
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trilake.governance.plan_access import Reach
from trilake.governance.plan_json import Change, Plan, Values, first


@dataclass(frozen=True)
class Finding:
    """One remark of the review."""

    text: str
    address: str
    blocks: bool = False


STORES = {
    "awscc_healthlake_fhir_datastore": "the FHIR data store with every resource in it",
    "awscc_healthimaging_datastore": "the DICOM data store with every image set in it",
    "awscc_omics_reference_store": "the reference store",
    "awscc_omics_sequence_store": "the sequence store with every read set in it",
    "awscc_omics_variant_store": "the variant store with every variant in it",
    "awscc_omics_annotation_store": "the annotation store with every annotation in it",
    "aws_kms_key": "the key: what it encrypted can no longer be read",
    "aws_glue_catalog_table": "the governed table",
    "aws_glue_catalog_database": "the catalog database with its tables",
    "aws_s3tables_table": "the table with its data",
    "aws_s3tables_table_bucket": "the table bucket",
}
REBUILT_BUCKETS = ("results", "artifact")
"""Buckets whose content can be had again: query results, and the code that a deployment uploads."""
IAM_ALLOWED = "IAM_ALLOWED_PRINCIPALS"
"""Lake Formation's group of whoever IAM lets through; a grant to it leaves IAM alone to decide."""
POLICY_FIELDS = {
    "aws_iam_role_policy": "policy",
    "aws_iam_policy": "policy",
    "aws_iam_user_policy": "policy",
    "aws_iam_group_policy": "policy",
    "aws_iam_role": "assume_role_policy",
    "aws_s3_bucket_policy": "policy",
    "aws_kms_key": "policy",
}
WITHOUT_RESOURCE = frozenset(
    [
        "lakeformation:GetDataAccess",
        "lakeformation:StartQueryPlanning",
        "lakeformation:GetQueryState",
        "lakeformation:GetWorkUnits",
        "lakeformation:GetWorkUnitResults",
        "cloudwatch:PutMetricData",
    ]
)
"""Actions that IAM knows no resource for: `*` is all they can be granted on."""


def store_findings(plan: Plan) -> Iterator[Finding]:
    """Stores, keys, tables and buckets that would be replaced, destroyed or dropped from the state; all block."""
    for change in plan.changes:
        what = store_in_words(change)
        if what is None or not (change.destroys or change.actions == ("forget",)):
            continue
        cause = (
            f", because {', '.join(change.replace_paths)} cannot be changed in place" if change.replace_paths else ""
        )
        yield Finding(f"{change.address} would be {change.verb}{cause}: {what}", change.address, blocks=True)


def store_in_words(change: Change) -> str | None:
    values = change.before or {}
    if change.type == "aws_s3_bucket":
        name = values.get("bucket") or ""
        is_rebuilt = any(f"-{role}-" in name for role in REBUILT_BUCKETS)
        return None if is_rebuilt else f"the bucket {name} with its objects"
    if change.type == "aws_glue_catalog_table" and not (first(values, "open_table_format_input") or is_iceberg(values)):
        return None
    return STORES.get(change.type)


def is_iceberg(values: Values) -> bool:
    return ((values.get("parameters") or {}).get("table_type") or "").upper() == "ICEBERG"


def protection_findings(plan: Plan) -> Iterator[Finding]:
    """Encryption, public access and Lake Formation's hold, where a plan takes them away."""
    checks = {
        "aws_s3_bucket_server_side_encryption_configuration": bucket_encryption,
        "aws_s3_bucket_public_access_block": public_access,
        "aws_s3_bucket_policy": bucket_policy,
        "aws_s3_bucket_versioning": versioning,
        "aws_athena_workgroup": workgroup,
        "aws_kms_key": key_rotation,
        "aws_lakeformation_resource": lake_location,
        "aws_glue_security_configuration": security_configuration,
    }
    # Settings that go with their bucket are no loss of protection: the bucket's own end is a finding.
    destroyed_buckets = {
        (change.before or {}).get("bucket") for change in plan.of_type("aws_s3_bucket") if change.actions == ("delete",)
    }
    for change in plan.changes:
        is_with_its_bucket = change.after is None and (change.before or {}).get("bucket") in destroyed_buckets
        if change.type in checks and change.changes and not is_with_its_bucket:
            yield from checks[change.type](change)


def bucket_encryption(change: Change) -> Iterator[Finding]:
    name, old, new = (change.before or {}).get("bucket"), algorithm(change.before), algorithm(change.after)
    if old == "aws:kms" and new != "aws:kms":
        yield Finding(f"Bucket {name} would lose its customer-managed key", change.address, blocks=True)
    if old is None and new is not None and new != "aws:kms":
        yield Finding("A bucket would be encrypted without a customer-managed key", change.address)


def algorithm(values: Values | None) -> str | None:
    rule = first(values, "rule")
    default = first(rule, "apply_server_side_encryption_by_default")
    name: str | None = (default or {}).get("sse_algorithm")
    return name


def public_access(change: Change) -> Iterator[Finding]:
    switches = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    after = change.after or {}
    off = [name for name in switches if not after.get(name)]
    name = (change.before or after).get("bucket") or change.address
    if off:
        yield Finding(f"Bucket {name} could become public: {', '.join(off)} would be off", change.address, blocks=True)


def bucket_policy(change: Change) -> Iterator[Finding]:
    old, new = ((side or {}).get("policy") or "" for side in change.sides)
    if "aws:SecureTransport" in old and "aws:SecureTransport" not in new and not change.is_unknown("policy"):
        yield Finding("A bucket would no longer refuse connections without TLS", change.address)


def versioning(change: Change) -> Iterator[Finding]:
    old, new = ((first(side, "versioning_configuration") or {}).get("status") for side in change.sides)
    if old == "Enabled" and new != "Enabled":
        name = (change.before or {}).get("bucket")
        yield Finding(f"Bucket {name} would no longer keep replaced and deleted objects", change.address)


def workgroup(change: Change) -> Iterator[Finding]:
    if change.after is None:
        return
    name = change.after.get("name")
    settings = first(change.after, "configuration") or {}
    if settings.get("enforce_workgroup_configuration") is False:
        yield Finding(
            f"Workgroup {name} would let a query choose its own result place and key", change.address, blocks=True
        )
    results = first(settings, "result_configuration") or {}
    option = (first(results, "encryption_configuration") or {}).get("encryption_option")
    if option not in ("SSE_KMS", "CSE_KMS"):
        yield Finding(f"Results of workgroup {name} would not be under a customer-managed key", change.address)
    yield from cutoff(change, settings)


def cutoff(change: Change, settings: Values) -> Iterator[Finding]:
    new = settings.get("bytes_scanned_cutoff_per_query")
    old = (first(change.before, "configuration") or {}).get("bytes_scanned_cutoff_per_query")
    name = (change.after or {}).get("name")
    if not new:
        yield Finding(f"Cost: a query in workgroup {name} could scan without limit", change.address)
    elif old and new > old:
        yield Finding(f"Cost: a query in workgroup {name} could scan {new:,} bytes instead of {old:,}", change.address)


def key_rotation(change: Change) -> Iterator[Finding]:
    if change.after is not None and change.after.get("enable_key_rotation") is False:
        yield Finding("A key would not be rotated", change.address)


def lake_location(change: Change) -> Iterator[Finding]:
    if change.after is None or change.destroys:
        text = "The lake would leave Lake Formation: no filter would bind what IAM lets through"
        yield Finding(text, change.address, blocks=True)
    elif change.after.get("hybrid_access_enabled"):
        text = "The lake would be in hybrid mode: whoever has not been opted in is bound by IAM alone"
        yield Finding(text, change.address, blocks=True)


def security_configuration(change: Change) -> Iterator[Finding]:
    settings = first(change.after, "encryption_configuration") or {}
    mode = (first(settings, "s3_encryption") or {}).get("s3_encryption_mode")
    if change.after is not None and mode in (None, "DISABLED", "SSE-S3"):
        yield Finding("Glue jobs would write without a customer-managed key", change.address)


def cost_findings(plan: Plan) -> Iterator[Finding]:
    """What begins to cost, or to cost more, by being there."""
    for change in plan.of_type("awscc_healthlake_fhir_datastore"):
        if change.actions == ("create",):
            yield Finding("Cost: a HealthLake data store is charged by the hour from its creation", change.address)
    for change in plan.of_type("aws_glue_job"):
        old, new = ((side or {}).get("number_of_workers") or 0 for side in change.sides)
        if 0 < old < new:
            text = f"Cost: job {(change.after or {}).get('name')} would run {new} workers instead of {old}"
            yield Finding(text, change.address)


def admin_findings(plan: Plan) -> Iterator[Finding]:
    """Changes of the data lake settings. A new administrator of a lake that exists blocks: no filter binds one."""
    for change in plan.of_type("aws_lakeformation_data_lake_settings"):
        if change.actions == ("delete",):
            yield Finding(
                "The data lake settings would be cleared: no administrators, defaults open", change.address, True
            )
        old, new = (set((side or {}).get("admins") or ()) for side in change.sides)
        for admin in sorted(new - old):
            text = f"{admin} would be a data lake administrator, whom no filter binds"
            yield Finding(text, change.address, blocks=change.before is not None)
        for admin in sorted(old - new) if change.after is not None else []:
            yield Finding(f"{admin} would no longer be a data lake administrator", change.address)
        for kind in ("create_database_default_permissions", "create_table_default_permissions"):
            if any(IAM_ALLOWED in (entry.get("principal") or "") for entry in (change.after or {}).get(kind) or []):
                text = f"{kind} would hold {IAM_ALLOWED}: what is made from then on is open to whoever IAM lets in"
                yield Finding(text, change.address, blocks=True)


def open_findings(plan: Plan, before: Reach, after: Reach) -> Iterator[Finding]:
    """Grants that void filters: to IAM_ALLOWED_PRINCIPALS, table-wide beside a filter, with the right to grant on."""
    for change in plan.of_type("aws_lakeformation_permissions"):
        if change.changes and (change.after or {}).get("principal") == IAM_ALLOWED:
            permissions = ", ".join((change.after or {}).get("permissions") or [])
            text = f"{IAM_ALLOWED} would be granted {permissions}: that voids every column and row rule"
            yield Finding(text, change.address, blocks=True)
    for key, address in after.wide.items():
        if key in after.filtered and not (key in before.wide and key in before.filtered):
            text = (
                f"{key[0]} would hold a grant on all rows of {key[1]}.{key[2]} beside a filter, which voids the filter"
            )
            yield Finding(text, address, blocks=True)
    for address, principal in after.onwards.items():
        if address not in before.onwards:
            yield Finding(f"{principal} could hand its grant on to others", address)
    yield from default_findings(plan)


def default_findings(plan: Plan) -> Iterator[Finding]:
    """Databases whose new tables would be open (https://github.com/hashicorp/terraform-provider-aws/issues/27295)."""
    for change in plan.of_type("aws_glue_catalog_database"):
        if change.after is None or not change.changes or first(change.after, "target_database"):
            continue
        entries = change.after.get("create_table_default_permission") or []
        holders = [(first(entry, "principal") or {}).get("data_lake_principal_identifier") for entry in entries]
        if not holders or IAM_ALLOWED in holders:
            name = change.after.get("name")
            yield Finding(f"New tables in {name} would be open to {IAM_ALLOWED}", change.address, blocks=True)


def wildcard_findings(plan: Plan) -> Iterator[Finding]:
    """Filters that show all columns but some: a column that is added or renamed is shown at once."""
    for change in plan.of_type("aws_lakeformation_data_cells_filter"):
        data = first(change.after, "table_data")
        if change.changes and data and data.get("column_wildcard"):
            text = (
                f"Filter {data.get('name')} of {data.get('table_name')} shows every new column: it has no include list"
            )
            yield Finding(text, change.address)


def iam_findings(plan: Plan) -> Iterator[Finding]:
    """Policies that would allow with wildcards, deny less, or let others act as a role."""
    for change in plan.changes:
        name = POLICY_FIELDS.get(change.type)
        if name is None or not change.changes or change.after is None or change.is_unknown(name):
            continue
        old, new = (statements((side or {}).get(name)) for side in change.sides)
        if change.type == "aws_iam_role":
            yield from trust_findings(change, old, new)
        elif change.type.startswith("aws_iam"):
            yield from wildcards(change, old, new)
        yield from lost_denials(change, old, new)
    for change in plan.of_type("aws_iam_role_policy_attachment", "aws_iam_policy_attachment"):
        if change.changes and change.after is not None:
            yield Finding(
                f"{change.after.get('policy_arn')} would be attached to {change.after.get('role')}", change.address
            )


def unknown_policies(plan: Plan) -> list[str]:
    """Addresses of IAM policies that are known only after apply."""
    return [
        change.address
        for change in plan.changes
        if change.type in POLICY_FIELDS and change.changes and change.is_unknown(POLICY_FIELDS[change.type])
    ]


def statements(policy: str | None) -> list[Values]:
    """Statements of a policy document; none where there is no document."""
    if not policy:
        return []
    # IAM takes one statement without the list around it.
    content = json.loads(policy).get("Statement", [])
    return content if isinstance(content, list) else [content]


def as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or [])


def wide_pairs(documents: list[Values]) -> set[tuple[str, str]]:
    """Allowed (action, resource) pairs in which one is a wildcard."""
    pairs = set()
    for statement in documents:
        if statement.get("Effect") != "Allow":
            continue
        actions = as_list(statement.get("Action")) or [f"all but {', '.join(as_list(statement.get('NotAction')))}"]
        resources = as_list(statement.get("Resource")) or [
            f"all but {', '.join(as_list(statement.get('NotResource')))}"
        ]
        for action in actions:
            for resource in resources:
                is_open = resource in ("*", "arn:aws:s3:::*") or resource.startswith("all but ")
                is_wide = "*" in action or action.startswith("all but ")
                if is_wide or (is_open and action not in WITHOUT_RESOURCE):
                    pairs.add((action, resource))
    return pairs


def wildcards(change: Change, old: list[Values], new: list[Values]) -> Iterator[Finding]:
    role = (change.after or {}).get("role") or (change.after or {}).get("name") or change.address
    for action, resource in sorted(wide_pairs(new) - wide_pairs(old)):
        yield Finding(f"IAM: {role} would be allowed {action} on {resource}", change.address)


def lost_denials(change: Change, old: list[Values], new: list[Values]) -> Iterator[Finding]:
    def denied(documents: list[Values]) -> set[tuple[str, str]]:
        return {
            (action, resource)
            for statement in documents
            if statement.get("Effect") == "Deny"
            for action in as_list(statement.get("Action"))
            for resource in as_list(statement.get("Resource"))
        }

    for action, resource in sorted(denied(old) - denied(new)):
        yield Finding(f"IAM: {action} on {resource} would no longer be denied", change.address)


def trust_findings(change: Change, old: list[Values], new: list[Values]) -> Iterator[Finding]:
    def trusted(documents: list[Values]) -> set[str]:
        names: set[str] = set()
        for statement in documents:
            # "*" or {"AWS": ..., "Service": ...}, each a name or a list of names.
            principal = statement.get("Principal")
            groups = principal.values() if isinstance(principal, dict) else [principal]
            names |= {name for group in groups for name in as_list(group)}
        return names

    role = (change.after or {}).get("name")
    for name in sorted(trusted(new) - trusted(old)):
        if change.before is not None or name == "*":
            yield Finding(f"IAM: {name} could act as {role}", change.address, blocks=name == "*")
