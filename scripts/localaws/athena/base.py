"""What the parts of the Athena service share: state, refusals, pages.

Reads and writes the service's state. Behind `make local-aws`.
Example: `page(items, params)` gives one page and the token of the next.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from localaws.athena.state import AthenaState
from localaws.service import Service, ServiceError

if TYPE_CHECKING:
    from localaws.world import World

Params = dict[str, Any]
T = TypeVar("T")


class AthenaBase(Service):
    """State and helpers; operations live in the classes built on this."""

    service_name = "athena"

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._lock = threading.RLock()

    @property
    def _state(self) -> AthenaState:
        found: AthenaState = self.world.state("athena", AthenaState)
        return found


def invalid(message: str, code: str = "INVALID_INPUT") -> ServiceError:
    """InvalidRequestException with Athena's own code beside it."""
    return ServiceError("InvalidRequestException", message, AthenaErrorCode=code)


def page(items: Sequence[T], params: Params, default: int = 50) -> tuple[list[T], dict[str, str]]:
    """The items from the request's token on, and `NextToken` if there are more."""
    token = params.get("NextToken") or "0"
    if not token.isdigit():
        raise invalid("The nextToken is not valid")
    start, size = int(token), params.get("MaxResults") or default
    more = {"NextToken": str(start + size)} if start + size < len(items) else {}
    return list(items[start : start + size]), more
