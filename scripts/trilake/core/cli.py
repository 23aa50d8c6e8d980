"""`trilake <verb>`: the command behind each make target.

Verbs are imported only when called, by name, so that core depends on no room. This is the only place that
catches errors and chooses exit codes: 0 done, 2 usage, 3 done with refusals, 10-15 as in `core.errors`.

Example: trilake query --as radiologist "SELECT count(*) FROM imaging.study"
"""

import importlib
import sys

import click

from trilake.core.errors import TrilakeError

VERBS = {
    "sample": "trilake.sample.command:sample",
    "deploy": "trilake.operations.deploy:deploy",
    "destroy": "trilake.operations.deploy:destroy",
    "plan": "trilake.operations.deploy:plan",
    "ingest": "trilake.operations.ingest:ingest",
    "ledger": "trilake.operations.ledger:ledger",
    "replay": "trilake.operations.replay:replay",
    "views": "trilake.operations.refresh:views",
    "review": "trilake.linkage.review:review",
    "query": "trilake.operations.query:query",
    "access": "trilake.governance.access:access",
    "explain": "trilake.governance.explain:explain",
    "plan-review": "trilake.governance.plan_review:plan_review",
    "cohort": "trilake.cohort.cohort:cohort",
    "train": "trilake.ml.train:train",
    "card": "trilake.ml.train:card",
    "dashboard": "trilake.dashboard.dashboard:dashboard",
    "demo": "trilake.operations.demo:demo",
}


class Verbs(click.Group):
    """The verbs in the order of the story, each loaded when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module, attribute = VERBS[name].split(":")
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
