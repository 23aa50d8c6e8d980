"""Lists of Glue in pages: MaxResults, NextToken, a hundred where the request does not say.

Pure. Behind every list operation of Glue.
Example: `found, token = page(jobs, params)`; `token` is `{"NextToken": ...}`, or empty after the last page.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from localaws import paging

T = TypeVar("T")
USUAL = 100


def page(items: Sequence[T], params: dict[str, Any]) -> tuple[list[T], dict[str, str]]:
    """One page of a list and, when more is there, the token of the next."""
    found, token = paging.page(items, params.get("NextToken"), params.get("MaxResults") or USUAL)
    return found, {"NextToken": token} if token else {}
