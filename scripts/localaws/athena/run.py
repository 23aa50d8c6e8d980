"""One statement, run: the handler for each kind, and prepared statements resolved.

Reads and writes through the handlers. Behind `make local-aws`.
Example: `run(session, read_statement(sql))`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from localaws.athena import statements as st
from localaws.athena.catalog_ddl import add_partitions, alter, create_database, create_view, drop, repair
from localaws.athena.create_as import create_table_as, unload
from localaws.athena.create_table import create_table
from localaws.athena.dml import change, explain, insert, select
from localaws.athena.errors import QueryError
from localaws.athena.maintenance import maintain
from localaws.athena.parser import with_parameters
from localaws.athena.session import Outcome, Session
from localaws.athena.show import describe, show

Handler = Callable[[Session, Any], Outcome]
_HANDLERS: dict[type[st.Statement], Handler] = {
    st.Select: select,
    st.Explain: explain,
    st.Insert: insert,
    st.Change: change,
    st.CreateTableAs: create_table_as,
    st.Unload: unload,
    st.CreateTable: create_table,
    st.CreateView: create_view,
    st.CreateDatabase: create_database,
    st.Drop: drop,
    st.AddColumns: alter,
    st.ChangeColumn: alter,
    st.DropColumn: alter,
    st.SetProperties: alter,
    st.AddPartitions: add_partitions,
    st.Repair: repair,
    st.Show: show,
    st.Describe: describe,
    st.Maintain: maintain,
}


def run(session: Session, statement: st.Statement) -> Outcome:
    """The statement's outcome; QueryError where it fails."""
    handler = _HANDLERS.get(type(statement))
    if handler is None:
        raise QueryError("NOT_SUPPORTED", "Statement is not supported")
    return handler(session, statement)


def with_values(statement: st.Statement, values: Sequence[str]) -> st.Statement:
    """The statement with its `?` filled; a statement without a query takes no values."""
    tree = getattr(statement, "tree", None)
    if tree is None:
        if values:
            raise QueryError(
                "INVALID_PARAMETER_USAGE", f"Incorrect number of parameters: expected 0 but found {len(values)}"
            )
        return statement
    with_parameters(tree, values)
    return statement
