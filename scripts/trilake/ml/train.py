"""`trilake train` and `trilake card`: an outcome model from study file to report card, as the persona.

The model is written as numbers (coefficients, medians, scales), which hold no patient and need no pickle to be read.

Example: trilake train alzheimers_disease
"""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson
import pandas as pd

from trilake.clinical.synthetic import notice
from trilake.cohort.lock import take_lock
from trilake.core.disclosure import minimum_cell
from trilake.core.errors import InputError
from trilake.core.session import Session
from trilake.core.sql import parse, tables_read
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, to_json, verb
from trilake.core.yaml_file import find_file
from trilake.ml.audit import audit, require
from trilake.ml.card import ALL, Trained, as_markdown, make_card, range_of, shown
from trilake.ml.evaluate import evaluate, make_folds, make_pipeline
from trilake.ml.features import Matrix, feature_matrix, feature_queries, read_features
from trilake.ml.outcome import attrition, labelled, outcome_table, read_people
from trilake.ml.study import STUDIES, Study, load_study

PEOPLE_TABLES = ["clinical.patient", "clinical.encounter", "clinical.condition"]
CARD_JSON, CARD_TEXT, MODEL = "card.json", "card.md", "model.json"


def model_folder(run: Run, study: str) -> Path:
    return run.folder / "models" / study


@click.command()
@click.argument("study")
@click.option(
    "--as", "persona", default="data_scientist", show_default=True, help="Whose rows and columns the model may use."
)
@verb
@on_engine
def train(run: Run, study: str, persona: str) -> None:
    """Train an outcome model and say honestly what it is worth. STUDY may be the name of one in sql/ml/studies.

    Example: trilake train alzheimers_disease
    """
    definition = load_study(find_file(study, STUDIES))
    folder = model_folder(run, definition.name)
    with run.session() as session:
        report = train_study(session, definition, persona=persona, folder=folder, say=run.say)
    run.emit(report, text=f"{in_words(report)}\n\nCard: {folder / CARD_JSON} and card.md")


@click.command()
@click.argument("study")
@verb
def card(run: Run, study: str) -> None:
    """Show the report card of a trained study.

    Example: trilake card alzheimers_disease
    """
    name = Path(study).stem
    path = model_folder(run, name) / CARD_JSON
    if not path.exists():
        trained = sorted(folder.name for folder in path.parent.parent.glob("*") if (folder / CARD_JSON).exists())
        known = f"There are cards of {', '.join(trained)}" if trained else "Nothing was trained here yet"
        raise InputError(f"No card of '{name}'. {known}", next_step=f"trilake train {study}")
    report = orjson.loads(path.read_bytes())
    run.emit(report, text=as_markdown(report))


def in_words(card: dict[str, Any]) -> str:
    """What a terminal shows after training."""
    steps = [[step["name"], shown(step), step["description"]] for step in card["attrition"]]
    scores = [
        [name, range_of(result["auc"], 2), range_of(result["brier"], 3), result["baseline_brier"], result["verdict"]]
        for name, result in card["results"].items()
    ]
    return "\n".join(
        [
            f"{card['study']}: {card['n_patients']} patients, {card['n_cases']} cases",
            "",
            text_table(["step", "patients", "those who stay have"], steps),
            "",
            text_table(["features", "AUC (95 %)", "Brier score (95 %)", "baseline", "verdict"], scores),
            "",
            f"{card['sentence']}",
            f"{card['notice']}",
        ]
    )


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
    """From the answers of the lake to everything that the card needs."""
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
    # Each kind of data alone, then all together, on the same folds: what a kind adds is then no luck of the split.
    alone = {name: [name] for name in study.modalities} if len(study.modalities) > 1 else {}
    results = {}
    for name, modalities in {**alone, ALL: study.modalities}.items():
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
