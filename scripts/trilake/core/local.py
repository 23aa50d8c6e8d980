"""The laptop's AWS behind the environment `local`: the one that runs already, or one for the length of a block.

Reads and writes the state folder through localaws. Behind every verb that opens a session.

Example:
    with local_aws(Path(".trilake/local"), engine=None) as (endpoint, keys): ...
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trilake.core.errors import ServiceError, SettingsError

if TYPE_CHECKING:
    from localaws import LocalAws, LocalAwsBusy
    from localaws.connection import Credentials

BUSY = "wait until it ends, or give another --state DIR"
WAIT_SECONDS = 60.0
WAIT_VARIABLE = "TRILAKE_WAIT_SECONDS"
POLL_SECONDS = 0.5
TRINO_STARTS = "Trino starts for this command, in about 10 s; make local-aws ENGINE=trino keeps one for all"
_held: dict[Path, tuple["LocalAws", str]] = {}
"""What this process runs itself, by folder: a verb may run other verbs."""


@contextmanager
def local_aws(folder: Path, engine: str | None) -> Iterator[tuple[str, "Credentials"]]:
    """Endpoint and the deployer's keys.

    SettingsError when another command holds the folder for longer than WAIT_SECONDS, when the one that runs has another
    engine than asked for, when the engine is not installed, and when the state cannot be read. ServiceError when it
    cannot be saved at the end.
    """
    if folder in _held:
        aws, runs = _held[folder]
        _agree(folder, runs, engine)
        yield aws.endpoint, aws.credentials
        return
    own = _ours_or_theirs(folder, engine)
    if isinstance(own, tuple):
        yield own
        return
    _held[folder] = (own, engine or "duckdb")
    try:
        yield own.endpoint, own.credentials
    finally:
        del _held[folder]
        _ended(own)


def _ours_or_theirs(folder: Path, engine: str | None) -> "LocalAws | tuple[str, Credentials]":
    """A LocalAws of our own, or the one in the foreground; another command that holds the folder is waited for."""
    patience = float(os.environ.get(WAIT_VARIABLE, WAIT_SECONDS))
    until = time.monotonic() + patience
    is_told = False
    while True:
        own = _started(folder, engine or "duckdb")
        if not isinstance(own, Exception):
            return own
        theirs = _in_foreground(folder, engine)
        if theirs is not None:
            return theirs
        if own.process is None or time.monotonic() >= until:
            raise SettingsError(str(own), next_step=BUSY)
        if not is_told:
            click.echo(f"{folder} is in use by process {own.process}: waiting for it, {patience:g} s at most", err=True)
            is_told = True
        time.sleep(POLL_SECONDS)


def _started(folder: Path, engine: str) -> "LocalAws | LocalAwsBusy":
    """A LocalAws of our own; the LocalAwsBusy where somebody else's holds the folder."""
    from localaws import EnginesMissing, LocalAws, LocalAwsBusy, LocalAwsStateError

    aws = LocalAws(folder, engine=engine)
    try:
        aws.__enter__()
    except EnginesMissing as error:
        raise SettingsError(str(error), next_step="make setup-engines ARGS=trino") from None
    except LocalAwsStateError as error:
        raise SettingsError(str(error)) from None
    except LocalAwsBusy as error:
        return error
    if engine == "trino":
        click.echo(TRINO_STARTS, err=True)
    return aws


def _ended(aws: "LocalAws") -> None:
    from localaws import LocalAwsStateError

    try:
        aws.__exit__(None, None, None)
    except LocalAwsStateError as error:
        raise ServiceError(str(error)) from None


def _in_foreground(folder: Path, engine: str | None) -> tuple[str, "Credentials"] | None:
    """The LocalAws of another process that says it may be used; None when there is none."""
    from localaws import LocalAwsBusy
    from localaws.connection import running

    try:
        found = running(folder)
    except LocalAwsBusy as error:
        raise SettingsError(str(error), next_step="end it, then make local-aws") from None
    if found is None:
        return None
    _agree(folder, found.engine, engine)
    return found.endpoint, found.credentials


def _agree(folder: Path, runs: str, engine: str | None) -> None:
    if engine is not None and engine != runs:
        raise SettingsError(
            f"The local AWS in {folder} runs queries on {runs}, not on {engine}",
            next_step=f"leave --engine out, or end it and start it with make local-aws ENGINE={engine}",
        )
