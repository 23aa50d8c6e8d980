"""Linkage as each persona meets it on the demo's lake: only the steward sees how, each its own part of the rest."""

from collections.abc import Iterator

import pytest

from tests.whole.conftest import Asking, Told
from trilake.core.errors import AccessError, QueryError
from trilake.governance.policy import load_policy

READERS = ("clinician", "bioinformatician", "radiologist", "data_scientist", "auditor", "platform_engineer")
KINDS = {
    "clinician": {"visit", "condition", "result", "specimen", "charted_scan", "variant", "scan"},
    "bioinformatician": {"visit", "condition", "result", "specimen", "sample", "variant"},
    "radiologist": {"charted_scan", "scan"},
    "data_scientist": {"visit", "condition", "result", "specimen", "charted_scan", "scan"},
}


@pytest.fixture(scope="module")
def ask(told: Told) -> Iterator[Asking]:
    """One session for all questions: opening one costs more than asking, and no verb runs beside it here."""
    with told.session() as session:
        yield Asking(session)


def test_the_steward_sees_links_and_no_value_of_a_patient(told: Told, ask: Asking) -> None:
    mine = ask("SELECT modality, object_id, patient_id, verdict FROM linkage.link", "data_steward")
    truth = told.truth("links").query("verdict != 'no_file'")
    assert (mine.modality != "clinical").sum() == len(truth)
    assert mine[mine.verdict == "refuse"].object_id.nunique() == (truth.verdict == "refuse").sum()
    assert set(ask("SELECT code FROM cohort.discordance", "data_steward").code) == {"orphan_study", "orphan_sample"}
    assert len(ask("SELECT meaning FROM linkage.rule", "data_steward")) == 12
    for column in ("chart_value", "image_value", "genotype_value"):
        with pytest.raises(AccessError, match="COLUMN_NOT_FOUND"):
            ask(f"SELECT {column} FROM cohort.discordance", "data_steward")


@pytest.mark.parametrize("persona", READERS)
def test_others_do_not_see_how_links_were_found(ask: Asking, persona: str) -> None:
    assert persona in load_policy()
    for table in ("linkage.link", "cohort.discordance", "linkage.rule", "linkage.decision"):
        with pytest.raises(QueryError, match="TABLE_NOT_FOUND"):
            ask(f"SELECT count(*) FROM {table}", persona)
    for column in ("imaging.study.link_evidence", "genomic.sample.link_method", "linkage.key.patient_id"):
        with pytest.raises((AccessError, QueryError), match="NOT_FOUND"):
            ask(f"SELECT {column.rsplit('.', 1)[1]} FROM {column.rsplit('.', 1)[0]}", persona)


@pytest.mark.parametrize("persona", KINDS)
def test_a_timeline_shows_each_persona_its_part(told: Told, ask: Asking, persona: str) -> None:
    rule = {"clinician": "site_id == 'north'", "bioinformatician": "consent_genomic"}
    rule |= {"radiologist": "consent_imaging", "data_scientist": "consent_research"}
    seen = ask("SELECT patient_id, at, precision, kind FROM cohort.patient_timeline", persona)
    allowed = set(told.truth("patients").query(rule[persona]).patient_id)
    assert set(seen.patient_id) <= allowed and KINDS[persona] <= set(seen.kind)
    hidden = {kind for kinds in KINDS.values() for kind in kinds} - KINDS[persona]
    assert not hidden & set(seen.kind)
    has_days = seen["at"].notna()
    assert has_days.any() == (persona == "clinician")
    assert set(seen[~has_days].precision) <= {"year", "month", "none"}


def test_coverage_tells_what_may_not_be_asked(told: Told, ask: Asking) -> None:
    patients = told.truth("patients").set_index("patient_id")
    seen = ask("SELECT * FROM cohort.coverage", "radiologist").set_index("patient_id")
    assert set(seen.genomic_state) == {"not_permitted"} and seen.has_genomic.isna().all()
    assert set(seen.imaging_state) == {"measured", "not_loaded", "not_measured"}
    assert (seen[seen.imaging_state == "measured"].index == seen[patients.has_mr[seen.index]].index).all()
    whole = ask("SELECT * FROM cohort.coverage").set_index("patient_id")
    assert len(whole) == len(patients) and "not_permitted" not in set(whole.genomic_state) | set(whole.imaging_state)
    assert (whole.has_genomic == patients.has_vcf[whole.index]).all()
