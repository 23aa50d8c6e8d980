"""Names a query can use at one place: columns of its relations, of the queries around it, lambda arguments.

Example: `scope.resolve([identifier_p, identifier_id])` is the Typed for `p.id`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from localaws.athena.embedded.typed import Typed, member, row_names
from localaws.athena.errors import QueryError
from localaws.athena.types import Type

DENIED = "cannot be resolved or requester is not authorized to access requested resources"


@dataclass(frozen=True)
class Field:
    """One column of a relation: its name (None: unnamed), type, DuckDB text and the relation's alias."""

    name: str | None
    type: Type
    sql: str
    qualifier: str | None = None
    zone: str | None = None
    origin: tuple[str, str] | None = None

    def typed(self) -> Typed:
        return Typed(self.sql, self.type, zone=self.zone, origin=self.origin)


@dataclass(frozen=True)
class CommonTable:
    """A WITH entry: the name DuckDB knows it by, and its columns."""

    sql_name: str
    fields: tuple[Field, ...]


@dataclass
class Scope:
    """The names of one query level; what is not found here is looked for in the parent."""

    parent: Scope | None = None
    fields: list[Field] = field(default_factory=list)
    ctes: dict[str, CommonTable] = field(default_factory=dict)
    lambdas: dict[str, Typed] = field(default_factory=dict)

    def cte(self, name: str) -> CommonTable | None:
        scope: Scope | None = self
        while scope is not None:
            if name.lower() in scope.ctes:
                return scope.ctes[name.lower()]
            scope = scope.parent
        return None

    def resolve(self, parts: Sequence[exp.Identifier]) -> tuple[Typed, bool]:
        """The column or lambda argument behind a dotted name, and whether it belongs to this very level."""
        scope: Scope | None = self
        while scope is not None:
            value = scope._local(parts)
            if value is not None:
                return value, scope._level() is self._level()
            scope = scope.parent
        raise unresolved(parts)

    def _level(self) -> Scope:
        """The query level that this scope belongs to: lambda scopes belong to the level around them."""
        scope = self
        while scope.lambdas and scope.parent is not None:
            scope = scope.parent
        return scope

    def _local(self, parts: Sequence[exp.Identifier]) -> Typed | None:
        names = [part.name.lower() for part in parts]
        if names[0] in self.lambdas:
            return dereference(self.lambdas[names[0]], parts[1:])
        if len(names) > 1:
            # `a.b` is first the column b of a, then the field b of a row a, as in Trino.
            qualified = [item for item in self.fields if (item.qualifier, item.name) == (names[0], names[1])]
            if qualified:
                return dereference(_only(qualified, parts), parts[2:])
        plain = [item for item in self.fields if item.name == names[0]]
        return dereference(_only(plain, parts), parts[1:]) if plain else None

    def expand(self, qualifier: str | None) -> list[Field]:
        """The columns behind `*` or `qualifier.*`."""
        return [item for item in self.fields if qualifier is None or item.qualifier == qualifier]


def _only(matches: Sequence[Field], parts: Sequence[exp.Identifier]) -> Typed:
    if len(matches) > 1:
        raise QueryError("AMBIGUOUS_NAME", f"Column '{_dotted(parts)}' is ambiguous", parts[0])
    return matches[0].typed()


def _dotted(parts: Sequence[exp.Identifier]) -> str:
    return ".".join(part.name.lower() for part in parts)


def unresolved(parts: Sequence[exp.Identifier]) -> QueryError:
    """The error for a name that means nothing here, or nothing to this caller."""
    return QueryError("COLUMN_NOT_FOUND", f"Column '{_dotted(parts)}' {DENIED}", parts[0])


def dereference(item: Typed, names: Sequence[exp.Identifier]) -> Typed:
    """Row fields, one after the other."""
    for name in names:
        item = row_field(item, name)
    return item


def row_field(item: Typed, name: exp.Expr) -> Typed:
    """One field of a row, its name in any case."""
    wanted = name.name.lower()
    if item.type.name != "row":
        raise QueryError("TYPE_MISMATCH", f"Expression {wanted} is not of type ROW", name)
    places = [index for index, field_name in enumerate(item.type.fields) if field_name.lower() == wanted]
    if not places:
        raise QueryError("COLUMN_NOT_FOUND", f"Column '{wanted}' {DENIED}", name)
    place = places[0]
    return Typed(member(item.sql, row_names(item.type)[place]), item.type.elements[place], origin=item.origin)
