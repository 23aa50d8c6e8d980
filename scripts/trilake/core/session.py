"""AWS sessions: the one place that knows whether AWS is an account or the laptop.

`open_session` starts localaws for the environment `local` and points every AWS client of the process
(boto3, awswrangler, pyiceberg, Terraform) at it; for any other environment it uses the ambient credentials.

Example:
    with open_session("local", State(Path(".trilake"))) as session:
        session.client("s3").list_buckets()
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import click
from botocore.config import Config
from botocore.exceptions import ClientError

from trilake.core.errors import AccessError, ServiceError, SettingsError
from trilake.core.paths import TERRAFORM, State
from trilake.core.settings import Settings

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
LOCAL = "local"
CLIENT_CONFIG = Config(retries={"mode": "standard", "max_attempts": 5})
# HealthOmics and HealthImaging prefix their host names (`runtime-...`), which a loopback address cannot carry.
LOCAL_CONFIG = CLIENT_CONFIG.merge(Config(inject_host_prefix=False))
SETTINGS_FILE = "settings.json"


class CallerSession(boto3.Session):
    """A boto3 session that makes each client once: making one takes longer than most calls.

    awswrangler asks its session for a client at every call.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._made: dict[str, Any] = {}
        self._making = threading.Lock()

    def client(self, service_name: str, *args: Any, config: Config | None = None, **options: Any) -> Any:
        key = repr((service_name, args, vars(config) if config else None, options))
        with self._making:
            if key not in self._made:
                self._made[key] = super().client(service_name, *args, config=config, **options)
            return self._made[key]


@dataclass(frozen=True)
class Session:
    """One caller in one environment. `persona` is None for the deployer."""

    environment: str
    folder: Path
    boto: CallerSession
    persona: str | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """For Spark's workers: the same settings, under the credentials that a worker has."""
        return revived, (self.environment, self.folder, self.settings)

    def client(self, service: str) -> Any:
        """A boto3 client of this caller."""
        return self.boto.client(service, config=LOCAL_CONFIG if self.environment == LOCAL else CLIENT_CONFIG)

    @cached_property
    def settings(self) -> Settings:
        """What is deployed. SettingsError before the first `make deploy`."""
        return Settings.read(self.folder / SETTINGS_FILE)

    @property
    def workgroup(self) -> str:
        """The Athena workgroup that this caller's queries run in."""
        if self.persona is None:
            return self.settings.core.workgroup
        return self.settings.governance.personas[self.persona].workgroup

    def as_persona(self, name: str | None) -> "Session":
        """The same environment under a persona's role; None keeps the caller.

        SettingsError for a name that the access policy does not have, AccessError when the role may not be assumed.
        """
        if name is None:
            return self
        personas = self.settings.governance.personas
        if name not in personas:
            raise SettingsError(f"No persona '{name}'. There are: {', '.join(sorted(personas))}")
        try:
            answer = self.client("sts").assume_role(RoleArn=personas[name].role_arn, RoleSessionName=name)
        except ClientError as error:
            raise AccessError(f"May not act as {name}: {error.response['Error']['Message']}") from None
        keys = answer["Credentials"]
        boto = CallerSession(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=self.boto.region_name,
        )
        return replace(self, boto=boto, persona=name)


def revived(environment: str, folder: Path, settings: Settings) -> Session:
    """A deployer's or job's session in another process."""
    session = Session(environment, folder, CallerSession())
    session.__dict__["settings"] = settings
    return session


@contextmanager
def open_session(environment: str, state: State, engine: str | None = None) -> Iterator[Session]:
    """The deployer's session.

    For `local`, a LocalAws that is in the foreground on the state is used; else one runs for the length of the block
    and its state is saved at the end. `engine` runs Athena's queries there: `duckdb`, `trino` or, with None, what the
    one in the foreground runs (duckdb where there is none).
    """
    folder = state.environment(environment)
    state.make()
    folder.mkdir(parents=True, exist_ok=True)
    if environment != LOCAL:
        if not (TERRAFORM / "environments" / f"{environment}.tfvars").exists():
            raise SettingsError(
                f"No environment '{environment}': terraform/environments/{environment}.tfvars does not exist",
                next_step="copy terraform/environments/prod.tfvars and fill it in",
            )
        if engine is not None:
            raise SettingsError(f"--engine {engine} is for the environment {LOCAL}: on AWS, Athena runs its own engine")
        yield Session(environment, folder, CallerSession())
        return
    with (
        local_aws(folder, engine) as (endpoint, keys),
        environment_variables(
            AWS_ENDPOINT_URL=endpoint,
            AWS_ACCESS_KEY_ID=keys.access_key_id,
            AWS_SECRET_ACCESS_KEY=keys.secret_access_key,
            AWS_DEFAULT_REGION="us-east-1",
            AWS_REGION="us-east-1",
            AWS_SESSION_TOKEN=None,
            AWS_PROFILE=None,
        ),
    ):
        yield Session(environment, folder, CallerSession())


@contextmanager
def environment_variables(**values: str | None) -> Iterator[None]:
    """Environment variables set (None: unset) for the length of a block."""
    before = {name: os.environ.get(name) for name in values}
    apply_variables(values)
    try:
        yield
    finally:
        apply_variables(before)


def apply_variables(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


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
