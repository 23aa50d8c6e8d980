"""The signal is honest: declared effects give the declared AUC, the control has none, presence gives nothing away."""

from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from trilake.sample.latent import MODALITIES, OUTCOMES, SCALES, draw
from trilake.sample.people import draw_shard
from trilake.sample.truth import auc, bayes_auc

N = 5_000
SHARDS = 30


@pytest.fixture(scope="module")
def people():
    return draw(np.random.default_rng(2024), N)


@pytest.fixture(scope="module")
def persons():
    return [person for shard in range(SHARDS) for person in draw_shard(11, shard, 50).people]


def cross_validated(people, outcome: str, modalities: list[str]) -> float:
    columns = [people.features[name] for modality in modalities for name in MODALITIES[modality]]
    label = people.labels[outcome]
    model = LogisticRegression(C=1.0, max_iter=500)
    score = cross_val_predict(model, np.column_stack(columns), label, cv=5, method="predict_proba")[:, 1]
    return float(roc_auc_score(label, score))


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_model_reaches_the_declared_auc_and_not_more(people, outcome: str) -> None:
    declared = bayes_auc()[outcome]
    assert cross_validated(people, outcome, list(MODALITIES)) == pytest.approx(declared["all"], abs=0.025)
    for modality in MODALITIES:
        assert cross_validated(people, outcome, [modality]) == pytest.approx(declared[modality], abs=0.03)


def test_the_control_cannot_be_predicted(people) -> None:
    assert set(bayes_auc()["appendicitis"].values()) == {0.5}
    assert OUTCOMES["appendicitis"].terms == {}
    assert cross_validated(people, "appendicitis", list(MODALITIES)) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("outcome", ["alzheimers_disease", "coronary_heart_disease"])
def test_each_modality_adds_something(outcome: str) -> None:
    declared = bayes_auc()[outcome]
    for without in ("clinical+genomic", "clinical+imaging", "genomic+imaging"):
        assert declared["all"] - declared[without] >= 0.01
    assert 0.70 <= declared["all"] <= 0.85


def test_best_possible_is_between_honest_bounds() -> None:
    for outcome, declared in bayes_auc().items():
        if outcome != "appendicitis":
            assert 0.70 <= declared["all"] <= 0.85
            assert declared["all"] >= max(declared.values()) - 0.001


@pytest.mark.parametrize("outcome", OUTCOMES.values(), ids=lambda outcome: outcome.name)
def test_rates_are_as_written(people, outcome) -> None:
    assert people.probabilities[outcome.name].mean() == pytest.approx(outcome.prevalence, abs=0.015)
    assert people.labels[outcome.name].mean() == pytest.approx(outcome.prevalence, abs=0.025)


def test_effects_are_modest() -> None:
    for outcome in OUTCOMES.values():
        for name, effect in outcome.terms.items():
            odds_ratio = np.exp(abs(effect))
            if name == "rs429358":
                assert odds_ratio == pytest.approx(3)
            elif name.startswith("rs"):
                assert 1.1 <= odds_ratio <= 1.51


def test_image_volumes_differ_by_a_modest_part_of_their_spread(people) -> None:
    for outcome, name, sign in (("alzheimers_disease", "ventricle", 1), ("coronary_heart_disease", "brain", -1)):
        label, value = people.labels[outcome], people.features[name]
        difference = sign * (value[label].mean() - value[~label].mean()) / value.std()
        assert 0.3 <= difference <= 0.8


def test_traits_have_the_written_scales(people) -> None:
    for name in SCALES:
        assert people.features[name].mean() == pytest.approx(0, abs=0.06)
        assert people.features[name].std() == pytest.approx(1, abs=0.06)


def test_auc_counts_ties_as_half_and_agrees_with_scikit_learn(people) -> None:
    label = people.labels["stroke"]
    score = np.round(people.features["sbp"], 1)
    assert auc(score, label.astype(float)) == pytest.approx(roc_auc_score(label, score))


def test_which_files_exist_says_nothing_about_any_outcome(persons) -> None:
    presences = {
        "vcf": [p.sequencing is not None for p in persons],
        "mr": [any(s.has_file for s in p.scans) for p in persons],
        "second scan": [any(s.is_follow_up for s in p.scans) for p in persons],
        "chart-only study": [any(not s.has_file for s in p.scans) for p in persons],
        "bundle": [p.is_bundle for p in persons],
        "research": [p.consent.research for p in persons],
    }
    for outcome in OUTCOMES:
        label = np.array([p.labels[outcome] for p in persons])
        for present in presences.values():
            flag = np.array(present)
            spread = np.sqrt(label.var() * (1 / flag.sum() + 1 / (~flag).sum()))
            assert abs(label[flag].mean() - label[~flag].mean()) < 3.6 * spread


def test_shares_are_as_written(persons) -> None:
    n = len(persons)
    scanned = [p for p in persons if any(s.has_file for s in p.scans)]
    sequenced = [p.sequencing for p in persons if p.sequencing]
    methods = Counter(s.link_method for s in sequenced)
    assert len(sequenced) / n == pytest.approx(0.80, abs=0.04)
    assert len(scanned) / n == pytest.approx(0.60, abs=0.05)
    assert methods["uuid"] / len(sequenced) == pytest.approx(0.82, abs=0.04)
    assert sum(s.has_prefix for s in sequenced) / len(sequenced) == pytest.approx(0.5, abs=0.06)
    named = [s.dicom_patient_id.startswith("MRN") for p in scanned for s in p.scans if s.has_file]
    assert np.mean(named) == pytest.approx(0.80, abs=0.05)


def test_before_the_index_date_a_chart_does_not_know_what_comes(persons) -> None:
    """Events before the index date may depend on cases before it, never on later ones."""
    for outcome in OUTCOMES:
        later = [p for p in persons if (case := p.case_of(outcome)) and case.onset.year >= 2019]
        never = [p for p in persons if not p.labels[outcome]]

        def early(group):
            return np.array([sum(v.start.year < 2019 and v.kind != "checkup" for v in p.visits) for p in group])

        spread = np.sqrt(early(later).var() / len(later) + early(never).var() / len(never))
        assert abs(early(later).mean() - early(never).mean()) < 3.6 * spread


def test_readings_improve_after_treatment(persons) -> None:
    changes = []
    for person in persons:
        case = person.case_of("hypertension")
        if case:
            pressures = [
                (visit.start > case.recorded, measurement.values[0] - person.traits["sbp"])
                for visit in person.visits
                for measurement in visit.measurements
                if measurement.name == "blood_pressure"
            ]
            changes += pressures
    after, before = ([value for is_after, value in changes if is_after is flag] for flag in (True, False))
    assert np.mean(before) == pytest.approx(0, abs=0.6)
    assert np.mean(after) == pytest.approx(-12, abs=1.0)
