"""AWS sessions: the one place that knows whether AWS is an account or the laptop.

`open_session` starts localaws for the environment `local` and points every AWS client of the process
(boto3, awswrangler, pyiceberg, Terraform) at it; for any other environment it uses the ambient credentials.

Example:
    with open_session("local", State(Path(".trilake"))) as session:
        session.client("s3").list_buckets()
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from trilake.core.errors import AccessError, SettingsError
from trilake.core.local import local_aws
from trilake.core.paths import TERRAFORM, State
from trilake.core.settings import Settings

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
