"""`trilake train` and `trilake card`: an outcome model with an honest report, and that report again.

Reads a study file and governed tables; writes <state>/<env>/models/<study>/. Make targets: train, card.

Example: trilake train alzheimers_disease
"""

from pathlib import Path
from typing import Any

import click
import orjson

from trilake.cohort.yaml_file import find_file
from trilake.core.errors import InputError
from trilake.core.paths import SQL
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, verb
from trilake.ml.card_text import as_markdown, range_of, shown
from trilake.ml.study import load_study
from trilake.ml.train import CARD_JSON, train_study

STUDIES = SQL / "ml" / "studies"


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
        found = train_study(session, definition, persona=persona, folder=folder, say=run.say)
    run.emit(found, text=f"{in_words(found)}\n\nCard: {folder / CARD_JSON} and card.md")


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
        there = sorted(folder.name for folder in path.parent.parent.glob("*") if (folder / CARD_JSON).exists())
        known = f"There are cards of {', '.join(there)}" if there else "Nothing was trained here yet"
        raise InputError(f"No card of '{name}'. {known}", next_step=f"trilake train {study}")
    found = orjson.loads(path.read_bytes())
    run.emit(found, text=as_markdown(found))


def in_words(card: dict[str, Any]) -> str:
    """What a terminal shows after training."""
    steps = [[one["name"], shown(one), one["description"]] for one in card["attrition"]]
    scores = [
        [name, range_of(one["auc"], 2), range_of(one["brier"], 3), one["baseline_brier"], one["verdict"]]
        for name, one in card["results"].items()
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
