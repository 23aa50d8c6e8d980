"""Pages of a list: MaxResults and NextToken as Lake Formation has them.

Pure. Behind every list operation.
Example: `page("ResourceInfoList", items, {"MaxResults": 10})`
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from typing import Any

from localaws.service import ServiceError

MOST = 1000


def page(member: str, items: list[dict[str, Any]], params: dict[str, Any]) -> dict[str, Any]:
    """The items from the token on, at most MaxResults, and the token of the rest."""
    size = params.get("MaxResults") or MOST
    start = _start(params.get("NextToken"))
    answer: dict[str, Any] = {member: items[start : start + size]}
    if start + size < len(items):
        answer["NextToken"] = urlsafe_b64encode(str(start + size).encode()).decode()
    return answer


def _start(token: str | None) -> int:
    try:
        return int(urlsafe_b64decode(token)) if token else 0
    except (Error, ValueError) as error:
        raise ServiceError("InvalidInputException", "NextToken is not valid") from error
