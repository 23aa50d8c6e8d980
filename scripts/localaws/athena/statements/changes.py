"""MERGE, UPDATE and DELETE as trees that the authoriser and an engine can take.

For an engine that only reads (DuckDB): one SELECT that says which row of which file goes and which values come.
For an engine that commits itself (Trino): the authoriser knows queries only, so every expression of the statement goes
to it in one SELECT (`carrier`) and comes back from there (`restored`).
In both the target stands as a common table of a reserved name, so that the authoriser sees every other table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlglot import exp

from localaws.athena.catalog import TableRef
from localaws.athena.errors import QueryError

# The authoriser leaves names of WITH entries alone, so the target goes through it as one and is bound to the table
# after.
TARGET = "__merge_target"
# Hidden columns of the target: the file that a row is read from, and its place there.
PATH, POSITION = "$path", "$pos"
_KINDS = (exp.Update, exp.Insert)


@dataclass(frozen=True)
class Clause:
    """One WHEN: for matched rows or not, its condition, and the values it gives (None: the row goes)."""

    matched: bool
    condition: exp.Expr | None
    values: dict[str, exp.Expr] | None


def target_name(tree: exp.Expr) -> list[str]:
    """The table that a MERGE, UPDATE or DELETE changes."""
    table = tree.this
    if not isinstance(table, exp.Table):
        raise QueryError("SYNTAX_ERROR", "mismatched input. Expecting: <table>", tree)
    return [part.name.lower() for part in table.parts]


def change_query(tree: exp.Expr, ref: TableRef) -> exp.Select:
    """The SELECT behind a change; the reserved common table is `TARGET`."""
    tree = tree.copy()
    label = label_of(tree.this)
    unqualify(tree, target_name(tree))
    if isinstance(tree, exp.Merge):
        clauses = [_clause(when, ref, label) for when in tree.args["whens"].expressions]
        source, join = tree.args["using"], tree.args["on"]
        return _select(clauses, ref, label, source=source, on=join)
    where = tree.args.get("where")
    values = _assigned(tree.expressions, ref, label) if isinstance(tree, exp.Update) else None
    condition = where.this if where else None
    select = _select([Clause(True, None, values)], ref, label)
    return select.where(condition, copy=False) if condition is not None else select


def label_of(table: exp.Table) -> exp.Identifier:
    """What the statement's expressions call the target."""
    return exp.to_identifier(table.alias_or_name.lower(), quoted=True)


def unqualify(tree: exp.Expr, name: list[str]) -> None:
    """`db.t.column` of the target becomes `t.column`."""
    for column in tree.find_all(exp.Column):
        if column.args.get("db") and column.table.lower() == name[-1]:
            written = [part.name.lower() for part in column.parts[:-1]]
            if written == name[-len(written) :]:
                column.set("db", None)
                column.set("catalog", None)


def _clause(when: exp.When, ref: TableRef, label: exp.Identifier) -> Clause:
    then = when.args["then"]
    matched = bool(when.args.get("matched"))
    condition = when.args.get("condition")
    # `WHEN NOT MATCHED BY SOURCE` is Spark's and sqlglot's, not Trino's: https://trino.io/docs/current/sql/merge.html
    if when.args.get("source"):
        raise QueryError("SYNTAX_ERROR", "mismatched input 'BY'", when)
    if isinstance(then, exp.Update) and matched:
        return Clause(True, condition, _assigned(then.expressions, ref, label))
    if isinstance(then, exp.Insert) and not matched:
        return Clause(False, condition, _inserted(then, ref))
    if isinstance(then, exp.Var) and then.name.upper() == "DELETE" and matched:
        return Clause(True, condition, None)
    raise QueryError("SYNTAX_ERROR", "mismatched input in WHEN clause", when)


def _assigned(pairs: Sequence[exp.Expr], ref: TableRef, label: exp.Identifier) -> dict[str, exp.Expr]:
    """New values by column; a column that is not set keeps its own."""
    values: dict[str, exp.Expr] = {name: _own(label, name) for name in ref.column_names}
    seen = set()
    for pair in pairs:
        name = pair.this.name.lower()
        if name not in values:
            raise QueryError("COLUMN_NOT_FOUND", f"The UPDATE target table doesn't have column {name}", pair)
        if name in seen:
            raise QueryError("SYNTAX_ERROR", f"Multiple assignments for {name}", pair)
        seen.add(name)
        values[name] = pair.expression
    return values


def _inserted(then: exp.Insert, ref: TableRef) -> dict[str, exp.Expr]:
    listed = then.this.expressions if isinstance(then.this, exp.Tuple) else ([then.this] if then.this else [])
    names = [item.name.lower() for item in listed] or list(ref.column_names)
    body = then.expression
    values = body.expressions if isinstance(body, exp.Tuple) else [body.this if isinstance(body, exp.Paren) else body]
    if len(names) != len(values):
        message = f"Insert column list and values have different sizes: {len(names)}, {len(values)}"
        raise QueryError("TYPE_MISMATCH", message, then)
    by_column: dict[str, exp.Expr] = {name: exp.Null() for name in ref.column_names}
    for name, value in zip(names, values, strict=True):
        if name not in by_column:
            raise QueryError("COLUMN_NOT_FOUND", f"Insert column name does not exist in target table: {name}", then)
        by_column[name] = value
    return by_column


def _own(label: exp.Identifier, name: str) -> exp.Column:
    return exp.Column(this=exp.to_identifier(name, quoted=True), table=label.copy())


def _select(
    clauses: Sequence[Clause],
    ref: TableRef,
    label: exp.Identifier,
    source: exp.Expr | None = None,
    on: exp.Expr | None = None,
) -> exp.Select:
    path = _own(label, PATH)
    tests = [_test(clause, path, is_merge=source is not None) for clause in clauses]
    number = exp.Case(
        ifs=[exp.If(this=test.copy(), true=exp.Literal.number(index + 1)) for index, test in enumerate(tests)]
    )
    columns = [_value(name, clauses, tests, label) for name in ref.column_names]
    select = exp.Select(expressions=[path, _own(label, POSITION), number, *columns])
    target = exp.Table(this=exp.to_identifier(TARGET, quoted=True), alias=exp.TableAlias(this=label.copy()))
    if source is None:
        select.set("from_", exp.From(this=target))
    else:
        select.set("from_", exp.From(this=source))
        select.set("joins", [exp.Join(this=target, side="LEFT", on=on)])
    return with_target(select)


def with_target(query: exp.Select) -> exp.Select:
    """The SELECT with the reserved common table, which the authoriser leaves alone."""
    body = exp.Select(expressions=[exp.Literal.number(1)])
    common = exp.CTE(this=body, alias=exp.TableAlias(this=exp.to_identifier(TARGET, quoted=True)))
    query.set("with_", exp.With(expressions=[common]))
    return query


def _test(clause: Clause, path: exp.Column, *, is_merge: bool) -> exp.Expr:
    if not is_merge:
        return exp.Boolean(this=True)
    # No row of the target stands beside this one of the source: the LEFT JOIN gives it no file.
    absent = exp.Is(this=path.copy(), expression=exp.Null())
    test: exp.Expr = exp.Not(this=absent) if clause.matched else absent
    return exp.And(this=test, expression=exp.Paren(this=clause.condition.copy())) if clause.condition else test


def _value(name: str, clauses: Sequence[Clause], tests: Sequence[exp.Expr], label: exp.Identifier) -> exp.Expr:
    """The column's new value; its own where no clause gives one, so that it has the column's type."""
    branches = [
        exp.If(this=test.copy(), true=clause.values[name].copy())
        for clause, test in zip(clauses, tests, strict=True)
        if clause.values is not None
    ]
    own = _own(label, name)
    return exp.Case(ifs=branches, default=own) if branches else own


def without_target(tree: exp.Expr) -> exp.Expr:
    """The authorised SELECT with the reserved common table left out: the engine binds its name to the target."""
    clause = tree.args["with_"]
    rest = [entry for entry in clause.expressions if entry.alias != TARGET]
    tree.set("with_", exp.With(expressions=rest, recursive=clause.args.get("recursive")) if rest else None)
    return tree


def insertion(query: exp.Expr) -> exp.Insert:
    """INSERT INTO the target, of the query's rows."""
    return exp.Insert(this=_target(), expression=query)


def carrier(tree: exp.Expr) -> exp.Select:
    """A SELECT that holds every expression of a MERGE, UPDATE or DELETE."""
    tree = _prepared(tree)
    target = _target(label_of(tree.this))
    # The number keeps a DELETE without expressions a SELECT.
    select = exp.Select(expressions=[*(part.copy() for part in _parts(tree)), exp.Literal.number(1)])
    if isinstance(tree, exp.Merge):
        select.set("from_", exp.From(this=tree.args["using"].copy()))
        select.set("joins", [exp.Join(this=target, side="LEFT", on=tree.args["on"].copy())])
    else:
        select.set("from_", exp.From(this=target))
    return with_target(select)


def restored(tree: exp.Expr, authorised: exp.Expr) -> exp.Expr:
    """The statement with its expressions and its source as the authoriser gave them back."""
    tree = _prepared(tree)
    for part, replacement in zip(list(_parts(tree)), list(authorised.expressions)[:-1], strict=True):
        part.replace(replacement)
    if isinstance(tree, exp.Merge):
        tree.set("using", authorised.args["from_"].this)
        tree.set("on", authorised.args["joins"][0].args["on"])
    tree.set("this", _target(tree.this.args.get("alias")))
    return tree


def _prepared(tree: exp.Expr) -> exp.Expr:
    tree = tree.copy()
    unqualify(tree, target_name(tree))
    return tree


def _target(alias: exp.Expr | None = None) -> exp.Table:
    label = exp.TableAlias(this=alias.copy()) if isinstance(alias, exp.Identifier) else alias
    return exp.Table(this=exp.to_identifier(TARGET, quoted=True), alias=label)


def _parts(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The expressions of a statement, always in the same order."""
    if isinstance(tree, exp.Merge):
        for when in tree.args["whens"].expressions:
            if when.args.get("condition"):
                yield when.args["condition"]
            yield from _values(when.args["then"])
    if isinstance(tree, exp.Update):
        yield from _values(tree)
    if isinstance(tree, exp.Update | exp.Delete) and tree.args.get("where"):
        yield tree.args["where"].this


def _values(then: exp.Expr) -> list[exp.Expr]:
    if isinstance(then, exp.Update):
        return [pair.expression for pair in then.expressions]
    body = then.args.get("expression")
    if isinstance(body, exp.Tuple):
        return list(body.expressions)
    return [body.this if isinstance(body, exp.Paren) else body] if body is not None else []
