"""AWS's own managed policies (`arn:aws:iam::aws:policy/...`), known to an account once somebody names one.

Reads moto's table of them; writes moto's IAM backend. Behind every make target that talks to localaws.
Example: `make_known("arn:aws:iam::aws:policy/service-role/AWSGlueServiceRole", account_id)`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, iam_backends

from localaws.caller import PARTITION

PREFIX = "arn:aws:iam::aws:policy/"


@cache
def _by_name() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(aws_managed_policies_data)
    return found


def make_known(arn: str, account_id: str) -> None:
    """Put the policy where moto looks for it; an ARN that AWS does not have is left for moto to refuse."""
    iam = iam_backends[account_id][PARTITION]
    name = arn.rpartition("/")[2]
    if not arn.startswith(PREFIX) or arn in iam.managed_policies or name not in _by_name():
        return
    policy = AWSManagedPolicy.from_data(name, account_id, "us-east-1", _by_name()[name])
    if policy.arn == arn:
        iam.managed_policies[arn] = policy
