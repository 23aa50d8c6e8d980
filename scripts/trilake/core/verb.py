"""What all verbs share: the options --env, --state and --json, and how results and progress are written.

Results go to standard output, and with --json one object and nothing else; progress and prose go to standard error.

Example:
    @click.command()
    @verb
    def ledger(run: Run) -> None:
        with run.session() as session: ...
        run.emit({"rows": []}, text="no rows")
"""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import orjson

from trilake.core.paths import State
from trilake.core.session import Session, open_session


@dataclass(frozen=True)
class Run:
    """One call of one verb: where it works and how it speaks."""

    environment: str
    state: State
    as_json: bool
    engine: str | None = None
    """What --engine named, for verbs that have it."""

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The deployer's AWS session for the length of the block."""
        with open_session(self.environment, self.state, self.engine) as session:
            yield session

    @property
    def folder(self) -> Path:
        """The environment's folder below the state folder."""
        return self.state.environment(self.environment)

    def command(self, words: str) -> str:
        """What to type next, with the --env and --state that this call was given."""
        environment = [] if self.environment == "local" else ["--env", self.environment]
        is_default = self.state.folder == Path(".trilake").absolute()
        return " ".join(["trilake", words, *environment, *([] if is_default else ["--state", str(self.state.folder)])])

    def say(self, text: str = "") -> None:
        """One line of progress or prose, on standard error."""
        click.echo(text, err=True)

    def emit(self, result: dict[str, Any], *, text: str) -> None:
        """The verb's result: the object with --json, else the text.

        A caller that runs verbs in its own process and gave click a list as `obj` finds the object there too.
        """
        context = click.get_current_context(silent=True)
        if context is not None and isinstance(context.obj, list):
            context.obj.append(result)
        click.echo(to_json(result) if self.as_json else text)


def to_json(result: dict[str, Any]) -> str:
    """Readable JSON; dates as ISO 8601, other foreign values as text."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY
    return orjson.dumps(result, default=str, option=options).decode()


def verb(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a click command the common options and its `Run` as first argument."""

    @click.option(
        "--env", "environment", default="local", show_default=True, help="Environment: local, or a tfvars name."
    )
    @click.option(
        "--state",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(".trilake"),
        show_default=True,
        help="Where local state lives.",
    )
    @click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
    @functools.wraps(function)
    def wrapped(
        *args: Any, environment: str, state: Path, as_json: bool, engine: str | None = None, **options: Any
    ) -> Any:
        return function(Run(environment, State(state.absolute()), as_json, engine), *args, **options)

    return wrapped


def on_engine(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb that opens a session the option --engine; stands below `verb`."""
    words = "What runs Athena's queries on the laptop: embedded, or the real server. [default: what runs, or duckdb]"
    option = click.option("--engine", type=click.Choice(["duckdb", "trino"]), help=words)
    decorated: Callable[..., Any] = option(function)
    return decorated
