"""The seam between who may see what and how a query runs.

Reads and writes nothing. Behind `make local-aws`.
Example: `allowed = authorise(tree, caller, catalog, world, "clinical"); engine.query(allowed)`

Every query goes parse -> `authorise` -> translate for the engine -> engine. `localaws.athena.authorise` is a
module that holds these three functions (it satisfies the `Authoriser` protocol below):

- `authorise` gets one query (SELECT, set operation, WITH, VALUES, TABLE; the SELECT inside INSERT, CTAS, UNLOAD,
  MERGE USING, …), parsed by `parser.parse_query` and not yet translated. It gives back the tree in which
  each reference to a physical table, wherever it stands (joins, subqueries in any clause, CTE bodies, lateral),
  has become a derived table over an internal name, keeping the reference's alias and column aliases:
      FROM clinical.patient p  ->  FROM (SELECT "id", "site_id" FROM "__t0" WHERE <row rule>) AS p
      FROM clinical.patient    ->  FROM (...) AS patient
  Qualified column references (`clinical.patient.id`) become `patient.id`. CTE names win over tables by SQL's
  scope rules. Views are expanded in place (a view's own text resolves in the view's schema). Unnest, values and
  CTE references stay. Internal names are unique per table, metadata table and version, begin with `__t`, and
  no name that the user wrote begins so.
- A missing table and a table without any access raise the same QueryError.
- `information_schema` tables are open to all; the engine fills them with what `visible_columns` gives.
- `"t$snapshots"` and the like only for callers with full access to `t` (all columns, no row rule).
- `FOR TIMESTAMP/VERSION AS OF` moves from the table node to `TableRef.version`.

Writes: Lake Formation does not filter a target, so a caller needs full access to it; `require` answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from sqlglot import exp

from localaws.athena.catalog import CatalogView, Column, DatabaseRef, TableRef

if TYPE_CHECKING:
    from localaws.caller import Caller
    from localaws.world import World

TableAction = Literal["READ_ALL", "DESCRIBE_ALL", "INSERT", "DELETE", "UPDATE", "ALTER", "DROP", "DESCRIBE"]
DatabaseAction = Literal["CREATE_TABLE", "CREATE_DATABASE", "DROP", "DESCRIBE"]


@dataclass(frozen=True)
class Authorised:
    """A query over internal names only, and the table behind each internal name."""

    tree: exp.Expr
    tables: Mapping[str, TableRef] = field(default_factory=dict)


class Authoriser(Protocol):
    """What `localaws.athena.authorise` offers."""

    @staticmethod
    def authorise(
        tree: exp.Expr, caller: Caller, catalog: CatalogView, world: World, default_database: str | None
    ) -> Authorised:
        """The query as the caller may run it; QueryError where nothing is left of it."""

    @staticmethod
    def require(
        caller: Caller, world: World, target: TableRef | DatabaseRef, action: TableAction | DatabaseAction
    ) -> None:
        """Nothing if the caller may do this to the table or database, else a QueryError.

        READ_ALL: every column and row (a MERGE, UPDATE or DELETE reads its target, time travel tables).
        DESCRIBE_ALL: the whole schema with its properties and files, so not for who sees a part of the table.
        DatabaseRef with CREATE_DATABASE names a database that does not exist yet.
        """

    @staticmethod
    def visible_columns(caller: Caller, world: World, table: TableRef) -> tuple[Column, ...]:
        """The columns that the caller may select or describe, in table order; empty if it is not theirs to see."""
