"""A study run from end to end, as the persona: outcome table, features, audit, folds, model, card.

Reads governed tables; writes <folder>/card.json, card.md and model.json (coefficients, no patients). `make train`.

Example: card = train_study(session, load_study(path), persona="data_scientist", folder=Path("models"))
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from trilake.clinical.synthetic import notice
from trilake.cohort.lock import take_lock
from trilake.core.disclosure import minimum_cell
from trilake.core.errors import InputError
from trilake.core.session import Session
from trilake.core.sql import parse, tables_read
from trilake.core.verb import to_json
from trilake.ml.audit import audit, require
from trilake.ml.card import ALL, Trained, make_card
from trilake.ml.card_text import as_markdown
from trilake.ml.evaluate import evaluate, make_folds, make_pipeline
from trilake.ml.matrix import Matrix, feature_matrix
from trilake.ml.outcome import attrition, labelled, outcome_table
from trilake.ml.source import feature_queries, read_features, read_people
from trilake.ml.study import Study

PEOPLE_TABLES = ["clinical.patient", "clinical.encounter", "clinical.condition"]
CARD_JSON, CARD_TEXT, MODEL = "card.json", "card.md", "model.json"


def train_study(
    session: Session, study: Study, *, persona: str | None, folder: Path, say: Callable[[str], None]
) -> dict[str, Any]:
    """The report card, also written below `folder`. `session` is the deployer's.

    InputError when the audit fails or when there are too few cases or controls to hold any out.
    """
    caller = session.as_persona(persona)
    lock = take_lock(session, study.model_dump(mode="json"), tables_of(study))
    say(f"Asking for outcome and features as {persona or 'the deployer'}")
    people, rows = read_people(caller, study), read_features(caller, study)
    trained = fit(study, people, rows, say)
    card = {
        **make_card(trained),
        "notice": notice(session),
        "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "persona": persona or "deployer",
        "lock": lock.as_dict(),
    }
    write(folder, card, model_of(trained))
    return card


def tables_of(study: Study) -> list[str]:
    """Every governed table that the study reads."""
    read = {name for text in feature_queries(study) for name in tables_read(parse(text))}
    return sorted(read | set(PEOPLE_TABLES))


def fit(study: Study, people: pd.DataFrame, rows: pd.DataFrame, say: Callable[[str], None]) -> Trained:
    """From the answers of the lake to everything that the card needs. Pure but for `say`."""
    table = outcome_table(people, study)
    labels = labelled(table)
    require_enough(study, labels)
    rows = rows[rows["patient_id"].isin(labels.index)]
    matrix = feature_matrix(rows, list(labels.index), study.modalities)
    require_features(study, matrix)
    folds = make_folds(labels, study.evaluation)
    verdicts = audit(study, rows, matrix, labels, folds)
    require(verdicts)
    say(f"Leakage audit passed: {len(verdicts)} checks")
    chosen = {name: [name] for name in study.modalities} if len(study.modalities) > 1 else {}
    results = {}
    for name, modalities in {**chosen, ALL: study.modalities}.items():
        say(f"Fitting on {name}: {len(folds)} folds")
        results[name] = evaluate(matrix.of(modalities), labels, folds, study.evaluation)
    return Trained(
        study=study,
        people=table.set_index("patient_id").loc[labels.index],
        labels=labels,
        steps=attrition(table),
        matrix=matrix,
        verdicts=verdicts,
        results=results,
        pipeline=make_pipeline(study.evaluation).fit(matrix.values.to_numpy(), labels.to_numpy()),
    )


def require_enough(study: Study, labels: pd.Series) -> None:
    n_cases = int(labels.sum())
    least = max(minimum_cell(), study.evaluation.folds)
    short = [name for name, n in (("cases", n_cases), ("controls", len(labels) - n_cases)) if n < least]
    if short:
        raise InputError(
            f"Study {study.name}: fewer than {least} {', and fewer than that many '.join(short)}, to learn from",
            next_step="widen the value set, the time at risk, or load more patients",
        )


def require_features(study: Study, matrix: Matrix) -> None:
    empty = [name for name, columns in matrix.columns.items() if not columns]
    if empty:
        raise InputError(
            f"Study {study.name} uses {', '.join(empty)} data, and no patient of it has any of the features named",
            next_step="check codes, units and variants in the study file",
        )


def model_of(trained: Trained) -> dict[str, Any]:
    """The model as numbers: fill with median, subtract mean, divide by scale, weigh, add intercept, logistic."""
    steps = trained.pipeline.named_steps
    return {
        "study": trained.study.name,
        "features": list(trained.matrix.values.columns),
        "median": steps["impute"].statistics_.tolist(),
        "mean": steps["scale"].mean_.tolist(),
        "scale": steps["scale"].scale_.tolist(),
        "weight": steps["model"].coef_[0].tolist(),
        "intercept": float(steps["model"].intercept_[0]),
    }


def write(folder: Path, card: dict[str, Any], model: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MODEL).write_text(to_json({**model, "lock_id": card["lock"]["lock_id"]}) + "\n")
    (folder / CARD_TEXT).write_text(as_markdown(card))
    (folder / CARD_JSON).write_text(to_json(card) + "\n")
