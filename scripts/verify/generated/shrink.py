"""A failing query made small: parts are taken away as long as it goes on failing.

Reads and writes nothing. Behind `make verify`.
Example: smallest("SELECT lower(a), b FROM t WHERE c > 1", fails)  ->  "SELECT lower(a) FROM t"
"""

from collections.abc import Callable, Iterator

from sqlglot import exp
from sqlglot.errors import SqlglotError

from localaws.athena.parser import AthenaSql, parse_query

MOST_ATTEMPTS = 150
DROPPED = ("where", "having", "order", "limit", "offset", "joins", "distinct", "group", "with_")
SCALAR = (exp.Condition, exp.Case, exp.Cast, exp.Lambda)


def smallest(sql: str, fails: Callable[[str], bool], most: int = MOST_ATTEMPTS) -> str:
    """The smallest query found for which `fails` is true; the query itself where nothing can go."""
    best, attempts, seen = sql, 0, {sql}
    progress = True
    while progress and attempts < most:
        progress = False
        for candidate in candidates(best):
            if candidate in seen or len(candidate) >= len(best):
                continue
            seen.add(candidate)
            attempts += 1
            if attempts > most:
                break
            if fails(candidate):
                best, progress = candidate, True
                break
    return best


def candidates(sql: str) -> list[str]:
    """The query with one thing less, the smallest first."""
    try:
        tree = parse_query(sql)
    except Exception:
        return []
    smaller = set()
    for changed in _less(tree):
        try:
            smaller.add(changed.sql(dialect=AthenaSql))
        except (SqlglotError, ValueError):
            continue
    return sorted(smaller, key=len)


def _less(tree: exp.Expr) -> Iterator[exp.Expr]:
    for place, node in enumerate(tree.walk()):
        if isinstance(node, exp.SetOperation | exp.Subquery):
            sides = [side for side in (node.this, node.args.get("expression")) if isinstance(side, exp.Query)]
            yield from (_replaced(tree, place, side) for side in sides)
        if isinstance(node, exp.Select):
            yield from _lighter(tree, place, node)
        if isinstance(node, exp.Values | exp.Array | exp.Group) and len(node.expressions) > 1:
            yield from (_without(tree, place, number) for number in range(len(node.expressions)))
        if isinstance(node, SCALAR) and node.parent is not None:
            children = [child for child in node.iter_expressions() if isinstance(child, SCALAR)]
            yield from (_replaced(tree, place, child) for child in children if not isinstance(child, exp.Lambda))


def _lighter(tree: exp.Expr, place: int, node: exp.Select) -> Iterator[exp.Expr]:
    if len(node.expressions) > 1:
        yield from (_without(tree, place, number) for number in range(len(node.expressions)))
    for name in DROPPED:
        if node.args.get(name):
            copy, target = _at(tree, place)
            target.set(name, None)
            yield copy


def _at(tree: exp.Expr, place: int) -> tuple[exp.Expr, exp.Expr]:
    copy = tree.copy()
    return copy, next(node for number, node in enumerate(copy.walk()) if number == place)


def _replaced(tree: exp.Expr, place: int, by: exp.Expr) -> exp.Expr:
    copy, node = _at(tree, place)
    if node is copy:
        return by.copy()
    node.replace(by.copy())
    return copy


def _without(tree: exp.Expr, place: int, number: int) -> exp.Expr:
    copy, node = _at(tree, place)
    items = list(node.expressions)
    del items[number]
    node.set("expressions", items)
    return copy
