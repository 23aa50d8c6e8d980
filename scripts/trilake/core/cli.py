"""`trilake <verb>`: the command behind each make target.

Verbs are imported only when called, by name, so that core depends on no room. This is the only place that
catches errors and chooses exit codes: 0 done, 2 usage, 3 done with refusals, 10-15 as in `core.errors`.

Example: trilake query --as radiologist "SELECT count(*) FROM imaging.study"
"""

import importlib
import sys
from typing import NamedTuple

import click

from trilake.core.errors import TrilakeError


class Verb(NamedTuple):
    """Where a verb's command is, and its line in the list of verbs: the first sentence of its own help."""

    command: str
    help: str


VERBS = {
    "sample": Verb(
        "trilake.sample.command:sample",
        "Write synthetic patients as linked FHIR, VCF and DICOM files, and the truth about them in <out>.truth.",
    ),
    "deploy": Verb(
        "trilake.operations.deploy:deploy",
        "Plan, show what would change in words, apply, and put code and settings where jobs find them.",
    ),
    "destroy": Verb(
        "trilake.operations.deploy:destroy",
        "Remove everything that deploy made.",
    ),
    "plan": Verb(
        "trilake.operations.deploy:plan",
        "Show Terraform's plan and, under it, who would gain or lose what.",
    ),
    "ingest": Verb(
        "trilake.operations.ingest:ingest",
        "Load FHIR, VCF and DICOM files, recognised by content; without PATHS, the sample folder.",
    ),
    "ledger": Verb(
        "trilake.operations.ledger:ledger",
        "Show what became of every file: one row per file and run, oldest first, and why records were refused.",
    ),
    "replay": Verb(
        "trilake.operations.replay:replay",
        "Load refused items again by their ids from `trilake ledger`, and nothing else.",
    ),
    "views": Verb(
        "trilake.operations.refresh:views",
        "Bring governed tables and views up to date, each after what it reads.",
    ),
    "review": Verb(
        "trilake.linkage.review:review",
        "List links that wait for a person, or settle some: accepted and rejected ones are remembered over re-loads.",
    ),
    "query": Verb(
        "trilake.operations.query:query",
        "Run one Athena query over tables named room.table.",
    ),
    "access": Verb(
        "trilake.governance.access:access",
        "Who may see which tables, columns and rows, from the policy and the contract.",
    ),
    "explain": Verb(
        "trilake.governance.explain:explain",
        "Why a persona sees a column or not; or who could see a patient.",
    ),
    "plan-review": Verb(
        "trilake.governance.plan_review:plan_review",
        "Who would gain or lose which rows and columns, and what else a plan would do.",
    ),
    "cohort": Verb(
        "trilake.cohort.cohort:cohort",
        "Count a cohort criterion by criterion; lock and extract it.",
    ),
    "train": Verb(
        "trilake.ml.train:train",
        "Train an outcome model and say honestly what it is worth.",
    ),
    "card": Verb(
        "trilake.ml.train:card",
        "Show the report card of a trained study.",
    ),
    "dashboard": Verb(
        "trilake.dashboard.dashboard:dashboard",
        "Write a persona's page as one HTML file that opens anywhere and fetches nothing.",
    ),
    "demo": Verb(
        "trilake.operations.demo:demo",
        "Run the whole story: sample, deploy, ingest, views, queries, cohort, models, pages.",
    ),
}


class Verbs(click.Group):
    """The verbs in the order of the story, each loaded when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # click would import every verb's module, with scipy, pandas and pyiceberg, to list one line of each.
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in VERBS.items()])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module, attribute = VERBS[name].command.split(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="trilake")
def trilake() -> None:
    """Governed lake for clinical (FHIR), genomic (VCF) and imaging (DICOM) data, on AWS or whole on this laptop."""


def main() -> None:
    """Run the command line; errors become sentences and exit codes."""
    try:
        code = trilake.main(standalone_mode=False)
    except TrilakeError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
