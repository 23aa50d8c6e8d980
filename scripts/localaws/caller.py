"""Who is calling: the IAM user or role behind an access key id.

Reads moto's IAM and STS backends. Behind every make target that talks to localaws.
Example: `resolve("ASIA...").arn` is `arn:aws:iam::123456789012:role/trilake-local-persona-auditor`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

ACCOUNT_ID = "123456789012"
SERVICE_ACCOUNT_ID = "888888888888"
DEPLOYER = "deployer"
SERVICE_USER = "service"
REGION = "us-east-1"
PARTITION = "aws"


@dataclass(frozen=True)
class Caller:
    """An authenticated identity; `arn` is that of the IAM user, or of the *role* for assumed-role keys."""

    account_id: str
    arn: str
    is_admin: bool
    session_name: str | None = None
    access_key_id: str = ""
    session_policy: str | None = None

    @property
    def is_role(self) -> bool:
        return ":role/" in self.arn

    @property
    def session_arn(self) -> str:
        """The ARN that `sts:GetCallerIdentity` answers: users as they are, roles as assumed-role sessions."""
        if not self.is_role:
            return self.arn
        return f"arn:aws:sts::{self.account_id}:assumed-role/{self.arn.rsplit('/', 1)[-1]}/{self.session_name}"


class UnknownKey(Exception):
    """The access key id belongs to nobody here, or its session has expired."""

    def __init__(self, access_key_id: str, *, expired: bool = False) -> None:
        super().__init__(access_key_id)
        self.expired = expired


def resolve(access_key_id: str) -> Caller:
    """The caller behind an access key id; UnknownKey when there is none or its session is over."""
    for account_id in list(iam_backends):
        iam = iam_backends[account_id][PARTITION]
        key = iam.access_keys.get(access_key_id)
        if key is None:
            continue
        if key.role_arn:
            return _assumed_role(account_id, access_key_id)
        user = iam.get_user_from_access_key_id(access_key_id)
        if user is None or key.status != "Active":
            break
        arn = f"arn:aws:iam::{account_id}:user{user.path or '/'}{user.name}"
        return Caller(account_id, arn, user.name in {DEPLOYER, SERVICE_USER}, access_key_id=access_key_id)
    raise UnknownKey(access_key_id)


def _assumed_role(account_id: str, access_key_id: str) -> Caller:
    session = sts_backends[account_id][PARTITION].get_assumed_role_from_access_key(access_key_id)
    if session is None:
        raise UnknownKey(access_key_id)
    if session.expiration < datetime.now(UTC).replace(tzinfo=None):
        raise UnknownKey(access_key_id, expired=True)
    return Caller(
        account_id,
        session.role_arn,
        is_admin=False,
        session_name=session.session_name,
        access_key_id=access_key_id,
        session_policy=session.policy or None,
    )
