"""The provider's way to AWS: boto3 clients at the endpoint that the environment names, and only on this machine.

Reads the environment (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, ...) and the provider block.
Make targets: deploy, plan, destroy.
Example: Aws.from_config({"region": "us-east-1"}).client("s3").list_buckets()
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from localaws.terraform.values import Problem, Values, is_empty

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_REGION = "us-east-1"
GONE = frozenset(
    {
        "404",
        "EntityNotFoundException",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchEntity",
        "NoSuchKey",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "NotFound",
        "NotFoundException",
        "OwnershipControlsNotFoundError",
        "AWS.SimpleQueueService.NonExistentQueue",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "StateMachineDoesNotExist",
    }
)


HEEDED = frozenset({"access_key", "default_tags", "region", "secret_key", "token"})
# What these ask for is so on the laptop anyway, or has no meaning there.
HARMLESS = frozenset(
    {
        "insecure",
        "max_retries",
        "retry_mode",
        "s3_use_path_style",
        "skip_credentials_validation",
        "skip_metadata_api_check",
        "skip_region_validation",
        "skip_requesting_account_id",
        "user_agent",
    }
)


class NotLocal(Exception):
    """The environment names no AWS on this machine."""


@dataclass
class Aws:
    """One configured provider: region, keys, tags for all, and clients made when first used."""

    region: str
    endpoint: str | None
    keys: dict[str, str | None]
    default_tags: dict[str, str]
    _clients: dict[str, Any] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.RLock)

    @classmethod
    def from_config(cls, config: Values) -> Aws:
        """From a provider block; what it leaves out comes from the environment, as with the real provider."""
        tags = (config.get("default_tags") or [{}])[0].get("tags") or {}
        names = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY", "token": "AWS_SESSION_TOKEN"}
        return cls(
            region=config.get("region") or _variable("AWS_REGION", "AWS_DEFAULT_REGION") or DEFAULT_REGION,
            endpoint=_variable("AWS_ENDPOINT_URL"),
            keys={name: config.get(name) or _variable(variable) for name, variable in names.items()},
            default_tags={key: value for key, value in tags.items() if isinstance(value, str)},
        )

    def client(self, service: str) -> Any:
        """A boto3 client. NotLocal when the endpoint is none of this machine's: this provider is for the laptop."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._make_client(service)
            return self._clients[service]

    def _make_client(self, service: str) -> Any:
        if self.endpoint is None or urlsplit(self.endpoint).hostname not in LOOPBACK:
            raise NotLocal(
                f"AWS_ENDPOINT_URL is {self.endpoint or 'not set'}. This is the provider for the laptop: it makes "
                "resources only in a localaws on this machine (`make local-aws` prints the lines to set)."
            )
        from botocore.config import Config

        config = Config(
            inject_host_prefix=False,
            max_pool_connections=16,
            retries={"total_max_attempts": 2, "mode": "standard"},
            s3={"addressing_style": "path", "payload_signing_enabled": False},
            parameter_validation=True,
        )
        return self._session.client(service, endpoint_url=self.endpoint, config=config)

    @cached_property
    def _session(self) -> Any:
        import boto3

        return boto3.Session(
            aws_access_key_id=self.keys["access_key"],
            aws_secret_access_key=self.keys["secret_key"],
            aws_session_token=self.keys["token"],
            region_name=self.region,
        )

    @cached_property
    def identity(self) -> dict[str, str]:
        """Account, Arn and UserId of the caller."""
        answer: dict[str, str] = self.client("sts").get_caller_identity()
        return answer

    @property
    def account_id(self) -> str:
        return self.identity["Account"]

    def shape(self, service: str, name: str) -> Any:
        """A shape of the service's model, for `shapes.to_api` and `shapes.from_api`."""
        return self.client(service).meta.service_model.shape_for(name)


def unheeded(config: Values) -> list[Problem]:
    """A warning for each argument of a provider block that changes nothing on the laptop."""
    given = sorted(name for name, value in config.items() if not is_empty(value))
    detail = "The laptop's provider acts as the caller that the environment names."
    return [
        Problem(f"{name} has no effect on the laptop", detail, (name,), "warning")
        for name in given
        if name not in HEEDED | HARMLESS
    ]


def is_gone(error: Exception) -> bool:
    """Whether a boto3 error says that there is no such thing."""
    response = getattr(error, "response", None) or {}
    return response.get("Error", {}).get("Code") in GONE


def _variable(*names: str) -> str | None:
    return next((os.environ[name] for name in names if os.environ.get(name)), None)
