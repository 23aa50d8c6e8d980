"""Our own checkov rules: each refuses what it is for and lets the right thing pass."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from trilake.core.paths import ROOT, TERRAFORM

RULES = sorted((TERRAFORM / "checkov").glob("*.yaml"))
# Rule -> (refused, accepted): bodies of one resource each.
CASES = {
    "TRILAKE_HEALTHLAKE_KEY": (
        'resource "awscc_healthlake_fhir_datastore" "x" { datastore_type_version = "R4" }',
        """resource "awscc_healthlake_fhir_datastore" "x" {
             sse_configuration = { kms_encryption_config = { cmk_type = "CUSTOMER_MANAGED_KMS_KEY", kms_key_id = "k" } }
           }""",
    ),
    "TRILAKE_HEALTHIMAGING_KEY": (
        'resource "awscc_healthimaging_datastore" "x" { datastore_name = "x" }',
        'resource "awscc_healthimaging_datastore" "x" { kms_key_arn = "k" }',
    ),
    "TRILAKE_OMICS_KEY": (
        'resource "awscc_omics_sequence_store" "x" { name = "x" }',
        'resource "awscc_omics_sequence_store" "x" { sse_config = { type = "KMS", key_arn = "k" } }',
    ),
    "TRILAKE_LF_OPEN_GRANT": (
        'resource "aws_lakeformation_permissions" "x" { principal = "IAM_ALLOWED_PRINCIPALS" }',
        'resource "aws_lakeformation_permissions" "x" { principal = "arn:aws:iam::1:role/x" }',
    ),
    "TRILAKE_LF_ALL": (
        'resource "aws_lakeformation_permissions" "x" { permissions = ["ALL"] }',
        'resource "aws_lakeformation_permissions" "x" { permissions = ["SELECT"] }',
    ),
    "TRILAKE_LF_GRANT_OPTION": (
        'resource "aws_lakeformation_permissions" "x" { permissions_with_grant_option = ["SELECT"] }',
        'resource "aws_lakeformation_permissions" "x" { permissions = ["SELECT"] }',
    ),
    "TRILAKE_LF_DEFAULTS": (
        """resource "aws_lakeformation_data_lake_settings" "x" {
             create_table_default_permissions {
               permissions = ["ALL"]
               principal   = "IAM_ALLOWED_PRINCIPALS"
             }
           }""",
        'resource "aws_lakeformation_data_lake_settings" "x" { admins = ["arn:aws:iam::1:role/x"] }',
    ),
    "TRILAKE_LF_INCLUDE_LIST": (
        """resource "aws_lakeformation_data_cells_filter" "x" {
             table_data {
               column_wildcard {
                 excluded_column_names = ["mrn"]
               }
             }
           }""",
        """resource "aws_lakeformation_data_cells_filter" "x" {
             table_data {
               column_names = ["gender"]
             }
           }""",
    ),
    "TRILAKE_LF_OWN_ROLE": (
        'resource "aws_lakeformation_resource" "x" { use_service_linked_role = true }',
        'resource "aws_lakeformation_resource" "x" { role_arn = "arn:aws:iam::1:role/x" }',
    ),
    "TRILAKE_ATHENA_ENFORCED": (
        """resource "aws_athena_workgroup" "x" {
             configuration {
               enforce_workgroup_configuration = false
             }
           }""",
        """resource "aws_athena_workgroup" "x" {
             configuration {
               enforce_workgroup_configuration = true
               bytes_scanned_cutoff_per_query  = 10485760
               result_configuration {
                 encryption_configuration {
                   encryption_option = "SSE_KMS"
                 }
               }
             }
           }""",
    ),
    "TRILAKE_GLUE_DEFAULT": (
        'resource "aws_glue_catalog_database" "x" { name = "x" }',
        """resource "aws_glue_catalog_database" "x" {
             create_table_default_permission {
               permissions = ["SELECT"]
             }
           }""",
    ),
}


def test_every_rule_has_a_case() -> None:
    assert {yaml.safe_load(path.read_text())["metadata"]["id"] for path in RULES} == set(CASES)


def test_every_skip_has_a_reason() -> None:
    lines = (ROOT / ".checkov.yaml").read_text().split("skip-check:")[1].splitlines()[1:]
    reason_above = False
    for line in lines:
        if line.strip().startswith("#"):
            reason_above = True
        elif line.strip():
            assert reason_above or "#" in line, f"no reason for {line.strip()}"


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], str]:
    """(rule, "refused" or "accepted") -> what checkov says of that case."""
    checkov = shutil.which("checkov", path=f"{ROOT / '.checkov/bin'}:{os.environ['PATH']}")
    if checkov is None:
        pytest.skip("checkov is installed by `make check`, in an environment of its own")
    folder = tmp_path_factory.mktemp("checkov")
    for rule, bodies in CASES.items():
        for kind, body in zip(("refused", "accepted"), bodies, strict=True):
            place = folder / f"{rule}-{kind}"
            place.mkdir()
            (place / "main.tf").write_text(body)
    return run_checkov(checkov, folder)


def run_checkov(checkov: str, folder: Path) -> dict[tuple[str, str], str]:
    words = [checkov, "--directory", str(folder), "--framework", "terraform", "--skip-download", "--output", "json"]
    words += ["--external-checks-dir", str(TERRAFORM / "checkov")]
    environment = os.environ | {"LOG_LEVEL": "ERROR"}
    # From the folder itself: in the checkout, checkov would take up .checkov.yaml, which leaves out what passed.
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment, cwd=folder)
    results = json.loads(done.stdout)["results"]
    found = {}
    for outcome in ("passed_checks", "failed_checks"):
        for check in results[outcome]:
            rule, kind = Path(check["file_path"]).parent.name.rsplit("-", 1)
            if check["check_id"] == rule:
                found[(rule, kind)] = outcome
    return found


@pytest.mark.parametrize("rule", CASES)
def test_rule(rule: str, verdicts: dict[tuple[str, str], str]) -> None:
    assert verdicts[(rule, "refused")] == "failed_checks"
    assert verdicts[(rule, "accepted")] == "passed_checks"
