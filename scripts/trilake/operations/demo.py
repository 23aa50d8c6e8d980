"""`trilake demo`: the whole story on synthetic patients, each step the verb that also does it alone.

Reads nothing; writes the sample, the laptop's AWS with everything in it, an extract, models and pages below --state.
Make target: demo.

Example: trilake demo --state /tmp/trilake
"""

import contextlib
import io
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from trilake.core.cli import trilake
from trilake.core.errors import AccessError
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, verb

PERSONAS = ("clinician", "bioinformatician", "radiologist")
QUESTION = """SELECT count(*) AS n_patients, count_if(gender = 'female') AS n_women FROM clinical.patient"""
DENIED = "SELECT count(DISTINCT family_name) AS n_names FROM clinical.patient"
COHORT = "all_three_modalities"
RESEARCHER = "data_scientist"
STUDIES = ("alzheimers_disease", "appendicitis")


@dataclass
class Story:
    """The demo as it goes: each step is announced with its command, run, and its result and seconds kept."""

    run: Run
    steps: list[dict[str, Any]] = field(default_factory=list)

    def step(self, title: str, *words: str) -> dict[str, Any]:
        """Run a verb in front of the audience; its result."""
        self.run.say(f"\n== {title}\n$ {self.command(*words)}")
        started = time.monotonic()
        result = self.call(*words)
        self.keep(self.command(*words), started)
        return result

    def keep(self, command: str, started: float) -> None:
        seconds = round(time.monotonic() - started, 1)
        self.steps.append({"command": command, "seconds": seconds})
        self.run.say(f"   ({seconds} s)")

    def call(self, *words: str, in_silence: bool = False) -> dict[str, Any]:
        """Run a verb in this process. What it prints goes to standard output, or beside it with --json."""
        results: list[dict[str, Any]] = []
        target = io.StringIO() if in_silence else sys.stderr if self.run.as_json else sys.stdout
        with contextlib.redirect_stdout(target):
            trilake.main([*words, *self.options(words[0])], standalone_mode=False, obj=results)
        return results[-1]

    def command(self, *words: str) -> str:
        return " ".join(
            [program(), *(f'"{word}"' if " " in word else word for word in words), *self.shown_options(words[0])]
        )

    def options(self, name: str) -> list[str]:
        """The demo's own options, handed on; --engine to the verbs that have it."""
        common = ["--env", self.run.environment, "--state", str(self.run.state.folder)]
        return common + (["--engine", self.run.engine] if self.run.engine and has_engine(name) else [])

    def shown_options(self, name: str) -> list[str]:
        is_default = self.run.state.folder == Path(".trilake").absolute()
        folder = [] if is_default else ["--state", str(self.run.state.folder)]
        return folder + (["--engine", self.run.engine] if self.run.engine and has_engine(name) else [])

    def ask(self, persona: str, sql: str) -> str:
        """A persona's answer to a question, or Athena's words of refusal."""
        try:
            (row,) = self.call("query", "--as", persona, sql, in_silence=True)["rows"]
        except AccessError as error:
            return error.message.removeprefix("Athena refused the query: ")
        return ", ".join(map(str, row))


def has_engine(name: str) -> bool:
    """Whether the verb takes --engine."""
    command = trilake.get_command(click.Context(trilake), name)
    return command is not None and "engine" in {option.name for option in command.params}


def program() -> str:
    """The command as it can be typed here: by name where the environment is active, else by its place."""
    own = Path(sys.executable).parent / "trilake"
    return "trilake" if shutil.which("trilake") else os.path.relpath(own)


@click.command()
@verb
@on_engine
def demo(run: Run) -> None:
    """Run the whole story: sample, deploy, ingest, views, queries, cohort, models, pages. Again: nothing twice.

    Example: trilake demo
    """
    # Trino takes ten seconds to start: once for the whole story, not once for each verb.
    with run.session() if run.engine == "trino" else contextlib.nullcontext():
        told(run)


def told(run: Run) -> None:
    """The story, step by step, and what it left."""
    started = time.monotonic()
    story = Story(run)
    result = {
        "sample": story.step("Synthetic patients, with the truth about them beside", "sample")["counts"],
        "deploy": story.step("An AWS on this laptop, built by Terraform", "deploy", "--brief")["resources"],
        "ingest": story.step("FHIR, VCF and DICOM through the services' import jobs", "ingest"),
        "views": story.step("Governed tables and views, in the order their SQL gives", "views")["rows"],
        "answers": ask_three(story),
        "cohort": extract_cohort(story),
        "models": train_models(story),
        "pages": story.step("A page per persona", "dashboard")["files"],
    }
    seconds = round(time.monotonic() - started, 1)
    result |= {"steps": story.steps, "seconds": seconds, "state": str(run.folder)}
    run.emit(result, text=closing(story, result))


def ask_three(story: Story) -> dict[str, dict[str, str]]:
    """One question as three personas; one column that two of them may not see."""
    started = time.monotonic()
    story.run.say("\n== One question, three personas, three answers")
    for sql in (QUESTION, DENIED):
        story.run.say(f"$ {story.command('query', '--as', 'PERSONA', sql)}")
    answers = {name: {"patients": story.ask(name, QUESTION), "names": story.ask(name, DENIED)} for name in PERSONAS}
    refusals = {answer["names"] for answer in answers.values() if not answer["names"].isdigit()}
    rows = [
        [name, answer["patients"], "refused" if answer["names"] in refusals else answer["names"]]
        for name, answer in answers.items()
    ]
    story.run.say(text_table(["persona", "patients, women", "distinct family names"], rows))
    story.run.say("\n".join(f"Refused: {words}" for words in sorted(refusals)))
    story.keep("trilake query", started)
    story.run.say(f"Who may see what, column by column: {story.command('access')}")
    return answers


def extract_cohort(story: Story) -> dict[str, Any]:
    folder = str(story.run.folder / "extracts" / COHORT)
    words = ("cohort", COHORT, "--as", RESEARCHER, "--extract", folder)
    return {"folder": folder, **story.step("Patients with all three kinds of data, extracted", *words)}


def train_models(story: Story) -> dict[str, Any]:
    """One outcome, and one that nothing in the data can tell."""
    titles = ("An outcome model, with what it is honestly worth", "A control that nothing in the data can tell")
    cards = [story.step(title, "train", study) for title, study in zip(titles, STUDIES, strict=True)]
    return {study: card.get("verdict") for study, card in zip(STUDIES, cards, strict=True)}


def closing(story: Story, result: dict[str, Any]) -> str:
    folder = Path(result["state"])
    lines = [
        f"\nThe story took {result['seconds']:.0f} s. What it left:",
        f"  {folder}  the laptop's AWS: services, buckets, tables, Terraform's state ({megabytes(folder)})",
        f"  {result['cohort']['folder']}  the cohort's extract and its manifest",
        f"  {folder / 'models'}  models and report cards",
        *(f"  {path}" for path in result["pages"]),
        "",
        "Try next:",
        *(f"  {command}" for command in next_commands(story)),
    ]
    return "\n".join(lines)


def megabytes(folder: Path) -> str:
    n_bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{n_bytes / 1e6:,.0f} MB"


def next_commands(story: Story) -> list[str]:
    return [
        story.command("query", "--as", "bioinformatician", "SELECT * FROM genomic.allele_frequency LIMIT 5"),
        story.command("explain", "--as", "radiologist", "--column", "genomic.variant.calls"),
        story.command("ledger"),
        story.command("card", STUDIES[0]),
        story.command("plan"),
    ]
