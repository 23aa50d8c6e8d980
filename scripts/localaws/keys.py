"""Access keys, as clients need them.

Reads and writes nothing. Behind every make target that talks to localaws.
Example: `Credentials("AKIA...", "secret")`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Credentials:
    """Keys of an IAM user, or of a role's session when a token is there."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None
