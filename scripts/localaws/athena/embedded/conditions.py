"""LIKE, IN, BETWEEN, CASE and IF.

Reads and writes nothing. Behind `make local-aws`.
Example: `x IN (1, 2.5)` compares decimals; `'a' IN (1)` is TYPE_MISMATCH.
"""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.coercions import common_type
from localaws.athena.embedded.coercion import to_type
from localaws.athena.embedded.compiler import Compiler, handles
from localaws.athena.embedded.operators import compared
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.typed import Typed, text
from localaws.athena.errors import QueryError
from localaws.athena.types import Type, trino_text


@handles(exp.Between, parts="this low high")
def between(compiler: Compiler, node: exp.Between, scope: Scope) -> Typed:
    items = [compiler.expression(node.args[name], scope) for name in ("this", "low", "high")]
    merged = common_type([item.type for item in items])
    if merged is None:
        raise QueryError("TYPE_MISMATCH", f"Cannot check if {trino_text(items[0].type)} is BETWEEN these types", node)
    one, low, high = (to_type(item, merged).sql for item in items)
    return Typed(f"({one} BETWEEN {low} AND {high})", Type("boolean"))


@handles(exp.Like, parts="this expression negate")
def like(compiler: Compiler, node: exp.Like, scope: Scope, escape: str = "") -> Typed:
    item, pattern = compiler.expression(node.this, scope), compiler.expression(node.expression, scope)
    for part in (item, pattern):
        if part.type.name not in ("varchar", "char", "unknown"):
            message = f"Left side of LIKE expression must evaluate to a varchar (actual: {trino_text(part.type)})"
            raise QueryError("TYPE_MISMATCH", message, part.node)
    word = "NOT LIKE" if node.args.get("negate") else "LIKE"
    return Typed(f"({item.sql} {word} {pattern.sql}{escape})", Type("boolean"))


@handles(exp.Escape)
def like_escape(compiler: Compiler, node: exp.Escape, scope: Scope) -> Typed:
    if not isinstance(node.this, exp.Like) or len(node.expression.name) != 1:
        raise QueryError("INVALID_FUNCTION_ARGUMENT", "Escape string must be a single character", node)
    return like(compiler, node.this, scope, f" ESCAPE {text(node.expression.name)}")


@handles(exp.In, parts="this expressions query")
def is_in(compiler: Compiler, node: exp.In, scope: Scope) -> Typed:
    item = compiler.expression(node.this, scope)
    query = node.args.get("query")
    if query is not None:
        inner = compiler.subquery(query, scope)
        if len(inner.fields) != 1:
            raise QueryError("TYPE_MISMATCH", "Multiple columns returned by subquery are not yet supported", node)
        compiler.use(*inner.fields)
        one, two = compared("=", item, Typed('q."c0"', inner.fields[0].type), node)
        return compiler.lift(Typed(f"({one} IN (SELECT {two} AS v FROM ({inner.sql}) AS q))", Type("boolean")))
    if not node.expressions:
        raise QueryError("SYNTAX_ERROR", "mismatched input. Expecting: <expression>, <query>", node)
    values = [compiler.expression(value, scope) for value in node.expressions]
    merged = common_type([item.type, *(value.type for value in values)])
    if merged is None:
        shown = ", ".join(sorted({trino_text(value.type) for value in (item, *values)}))
        raise QueryError("TYPE_MISMATCH", f"IN value and list items must be the same type: {shown}", node)
    listed = ", ".join(to_type(value, merged).sql for value in values)
    return Typed(f"({to_type(item, merged).sql} IN ({listed}))", Type("boolean"))


@handles(exp.Case, parts="this ifs default")
def case(compiler: Compiler, node: exp.Case, scope: Scope) -> Typed:
    subject = compiler.expression(node.this, scope) if node.this else None
    tests = [_test(compiler, branch, scope, subject) for branch in node.args["ifs"]]
    values = [compiler.expression(branch.args["true"], scope) for branch in node.args["ifs"]]
    default = (
        compiler.expression(node.args["default"], scope) if node.args.get("default") else Typed("NULL", Type("unknown"))
    )
    merged = common_type([*(value.type for value in values), default.type])
    if merged is None:
        raise QueryError("TYPE_MISMATCH", "All CASE results must be the same type or coercible to a common type", node)
    parts = " ".join(
        f"WHEN {test} THEN {to_type(value, merged).sql}" for test, value in zip(tests, values, strict=True)
    )
    return Typed(f"CASE {parts} ELSE {to_type(default, merged).sql} END", merged)


def _test(compiler: Compiler, branch: exp.If, scope: Scope, subject: Typed | None) -> str:
    if subject is None:
        return compiler.condition(branch.this, scope, "CASE WHEN clause")
    one, two = compared("=", subject, compiler.expression(branch.this, scope), branch)
    return f"({one} = {two})"


@handles(exp.If, parts="this true false")
def if_function(compiler: Compiler, node: exp.If, scope: Scope) -> Typed:
    test = compiler.condition(node.this, scope, "IF clause")
    yes = compiler.expression(node.args["true"], scope)
    no = compiler.expression(node.args["false"], scope) if node.args.get("false") else Typed("NULL", Type("unknown"))
    merged = common_type((yes.type, no.type))
    if merged is None:
        shown = f"{trino_text(yes.type)} vs {trino_text(no.type)}"
        raise QueryError("TYPE_MISMATCH", f"Result types for IF must be the same: {shown}", node)
    return Typed(f"CASE WHEN {test} THEN {to_type(yes, merged).sql} ELSE {to_type(no, merged).sql} END", merged)
