"""Function calls: scalar functions by signature, special ones by handler, TRY, and lambdas.

Example: `lower(x)` is looked up in SCALARS; `transform(a, x -> x + 1)` in SPECIAL; anything else does not exist.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from localaws.athena.embedded.aggregates import AGGREGATES, WINDOWS, aggregate_call
from localaws.athena.embedded.compiler import Compiler, Lifted, handles, only
from localaws.athena.embedded.scope import Scope
from localaws.athena.embedded.signatures import Signature, choose, signature
from localaws.athena.embedded.typed import Typed
from localaws.athena.errors import QueryError
from localaws.athena.types import Type, trino_text

Special = Callable[[Compiler, exp.Anonymous, Scope], Typed]
SCALARS: dict[str, list[Signature]] = {}
SPECIAL: dict[str, Special] = {}


def scalars(forms: Sequence[tuple[str, str | Callable[[Sequence[Typed], Type], str]]]) -> None:
    """Add scalar functions to the list of what exists: signature as Trino documents it, text for DuckDB."""
    for head, template in forms:
        form = signature(head, template)
        SCALARS.setdefault(form.name, []).append(form)


def special(*names: str) -> Callable[[Special], Special]:
    """Register a handler for functions whose arguments need more than a signature."""

    def register(handler: Special) -> Special:
        SPECIAL.update(dict.fromkeys(names, handler))
        return handler

    return register


def function_names() -> frozenset[str]:
    """Every function that a query may call."""
    return frozenset(SCALARS) | frozenset(SPECIAL) | frozenset(AGGREGATES) | frozenset(WINDOWS) | {"if", "try"}


def call_name(node: exp.Anonymous) -> str:
    """The name a call is written with, in lower case."""
    return str(node.name if isinstance(node.this, exp.Identifier) else node.this).lower()


@handles(exp.Anonymous, parts="this expressions")
def call(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    name = call_name(node)
    if name in SPECIAL:
        return SPECIAL[name](compiler, node, scope)
    if name in AGGREGATES:
        return aggregate_call(compiler, node, scope)
    if name in WINDOWS:
        raise QueryError("MISSING_OVER", f"Window function {name} requires an OVER clause", node)
    if name not in SCALARS:
        raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered", node)
    return fitted(node, SCALARS[name], arguments(compiler, node, scope))


def arguments(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> list[Typed]:
    """The arguments translated; clauses that only aggregates take are refused."""
    for item in node.expressions:
        if isinstance(item, exp.Distinct | exp.Order):
            raise QueryError("FUNCTION_NOT_AGGREGATE", f"{call_name(node)} is not an aggregation function", node)
        if isinstance(item, exp.Lambda):
            raise wrong_arguments(call_name(node), [Typed("", Type("function"))], node)
    return [compiler.expression(item, scope) for item in node.expressions]


def fitted(node: exp.Anonymous, forms: Sequence[Signature], args: list[Typed]) -> Typed:
    """The call through the form that fits its arguments."""
    choice = choose(forms, args)
    if choice is None:
        raise wrong_arguments(call_name(node), args, node, forms)
    form, converted, returns = choice
    return Typed(form.render(converted, returns), returns)


def wrong_arguments(name: str, args: Sequence[Typed], node: exp.Expr, forms: Sequence[Signature] = ()) -> QueryError:
    """Trino's words for arguments that no form of the function takes."""
    shown = ", ".join(trino_text(arg.type) for arg in args)
    expected = f" Expected: {', '.join(form.text() for form in forms)}" if forms else ""
    return QueryError("FUNCTION_NOT_FOUND", f"Unexpected parameters ({shown}) for function {name}.{expected}", node)


def argument_count(node: exp.Anonymous, *allowed: int) -> None:
    """FUNCTION_NOT_FOUND unless the call has one of these numbers of arguments."""
    if len(node.expressions) not in allowed:
        message = f"Unexpected number of parameters ({len(node.expressions)}) for function {call_name(node)}"
        raise QueryError("FUNCTION_NOT_FOUND", message, node)


def lambda_text(
    compiler: Compiler, node: exp.Expr, scope: Scope, types: Sequence[Type], place: exp.Expr
) -> tuple[list[str], Typed]:
    """A lambda's argument names for DuckDB, and its body translated with arguments of these types."""
    if not isinstance(node, exp.Lambda) or len(node.expressions) != len(types):
        raise QueryError("TYPE_MISMATCH", f"Expected a lambda that takes {len(types)} argument(s)", place)
    only(node, frozenset(["this", "expressions"]))
    names = [compiler.name("v") for _ in types]
    parameters = [item.name.lower() for item in node.expressions]
    arguments_ = {name: Typed(sql, kind) for name, sql, kind in zip(parameters, names, types, strict=True)}
    # Trino says the same: a lambda's body cannot aggregate.
    with compiler.scalar_only("Lambda expression"):
        body = compiler.expression(node.this, Scope(parent=scope, lambdas=arguments_))
    return names, body


@special("try")
def try_function(compiler: Compiler, node: exp.Anonymous, scope: Scope) -> Typed:
    """TRY(x): NULL where x fails. DuckDB's TRY takes no aggregates and subqueries: they are handed in from outside."""
    argument_count(node, 1)
    outer, compiler.lifted = compiler.lifted, Lifted()
    try:
        body = compiler.expression(node.expressions[0], scope)
        lifted = compiler.lifted.members
    finally:
        compiler.lifted = outer
    if not lifted:
        return Typed(f"TRY({body.sql})", body.type)
    packed = ", ".join(f"m{index} := {item.sql}" for index, item in enumerate(lifted))
    # A list of one hands the lifted values in under names.
    once = f"list_transform([struct_pack({packed})], lambda tried: TRY({body.sql}))"
    return compiler.lift(Typed(f"list_extract({once}, 1)", body.type))
