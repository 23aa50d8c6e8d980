"""Lists in pages: NextToken and MaxResults as the AWS list calls have them.

Example: `page(items, token=None, size=50)` is the first fifty and the token of the rest.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from localaws.service import ServiceError

T = TypeVar("T")


def page(items: Sequence[T], token: str | None, size: int) -> tuple[list[T], str | None]:
    """One page and the token of the next, None after the last; ValidationException for a token we did not give."""
    start = _offset(token) if token else 0
    end = start + size
    return list(items[start:end]), _token(end) if end < len(items) else None


def requested_page(items: Sequence[T], params: dict[str, Any], usual: int) -> tuple[list[T], dict[str, str]]:
    """The page that MaxResults and NextToken ask for, and `{"NextToken": ...}`, empty after the last page.

    `usual` is the service's page size where the request does not say: 100 in Glue, 1000 in Lake Formation.
    """
    items_of_page, token = page(items, params.get("NextToken"), params.get("MaxResults") or usual)
    return items_of_page, {"NextToken": token} if token else {}


def _token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"offset:{offset}".encode()).decode()


def _offset(token: str) -> int:
    try:
        name, _, number = base64.urlsafe_b64decode(token.encode()).decode().partition(":")
        if name == "offset":
            return int(number)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        pass
    raise ServiceError("ValidationException", "The next token is not valid.")
