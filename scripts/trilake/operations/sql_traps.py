"""Known traps for SQL, found without Trino: file, line, trap, why, and what to write instead.

Looks into every .sql file, and the SQL in the YAML files of pages, cohorts and studies; `make verify` asks the real
engines. A trap that is meant stands in the contract of its table or view, with its reason and in how many places:

    allowed_traps:
      - {trap: ties, reason: loads have one number each}

Example: traps_in_text("SELECT count(*) / 2 FROM clinical.patient")  ->  [Trap(line=1, name="integer_division")]
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import yaml
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.parsers.trino import TrinoParser

from trilake.core.contract import AllowedTrap, load_contract, load_views
from trilake.core.paths import SQL

Types = Mapping[str, str]
"""Column name → contract type, of columns that have one type wherever they are."""
INTEGERS = ("tinyint", "smallint", "int", "integer", "bigint")
COUNTS = ("count", "count_if", "cardinality", "length", "strpos", "row_number", "rank", "approx_distinct", "date_diff")
TEXTS = (
    "substr",
    "substring",
    "concat",
    "regexp_extract",
    "json_extract_scalar",
    "split_part",
    "trim",
    "replace",
    "lower",
)
KEPT_IN_ORDER = ("array_sort", "cardinality", "contains", "any_match", "all_match", "none_match", "arrays_overlap")
KEY = re.compile(r"(.*_)?(id|uid|key|hash|place|lastupdated|file)|n")
"""Columns that are taken to be never NULL and, as the last word of an order, to tell rows apart. HealthLake stamps each
version of a resource with a time of its own."""
FOREIGN = re.compile(r"\(\?(?:[=!>]|<[=!])|(?<!\\)(?:\\\\)*\\(?:[1-9hRXZ]|p\{(?:Is|In))|(?:[*+?]|\})\+|&&\[")
NOW = ("date", "current_date")
NULLS = re.compile(r"\bnulls\s+(first|last)\b", re.IGNORECASE)
SQL_KEYS = ("sql",)


@dataclass(frozen=True)
class Rule:
    """One trap: whether a node falls into it, why that matters, what to write instead."""

    is_in: Callable[[exp.Expr, Types], bool]
    why: str
    instead: str


def name_of(node: exp.Expr | None) -> str:
    """The name of a call, in lower case; an empty text for anything else."""
    return str(node.name or node.this).lower() if isinstance(node, exp.Anonymous) else ""


def bare(node: exp.Expr) -> exp.Expr:
    """The node without its parentheses."""
    return bare(node.this) if isinstance(node, exp.Paren) else node


def type_of(node: exp.Expr, types: Types) -> str:
    """A column's contract type or a cast's target, in lower case; an empty text where the text does not show one."""
    node = bare(node)
    if isinstance(node, exp.Cast):
        return str(node.to.sql(dialect="trino")).lower()
    return types.get(node.name.lower(), "") if isinstance(node, exp.Column) else ""


def is_integer(node: exp.Expr, types: Types) -> bool:
    node = bare(node)
    if isinstance(node, exp.Literal):
        return not node.is_string and node.name.isdigit()
    if name_of(node) in ("nullif", "sum", "max", "min", "abs", "greatest", "least", "coalesce"):
        return all(is_integer(item, types) for item in node.expressions)
    if isinstance(node, exp.Window | exp.Filter):
        return is_integer(node.this, types)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul):
        return is_integer(node.this, types) and is_integer(node.expression, types)
    return name_of(node) in COUNTS or type_of(node, types) in INTEGERS


def is_key(node: exp.Expr) -> bool:
    """A column, or a field of one, whose name says that it tells rows apart."""
    name = node.expression.name if isinstance(node, exp.Dot) else node.name
    return isinstance(node, exp.Column | exp.Dot) and bool(KEY.fullmatch(name.lower()))


def divides_integers(node: exp.Expr, types: Types) -> bool:
    if not isinstance(node, exp.Div) or not (is_integer(node.this, types) and is_integer(node.expression, types)):
        return False
    # `year / 10 * 10` can only mean whole numbers.
    multiplied = node.parent if isinstance(node.parent, exp.Mul) and node.parent.this is node else None
    return multiplied is None or multiplied.expression != node.expression


def truncates_date(node: exp.Expr, types: Types) -> bool:
    if name_of(node) != "date_trunc" or len(node.expressions) != 2 or isinstance(node.parent, exp.Cast):
        return False
    moment = bare(node.expressions[1])
    return type_of(moment, types) == "date" or name_of(moment) in NOW or isinstance(moment, exp.CurrentDate)


def leaves_nulls_open(node: exp.Expr, _: Types) -> bool:
    """A DESC without a word on NULLs, where the order decides which row or value is taken."""
    if not isinstance(node, exp.Ordered) or not node.args.get("desc") or "nulls" in node.meta:
        return False
    value = bare(node.this)
    if isinstance(value, exp.Literal) or name_of(value) in COUNTS or node.args.get("nulls_first"):
        return False
    if any(is_key(column) for column in value.find_all(exp.Column, exp.Dot)) or value.name.lower().startswith("n_"):
        return False
    holder = node.parent.parent if node.parent else None
    return not isinstance(holder, exp.Query) or bool(holder.args.get("limit"))


def approximates(node: exp.Expr, _: Types) -> bool:
    return name_of(node).startswith("approx_")


def speaks_java(node: exp.Expr, _: Types) -> bool:
    if not name_of(node).startswith("regexp_") or len(node.expressions) < 2:
        return False
    pattern = bare(node.expressions[1])
    return isinstance(pattern, exp.Literal) and bool(FOREIGN.search(pattern.name))


def casts_text_to_time(node: exp.Expr, types: Types) -> bool:
    if not isinstance(node, exp.Cast) or not node.args.get("is_call"):
        return False
    target, source = node.to.sql(dialect="trino").lower(), bare(node.this)
    if not target.startswith(("timestamp", "date", "time")):
        return False
    is_text = name_of(source) in TEXTS or isinstance(source, exp.DPipe)
    return is_text or type_of(source, types).startswith(("string", "varchar"))


def subscripts(node: exp.Expr, _: Types) -> bool:
    return isinstance(node, exp.Bracket) and not (
        name_of(bare(node.this)) == "split" and [item.name for item in node.expressions] == ["1"]
    )


def around(node: exp.Expr) -> exp.Expr | None:
    """What the node stands in, parentheses and clauses of an aggregate left out."""
    parent = node.parent
    while isinstance(parent, exp.Paren | exp.Filter | exp.WithinGroup | exp.Window | exp.Distinct) or (
        name_of(parent) == "array_distinct"
    ):
        parent = parent.parent if parent else None
    return parent


def collects_in_no_order(node: exp.Expr, _: Types) -> bool:
    if name_of(node) not in ("array_agg", "listagg", "multimap_agg") or name_of(around(node)) in KEPT_IN_ORDER:
        return False
    parent = node.parent.parent if isinstance(node.parent, exp.Filter) else node.parent
    is_window = isinstance(parent, exp.Window) and bool(parent.args.get("order"))
    return not (is_window or isinstance(node.parent, exp.WithinGroup) or node.find(exp.Order))


def numbers_ties(node: exp.Expr, _: Types) -> bool:
    """row_number() whose order ends in something that two rows may share."""
    if not isinstance(node, exp.Window) or name_of(node.this) != "row_number":
        return False
    order = node.args.get("order")
    if order is None:
        return not isinstance(node.args.get("alias"), exp.Identifier)
    return not is_key(bare(order.expressions[-1].this))


def takes_any(node: exp.Expr, _: Types) -> bool:
    return name_of(node) in ("arbitrary", "any_value")


def limits_without_order(node: exp.Expr, _: Types) -> bool:
    return isinstance(node, exp.Query) and bool(node.args.get("limit")) and not node.args.get("order")


def prints_double(node: exp.Expr, types: Types) -> bool:
    if not isinstance(node, exp.Cast) or not node.to.sql(dialect="trino").lower().startswith("varchar"):
        return False
    return type_of(node.this, types) in ("double", "real", "float")


def spreads_outer_array(node: exp.Expr, _: Types) -> bool:
    """UNNEST as the FROM of a subquery, of a column that the subquery does not have: Trino refuses it."""
    if not isinstance(node, exp.Unnest) or not isinstance(node.parent, exp.From):
        return False
    select = node.parent.parent
    if not isinstance(select, exp.Select) or not isinstance(select.parent, exp.Subquery | exp.Exists | exp.In):
        return False
    is_relation = isinstance(select.parent.parent, exp.From | exp.Join)
    return not is_relation and any(column is not None for column in node.expressions[0].find_all(exp.Column))


def filters_window(node: exp.Expr, _: Types) -> bool:
    return isinstance(node, exp.Window) and isinstance(node.this, exp.Filter)


def lists_map(node: exp.Expr, _: Types) -> bool:
    if name_of(node) not in ("map_keys", "map_values", "map_entries"):
        return False
    parent = around(node)
    return name_of(parent) not in (*KEPT_IN_ORDER, "array_max", "array_min") and not isinstance(parent, exp.Unnest)


def lists_null(node: exp.Expr, _: Types) -> bool:
    return isinstance(node, exp.In) and any(isinstance(item, exp.Null) for item in node.expressions)


RULES: Mapping[str, Rule] = {
    "integer_division": Rule(
        divides_integers,
        "a quotient of integers is cut to an integer in Trino, a fraction in DuckDB's own SQL and in Spark",
        "CAST(a AS double) / b, or a // b in words: CAST(floor(CAST(a AS double) / b) AS bigint)",
    ),
    "date_trunc_of_date": Rule(
        truncates_date,
        "date_trunc of a date is a date in Trino, a timestamp elsewhere",
        "CAST(date_trunc('month', d) AS date)",
    ),
    "null_order": Rule(
        leaves_nulls_open,
        "where NULLs stand under DESC differs between engines, and here it decides which row is taken",
        "ORDER BY x DESC NULLS LAST",
    ),
    "approximate": Rule(
        approximates,
        "an approximation is another number on every engine, and need not be the same twice",
        "count(DISTINCT x); for quantiles, a rank in a window",
    ),
    "regex_dialect": Rule(
        speaks_java,
        "look-around, back-references, possessive quantifiers and Java's classes are not in RE2",
        "a pattern of plain groups, classes and alternatives",
    ),
    "text_to_time": Rule(
        casts_text_to_time,
        "which texts are a time differs: Trino's cast takes no T between date and time, and fails on the rest",
        "from_iso8601_timestamp(x), from_iso8601_date(x) or date_parse(x, format), in TRY where it may be none",
    ),
    "array_bounds": Rule(
        subscripts,
        "a[n] past the end (or m[k] of a key that is not there) ends the query in Trino, and is NULL elsewhere",
        "element_at(a, n)",
    ),
    "array_order": Rule(
        collects_in_no_order,
        "the order of what is collected is random",
        "array_agg(x ORDER BY y), or array_sort(array_agg(x))",
    ),
    "ties": Rule(
        numbers_ties,
        "rows that tie are numbered at random",
        "a last term of ORDER BY that no two rows share (an id)",
    ),
    "any_row": Rule(takes_any, "which of the values is taken is random", "max(x), or max_by(x, key)"),
    "limit_without_order": Rule(limits_without_order, "which rows stay is random", "ORDER BY something before LIMIT"),
    "double_as_text": Rule(
        prints_double,
        "Trino prints a double as 1.5E0, other engines as 1.5",
        "format('%.2f', x), or CAST(CAST(x AS decimal(18, 2)) AS varchar)",
    ),
    "outer_unnest": Rule(
        spreads_outer_array,
        "Trino refuses UNNEST of an outer column in a subquery",
        "CROSS JOIN UNNEST beside the table, or any_match(a, x -> ...)",
    ),
    "window_filter": Rule(
        filters_window, "Trino refuses FILTER in a window", "an aggregate of CASE WHEN ... THEN x END OVER (...)"
    ),
    "map_order": Rule(lists_map, "a map's keys come in no order", "array_sort(map_keys(m))"),
    "null_in_list": Rule(
        lists_null,
        "Trino 476 may answer false for x IN (NULL, ...) where SQL says unknown",
        "leave the NULL out, and ask for x IS NULL",
    ),
}


class CallsByName(Trino):
    """Trino's grammar with every call left under its own name."""

    INDEX_OFFSET = 0

    class Parser(TrinoParser):
        FUNCTIONS: ClassVar[dict[str, Any]] = {}  # type: ignore[assignment, misc, unused-ignore]
        FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {  # type: ignore[misc, unused-ignore]
            name: parse
            for name, parse in TrinoParser.FUNCTION_PARSERS.items()
            if name in ("CAST", "TRY_CAST", "EXTRACT", "TRIM", "POSITION")
        }


@dataclass(frozen=True)
class Trap:
    """One trap in one text; lines count from 1."""

    line: int
    name: str

    def __str__(self) -> str:
        rule = RULES[self.name]
        return f"{self.name}: {rule.why}; write {rule.instead}, or allow it in the contract"


def faults_of_traps(folder: Path = SQL) -> list[str]:
    """Every trap below the folder, `file:line: trap: why; what instead`."""
    types = column_types(folder)
    allowed = allowed_traps(folder)
    faults = []
    for path in sorted(folder.rglob("*.sql")):
        entries = allowed.get(path.relative_to(folder).with_suffix("").as_posix(), ())
        traps = traps_in_text(path.read_text(), types)
        faults += [(path, line, words) for line, words in unallowed(traps, entries)]
    for path in sorted(folder.rglob("*.yaml")):
        for start, text in sql_of_yaml(path.read_text()):
            faults += [(path, start + trap.line - 1, str(trap)) for trap in traps_in_text(text, types)]
    return [f"{'/'.join(path.parts[-4:])}:{line}: {words}" for path, line, words in faults]


def allowed_traps(folder: Path) -> dict[str, tuple[AllowedTrap, ...]]:
    """What the contract allows, by `room/tables/name` or `room/views/name`."""
    tables, views = load_contract(folder).items(), load_views(folder).items()
    allowed = {name.replace(".", "/tables/"): table.allowed_traps for name, table in tables}
    return allowed | {name.replace(".", "/views/"): view.allowed_traps for name, view in views}


def unallowed(traps: list[Trap], allowed: Iterable[AllowedTrap]) -> Iterator[tuple[int, str]]:
    """Traps that the contract does not allow, and what it allows that is not there: a permission ends with its trap."""
    permitted = {entry.trap: entry for entry in allowed}
    yield from ((trap.line, str(trap)) for trap in traps if trap.name not in permitted)
    for name, entry in permitted.items():
        lines = [trap.line for trap in traps if trap.name == name]
        if name not in RULES:
            yield 1, f"the contract allows {name}: no such trap; there are {', '.join(RULES)}"
        elif len(lines) != entry.places:
            yield max(lines, default=1), f"{name} in {len(lines)} places, the contract allows {entry.places}"


def traps_in_text(text: str, types: Mapping[str, str] | None = None) -> list[Trap]:
    """The traps of one statement; none where it does not parse (others say so)."""
    try:
        trees = [tree for tree in CallsByName().parse(text) if tree is not None]
    except SqlglotError:
        return []
    for tree in trees:
        mark_nulls(tree, text)
        mark_casts(tree)
    found = {
        Trap(line_of(node), name)
        for tree in trees
        for node in tree.walk()
        for name, rule in RULES.items()
        if rule.is_in(node, types or {})
    }
    return sorted(found, key=lambda trap: (trap.line, trap.name))


def mark_nulls(tree: exp.Expr, text: str) -> None:
    """Note on each ORDER BY term whether the text says where NULLs go: the tree alone does not keep it."""
    for term in tree.find_all(exp.Ordered):
        ends = [node.meta["end"] for node in term.walk() if "end" in node.meta]
        after = re.split(r"[,()]", text[max(ends) + 1 :], maxsplit=1)[0] if ends else ""
        closed = text[max(ends) + 1 :].lstrip(")") if ends else ""
        if NULLS.search(after) or NULLS.search(re.split(r"[,)]", closed, maxsplit=1)[0]):
            term.meta["nulls"] = True


def mark_casts(tree: exp.Expr) -> None:
    """`CAST(x AS date)` is told from `DATE '2020-01-01'`: a literal's type is no cast of a text."""
    for node in tree.find_all(exp.Cast):
        node.set("is_call", not isinstance(node.this, exp.Literal))


def line_of(node: exp.Expr) -> int:
    """The first line that anything in the node stands on; the one of what it stands in where it has none."""
    current: exp.Expr | None = node
    while current is not None:
        lines = [found.meta["line"] for found in current.walk() if "line" in found.meta]
        if lines:
            return int(min(lines))
        current = current.parent
    return 1


def sql_of_yaml(text: str) -> Iterator[tuple[int, str]]:
    """Each SQL text in a YAML file with the line it begins on."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return _sql_below(root) if root is not None else iter(())


def _sql_below(node: yaml.Node) -> Iterator[tuple[int, str]]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _sql_below(item)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in SQL_KEYS and isinstance(value, yaml.ScalarNode):
                yield value.start_mark.line + (2 if value.style in ("|", ">") else 1), value.value
            else:
                yield from _sql_below(value)


@cache
def column_types(folder: Path = SQL) -> dict[str, str]:
    """Column name → type, for names that have one type in every contract."""
    found: dict[str, set[str]] = {}
    for table in load_contract(folder).values():
        for column in table.columns:
            found.setdefault(column.name, set()).add(column.type)
    return {name: types.pop() for name, types in found.items() if len(types) == 1}
