"""What a query reads: tables under aliases, joins, derived tables, VALUES; and select lists over them.

Reads and writes nothing. Behind `make verify`.
Example: Relations(Random(7), [EVERY]).table().sql  ->  "every AS t1"
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from verify.generated.expressions import Expressions
from verify.generated.grammar import TEMPLATES
from verify.generated.tables import Table

SIMPLE = ("bigint", "varchar", "date", "boolean", "decimal", "small")
JOINS = ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN")
Columns = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Relation:
    """A piece of FROM; `columns` are what it offers by kind, `key` is unique and never NULL."""

    sql: str
    columns: Columns
    key: str


@dataclass(frozen=True)
class Output:
    """A select list: its texts, and the kinds of those that have a name."""

    items: list[str]
    named: dict[str, str]


def merged(*parts: Columns) -> dict[str, list[str]]:
    """Columns of several relations side by side."""
    names_by_kind: dict[str, list[str]] = {}
    for part in parts:
        for kind, names in part.items():
            names_by_kind.setdefault(kind, []).extend(names)
    return names_by_kind


@dataclass
class Relations:
    """Draws relations of these tables; `names` maps a table to how it is written in FROM."""

    rng: Random
    tables: Sequence[Table]
    names: Mapping[str, str] = field(default_factory=dict)
    n_names: int = 0

    def name(self, prefix: str) -> str:
        self.n_names += 1
        return f"{prefix}{self.n_names}"

    def one_of(self, *texts: str) -> str:
        return self.rng.choice(texts)

    def table(self) -> Relation:
        """One of the tables under an alias."""
        table, alias = self.rng.choice(self.tables), self.name("t")
        columns: dict[str, list[str]] = {}
        for column, kind in table.columns.items():
            # The governed tables have columns that are words of the language (end).
            name = f'"{column}"' if "." in table.name else column
            columns.setdefault(kind, []).append(f"{alias}.{name}")
        return Relation(f"{self.names.get(table.name, table.name)} AS {alias}", columns, f'{alias}."{table.key}"')

    def relation(self) -> Relation:
        """A table, two joined, a derived table or a list of VALUES."""
        draw = self.rng.random()
        if draw < 0.55:
            return self.table()
        if draw < 0.8:
            return self.joined()
        return self.derived() if draw < 0.93 else self.values()

    def joined(self) -> Relation:
        left, right = self.table(), self.table()
        columns = merged(left.columns, right.columns)
        kind = self.one_of(*[kind for kind in ("bigint", "varchar", "date") if left.columns.get(kind)])
        others = right.columns.get(kind) or [Expressions(self.rng, right.columns).of(kind, 1)]
        test = f"{self.rng.choice(left.columns[kind])} = {self.rng.choice(others)}"
        word = self.one_of(*JOINS)
        if self.rng.random() < 0.2:
            test += f" AND {Expressions(self.rng, left.columns).of('boolean', 1)}"
        key = f"(coalesce({left.key}, 0) * 1000 + coalesce({right.key}, 0))"
        return Relation(f"{left.sql} {word} {right.sql} ON {test}", columns, key)

    def derived(self) -> Relation:
        inner, alias = self.table(), self.name("d")
        output = self.output(inner, n_items=self.rng.choice([1, 2, 3]), kinds=tuple(TEMPLATES), all_named=True)
        key = self.name("k")
        columns: dict[str, list[str]] = {"bigint": [f"{alias}.{key}"]}
        for name, kind in output.named.items():
            columns.setdefault(kind, []).append(f"{alias}.{name}")
        where = self.where(inner)
        sql = f"(SELECT {', '.join(output.items)}, {inner.key} AS {key} FROM {inner.sql}{where}) AS {alias}"
        return Relation(sql, columns, f"{alias}.{key}")

    def values(self) -> Relation:
        alias, kinds = self.name("v"), [self.rng.choice(SIMPLE) for _ in range(self.rng.choice([1, 2]))]
        said = Expressions(self.rng, {})
        rows = [
            "(" + ", ".join([str(place + 1), *(said.of(kind, 1) for kind in kinds)]) + ")"
            for place in range(self.rng.choice([1, 2, 3]))
        ]
        names = [self.name("c") for _ in kinds]
        columns: dict[str, list[str]] = {}
        for name, kind in zip(names, kinds, strict=True):
            columns.setdefault(kind, []).append(f"{alias}.{name}")
        return Relation(f"(VALUES {', '.join(rows)}) AS {alias} ({', '.join(['k', *names])})", columns, f"{alias}.k")

    def output(
        self, relation: Relation, n_items: int, kinds: Sequence[str], depth: int = 3, *, all_named: bool = False
    ) -> Output:
        """A select list of expressions of these kinds."""
        said = Expressions(self.rng, relation.columns)
        items, named = [], {}
        for _ in range(n_items):
            kind = self.rng.choice(kinds)
            text = said.of(kind, depth)
            if all_named or self.rng.random() < 0.7:
                name = self.name("a")
                named[name] = kind
                text = f"{text} AS {name}"
            items.append(text)
        return Output(items, named)

    def where(self, relation: Relation, chance: float = 0.5, word: str = "WHERE") -> str:
        if self.rng.random() > chance:
            return ""
        return f" {word} {Expressions(self.rng, relation.columns).of('boolean', 2)}"
