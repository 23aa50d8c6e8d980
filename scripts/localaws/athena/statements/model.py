"""What a statement is: query, DML, DDL or utility, and its parts.

Example: `DROP TABLE IF EXISTS t` is `Drop("TABLE", ["t"], True)`; `grammar` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from sqlglot import exp


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
