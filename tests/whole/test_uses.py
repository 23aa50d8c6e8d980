"""What is made of the lake, held against the truth: cohorts, extracts, models and pages of the demo's path."""

import json
import re
from hashlib import sha256
from pathlib import Path

import orjson
import pandas as pd
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from tests.whole.conftest import Asking, Told, hash_of
from trilake.cohort.compiler import members_sql
from trilake.cohort.definition import COHORTS, load_definition
from trilake.core.errors import AccessError, DisclosureError
from trilake.governance.policy import load_access
from trilake.sample.cohorts import QUESTIONS

CALLERS = {None: "all", "data_scientist": "consented_to_research"}
EXAMPLES = sorted({path.stem for path in COHORTS.glob("*.yaml")} & {question.name for question in QUESTIONS})
"""Example cohorts whose answer the sample knows."""
RULES = {
    "clinician": "site_id == 'north'",
    "bioinformatician": "consent_genomic",
    "radiologist": "consent_imaging",
    "data_scientist": "consent_research",
}


def questions(told: Told) -> dict[str, dict]:
    return {item["name"]: item for item in told.truth("cohorts.json")}


@pytest.mark.parametrize("persona", CALLERS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_members_of_a_cohort_are_exactly_those_of_the_truth(
    told: Told, ask: Asking, name: str, persona: str | None
) -> None:
    expected = questions(told)[name]["answers"][CALLERS[persona]]
    members = list(ask(members_sql(load_definition(COHORTS / f"{name}.yaml")), persona).patient_id)
    assert len(members) == expected["n_patients"]
    assert hash_of(members) == expected["sha256_of_sorted_patient_ids"]


def test_the_truth_knows_a_cohort_over_all_three_kinds_of_data_with_enough_members(told: Told) -> None:
    found = [questions(told)[name] for name in EXAMPLES]
    over_all = [item for item in found if item["modalities"] == ["clinical", "genomic", "imaging"]]
    assert any(item["answers"]["consented_to_research"]["n_patients"] >= 10 for item in over_all)


def test_an_exclusion_keeps_whom_it_cannot_assess_and_counts_them(told: Told) -> None:
    steps = {step["name"]: step for step in told.verb("cohort", "stroke_free_smokers", "--json")["steps"]}
    genotypes = told.truth("genotypes").query("variant_id in ['1-169549811-C-T', '11-46739505-G-A']")
    carriers = set(genotypes[genotypes.n_alt > 0].patient_id.dropna())
    clear = genotypes[genotypes.n_alt == 0].groupby("patient_id").size()
    known = carriers | set(clear[clear == 2].index)
    patients = told.truth("patients")
    outcomes = told.truth("outcomes")
    stroke = set(outcomes.query("outcome == 'stroke' and label and is_before_index == True").patient_id)
    left = patients[(patients.smoking_code == "449868002") & (patients.birth_date < pd.Timestamp("1969-01-01").date())]
    left = left[~left.patient_id.isin(stroke)]
    assert steps["stroke"]["n"] == len(left)
    assert steps["clotting_allele"]["n"] == len(left) - left.patient_id.isin(carriers).sum()
    assert steps["clotting_allele"]["n_not_assessable"] == (~left.patient_id.isin(known)).sum()


def test_a_persona_sees_no_small_count_and_extracts_no_small_cohort(told: Told, tmp_path: Path) -> None:
    shown = told.verb("cohort", "alzheimers_e4_with_mr", "--as", "data_scientist", "--json")
    numbers = [step["n"] for step in shown["steps"] if step["n"] is not None]
    assert shown["n"] is None
    assert all(a == b or abs(a - b) >= 10 for a in numbers for b in numbers)
    with pytest.raises(DisclosureError):
        told.verb("cohort", "alzheimers_e4_with_mr", "--as", "data_scientist", "--extract", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_cohort_over_data_that_is_closed_says_what_is_closed(told: Told) -> None:
    with pytest.raises(AccessError, match=r"radiologist may not see genomic\.dosage"):
        told.verb("cohort", "all_three_modalities", "--as", "radiologist")


def test_an_extract_holds_the_columns_of_the_policy_and_the_rows_of_its_members(told: Told) -> None:
    folder = Path(told.summary["cohort"]["folder"])
    manifest = json.loads((folder / "manifest.json").read_text())
    allowed = load_access()["data_scientist"]
    members = set(pq.read_table(folder / "clinical_patient.parquet").column("patient_id").to_pylist())
    for file in manifest["files"]:
        path = folder / file["name"]
        table = pq.read_table(path)
        assert file["sha256"] == sha256(path.read_bytes()).hexdigest()
        assert set(table.column_names) == set(allowed[file["table"]].columns)
        assert {column["class"] for column in file["columns"]} <= {"CL", "FT", "IM"}
        assert set(table.column("patient_id").to_pylist()) <= members
    steps = [step["n"] for step in manifest["attrition"] if step["n"] is not None]
    assert steps[-1] == len(members)


def test_an_extract_in_the_store_is_readable_by_its_persona_alone(told: Told, ask: Asking) -> None:
    folder = Path(told.summary["cohort"]["folder"])
    uri = json.loads((folder / "manifest.json").read_text())["files"][0]["s3_uri"]
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    own = ask.session.as_persona("data_scientist").client("s3")
    keys = [item["Key"] for item in own.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]
    assert own.get_object(Bucket=bucket, Key=keys[0])["ContentLength"] > 0
    for other in ("clinician", "radiologist", "auditor"):
        with pytest.raises(ClientError, match="AccessDenied"):
            ask.session.as_persona(other).client("s3").get_object(Bucket=bucket, Key=keys[0])


@pytest.mark.parametrize("persona", RULES)
def test_each_persona_gets_its_own_exact_answer(told: Told, ask: Asking, persona: str) -> None:
    found = ask("SELECT patient_id, gender, birth_year, site_id FROM clinical.patient", persona)
    truth = told.truth("patients").query(RULES[persona])
    expected = {(row.patient_id, row.gender, row.birth_date.year, row.site_id) for row in truth.itertuples(index=False)}
    assert set(found.itertuples(index=False, name=None)) == expected
    assert len(found) == len(truth)


@pytest.mark.parametrize(("study", "first_year"), [("alzheimers_disease", 2020), ("appendicitis", 2019)])
def test_a_report_card_counts_the_cases_of_the_truth(told: Told, study: str, first_year: int) -> None:
    card = told.verb("card", study, "--json")
    outcomes = told.truth("outcomes").query(f"outcome == '{study}' and label")
    years = pd.to_datetime(outcomes.onset_date).dt.year
    research = set(told.truth("patients").query("consent_research").patient_id)
    cases = outcomes[(years >= first_year) & outcomes.patient_id.isin(research)]
    left_out = outcomes[(years < first_year) & outcomes.patient_id.isin(research)]
    assert card["n_cases"] == len(cases)
    assert card["n_patients"] == len(research) - len(left_out)
    assert all(one["passed"] for one in card["audit"])
    assert card["notice"] == "Synthetic, not clinical evidence."


def test_a_report_card_names_no_patient(told: Told) -> None:
    ids = set(told.truth("patients").patient_id)
    for path in (told.state / "local" / "models").rglob("*.*"):
        assert not ids & set(re.findall(r"[0-9a-f-]{36}", path.read_text())), path


def page_of(told: Told, persona: str) -> str:
    """The page from its top to its foot, without plotly's own code."""
    (path,) = [Path(one) for one in told.summary["pages"] if Path(one).stem == persona]
    return path.read_text().split("</style>")[1].split("<footer>")[0]


@pytest.mark.parametrize("persona", ["bioinformatician", "radiologist", "data_scientist"])
def test_a_page_holds_no_value_that_its_persona_may_not_see(told: Told, persona: str) -> None:
    words = set(re.findall(r"[\w'-]+", page_of(told, persona)))
    patients = told.truth("patients")
    for column in ("family_name", "given_name", "mrn", "birth_date", "postcode", "city", "patient_id"):
        values = {word for value in patients[column].astype(str) for word in value.split() if len(word) > 3}
        assert not values & words, column
    scans = told.truth("volumes")
    denied = set(scans[~scans.patient_id.isin(patients.query(RULES[persona]).patient_id)].study_instance_uid)
    assert not [uid for uid in denied if uid in page_of(told, persona)]


def test_the_clinician_sees_her_own_patients_by_name_and_no_other(told: Told) -> None:
    text, patients = page_of(told, "clinician"), told.truth("patients")
    for row in patients.itertuples():
        assert (row.mrn in text) == (row.site_id == "north"), row.site_id


@pytest.mark.parametrize("persona", RULES)
def test_a_page_says_what_is_closed_and_has_no_panel_that_failed(told: Told, persona: str) -> None:
    text = page_of(told, persona)
    assert "Athena refused" not in text
    assert 'class="closed"' not in text
    closed = {"clinician": "Genomic", "bioinformatician": "Imaging", "radiologist": "Genomic"}
    if persona in closed:
        assert f"{closed[persona]} data: not permitted" in text
    else:
        assert "not permitted." not in text


@pytest.mark.parametrize("persona", ["bioinformatician", "radiologist", "data_scientist"])
def test_a_chart_of_a_page_shows_no_count_below_ten(told: Told, persona: str) -> None:
    for block in re.findall(r'<script type="application/json">(.*?)</script>', page_of(told, persona)):
        words = [word for trace in orjson.loads(block)["data"] for word in trace.get("hovertext", [])]
        counts = [int(found.replace(",", "")) for word in words for found in re.findall(r": ([\d,]+) patients", word)]
        assert all(n == 0 or n >= 10 for n in counts), words
