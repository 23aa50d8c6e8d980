"""What a statement is: query, DML, DDL or utility, and its parts.

Reads and writes nothing. Behind `make local-aws`.
Example: `read_statement("DROP TABLE IF EXISTS t")` is `Drop("TABLE", ["t"], True)`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from sqlglot import exp

from localaws.athena.parser import parse_query, parse_statement
from localaws.athena.tokens import Words


@dataclass(frozen=True)
class Statement:
    """Any statement; `kind` and `sub_kind` are what Athena reports of it."""

    kind: ClassVar[str] = "DDL"
    sub_kind: ClassVar[str] = ""


@dataclass(frozen=True)
class Select(Statement):
    kind: ClassVar[str] = "DML"
    sub_kind: ClassVar[str] = "SELECT"
    tree: exp.Query


@dataclass(frozen=True)
class Insert(Statement):
    kind: ClassVar[str] = "DML"
    sub_kind: ClassVar[str] = "INSERT"
    table: list[str]
    columns: list[str]
    tree: exp.Query


@dataclass(frozen=True)
class Change(Statement):
    """MERGE, UPDATE or DELETE."""

    kind: ClassVar[str] = "DML"
    tree: exp.Expr

    @property
    def word(self) -> str:
        return type(self.tree).__name__.upper()


@dataclass(frozen=True)
class CreateTableAs(Statement):
    kind: ClassVar[str] = "DDL"
    sub_kind: ClassVar[str] = "CREATE_TABLE_AS_SELECT"
    table: list[str]
    properties: dict[str, str]
    tree: exp.Query
    if_not_exists: bool = False
    with_data: bool = True


@dataclass(frozen=True)
class Unload(Statement):
    kind: ClassVar[str] = "DML"
    sub_kind: ClassVar[str] = "UNLOAD"
    tree: exp.Query
    location: str
    properties: dict[str, str]


@dataclass(frozen=True)
class CreateView(Statement):
    sub_kind: ClassVar[str] = "CREATE_VIEW"
    view: list[str]
    sql: str
    tree: exp.Query
    replace: bool = False


@dataclass(frozen=True)
class ColumnText:
    """A column of CREATE TABLE: its type as Hive writes it."""

    name: str
    type: str
    comment: str = ""


@dataclass(frozen=True)
class CreateTable(Statement):
    sub_kind: ClassVar[str] = "CREATE_TABLE"
    table: list[str]
    columns: list[ColumnText]
    partitions: list[str] = field(default_factory=list)
    partition_columns: list[ColumnText] = field(default_factory=list)
    location: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    format: dict[str, str] = field(default_factory=dict)
    serde: dict[str, str] = field(default_factory=dict)
    comment: str = ""
    external: bool = False
    if_not_exists: bool = False


@dataclass(frozen=True)
class Drop(Statement):
    what: str
    name: list[str]
    if_exists: bool
    cascade: bool = False


@dataclass(frozen=True)
class CreateDatabase(Statement):
    name: str
    if_not_exists: bool
    location: str = ""
    comment: str = ""


@dataclass(frozen=True)
class AddColumns(Statement):
    table: list[str]
    columns: list[ColumnText]


@dataclass(frozen=True)
class ChangeColumn(Statement):
    table: list[str]
    name: str
    column: ColumnText


@dataclass(frozen=True)
class DropColumn(Statement):
    table: list[str]
    name: str


@dataclass(frozen=True)
class SetProperties(Statement):
    table: list[str]
    properties: dict[str, str]


@dataclass(frozen=True)
class AddPartitions(Statement):
    table: list[str]
    partitions: list[tuple[dict[str, str], str]]
    if_not_exists: bool


@dataclass(frozen=True)
class Repair(Statement):
    table: list[str]


@dataclass(frozen=True)
class Show(Statement):
    kind: ClassVar[str] = "UTILITY"
    what: str
    name: list[str] = field(default_factory=list)
    pattern: str = ""


@dataclass(frozen=True)
class Describe(Statement):
    kind: ClassVar[str] = "UTILITY"
    table: list[str]
    extended: bool = False


@dataclass(frozen=True)
class Explain(Statement):
    kind: ClassVar[str] = "UTILITY"
    tree: exp.Query
    analyze: bool = False


@dataclass(frozen=True)
class Maintain(Statement):
    """OPTIMIZE … REWRITE DATA USING BIN_PACK, VACUUM."""

    word: str
    table: list[str]
    where: exp.Expr | None = None


@dataclass(frozen=True)
class Prepare(Statement):
    name: str
    sql: str


@dataclass(frozen=True)
class Execute(Statement):
    kind: ClassVar[str] = "DML"
    name: str
    values: list[str]


@dataclass(frozen=True)
class Deallocate(Statement):
    name: str


class Unsupported(ValueError):
    """No statement of Athena's begins like this."""


def read_statement(sql: str) -> Statement:
    """The statement in the text; QueryError SYNTAX_ERROR, or Unsupported."""
    from localaws.athena import ddl_grammar

    words = Words(sql)
    if any(token.kind == "sign" and token.value == ";" for token in words.tokens):
        raise Unsupported("Only one sql statement is allowed. Got: several statements")
    reader = _reader(words, ddl_grammar.READERS)
    if reader is None:
        raise Unsupported("Queries of this type are not supported")
    return reader(words)


def _reader(words: Words, ddl: dict[str, Callable[[Words], Statement]]) -> Callable[[Words], Statement] | None:
    token = words.current
    if token is None:
        raise words.refusal()
    if token.value == "(" or token.upper in ("SELECT", "WITH", "VALUES", "TABLE"):
        return _select
    if token.upper == "INSERT":
        return _insert
    if token.upper in ("MERGE", "UPDATE", "DELETE"):
        return _change
    return ddl.get(token.upper)


def _select(words: Words) -> Statement:
    return Select(parse_query(words.rest()))


def _insert(words: Words) -> Statement:
    words.expect("INSERT", "INTO")
    table = words.qualified()
    columns: list[str] = []
    if words.peek("(") and not _opens_query(words):
        words.expect("(")
        columns.append(words.identifier())
        while words.accept(","):
            columns.append(words.identifier())
        words.expect(")")
    return Insert(table, columns, parse_query(words.rest()))


def _opens_query(words: Words) -> bool:
    after = words.tokens[words.place + 1] if words.place + 1 < len(words.tokens) else None
    return after is not None and after.upper in ("SELECT", "WITH", "VALUES", "TABLE", "(")


def _change(words: Words) -> Statement:
    tree = parse_statement(words.rest())
    if not isinstance(tree, exp.Merge | exp.Update | exp.Delete):
        raise words.refusal()
    return Change(tree)
