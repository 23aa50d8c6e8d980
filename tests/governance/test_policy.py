"""The access policy: what it gives, and what it may not say."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.contract import a_column, a_table
from trilake.core.contract import GovernedTable, load_contract
from trilake.core.errors import InputError
from trilake.governance.access import access, as_html, as_markdown
from trilake.governance.policy import (
    Grant,
    Persona,
    access_of,
    faults_of,
    load_access,
    load_policy,
    row_key_names,
    row_rule_faults,
)

KEYS = ("site_id", "consent_research")


def of_classes(path: str = "clinical.patient", *, patient_level: bool = True, **classes: str) -> GovernedTable:
    columns = [a_column(name, sensitivity=sensitivity) for name, sensitivity in classes.items()]
    return a_table(path, key=("patient_id",), columns=columns, patient_level=patient_level)


def a_persona(*grants: Grant, name: str = "nurse") -> Persona:
    return Persona(name, "Nurse", grants, 1)


def a_grant(
    tables: tuple[str, ...] = ("clinical.patient",),
    classes: tuple[str, ...] = ("CL",),
    rows: str | None = None,
    line: int = 7,
) -> Grant:
    return Grant(tables, classes, rows, line)


CONTRACT = {
    table.path: table
    for table in (
        of_classes(patient_id="CL", mrn="ID"),
        of_classes("genomic.annotation", patient_level=False, gene="AN"),
    )
}


def faults(*grants: Grant) -> list[str]:
    return faults_of({"nurse": a_persona(*grants)}, CONTRACT, KEYS)


def test_the_policy_that_we_ship_holds() -> None:
    assert faults_of(load_policy(), load_contract(), row_key_names()) == []


def test_rows_bind_only_tables_about_patients() -> None:
    grant = a_grant(("clinical.*", "genomic.*"), ("CL", "AN"), "site_id = 'north'")
    seen = access_of({"nurse": a_persona(grant)}, CONTRACT)["nurse"]
    assert seen["clinical.patient"].rows == "site_id = 'north'"
    assert seen["genomic.annotation"].rows is None


def test_a_table_with_no_visible_column_is_not_there() -> None:
    assert list(access_of({"nurse": a_persona(a_grant(("clinical.*", "genomic.*")))}, CONTRACT)["nurse"]) == [
        "clinical.patient"
    ]


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (a_grant(classes=("ZZ", "CL")), "line 7: nurse: class ZZ is none of"),
        (a_grant(("clinical.patients",)), "no contract has clinical.patients"),
        (a_grant(("clinical",)), "no contract has clinical"),
        (a_grant(classes=("PX",)), "clinical.patient has no column of class PX"),
        (a_grant(rows="mrn = 'x'"), "row rule names mrn, which is no row key"),
        (a_grant(rows="lower(site_id) = 'north'"), "row rule names lower"),
        (a_grant(rows="site_id = 'a' -- x"), "holds more than comparisons"),
        (a_grant(rows="site_id = 'a'; DROP TABLE x"), "holds more than comparisons"),
        (a_grant(("clinical.*", "clinical.patient")), "clinical.patient is matched twice"),
    ],
)
def test_a_policy_that_cannot_hold_is_refused_in_words(grant: Grant, words: str) -> None:
    assert any(words in fault for fault in faults(grant)), faults(grant)


@pytest.mark.parametrize(
    "rule",
    [
        "site_id = 'north'",
        "site_id IN ('north', 'it''s') AND NOT consent_research = false",
        "site_id IS NOT NULL OR site_id LIKE 'n%'",
    ],
)
def test_row_rules_that_lake_formation_takes(rule: str) -> None:
    assert list(row_rule_faults(rule, KEYS)) == []


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=40))
def test_what_stands_in_quotes_is_never_read_as_a_name(text: str) -> None:
    quoted = text.replace("'", "''")
    assert list(row_rule_faults(f"site_id = '{quoted}'", KEYS)) == []


def test_a_file_in_another_form_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "access_policy.yaml"
    path.write_text("personas: [nurse]")
    with pytest.raises(InputError, match="is not an access policy"):
        load_policy(path)


def test_every_fault_is_listed_at_once(tmp_path: Path) -> None:
    path = tmp_path / "access_policy.yaml"
    path.write_text(
        "personas:\n  nurse:\n    description: x\n    grants:\n"
        "      - {tables: [clinical.nothing], classes: [CL]}\n      - {tables: [clinical.patient], classes: [ZZ]}\n"
    )
    with pytest.raises(InputError) as refused:
        load_access(path)
    assert "line 5: nurse: no contract has clinical.nothing" in str(refused.value)
    assert "line 6: nurse: class ZZ" in str(refused.value)


def test_the_matrix_shows_every_persona_and_what_it_does_not_see() -> None:
    markdown = as_markdown(load_policy(), load_access(), load_contract())
    assert "| platform_engineer | none | none | nothing | everything |" in markdown
    row = next(line for line in markdown.splitlines() if line.startswith("| radiologist | clinical.patient |"))
    assert "consent_imaging = true" in row
    assert "mrn (ID)" in row.split("|")[5]
    page = as_html(load_policy(), load_access(), load_contract())
    assert page.count("<tr>") == markdown.count("\n| ")


def test_the_verb_writes_both_forms(tmp_path: Path) -> None:
    words = ["--json", "--out", str(tmp_path / "a.md"), "--out", str(tmp_path / "a.html")]
    done = CliRunner().invoke(access, words)
    assert done.exit_code == 0
    shown_access = json.loads(done.stdout)
    assert shown_access["platform_engineer"] == {}
    assert shown_access["clinician"]["clinical.patient"]["rows"] == "site_id = 'north'"
    assert (tmp_path / "a.md").read_text().startswith("# Who may see what")
    assert "<!doctype html>" in (tmp_path / "a.html").read_text()


def test_another_ending_is_refused(tmp_path: Path) -> None:
    done = CliRunner().invoke(access, ["--out", str(tmp_path / "a.pdf")])
    assert isinstance(done.exception, InputError)
