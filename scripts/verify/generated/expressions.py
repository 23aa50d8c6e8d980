"""Expressions of a wanted kind, drawn from the grammar over the columns in sight.

Reads and writes nothing. Behind `make verify`.
Example: Expressions(Random(1), {"bigint": ["e.id"]}).of("bigint", depth=2)  ->  "(e.id + abs(e.id))"
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from verify.generated.grammar import CONSTANTS, SHOWN, TEMPLATES

HOLE = re.compile(r"\{(?:(\w):)?(\w+!?)\}")
FALLBACK: Mapping[str, str] = {
    "boolean": "true",
    "bigint": "CAST(7 AS bigint)",
    "small": "3",
    "double": "2.5E0",
    "real": "REAL '1.5'",
    "decimal": "CAST(3.25 AS decimal(12,2))",
    "decimal2": "0.5",
    "varchar": "CAST('ab' AS varchar)",
    "date": "DATE '2020-02-29'",
    "timestamp": "TIMESTAMP '2020-02-29 12:34:56.789'",
    "zoned": "TIMESTAMP '2020-02-29 12:34:56.789 UTC'",
    "bigints": "ARRAY[CAST(1 AS bigint), 2]",
    "texts": "ARRAY[CAST('a' AS varchar), 'b']",
    "rows": "ARRAY[CAST(ROW('a', 1) AS ROW(code varchar, n bigint))]",
    "pair": "CAST(ROW('a', 1) AS ROW(code varchar, n bigint))",
    "scores": "MAP(ARRAY[CAST('a' AS varchar)], ARRAY[CAST(1 AS bigint)])",
    "binary": "X'61'",
    "json_text": """'{"a":1}'""",
    "json": "JSON '[1]'",
}
ANY = ("bigint", "varchar", "double", "date", "timestamp", "boolean", "bigints", "pair", "decimal")
PLAIN = 0.35
TYPED_NULL = {"bigint": "bigint", "varchar": "varchar", "double": "double", "date": "date", "boolean": "boolean"}
RARE_NULL = 0.03


@dataclass
class Expressions:
    """What can be said with these columns: kind -> their texts. Lambda arguments come and go in `arguments`."""

    rng: Random
    columns: Mapping[str, Sequence[str]]
    arguments: dict[str, list[str]] = field(default_factory=dict)
    n_names: int = 0

    def of(self, kind: str, depth: int = 2) -> str:
        """An expression of the kind; a deeper one is likelier to be a call of calls."""
        if kind.endswith("!"):
            return self.plain(kind[:-1])
        if kind in CONSTANTS:
            return self.rng.choice(CONSTANTS[kind])
        if kind == "any":
            kind = self.rng.choice(ANY)
        if kind in SHOWN:
            return self.filled(self.rng.choice(SHOWN[kind]), depth)
        if depth <= 0 or self.rng.random() < PLAIN:
            return self.plain(kind)
        return f"({self.filled(self.rng.choice(TEMPLATES[kind]), depth)})"

    def plain(self, kind: str) -> str:
        """A column or a lambda's argument where there is one, else a constant."""
        inner = self.arguments.get(kind, [])
        outer = list(self.columns.get(kind, []))
        if inner and (not outer or self.rng.random() < 0.7):
            return self.rng.choice(inner)
        if kind in TYPED_NULL and self.rng.random() < RARE_NULL:
            return f"CAST(NULL AS {TYPED_NULL[kind]})"
        if outer:
            return self.rng.choice(outer)
        return self.of(kind, 1) if kind == "json_text" else FALLBACK[kind]

    def filled(self, template: str, depth: int) -> str:
        """The template with its holes filled from left to right."""
        names: dict[str, str] = {}
        added: list[tuple[str, str]] = []

        def fill(match: re.Match[str]) -> str:
            name, kind = match[1], match[2]
            if name is None and kind in names:
                return names[kind]
            if name is None:
                return self.of(kind, depth - 1)
            self.n_names += 1
            names[name] = f"{name}{self.n_names}"
            self.arguments.setdefault(kind, []).append(names[name])
            added.append((kind, names[name]))
            return names[name]

        text = HOLE.sub(fill, template)
        for kind, name in added:
            self.arguments[kind].remove(name)
        return text
