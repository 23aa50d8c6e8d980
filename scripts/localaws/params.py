"""A request's structures as services read them: a needed member that is not there is the caller's fault.

Pure. Behind every make target that talks to localaws.
Example: `Given({})["TableInput"]` raises MissingMember, which the client sees as the operation's own error.

Models call members optional that an operation cannot do without, such as TableInput of Glue's CreateTable.
"""

from __future__ import annotations

from typing import Any

from localaws.service import ServiceError


class MissingMember(ServiceError, KeyError):
    """A member that the operation needs is not in the request."""

    def __init__(self, name: str) -> None:
        super().__init__("ValidationException", f"{name} is missing.")


class Given(dict[str, Any]):
    """One structure of a request."""

    def __missing__(self, name: str) -> Any:
        raise MissingMember(name)
