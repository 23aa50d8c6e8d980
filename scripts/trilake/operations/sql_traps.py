"""Known traps for SQL, found without Trino: file, line, trap, why, and what to write instead.

Reads sql/: every .sql file, and the SQL in the YAML files of pages, cohorts and studies. Behind `trilake views --check`
and `make check`; `make verify` then asks the real engines.

A trap that is meant stays with a comment on its line or the line above, giving a reason:

    row_number() OVER (ORDER BY load_id) AS n  -- allow ties: loads have one number each
    /* allow approximate: a tile says "about" */

Example: traps_in_text("SELECT count(*) / 2 FROM clinical.patient")  ->  [Trap(line=1, name="integer_division")]
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import yaml
from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import SqlglotError
from sqlglot.parsers.trino import TrinoParser

from trilake.core.contract import load_contract
from trilake.core.paths import SQL
from trilake.operations.trap_rules import RULES

ALLOWED = re.compile(r"(?:--|/\*)\s*allow (\w+)(?::[ \t]*(\S[^*\n]*))?")
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
        return f"{self.name}: {rule.why}; write {rule.instead}, or -- allow {self.name}: reason"


def faults_of_traps(folder: Path = SQL) -> list[str]:
    """Every trap below the folder, `file:line: trap: why; what instead`."""
    types = column_types(folder)
    found = []
    for path in sorted(folder.rglob("*.sql")):
        found += [(path, trap.line, str(trap)) for trap in traps_in_text(path.read_text(), types)]
        found += [(path, line, words) for line, words in unreasoned(path.read_text())]
    for path in sorted(folder.rglob("*.yaml")):
        for start, text in sql_of_yaml(path.read_text()):
            found += [(path, start + trap.line - 1, str(trap)) for trap in traps_in_text(text, types)]
            found += [(path, start + line - 1, words) for line, words in unreasoned(text)]
    return [f"{'/'.join(path.parts[-4:])}:{line}: {words}" for path, line, words in found]


def traps_in_text(text: str, types: Mapping[str, str] | None = None) -> list[Trap]:
    """The traps of one statement that no comment allows; none where it does not parse (others say so)."""
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
    lines = text.splitlines()
    return sorted((trap for trap in found if not is_allowed(trap, lines)), key=lambda trap: (trap.line, trap.name))


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


def is_allowed(trap: Trap, lines: list[str]) -> bool:
    near = lines[max(0, trap.line - 2) : trap.line]
    return any(match[1] == trap.name for line in near for match in ALLOWED.finditer(line))


def unreasoned(text: str) -> Iterator[tuple[int, str]]:
    """Comments that allow without a reason, or allow what is no trap."""
    for number, line in enumerate(text.splitlines(), 1):
        for match in ALLOWED.finditer(line):
            if match[1] not in RULES:
                yield number, f"allow {match[1]}: no such trap; there are {', '.join(RULES)}"
            elif not match[2]:
                yield number, f"allow {match[1]} without a reason; write -- allow {match[1]}: reason"


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
