"""Who may become a role: the trust policy, for callers and for AWS services.

Reads moto's IAM backend; opens sessions in its STS. Behind every make target that talks to localaws.
Example: `session_for_service(role_arn, "glue.amazonaws.com", "job-run")` are the keys a job runs with.
"""

from __future__ import annotations

from collections.abc import Mapping

from moto.iam.models import Role, iam_backends
from moto.sts.models import sts_backends

from localaws.caller import PARTITION, REGION, Caller
from localaws.connection import Credentials
from localaws.iam.conditions import ANY
from localaws.iam.gate import AccessDenied, exact_principal_of, identity_policies, principal_of
from localaws.iam.policy import Call, Decision, Principal, decide

_SESSION_SECONDS = 12 * 3600


class NotTrusted(Exception):
    """The role is not there, or does not trust the service that wants to be it."""


def find_role(role_arn: str) -> Role | None:
    """The role of an ARN, in any account."""
    parts = role_arn.split(":", 5)
    if len(parts) != 6 or parts[4] not in iam_backends:
        return None
    roles = iam_backends[parts[4]][PARTITION].roles.values()
    return next((role for role in roles if role.arn == role_arn), None)


def check_assume_role(caller: Caller, params: Mapping[str, str]) -> None:
    """Nothing when the caller may assume the role; AccessDenied otherwise, also for a role that is not there."""
    context: dict[str, str | list[str]] = {"aws:PrincipalArn": caller.arn, "aws:PrincipalAccount": caller.account_id}
    for name in ("ExternalId", "RoleSessionName"):
        if name in params:
            context[f"sts:{name}"] = params[name]
    call = Call("sts:AssumeRole", params.get("RoleArn", ""), context=context)
    role = find_role(call.resource)
    trust = [] if role is None else [role.assume_role_policy_document]
    if decide(trust, call, principal_of(caller)) is not Decision.ALLOW:
        raise AccessDenied(caller, call, "no resource-based policy allows the sts:AssumeRole action")
    if caller.is_admin or decide(trust, call, exact_principal_of(caller)) is Decision.ALLOW:
        return
    if decide(identity_policies(caller), call) is not Decision.ALLOW:
        raise AccessDenied(caller, call, "no identity-based policy allows the sts:AssumeRole action")


def session_for_service(role_arn: str, service: str, session_name: str, source_arn: str | None = None) -> Credentials:
    """Keys of a session of the role, as an AWS service such as `healthlake.amazonaws.com` opens it; NotTrusted if not.

    `source_arn` is the resource the service acts for; without it a condition on aws:SourceArn is taken to hold.
    """
    role = find_role(role_arn)
    if role is None:
        raise NotTrusted(f"The role {role_arn} does not exist.")
    context: dict[str, str | list[str]] = {
        "aws:SourceAccount": role.account_id,
        "aws:SourceArn": source_arn or ANY,
    }
    call = Call("sts:AssumeRole", role_arn, context=context)
    principal = Principal(frozenset({service}), kind="Service")
    if decide([role.assume_role_policy_document], call, principal) is not Decision.ALLOW:
        raise NotTrusted(f"The role {role_arn} does not trust {service}.")
    session = sts_backends[role.account_id][PARTITION].assume_role(
        region_name=REGION,
        role_session_name=session_name,
        role_arn=role_arn,
        policy="",
        duration=_SESSION_SECONDS,
        external_id="",
    )
    return Credentials(session.access_key_id, session.secret_access_key, session.session_token)
