"""Held-out performance: right where it can be calculated by hand, honest where there is nothing to find."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from trilake.ml.card import BETTER, NO_BETTER, sentence, verdict
from trilake.ml.evaluate import Interval, Result, Scores, area, evaluate, held_out, make_folds, resamples
from trilake.ml.study import Evaluation

QUICK = Evaluation(strength=0.1, folds=5, repeats=2, resamples=300, seed=7)
NO_SCORES = Scores(*[np.zeros(1)] * 5)


def people(n: int, effect: float, seed: int = 3) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    values = pd.DataFrame(rng.normal(size=(n, 3)), columns=["a", "b", "c"])
    chance = 1 / (1 + np.exp(-(effect * values["a"] - 1)))
    return values, pd.Series((rng.random(n) < chance).astype(int))


def run(values: pd.DataFrame, labels: pd.Series, options: Evaluation = QUICK) -> Result:
    return evaluate(values, labels, make_folds(labels, options), options)


def test_a_real_effect_is_found_and_beats_guessing() -> None:
    result = run(*people(300, 1.5))
    assert result.auc.low > 0.7
    assert result.beats_guessing
    assert result.brier.value < result.baseline_brier


def test_nothing_to_find_is_no_better_than_guessing() -> None:
    verdicts = [run(*people(120, 0.0, seed)).beats_guessing for seed in range(12)]
    assert sum(verdicts) <= 1, "about one in forty by chance"


def test_equal_input_gives_equal_results_and_another_seed_other_folds() -> None:
    values, labels = people(80, 1.0)
    first, second = run(values, labels), run(values, labels)
    assert (first.auc, first.brier) == (second.auc, second.brier)
    assert run(values, labels, QUICK.model_copy(update={"seed": 8})).auc != first.auc


def test_missing_values_and_an_empty_column_do_not_stop_it() -> None:
    values, labels = people(80, 1.0)
    values.loc[::3, "a"] = np.nan
    assert 0 <= run(values.assign(d=np.nan), labels).auc.value <= 1


def test_auc_of_one_fold_is_that_of_its_scores() -> None:
    values, labels = people(60, 1.0)
    truth, one = labels.to_numpy(), [(np.arange(30), np.arange(30, 60))]
    scores = held_out(values.to_numpy(), truth, one, QUICK.model_copy(update={"repeats": 1}))
    auc = area(scores, truth, np.ones((1, 60)))[0]
    assert auc == pytest.approx(roc_auc_score(truth[30:], scores.probability[30:]))


def test_pairs_of_different_folds_are_not_compared() -> None:
    values, labels = people(60, 1.0)
    scores = held_out(values.to_numpy(), labels.to_numpy(), make_folds(labels, QUICK), QUICK)
    n_cases, n_others = scores.compared.shape
    assert scores.compared.max() <= QUICK.repeats
    assert scores.compared.sum() < QUICK.repeats * n_cases * n_others / 2


def test_each_patient_is_held_out_once_a_repeat() -> None:
    _, labels = people(60, 1.0)
    tests = np.concatenate([test for _, test in make_folds(labels, QUICK)])
    assert (np.bincount(tests, minlength=60) == QUICK.repeats).all()


def test_every_draw_has_as_many_patients_as_there_are() -> None:
    assert (resamples(40, QUICK).sum(axis=1) == 40).all()


def a_result(low: float, high: float, gain: float) -> Result:
    auc = Interval((low + high) / 2, low, high)
    return Result(auc, Interval(0.2 - gain, 0.1, 0.3), 0.2, Interval(gain, gain - 0.1, gain + 0.1), NO_SCORES)


@pytest.mark.parametrize(
    ("result", "said", "words"),
    [
        (a_result(0.55, 0.80, 0.01), BETTER, "Better than guessing: AUC 0.68"),
        (a_result(0.45, 0.80, 0.01), NO_BETTER, "the interval of the AUC includes 0.5"),
        (a_result(0.50, 0.80, 0.01), NO_BETTER, "the interval of the AUC includes 0.5"),
        (a_result(0.55, 0.80, -0.01), NO_BETTER, "its probabilities are no better than the share of cases"),
        (a_result(0.20, 0.40, 0.01), NO_BETTER, "it ranks worse than chance"),
    ],
)
def test_the_sentence_follows_from_the_numbers(result: Result, said: str, words: str) -> None:
    assert verdict(result) == said
    assert words in sentence(result)
    assert sentence(result).lower().startswith(said)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.5, 0.99), st.floats(-0.1, 0.1))
def test_an_interval_that_reaches_one_half_never_beats_guessing(high: float, gain: float) -> None:
    result = replace(a_result(0.3, high, gain), auc=Interval(high, 0.5, high))
    assert not result.beats_guessing
