"""What a plan does to things that hold patient data or protect it: stores, keys, encryption, public access.

Pure functions on plan_json.Plan; each finding is words, the address, and whether it blocks.

Example: list(store_findings(read_plan(plan)))
"""

from collections.abc import Iterator
from dataclasses import dataclass

from trilake.governance.plan_access import first
from trilake.governance.plan_json import Change, Plan, Values


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
    buckets_going = {
        (change.before or {}).get("bucket") for change in plan.of_type("aws_s3_bucket") if change.actions == ("delete",)
    }
    for change in plan.changes:
        is_with_its_bucket = change.after is None and (change.before or {}).get("bucket") in buckets_going
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
    found: str | None = (default or {}).get("sse_algorithm")
    return found


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
