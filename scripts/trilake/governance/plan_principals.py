"""What a plan does to who is an administrator, who may act as whom, and what IAM lets through beside Lake Formation.

Pure functions on plan_json.Plan.

Example: list(iam_findings(read_plan(plan)))
"""

import json
from collections.abc import Iterator
from typing import Any

from trilake.governance.plan_access import Reach, first
from trilake.governance.plan_json import Change, Plan, Values
from trilake.governance.plan_stores import Finding

IAM_ALLOWED = "IAM_ALLOWED_PRINCIPALS"
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
    found = json.loads(policy).get("Statement", [])
    return found if isinstance(found, list) else [found]


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
        found: set[str] = set()
        for statement in documents:
            principal = statement.get("Principal")
            groups = principal.values() if isinstance(principal, dict) else [principal]
            found |= {name for group in groups for name in as_list(group)}
        return found

    role = (change.after or {}).get("name")
    for name in sorted(trusted(new) - trusted(old)):
        if change.before is not None or name == "*":
            yield Finding(f"IAM: {name} could act as {role}", change.address, blocks=name == "*")
