"""Findings that no small lake can be brought to: literal plans, one resource each."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilake.core.errors import InputError
from trilake.governance.plan_review import Review, as_text, review

ROLE = "arn:aws:iam::123456789012:role/trilake-prod-persona-nurse"


def a_change(kind: str, before: Any, after: Any, **more: Any) -> dict[str, Any]:
    """One resource of a plan; its actions follow from before and after."""
    actions = ["delete"] if after is None else ["create"] if before is None else ["update"]
    change = {"actions": actions, "before": before, "after": after, "after_unknown": {}} | more
    return {"address": f"{kind}.this", "type": kind, "mode": "managed", "change": change}


def reviewed(*changes: dict[str, Any], **plan: Any) -> Review:
    return review({"resource_changes": list(changes)} | plan)


def blocked(*changes: dict[str, Any]) -> str:
    return " | ".join(item.text for item in reviewed(*changes).blocking)


def found(*changes: dict[str, Any]) -> str:
    return " | ".join(item.text for item in reviewed(*changes).findings)


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"role": "nurse", "policy": json.dumps({"Statement": list(statements)})}


def a_filter(rows: dict[str, Any], columns: list[str] | None = None, name: str = "nurse") -> dict[str, Any]:
    data = {
        "table_catalog_id": "123456789012",
        "database_name": "trilake_prod_clinical",
        "table_name": "patient",
        "name": name,
        "column_names": columns or ["patient_id"],
        "column_wildcard": [],
        "row_filter": [{"filter_expression": None, "all_rows_wildcard": []} | rows],
    }
    return {"table_data": [data]}


def a_grant(permissions: list[str], **target: Any) -> dict[str, Any]:
    return {"principal": ROLE, "permissions": permissions} | target


ON_FILTER = {
    "data_cells_filter": [{"database_name": "trilake_prod_clinical", "table_name": "patient", "name": "nurse"}]
}


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("awscc_healthlake_fhir_datastore", "every resource in it"),
        ("awscc_healthimaging_datastore", "every image set in it"),
        ("awscc_omics_variant_store", "every variant in it"),
        ("aws_kms_key", "can no longer be read"),
        ("aws_glue_catalog_database", "with its tables"),
    ],
)
@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create", "delete"], ["forget"]])
def test_a_store_that_goes_blocks(kind: str, words: str, actions: list[str]) -> None:
    after: dict[str, Any] | None = None if "create" not in actions else {}
    assert words in blocked(a_change(kind, {}, after, actions=actions))


def test_why_a_store_is_replaced_is_said() -> None:
    actions = {"actions": ["delete", "create"], "replace_paths": [["sse_configuration", "kms_encryption_config"]]}
    text = blocked(a_change("awscc_healthlake_fhir_datastore", {}, {}, **actions))
    assert "because sse_configuration.kms_encryption_config cannot be changed in place" in text


def test_an_iceberg_table_blocks_and_another_does_not() -> None:
    iceberg = {"name": "patient", "database_name": "x", "parameters": {"table_type": "ICEBERG"}}
    assert blocked(a_change("aws_glue_catalog_table", iceberg, None))
    assert not blocked(a_change("aws_glue_catalog_table", iceberg | {"parameters": {}}, None))


def test_results_may_go_and_raw_files_may_not() -> None:
    assert not blocked(a_change("aws_s3_bucket", {"bucket": "trilake-prod-results-1"}, None))
    assert "trilake-prod-raw-1" in blocked(a_change("aws_s3_bucket", {"bucket": "trilake-prod-raw-1"}, None))


def test_a_lake_that_leaves_lake_formation_blocks() -> None:
    assert "no filter would bind" in blocked(a_change("aws_lakeformation_resource", {"arn": "x"}, None))
    hybrid = {"arn": "x", "hybrid_access_enabled": True}
    assert "bound by IAM alone" in blocked(a_change("aws_lakeformation_resource", {"arn": "x"}, hybrid))


def test_a_new_administrator_of_a_lake_that_exists_blocks() -> None:
    kind = "aws_lakeformation_data_lake_settings"
    assert "whom no filter binds" in blocked(a_change(kind, {"admins": ["a"]}, {"admins": ["a", "b"]}))
    assert not blocked(a_change(kind, None, {"admins": ["a"]}))
    assert "would no longer be" in found(a_change(kind, {"admins": ["a", "b"]}, {"admins": ["a"]}))
    assert "would be cleared" in blocked(a_change(kind, {"admins": ["a"]}, None))


def test_defaults_that_open_the_catalog_block() -> None:
    entry = {"permissions": ["ALL"], "principal": "IAM_ALLOWED_PRINCIPALS"}
    after = {"admins": [], "create_table_default_permissions": [entry]}
    assert "open to whoever IAM lets in" in blocked(a_change("aws_lakeformation_data_lake_settings", None, after))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({}, {"Effect": "Allow", "Action": "*", "Resource": "*"}, "nurse would be allowed * on *"),
        (
            {},
            {"Effect": "Allow", "Action": ["s3:Get*"], "Resource": ["arn:aws:s3:::x/*"]},
            "s3:Get* on arn:aws:s3:::x/*",
        ),
        ({}, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}, "s3:GetObject on *"),
        ({}, {"Effect": "Allow", "NotAction": "iam:*", "Resource": "arn:x"}, "all but iam:* on arn:x"),
        ({"Effect": "Deny", "Action": "s3:*", "Resource": "lake/*"}, {}, "s3:* on lake/* would no longer be denied"),
    ],
)
def test_iam_that_widens(old: dict[str, Any], new: dict[str, Any], words: str) -> None:
    assert words in found(a_change("aws_iam_role_policy", policy(old), policy(new)))


def test_iam_that_stays_or_cannot_be_narrower_says_nothing() -> None:
    wide = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    assert not found(a_change("aws_iam_role_policy", policy(wide), policy(wide)))
    through_lake = {"Effect": "Allow", "Action": "lakeformation:GetDataAccess", "Resource": "*"}
    assert not found(a_change("aws_iam_role_policy", None, policy(through_lake)))


def test_who_may_act_as_a_persona_is_said() -> None:
    def trust(*names: str) -> dict[str, Any]:
        statement = {"Effect": "Allow", "Principal": {"AWS": list(names)}, "Action": "sts:AssumeRole"}
        return {"name": "nurse", "assume_role_policy": json.dumps({"Statement": [statement]})}

    assert "b could act as nurse" in found(a_change("aws_iam_role", trust("a"), trust("a", "b")))
    assert "* could act as nurse" in blocked(a_change("aws_iam_role", None, trust("*")))


def test_a_policy_attached_beside_is_said() -> None:
    after = {"role": "nurse", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}
    assert "AdministratorAccess would be attached to nurse" in found(
        a_change("aws_iam_role_policy_attachment", None, after)
    )


def test_a_policy_that_is_not_known_is_listed() -> None:
    change = a_change("aws_iam_role_policy", None, {"role": "nurse"}, after_unknown={"policy": True})
    assert [item.address for item in reviewed(change).unresolved] == ["aws_iam_role_policy.this"]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("aws_lakeformation_resource_lf_tags", "LF-Tags are not read"),
        ("aws_quicksight_data_set", "QuickSight's own row and column rules are not read"),
    ],
)
def test_what_is_not_covered_is_listed(kind: str, words: str) -> None:
    assert [item.text for item in reviewed(a_change(kind, None, {})).unresolved] == [words]


def test_a_grant_by_tags_is_listed() -> None:
    grant = a_grant(["SELECT"], lf_tag_policy=[{"resource_type": "TABLE"}])
    assert "LF-Tags" in reviewed(a_change("aws_lakeformation_permissions", None, grant)).unresolved[0].text


def test_a_plan_that_is_not_whole_says_so() -> None:
    assert "not complete" in as_text(reviewed(complete=False))
    assert "ended in an error" in as_text(reviewed(errored=True))


def test_without_the_table_in_the_plan_columns_are_named_as_far_as_known() -> None:
    table = [{"database_name": "trilake_prod_clinical", "name": "patient"}]
    gain = reviewed(a_change("aws_lakeformation_permissions", None, a_grant(["SELECT"], table=table))).effects[0]
    assert gain.gains == {"no class": ("every column",)}
    assert gain.rows_gained == "all rows"


def test_a_filter_that_changes_under_a_grant_that_does_not() -> None:
    """One update in place changes what every principal that was granted the filter sees."""
    before, after = a_filter({"filter_expression": "site_id = 'north'"}), a_filter({"all_rows_wildcard": [{}]})
    grant = a_grant(["SELECT"], **ON_FILTER)
    text = as_text(
        reviewed(
            a_change("aws_lakeformation_data_cells_filter", before, after),
            a_change("aws_lakeformation_permissions", grant, grant, actions=["no-op"]),
        )
    )
    assert "nurse would see other rows of clinical.patient: site_id = 'north' becomes all rows" in text
    assert "nurse on clinical.patient: aws_lakeformation_data_cells_filter.this is changed in place" in text


def test_two_filters_of_one_principal_add_up() -> None:
    columns = ["patient_id", "mrn"]
    second = a_filter({"filter_expression": "site_id = 'south'"}, columns, name="south")
    grant = a_grant(["SELECT"], data_cells_filter=[ON_FILTER["data_cells_filter"][0] | {"name": "south"}])
    first_filter = a_change(
        "aws_lakeformation_data_cells_filter", *[a_filter({"filter_expression": "site_id = 'north'"})] * 2
    )
    first_grant = a_change("aws_lakeformation_permissions", *[a_grant(["SELECT"], **ON_FILTER)] * 2)
    for unchanged in (first_filter, first_grant):
        unchanged["change"]["actions"] = ["no-op"]
        unchanged["address"] += "_north"
    effect = reviewed(
        first_filter,
        first_grant,
        a_change("aws_lakeformation_data_cells_filter", None, second),
        a_change("aws_lakeformation_permissions", None, grant),
    ).effects[0]
    assert effect.gains == {"ID": ("mrn",)}
    assert [(row.columns, row.after) for row in effect.rows] == [
        (("patient_id",), "(site_id = 'north') or (site_id = 'south')")
    ]


@given(st.permutations(["patient_id", "mrn", "postcode"]), st.booleans())
def test_the_order_of_columns_and_a_grant_made_again_mean_nothing(columns: list[str], again: bool) -> None:
    rows = {"filter_expression": "site_id = 'north'"}
    grant = a_grant(["SELECT"], **ON_FILTER)
    actions = ["delete", "create"] if again else ["no-op"]
    assert not reviewed(
        a_change("aws_lakeformation_data_cells_filter", a_filter(rows, sorted(columns)), a_filter(rows, columns)),
        a_change("aws_lakeformation_permissions", grant, grant, actions=actions),
    ).effects


def test_what_is_no_plan_is_refused() -> None:
    with pytest.raises(InputError):
        review({"format_version": "1.0"})
    with pytest.raises(InputError):
        review({"resource_changes": []}, {"resource_changes": []})


def test_an_empty_state_is_a_state() -> None:
    change = a_change("aws_lakeformation_permissions", None, a_grant(["DESCRIBE"], database=[{"name": "x"}]))
    assert review({"resource_changes": [change]}, {"format_version": "1.0"}).permissions
