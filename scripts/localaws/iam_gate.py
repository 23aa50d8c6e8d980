"""Whether a caller may make a call: the identity policies of its role, decided before any service sees it.

Reads moto's IAM backend. Behind every make target that talks to localaws.
Example: `check(caller, Call("s3:GetObject", "arn:aws:s3:::bucket/key"))`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from localaws.caller import Caller


@dataclass(frozen=True)
class Call:
    """One IAM action on one resource ("*" when the call names none)."""

    action: str
    resource: str = "*"
    context: dict[str, str] = field(default_factory=dict)


class AccessDenied(Exception):
    """The caller's policies do not allow the call."""


def check(caller: Caller, call: Call) -> None:
    """Nothing when the call is allowed; AccessDenied otherwise."""
