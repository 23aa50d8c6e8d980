"""Known traps for SQL, found without Trino: file, line, trap, why, and what to write instead.

Looks into every .sql file, and the SQL in the YAML files of pages, cohorts and studies; `make verify` asks the real
engines. A trap that is meant stands in the contract of its table or view, with its reason and in how many places:

    allowed_traps:
      - {trap: ties, reason: loads have one number each}

Example: traps_in_text("SELECT count(*) / 2 FROM clinical.patient")  ->  [Trap(line=1, name="integer_division")]
"""

import re
from collections.abc import Iterable, Iterator, Mapping
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
from trilake.operations.trap_rules import RULES

NULLS = re.compile(r"\bnulls\s+(first|last)\b", re.IGNORECASE)
SQL_KEYS = ("sql",)


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
