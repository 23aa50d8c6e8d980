"""What a failed query says: Athena's error names, with the place in the SQL text.

Example: `raise QueryError("TABLE_NOT_FOUND", "Table 'awsdatacatalog.db.t' does not exist", table)`
"""

from __future__ import annotations

from sqlglot import exp

from localaws.service import ServiceError

SYSTEM, USER = 1, 2


class QueryError(Exception):
    """A query that ends FAILED: `CODE: line 1:8: message`, as Athena words it."""

    def __init__(self, code: str, message: str, at: exp.Expr | None = None, category: int = USER) -> None:
        self.code = code
        self.category = category
        place = position(at) if at is not None else None
        self.reason = f"{code}: line {place[0]}:{place[1]}: {message}" if place else f"{code}: {message}"
        super().__init__(self.reason)


def position(node: exp.Expr) -> tuple[int, int] | None:
    """Line and column (both from 1) where the node starts in the SQL text, when the parser kept them."""
    places = [
        (child.meta["line"], child.meta["col"] - (child.meta["end"] - child.meta["start"]))
        for child in node.walk()
        if "line" in child.meta and "col" in child.meta
    ]
    return min(places) if places else None


_TYPES = {
    "SYNTAX_ERROR": 1006,
    "PERMISSION_DENIED": 1301,
    "DDL_ERROR": 1003,
    "ICEBERG_COMMIT_ERROR": 233,
    "ICEBERG_INVALID_METADATA": 233,
    "GENERIC_INTERNAL_ERROR": 200,
}
_USER_ERROR = 1000


def error_type(code: str) -> int:
    """Athena's number for a kind of error: the user's fault unless we know better."""
    return _TYPES.get(code, _USER_ERROR)


def invalid(message: str, code: str = "INVALID_INPUT") -> ServiceError:
    """InvalidRequestException with Athena's own code beside it: the request is refused, no query is made."""
    return ServiceError("InvalidRequestException", message, AthenaErrorCode=code)
