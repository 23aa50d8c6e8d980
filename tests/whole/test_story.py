"""The demo's path against the truth that the sample generator wrote: what is in the lake is what went in."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from tests.whole.conftest import hash_of
from trilake.core.contract import load_contract
from trilake.core.errors import AccessError, QueryError

# What the sample never has: VEP annotations, genotype likelihoods and what else its VCFs and headers leave out.
ABSENT = {
    "genomic.variant": {"genotypelikelihoods", "phredlikelihoods", "spl", "ps", "annotations", "information"},
    "genomic.annotation": set(),
    # What only pictures have that the sample does not make: Siemens mosaics, series that are no volume.
    "imaging.series": {"n_mosaic_tiles", "geometry_problem"},
    # Nobody has decided anything, and of a clean sample only the orphans stand out.
    "linkage.link": {"decided_by", "decided_at"},
    "cohort.discordance": {"chart_value", "image_value", "genotype_value", "site_id"},
}


def test_counts_are_those_of_the_truth(told):
    rows = told.summary["views"]
    for table, n_rows in told.truth("counts.json")["governed_rows"].items():
        assert rows[table] == n_rows, table


def test_the_ledger_adds_up_and_nothing_was_refused(told):
    ingest = told.summary["ingest"]
    for modality in ("clinical", "genomic", "imaging"):
        part = ingest[modality]
        assert part["records_in"] == part["loaded"] > 0
        assert part["duplicate"] == part["superseded"] == part["quarantined"] == 0
    assert ingest["unrecognised"]["files"] == 0


def test_patients_and_consent_are_those_of_the_truth(told, ask):
    columns = ["patient_id", "mrn", "family_name", "given_name", "gender", "postcode", "city", "site_id"]
    flags = ["consent_research", "consent_genomic", "consent_imaging", "is_deceased"]
    names = columns + flags
    found = ask(f"SELECT {', '.join(names)}, cast(birth_date AS varchar) AS birth_date FROM clinical.patient")
    expected = told.truth("patients")[[*names, "birth_date"]].astype({"birth_date": str})
    pd.testing.assert_frame_equal(
        found.sort_values("patient_id").reset_index(drop=True),
        expected.sort_values("patient_id").reset_index(drop=True),
        check_dtype=False,
    )


def test_links_are_those_of_the_truth(told, ask):
    links = told.truth("links")
    loaded = links[links.verdict != "no_file"]
    samples = ask("SELECT source_file, patient_id, link_method FROM genomic.sample")
    studies = ask("SELECT study_instance_uid, patient_id, link_method FROM imaging.study")
    by_file = {Path(row.object).name: row for row in loaded[loaded.kind == "sample"].itertuples()}
    for row in samples.itertuples():
        truth = by_file.pop(Path(row.source_file).name)
        assert_link(row, truth)
    assert by_file == {}
    assert len(studies) == (loaded.kind == "study").sum()
    by_patient = loaded[loaded.kind == "study"].groupby("method").size().to_dict()
    assert studies.groupby("link_method").size().to_dict() == by_patient


def assert_link(row, truth) -> None:
    expected = truth.patient_id if truth.verdict == "link" else None
    assert (None if pd.isna(row.patient_id) else row.patient_id) == expected, row.source_file
    assert row.link_method == truth.method, row.source_file


def test_every_genotype_is_that_of_the_truth(told, ask):
    truth = told.truth("genotypes")
    expected = truth[truth.is_annotated].set_index(["sample_id", "variant_id"]).sort_index()
    found = ask("SELECT sample_id, variant_id, n_alt, call_status FROM genomic.dosage")
    found = found.set_index(["sample_id", "variant_id"]).sort_index()
    assert found.index.equals(expected.index)
    assert (found.call_status == expected.call_status).all()
    assert found.n_alt.astype(float).equals(expected.n_alt.astype(float))


def test_frequencies_and_those_assessable_are_those_of_the_truth(told, ask):
    truth = told.truth("genotypes").query("is_annotated").copy()
    truth["called"], truth["carried"] = truth.n_alt.notna(), truth.n_alt.fillna(0) > 0
    truth["no_call"], truth["filtered"] = truth.call_status == "no_call", truth.call_status == "filtered"
    expected = truth.groupby("variant_id")[["called", "carried", "n_alt", "no_call", "filtered"]].sum().sort_index()
    names = ["n_assessable", "n_carriers", "n_alt", "n_no_call", "n_filtered"]
    found = ask(f"SELECT variant_id, {', '.join(names)}, n_samples FROM genomic.allele_frequency")
    found = found.set_index("variant_id").sort_index()
    assert found.index.equals(expected.index)
    assert (found[names].astype(int).to_numpy() == expected.astype(int).to_numpy()).all()
    assert (found.n_samples == truth.sample_id.nunique()).all()


def test_a_clinician_sees_what_is_known_to_matter_of_patients_in_care_and_no_genotype(told, ask):
    told_to = ask("SELECT patient_id, variant_id, significance, is_secondary FROM genomic.finding", "clinician")
    assert not told_to.empty
    patients = told.truth("patients").set_index("patient_id")
    assert set(patients.loc[told_to.patient_id].site_id) == {"north"}
    secondary = told_to[told_to.is_secondary]
    assert not secondary.empty
    assert patients.loc[secondary.patient_id].consent_genomic.all()
    genotypes = told.truth("genotypes").set_index(["patient_id", "variant_id"]).n_alt
    assert (genotypes.loc[list(zip(told_to.patient_id, told_to.variant_id, strict=True))] > 0).all()
    assert set(told_to.significance) <= {"pathogenic", "likely_pathogenic", "drug_response", "association"}
    for table in ("genomic.variant", "genomic.dosage", "genomic.sample"):
        with pytest.raises(QueryError, match="TABLE_NOT_FOUND"):
            ask(f"SELECT count(*) FROM {table}", "clinician")


def test_what_clinvar_changed_is_told_for_each_carrier(told, ask):
    watch = ask("SELECT change, variant_id, sample_id, n_carriers FROM genomic.watch")
    assert set(watch.change) == {"reclassified", "new", "withdrawn"}
    assert (watch.groupby("variant_id").sample_id.nunique() == watch.groupby("variant_id").n_carriers.first()).all()
    carried = told.truth("genotypes").query("n_alt > 0").groupby("variant_id").sample_id.nunique()
    assert (watch.groupby("variant_id").n_carriers.first().astype(int) == carried[sorted(set(watch.variant_id))]).all()


def test_measured_volumes_follow_the_ventricles_that_were_drawn(told, ask):
    measured = ask("SELECT study_instance_uid, value FROM imaging.radiomics WHERE feature = 'dark_interior_volume'")
    both = measured.merge(told.truth("volumes"), on="study_instance_uid")
    assert len(both) == len(measured) == 70
    assert np.corrcoef(both.value.astype(float), both.rendered_ventricle_ml)[0, 1] > 0.9


@pytest.mark.parametrize(
    ("persona", "rule"),
    [
        ("clinician", "site_id == 'north'"),
        ("bioinformatician", "consent_genomic"),
        ("radiologist", "consent_imaging"),
        ("data_scientist", "consent_research"),
    ],
)
def test_each_persona_sees_the_patients_of_its_rule_and_no_other(told, ask, persona, rule):
    expected = set(told.truth("patients").query(rule).patient_id)
    assert set(ask("SELECT patient_id FROM clinical.patient", persona).patient_id) == expected
    if persona in ("bioinformatician", "data_scientist"):
        samples = set(ask("SELECT DISTINCT patient_id FROM genomic.dosage", persona).patient_id)
        assert samples and samples <= expected


def test_who_withdrew_consent_is_nowhere_for_research(told, ask):
    withdrawn = set(told.truth("patients").query("consent_case == 'withdrawn'").patient_id)
    assert withdrawn
    for table in ("clinical.condition", "clinical.observation", "imaging.series", "genomic.dosage"):
        seen = set(ask(f"SELECT DISTINCT patient_id FROM {table}", "data_scientist").patient_id)
        assert seen and not seen & withdrawn, table


@pytest.mark.parametrize(
    ("persona", "column"),
    [
        ("bioinformatician", "clinical.patient.family_name"),
        ("bioinformatician", "clinical.patient.birth_date"),
        ("radiologist", "clinical.patient.mrn"),
        ("radiologist", "imaging.study.dicom_patient_id"),
        ("clinician", "imaging.instance.frame_ids"),
        ("radiologist", "genomic.variant.calls"),
        ("data_scientist", "genomic.variant.calls"),
        ("platform_engineer", "clinical.patient.gender"),
        ("auditor", "clinical.condition.code"),
    ],
)
def test_a_denied_column_does_not_exist(ask, persona, column):
    table, name = column.rsplit(".", 1)
    with pytest.raises((AccessError, QueryError), match="cannot be resolved|TABLE_NOT_FOUND"):
        ask(f"SELECT {name} FROM {table}", persona)


def test_cohort_counts_are_those_of_the_truth(told):
    answer = next(item for item in told.truth("cohorts.json") if item["name"] == "hypertension_recorded")
    assert told.verb("cohort", "hypertension_recorded", "--json")["n"] == answer["answers"]["all"]["n_patients"]
    as_persona = told.verb("cohort", "hypertension_recorded", "--as", "data_scientist", "--json")
    assert as_persona["n"] == answer["answers"]["consented_to_research"]["n_patients"]


def test_the_extract_holds_the_cohort_and_what_the_manifest_says(told):
    folder = Path(told.summary["cohort"]["folder"])
    manifest = json.loads((folder / "manifest.json").read_text())
    patients = pq.read_table(folder / "clinical_patient.parquet").to_pandas()
    assert len(patients) == told.summary["cohort"]["n"]
    assert not {"family_name", "mrn", "birth_date", "postcode"} & set(patients.columns)
    truth = told.truth("patients")
    consented = set(truth.query("consent_research and has_all_three").patient_id)
    assert set(patients.patient_id) <= consented
    for file in manifest["files"]:
        assert pq.read_metadata(folder / file["name"]).num_rows == file["n_rows"]


def test_cohort_members_are_exactly_those_of_the_truth(told):
    folder = Path(told.summary["cohort"]["folder"])
    questions = [item for item in told.truth("cohorts.json") if len(item["modalities"]) == 3]
    assert questions
    members = list(pq.read_table(folder / "clinical_patient.parquet").to_pandas().patient_id)
    patients = told.truth("patients")
    assert hash_of(members) == hash_of(list(patients.query("consent_research and has_all_three").patient_id))


def test_the_models_say_what_the_data_allow(told):
    assert told.summary["models"]["appendicitis"] == "no better than guessing"
    assert told.summary["models"]["alzheimers_disease"] == "better than guessing"


def test_a_column_that_is_all_null_would_be_a_mistake(told, ask):
    for table in load_contract().values():
        if table.filled_by != "sql":
            continue
        counts = ", ".join(f'count("{column.name}") AS "{column.name}"' for column in table.columns)
        (row,) = ask(f"SELECT {counts} FROM {table.path}").to_dict("records")
        empty = {name for name, n_values in row.items() if n_values == 0}
        assert empty <= ABSENT.get(table.path, set()), table.path


def test_a_second_ingest_loads_nothing_and_changes_nothing(told):
    before = told.summary["views"]
    again = told.verb("ingest", str(told.state / "sample"), "--json")
    for modality in ("clinical", "genomic", "imaging"):
        assert again[modality]["loaded"] == 0
        assert again[modality]["duplicate"] == again[modality]["records_in"] > 0
    assert told.verb("views", "--json")["rows"] == before


def test_pages_hold_no_denied_value(told):
    pages = {Path(path).stem: Path(path).read_text() for path in told.summary["pages"]}
    patients = told.truth("patients")
    for persona in ("bioinformatician", "radiologist"):
        (page,) = [text for name, text in pages.items() if persona in name]
        for column in ("mrn", "birth_date"):
            assert not [value for value in patients[column].astype(str) if value in page], (persona, column)
    assert all("http://" not in text.split("<body")[0] for text in pages.values())
