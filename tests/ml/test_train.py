"""A study fitted on plain rows, and its card."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import pytest

from trilake.core.errors import InputError
from trilake.core.verb import to_json
from trilake.ml.card import Trained, as_markdown, make_card
from trilake.ml.features import COLUMNS
from trilake.ml.study import Study
from trilake.ml.train import fit, model_of, write


def silent(text: str) -> None:
    pass


def a_lake_of(n: int, effect: float, seed: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """People and feature rows: `effect` is that of age (per SD) on the log odds; four in ten have no scan."""
    rng = np.random.default_rng(seed)
    names = [f"patient-{number:03d}" for number in range(n)]
    ages, scanned = rng.normal(size=n), rng.random(n) < 0.6
    is_case = rng.random(n) < 1 / (1 + np.exp(-(effect * ages - 0.7)))
    people = pd.DataFrame(
        {
            "patient_id": names, "birth_year": 1950, "gender": np.where(rng.random(n) < 0.5, "male", "female"),
            "site_id": "north", "n_before": 2, "last_year": 2024, "first_onset_year": np.where(is_case, 2022, np.nan),
            "n_undated": 0,
        }
    )  # fmt: skip
    rows: list[list[Any]] = []
    for i, name in enumerate(names):
        rows.append([name, "clinical", "age", 60 + 10 * ages[i], 1950, None, None])
        rows.append([name, "genomic", "rs429358", float(rng.integers(0, 3)), 1950, None, None])
        if scanned[i]:
            rows.append([name, "imaging", "dark_interior_volume", rng.normal(40, 9), 2018, None, None])
    return people, pd.DataFrame(rows, columns=COLUMNS).astype({"event_year": "Int64"})


@pytest.fixture(scope="module")
def trained(study: Study) -> Trained:
    return fit(study, *a_lake_of(200, 1.6), silent)


def signed(trained: Trained) -> dict[str, Any]:
    lock = {"lock_id": "0123456789abcdef", "code_commit": "0123456789abcdef"}
    stamp = {"made_at": datetime(2026, 1, 1, tzinfo=UTC).isoformat(), "persona": "data_scientist", "lock": lock}
    return {**make_card(trained), "notice": "Synthetic, not clinical evidence.", **stamp}


def test_all_sets_of_features_are_scored_on_the_same_folds_against_the_same_baseline(trained: Trained) -> None:
    assert list(trained.results) == ["clinical", "genomic", "imaging", "all"]
    assert len({result.baseline_brier for result in trained.results.values()}) == 1
    verdicts = {name: result.beats_guessing for name, result in trained.results.items()}
    assert verdicts == {"clinical": True, "genomic": False, "imaging": False, "all": True}


def test_the_card_is_json_and_names_no_patient(trained: Trained, tmp_path: Path) -> None:
    card = signed(trained)
    write(tmp_path, card, model_of(trained))
    assert orjson.loads((tmp_path / "card.json").read_bytes())["sentence"] == card["sentence"]
    for path in tmp_path.iterdir():
        assert "patient-" not in path.read_text()


def test_the_card_in_words_says_the_sentence_and_the_notice(trained: Trained) -> None:
    text = as_markdown(signed(trained))
    assert "**Better than guessing: AUC" in text
    assert "> Synthetic, not clinical evidence." in text
    assert "no better than guessing" in text, "of genomic and imaging data alone"


def test_a_useless_model_says_so_first(study: Study) -> None:
    card = signed(fit(study, *a_lake_of(150, 0.0), silent))
    assert card["verdict"] == "no better than guessing"
    assert as_markdown(card).splitlines()[2].startswith("**No better than guessing")


def test_the_model_as_numbers_predicts_as_the_pipeline_does(trained: Trained) -> None:
    model = model_of(trained)
    values = trained.matrix.values.to_numpy()
    filled = np.where(np.isnan(values), model["median"], values)
    log_odds = (filled - model["mean"]) / model["scale"] @ np.array(model["weight"]) + model["intercept"]
    assert np.allclose(1 / (1 + np.exp(-log_odds)), trained.pipeline.predict_proba(values)[:, 1])


def test_a_small_subgroup_has_no_number(trained: Trained) -> None:
    groups = {group["group"]: group["auc"] for group in make_card(trained)["subgroups"]}
    assert groups["gender male"] is not None
    few = trained.people.assign(site_id=["south"] * 9 + ["north"] * (len(trained.people) - 9))
    card = make_card(Trained(**{**trained.__dict__, "people": few}))
    assert {group["group"]: group["auc"] for group in card["subgroups"]}["site_id south"] is None


def test_too_few_cases_are_refused_without_their_number(study: Study) -> None:
    people, rows = a_lake_of(60, 0.0)
    people["first_onset_year"] = [2022] * 7 + [np.nan] * 53
    with pytest.raises(InputError, match="fewer than 10 cases") as error:
        fit(study, people, rows, silent)
    assert "7" not in error.value.message


def test_a_kind_of_data_that_nobody_has_is_an_error(study: Study) -> None:
    people, rows = a_lake_of(80, 1.0)
    with pytest.raises(InputError, match="uses imaging data"):
        fit(study, people, rows[rows["modality"] != "imaging"], silent)


def test_a_leak_stops_the_run(study: Study) -> None:
    people, rows = a_lake_of(80, 1.0)
    rows.loc[0, "event_year"] = 2020
    with pytest.raises(InputError, match="audit failed"):
        fit(study, people, rows, silent)


def test_numbers_are_json(trained: Trained) -> None:
    assert orjson.loads(to_json(make_card(trained)))["n_patients"] == 200
