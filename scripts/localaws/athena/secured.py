"""The derived table that stands for a physical one in a caller's query: permitted columns of permitted rows.

Pure. Behind every query of a persona.
Example: `derived("__t0", access)` is `SELECT "id" FROM "__t0" WHERE "site_id" = 'north' LIMIT … OFFSET 0`

LIMIT and OFFSET are a fence: no engine may move a filter, a join or an expression of the caller below them, so nothing
the caller writes is ever evaluated on a hidden row - a division by zero or a failed cast there would tell its value.
(DuckDB takes a LIMIT away where it knows that there are fewer rows, never one with an OFFSET.)
"""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.parser import parse_expression
from localaws.athena.rewriter import unplaced
from localaws.lakeformation.expression import parse as checked
from localaws.lakeformation.rules import Access

FENCE = 2**62 - 1


def identifier(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


def derived(internal: str, access: Access, types: dict[str, str]) -> exp.Select:
    """The permitted part of the table behind an internal name; `types` are the table's Hive types."""
    cells = [_cell(name, access, types) for name in access.visible]
    found = plain(internal, cells)
    rows = access.row_filter
    if rows is not None:
        found = found.where(rule(rows, types), copy=False)
    if rows is not None or any(isinstance(cell, exp.Alias) for cell in cells):
        found = found.limit(FENCE, copy=False).offset(0, copy=False)
    unplaced(found)
    return found


def plain(internal: str, columns: list[exp.Expr]) -> exp.Select:
    """Columns of the table behind an internal name, all rows."""
    return exp.Select(expressions=columns, from_=exp.From(this=exp.Table(this=identifier(internal))))


def rule(expression: str, types: dict[str, str]) -> exp.Expr:
    """A row expression as the engine's parser would read it: checked again, so nothing else can stand in it."""
    return parse_expression(checked(expression, types).sql(dialect="trino"))


def _cell(name: str, access: Access, types: dict[str, str]) -> exp.Expr:
    column = exp.column(identifier(name))
    shown_where = access.cell_filter(name)
    if shown_where is None:
        return column
    condition = exp.If(this=rule(shown_where, types), true=column)
    return exp.alias_(exp.Case(ifs=[condition]), name, quoted=True)
