"""The gate in front of every service: may this caller do this?

Reads moto's IAM, S3 and KMS backends; writes nothing. Behind every make target that talks to localaws.
Example: `check(caller, actions.calls_of(request, caller.account_id))` raises AccessDenied, or returns.

The deployer and AWS's own service account are administrators: only a Deny of a bucket policy binds the deployer.
Everyone else needs an Allow of an identity policy, within permission boundary and session policy, and no Deny anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from moto.iam.models import iam_backends
from moto.kms.models import Key, kms_backends
from moto.s3.models import FakeBucket, s3_backends

from localaws.caller import PARTITION, SERVICE_ACCOUNT_ID, Caller
from localaws.iam import encryption
from localaws.iam.policy import Call, Decision, Principal, decide

_ALWAYS_ALLOWED = {"sts:GetCallerIdentity", "sts:GetSessionToken"}


class AccessDenied(Exception):
    """A call that no policy allows, or that one denies; worded as AWS words it."""

    def __init__(self, caller: Caller, call: Call, reason: str) -> None:
        self.call = call
        resource = "" if call.resource == "*" else f" on resource: {call.resource}"
        super().__init__(
            f"User: {caller.session_arn} is not authorized to perform: {call.action}{resource} because {reason}"
        )


def check(caller: Caller, calls: Iterable[Call]) -> None:
    """Nothing when all calls are allowed; AccessDenied for the first that is not."""
    if caller.is_admin and caller.account_id == SERVICE_ACCOUNT_ID:
        return
    for call in calls:
        if call.action not in _ALWAYS_ALLOWED:
            for needed in (call, *encryption.key_calls(call)):
                _check_one(caller, _in_context(caller, needed))


def _in_context(caller: Caller, call: Call) -> Call:
    """The call with the global condition keys that localaws knows."""
    known: dict[str, str | list[str]] = {
        "aws:SecureTransport": "true",
        "aws:PrincipalArn": caller.arn,
        "aws:PrincipalAccount": caller.account_id,
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "AssumedRole" if caller.is_role else "User",
        "aws:SourceIp": "127.0.0.1",
        "aws:ViaAWSService": "false",
        "s3:TlsVersion": "1.3",
    }
    if not caller.is_role:
        known["aws:username"] = caller.arn.rsplit("/", 1)[-1]
    return replace(call, context={**known, **call.context})


def _check_one(caller: Caller, call: Call) -> None:
    resource_says, is_foreign = _resource_policy(caller, call)
    if resource_says is Decision.DENY:
        raise AccessDenied(caller, call, "of an explicit deny in a resource-based policy")
    if is_foreign and resource_says is not Decision.ALLOW:
        raise AccessDenied(caller, call, f"no resource-based policy allows the {call.action} action")
    if caller.is_admin:
        return
    _check_limits(caller, call)
    identity_says = decide(identity_policies(caller), call)
    if identity_says is Decision.DENY:
        raise AccessDenied(caller, call, "of an explicit deny in an identity-based policy")
    if resource_says is Decision.ALLOW and not is_foreign:
        return
    if identity_says is not Decision.ALLOW:
        raise AccessDenied(caller, call, f"no identity-based policy allows the {call.action} action")
    if not is_foreign and not _key_trusts_account(caller, call):
        raise AccessDenied(caller, call, f"no resource-based policy allows the {call.action} action")


def _check_limits(caller: Caller, call: Call) -> None:
    """Permission boundary and session policy only ever take away."""
    for kind, documents in (("permissions boundary", boundary(caller)), ("session policy", session_policy(caller))):
        if documents and decide(documents, call) is not Decision.ALLOW:
            raise AccessDenied(caller, call, f"no {kind} allows the {call.action} action")


def principal_of(caller: Caller) -> Principal:
    """The caller by every name that a Principal element may use."""
    account = {caller.account_id, f"arn:aws:iam::{caller.account_id}:root"}
    return Principal(frozenset(account | {caller.arn, caller.session_arn}))


def exact_principal_of(caller: Caller) -> Principal:
    """The caller by its own names only, without its account's."""
    return Principal(frozenset({caller.arn, caller.session_arn}))


def _resource_policy(caller: Caller, call: Call) -> tuple[Decision, bool]:
    """What the resource's own policy says, and whether the resource belongs to another account.

    Naming the account in a policy delegates to its identity policies, it does not grant by itself.
    """
    service = call.action.split(":", 1)[0]
    if service == "s3":
        bucket = find_bucket(call.resource)
        if bucket is None or call.action == "s3:CreateBucket":
            return Decision.SILENT, False
        documents = [bucket.policy.decode()] if bucket.policy else []
        return _resource_decision(caller, call, documents, bucket.account_id)
    key = _find_key(call)
    if key is not None:
        return _resource_decision(caller, call, [key.policy], key.account_id)
    return Decision.SILENT, False


def _find_key(call: Call) -> Key | None:
    if not call.action.startswith("kms:") or ":key/" not in call.resource:
        return None
    _, _, _, region, account_id, name = call.resource.split(":", 5)
    return kms_backends[account_id][region].keys.get(name.removeprefix("key/"))


def _key_trusts_account(caller: Caller, call: Call) -> bool:
    """Identity policies count for a KMS key only when its own policy trusts the account."""
    key = _find_key(call)
    if key is None:
        return True
    return decide([key.policy], call, principal_of(caller)) is Decision.ALLOW


def _resource_decision(caller: Caller, call: Call, documents: list[str], owner: str) -> tuple[Decision, bool]:
    is_foreign = owner != caller.account_id
    if decide(documents, call, principal_of(caller)) is Decision.DENY:
        return Decision.DENY, is_foreign
    principal = principal_of(caller) if is_foreign else exact_principal_of(caller)
    return decide(documents, call, principal), is_foreign


def find_bucket(arn: str) -> FakeBucket | None:
    """The bucket of a bucket or object ARN, whoever owns it."""
    name = arn.removeprefix("arn:aws:s3:::").split("/", 1)[0]
    where = s3_backends.bucket_accounts.get(name)
    if where is None:
        return None
    partition, account_id = where
    return s3_backends[account_id][partition].buckets.get(name)


def identity_policies(caller: Caller) -> list[str]:
    """Inline and attached policies of the caller's role or user (with its groups)."""
    iam = iam_backends[caller.account_id][PARTITION]
    if caller.is_role:
        role = next((role for role in iam.roles.values() if role.arn == caller.arn), None)
        return [] if role is None else _documents(role)
    user = iam.get_user(caller.arn.rsplit("/", 1)[-1])
    found = _documents(user)
    for group in iam.get_groups_for_user(user.name):
        found += _documents(group)
    return found


def _documents(holder: object) -> list[str]:
    inline = dict(holder.policies)  # type: ignore[attr-defined]
    attached = holder.managed_policies.values()  # type: ignore[attr-defined]
    return [*inline.values(), *(_default_document(policy) for policy in attached)]


def _default_document(policy: object) -> str:
    versions = policy.versions  # type: ignore[attr-defined]
    wanted = policy.default_version_id  # type: ignore[attr-defined]
    document: str = next(version.document for version in versions if version.version_id == wanted)
    return document


def boundary(caller: Caller) -> list[str]:
    """The permission boundary of the caller's role, as one document; none when it has none."""
    if not caller.is_role:
        return []
    iam = iam_backends[caller.account_id][PARTITION]
    role = next((role for role in iam.roles.values() if role.arn == caller.arn), None)
    if role is None or not role.permissions_boundary_arn:
        return []
    return [_default_document(iam.managed_policies[role.permissions_boundary_arn])]


def session_policy(caller: Caller) -> list[str]:
    return [caller.session_policy] if caller.session_policy else []
