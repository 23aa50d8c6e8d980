"""INSERT, MERGE, UPDATE and DELETE as whole statements, for an engine that commits them itself.

Pure. Behind `make local-aws ENGINE=trino`.
Example: `restored(tree, session.authorised(carrier(tree)).tree)` is the MERGE over what the caller may read.

The authoriser knows queries. So every expression of a statement goes to it in one SELECT, over the statement's source
and its target, and comes back from there; the target stands under its reserved name (see `changes`).
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from localaws.athena.changes import TARGET, label_of, target_name, unqualify, with_target


def insertion(query: exp.Expr) -> exp.Insert:
    """INSERT INTO the target, of the query's rows."""
    return exp.Insert(this=_target(), expression=query)


def carrier(tree: exp.Expr) -> exp.Select:
    """A SELECT that holds every expression of a MERGE, UPDATE or DELETE."""
    tree = _prepared(tree)
    target = _target(label_of(tree.this))
    found = exp.Select(expressions=[*(part.copy() for part in _parts(tree)), exp.Literal.number(1)])
    if isinstance(tree, exp.Merge):
        found.set("from_", exp.From(this=tree.args["using"].copy()))
        found.set("joins", [exp.Join(this=target, side="LEFT", on=tree.args["on"].copy())])
    else:
        found.set("from_", exp.From(this=target))
    return with_target(found)


def restored(tree: exp.Expr, authorised: exp.Expr) -> exp.Expr:
    """The statement with its expressions and its source as the authoriser gave them back."""
    tree = _prepared(tree)
    for part, found in zip(list(_parts(tree)), list(authorised.expressions)[:-1], strict=True):
        part.replace(found)
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
