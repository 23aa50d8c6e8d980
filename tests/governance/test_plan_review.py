"""The plan review on plans that real Terraform made, over a lake that it really applied."""

import copy
import json
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner

from tests.governance.conftest import HERE, SmallLake, policy_with
from trilake.governance.plan_json import Values
from trilake.governance.plan_review import Review, as_markdown, as_text, plan_review, review

PATIENT = 'module.catalog["clinical"].aws_glue_catalog_table.governed["patient"]'
GRANT = 'module.governance.aws_lakeformation_permissions.filter["nurse/clinical/patient"]'


def lines(result: Review) -> list[str]:
    return [line.strip() for line in as_text(result).splitlines()]


@pytest.fixture(scope="module")
def unchanged(small_lake: SmallLake) -> Values:
    """The plan of what is there already."""
    return small_lake.plan()


@pytest.fixture(scope="module")
def table_made_again(small_lake: SmallLake) -> Values:
    return small_lake.plan(f"-replace={PATIENT}")


def test_a_second_plan_changes_nothing(unchanged: Values) -> None:
    result = review(unchanged)
    assert result.as_dict() == {
        "changes": [],
        "blocking": [],
        "unresolved": [],
        "permissions": [],
        "findings": [],
        "resources": {},
    }
    assert "Nobody gains or loses access. Resources: no resource changes." in lines(result)


def test_data_written_by_iceberg_is_no_change(small_lake: SmallLake) -> None:
    """An update through Glue would break the table: a commit must leave Terraform nothing to do."""
    table = small_lake.aws.world.iceberg_catalog().load_table("trilake_test_genomic.annotation")
    table.append(pa.Table.from_pylist([{"gene": "APOE"}], schema=table.schema().as_arrow()))
    assert small_lake.review().counts == {}


@pytest.fixture(scope="module")
def changed_policy(small_lake: SmallLake) -> Review:
    """Nurse: free text on top, other rows. Analyst: no genotypes, all rows. Engineer: gone. Geneticist: new."""
    grants = [{"tables": ["clinical.*"], "classes": ["ID", "CL", "TX"], "rows": "site_id IN ('north', 'south')"}]
    return small_lake.review(
        policy=policy_with(
            nurse={"description": "Nurse", "grants": grants},
            analyst={"description": "Analyst", "grants": [{"tables": ["genomic.*"], "classes": ["AN"]}]},
            geneticist={"description": "Geneticist", "grants": [{"tables": ["genomic.variant"], "classes": ["GT"]}]},
            engineer=None,
        )
    )


def test_who_gains_and_loses_in_words(changed_policy: Review) -> None:
    said = lines(changed_policy)
    assert (
        "nurse would gain "
        + ", ".join(f"clinical.document.{column}" for column in ("document_id (CL)", "site_id (CL)", "text (TX)"))
        + ", rows: site_id IN ('north', 'south')"
        in said
    )
    assert (
        "nurse would see other rows of clinical.patient: site_id = 'north' becomes site_id IN ('north', 'south')"
        in said
    )
    assert "analyst would lose genomic.variant.calls (GT), genomic.variant.sampleid (GT)" in said
    assert "analyst would see other rows of genomic.variant: consent_research = true becomes all rows" in said
    assert "geneticist would gain genomic.variant.calls (GT), genomic.variant.sampleid (GT), rows: all rows" in said


def test_annotation_did_not_change(changed_policy: Review) -> None:
    assert "genomic.annotation" not in [effect.table for effect in changed_policy.effects]


def test_sensitive_gains_are_flagged(changed_policy: Review) -> None:
    said = lines(changed_policy)
    assert "the new persona geneticist would see GT (genotype) in genomic.variant" in said
    assert "nurse would see TX (free text) in clinical.document" in said
    assert "analyst would see genomic.variant of every patient" in said
    assert not changed_policy.blocking


def test_the_cause_is_the_filter_that_changes(changed_policy: Review) -> None:
    because = {(effect.persona, effect.table): effect.because for effect in changed_policy.effects}
    assert because[("nurse", "clinical.patient")] == (
        'module.governance.aws_lakeformation_data_cells_filter.persona["nurse/clinical/patient"] is changed in place',
    )
    assert len(because[("geneticist", "genomic.variant")]) == 2


def test_a_grant_made_again_is_no_change(small_lake: SmallLake) -> None:
    result = small_lake.review(f"-replace={GRANT}")
    assert result.counts == {"replaced": 1}
    assert not result.effects
    assert not result.blocking


def test_a_table_made_again_blocks(table_made_again: Values) -> None:
    result = review(table_made_again)
    assert [item.address for item in result.blocking] == [PATIENT]
    assert "would be replaced" in result.blocking[0].text


def test_destroying_all_blocks_and_takes_all_access(small_lake: SmallLake) -> None:
    result = small_lake.review("-destroy")
    assert {effect.persona for effect in result.effects} == {"nurse", "analyst"}
    assert not any(effect.gains for effect in result.effects)
    assert {PATIENT, "aws_s3_bucket.lake"} <= {item.address for item in result.blocking}


@pytest.fixture(scope="module")
def opened(small_lake: SmallLake) -> Review:
    return small_lake.review(
        files={"open.tf": (HERE / "open.tf.txt").read_text()}, block_public=False, sse_algorithm="AES256"
    )


@pytest.mark.parametrize(
    "words",
    [
        "IAM_ALLOWED_PRINCIPALS would be granted ALL",
        "beside a filter, which voids the filter",
        "could become public: block_public_acls would be off",
        "would lose its customer-managed key",
        "New tables in trilake_test_open would be open to IAM_ALLOWED_PRINCIPALS",
    ],
)
def test_what_opens_the_lake_blocks(opened: Review, words: str) -> None:
    assert any(words in item.text for item in opened.blocking), [item.text for item in opened.blocking]


@pytest.mark.parametrize(
    "words",
    [
        "trilake-test-persona-nurse would be a data lake administrator",
        "persona-analyst could hand its grant on to others",
        "Filter wildcard of patient shows every new column",
        "A filter that nothing is granted on restricts nobody",
        "IAM: trilake-test-persona-nurse would be allowed s3:* on *",
    ],
)
def test_what_deserves_a_look_is_said(opened: Review, words: str) -> None:
    assert any(words in item.text for item in opened.findings), [item.text for item in opened.findings]


def test_a_wide_grant_is_seen_as_access(opened: Review) -> None:
    nurse = next(effect for effect in opened.effects if (effect.persona, effect.table) == ("nurse", "clinical.patient"))
    assert nurse.gains["QI"] == ("postcode",)
    assert "all rows" in {change.after for change in nurse.rows}


def test_what_is_unknown_is_not_passed(opened: Review) -> None:
    reasons = {item.address: item.text for item in opened.unresolved}
    assert "known only after apply" in reasons["aws_lakeformation_data_cells_filter.later"]
    assert "aws_lakeformation_permissions.later" in reasons


def test_against_a_state_the_plan_is_held_to_what_is_there(small_lake: SmallLake, unchanged: Values) -> None:
    """A plan made without the state says that all is new; with the state's JSON, only the difference is left."""
    plan = copy.deepcopy(unchanged)
    for entry in plan["resource_changes"]:
        entry["change"] |= {"actions": ["create"], "before": None}
    assert review(plan).effects
    assert not review(plan, small_lake.show()).effects


def test_markdown_names_causes(changed_policy: Review) -> None:
    text = as_markdown(changed_policy)
    assert "### Access that would change" in text
    assert "| nurse | clinical.patient | module.governance.aws_lakeformation_data_cells_filter.persona" in text


def test_the_verb_ends_with_3_when_something_blocks(table_made_again: Values, tmp_path: Path) -> None:
    plan = tmp_path / "plan.json"
    plan.write_text(json.dumps(table_made_again))
    done = CliRunner().invoke(plan_review, [str(plan), "--json", "--out", str(tmp_path / "review.md")])
    assert done.exit_code == 3
    assert set(json.loads(done.stdout)) >= {"changes", "blocking", "unresolved"}
    assert "would be replaced" in (tmp_path / "review.md").read_text()


def test_a_file_that_is_no_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("{}")
    done = CliRunner().invoke(plan_review, [str(path)])
    assert "not the JSON of a Terraform plan" in str(done.exception)


def test_what_the_review_says_is_what_is_applied(small_lake: SmallLake) -> None:
    """From a rule to all rows and back: Lake Formation holds what the review announced, and a second plan is clean."""
    everyone = [{"tables": ["clinical.patient"], "classes": ["CL"]}]
    opened = policy_with(nurse={"description": "Nurse", "grants": everyone})
    place = {
        "TableCatalogId": "123456789012",
        "DatabaseName": "trilake_test_clinical",
        "TableName": "patient",
        "Name": "nurse",
    }
    formation = small_lake.aws.world.client("lakeformation")
    try:
        small_lake.apply(policy=opened)
        held = formation.get_data_cells_filter(**place)["DataCellsFilter"]
        assert sorted(held["ColumnNames"]) == ["patient_id", "site_id"]
        assert "AllRowsWildcard" in held["RowFilter"]
        assert small_lake.review(policy=opened).counts == {}
    finally:
        small_lake.apply()
    assert formation.get_data_cells_filter(**place)["DataCellsFilter"]["RowFilter"] == {
        "FilterExpression": "site_id = 'north'"
    }
