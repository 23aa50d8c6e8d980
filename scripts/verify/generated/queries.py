"""Queries of every shape over given tables: joins, CTEs, windows, UNNEST, aggregates, set operations, subqueries.

Reads and writes nothing. Behind `make verify`.
Example: Queries(Random(7), [EVERY, EVENT]).query()  ->  "SELECT t1.id AS a2, count(*) FROM every AS t1 ..."

Where SQL leaves an order open the query closes it: arrays are aggregated by a key that is unique, LIMIT stands behind
an ORDER BY over every output column.
"""

import re
from collections.abc import Callable

from verify.generated.expressions import Expressions
from verify.generated.grammar import AGGREGATES, SHOWN, TEMPLATES, WINDOWS
from verify.generated.relations import JOINS, SIMPLE, Relation, Relations, merged

ORDERED = ("bigint", "varchar", "date", "boolean", "decimal", "small", "timestamp", "double", "real", "zoned")
PLAIN_CALL = re.compile(r"\w+\([^/]*\)( WITHIN GROUP \(.*\))?")
AROUND = ("array_sort(", "cardinality(", "coalesce(", "max({double}) -")


class Queries(Relations):
    """Draws queries over these tables."""

    def query(self) -> str:
        """One query."""
        shape = self.rng.choice(self.shapes())
        return shape()

    def shapes(self) -> list[Callable[[], str]]:
        plain = [self.plain, self.plain, self.plain, self.grouped, self.grouped, self.windowed]
        return [*plain, self.unnested, self.set_operation, self.with_subquery, self.common_table, self.grouping_sets]

    def ordering(self, n_items: int, chance: float = 0.4) -> str:
        """ORDER BY all of the outputs, perhaps with OFFSET and LIMIT behind."""
        if self.rng.random() > chance:
            return ""
        ways = ["", " DESC", " NULLS FIRST", " DESC NULLS LAST", " ASC NULLS LAST", " DESC NULLS FIRST"]
        terms = [f"{place + 1}{self.rng.choice(ways)}" for place in range(n_items)]
        self.rng.shuffle(terms)
        offset = self.one_of("", "", " OFFSET 2")
        return f" ORDER BY {', '.join(terms)}{offset}{self.one_of('', ' LIMIT 5', ' LIMIT 1')}"

    def plain(self) -> str:
        """SELECT [DISTINCT] expressions FROM something."""
        relation = self.relation()
        if self.rng.random() < 0.35:
            output = self.output(relation, self.rng.choice([1, 2, 3]), ORDERED)
            distinct = self.one_of("", "DISTINCT ")
            tail = self.ordering(len(output.items), chance=0.8)
            return f"SELECT {distinct}{', '.join(output.items)} FROM {relation.sql}{self.where(relation)}{tail}"
        output = self.output(relation, self.rng.choice([2, 3, 4]), (*TEMPLATES, *SHOWN))
        return f"SELECT {', '.join(output.items)} FROM {relation.sql}{self.where(relation)}"

    def aggregates(self, relation: Relation, n_items: int) -> list[str]:
        said = Expressions(self.rng, relation.columns)
        items = []
        for _ in range(n_items):
            text = said.filled(self.rng.choice(AGGREGATES).replace("KEY", relation.key), 2)
            if (
                self.rng.random() < 0.25
                and "FILTER" not in text
                and not text.startswith(("array_sort(", "cardinality("))
            ):
                text += f" FILTER (WHERE {said.of('boolean', 1)})"
            items.append(f"{text} AS {self.name('a')}" if self.rng.random() < 0.7 else text)
        return items

    def keys(self, relation: Relation, n_keys: int) -> list[str]:
        said = Expressions(self.rng, relation.columns)
        return [said.of(self.rng.choice(SIMPLE), 1) for _ in range(n_keys)]

    def grouped(self) -> str:
        """GROUP BY none, one or two keys, with HAVING."""
        relation, n_keys = self.relation(), self.rng.choice([0, 1, 1, 2])
        keys = self.keys(relation, n_keys)
        items = [*keys, *self.aggregates(relation, self.rng.choice([1, 2, 3]))]
        group = f" GROUP BY {', '.join(str(place + 1) for place in range(n_keys))}" if n_keys else ""
        having = self.one_of("", "", " HAVING count(*) > 1", " HAVING max(" + relation.key + ") > 3")
        return f"SELECT {', '.join(items)} FROM {relation.sql}{self.where(relation)}{group}{having}"

    def grouping_sets(self) -> str:
        """ROLLUP, CUBE and GROUPING SETS over two columns, with grouping()."""
        relation = self.table()
        columns = [name for kind in SIMPLE for name in relation.columns.get(kind, [])]
        one, two = self.rng.choice(columns), self.rng.choice(columns)
        if one == two:
            return self.grouped()
        how = self.one_of(
            f"ROLLUP ({one}, {two})",
            f"CUBE ({one}, {two})",
            f"GROUPING SETS (({one}), ({two}), ())",
            f"{one}, ROLLUP ({two})",
        )
        items = [one, two, f"grouping({one}, {two}) AS {self.name('a')}", *self.aggregates(relation, 2)]
        return f"SELECT {', '.join(items)} FROM {relation.sql}{self.where(relation)} GROUP BY {how}"

    def windowed(self) -> str:
        relation = self.relation()
        said = Expressions(self.rng, relation.columns)
        items = [relation.key]
        for _ in range(self.rng.choice([1, 2, 3])):
            partition = f"PARTITION BY {said.of(self.one_of(*SIMPLE), 1)} " if self.rng.random() < 0.6 else ""
            way = self.one_of("", " DESC", " NULLS FIRST", " DESC NULLS LAST")
            order = f"ORDER BY {said.of(self.one_of(*ORDERED), 1)}{way}, {relation.key}"
            call = said.filled(self.rng.choice(WINDOWS), 2)
            frame = ""
            if not call.startswith(("row_number", "rank", "dense", "percent", "cume", "ntile", "lag", "lead")):
                frame = self.one_of(
                    "",
                    " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
                    " ROWS UNBOUNDED PRECEDING",
                    " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW",
                    " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
                    " GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW",
                    " ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING",
                )
            items.append(f"{call} OVER ({partition}{order}{frame}) AS {self.name('a')}")
        return f"SELECT {', '.join(items)} FROM {relation.sql}{self.where(relation)}"

    def unnested(self) -> str:
        """Arrays and maps spread out beside their row."""
        left, alias = self.table(), self.name("u")
        said = Expressions(self.rng, left.columns)
        spreads = {
            "bigints": ["bigint"],
            "texts": ["varchar"],
            "rows": ["varchar", "bigint"],
            "scores": ["varchar", "bigint"],
        }
        # A map's entries come in no order, so that they stand beside nothing else.
        arrays = [self.rng.choice(["bigints", "texts", "rows"]) for _ in range(self.rng.choice([1, 1, 2]))]
        chosen = ["scores"] if self.rng.random() < 0.2 else arrays
        names = [(self.name("x"), kind) for spread in chosen for kind in spreads[spread]]
        ordinality = chosen != ["scores"] and self.rng.random() < 0.4
        listed = [name for name, _ in names] + (["o"] if ordinality else [])
        columns: dict[str, list[str]] = {"bigint": [f"{alias}.o"]} if ordinality else {}
        for name, kind in names:
            columns.setdefault(kind, []).append(f"{alias}.{name}")
        join, on = self.one_of("CROSS JOIN|", "LEFT JOIN| ON true").split("|")
        calls = ", ".join(said.of(spread, 1) for spread in chosen)
        numbered = " WITH ORDINALITY" if ordinality else ""
        sql = f"{left.sql} {join} UNNEST({calls}){numbered} AS {alias} ({', '.join(listed)}){on}"
        relation = Relation(sql, merged(left.columns, columns), left.key)
        if self.rng.random() < 0.4:
            items = [*self.keys(relation, 1), "count(*)", f"max({self.rng.choice(names)[0]})"]
            return f"SELECT {', '.join(items)} FROM {sql}{self.where(relation)} GROUP BY 1"
        output = self.output(relation, 2, (*SIMPLE, "bigint", "varchar"))
        return f"SELECT {', '.join([left.key, *listed, *output.items])} FROM {sql}{self.where(relation)}"

    def set_operation(self) -> str:
        kinds = [self.rng.choice(SIMPLE) for _ in range(self.rng.choice([1, 2]))]
        sides = []
        for place in range(self.rng.choice([2, 2, 3])):
            relation = self.table()
            said = Expressions(self.rng, relation.columns)
            name = " AS b" if place == 0 and self.rng.random() < 0.5 else ""
            items = ", ".join(said.of(kind, 1) + (name if at == 0 else "") for at, kind in enumerate(kinds))
            sides.append(f"SELECT {items} FROM {relation.sql}{self.where(relation)}")
        words = [self.one_of("UNION ALL", "UNION", "INTERSECT", "EXCEPT", "UNION ALL") for _ in sides[1:]]
        text = sides[0] + "".join(f" {word} {side}" for word, side in zip(words, sides[1:], strict=True))
        return text + self.ordering(len(kinds))

    def with_subquery(self) -> str:
        """IN, EXISTS, scalar and correlated subqueries."""
        outer, inner = self.table(), self.table()
        said, within = Expressions(self.rng, outer.columns), Expressions(self.rng, inner.columns)
        kind = self.one_of(*[kind for kind in ("bigint", "varchar") if inner.columns.get(kind)])
        theirs, ours = self.rng.choice(inner.columns[kind]), said.of(kind, 1)
        column = self.rng.choice(outer.columns.get(kind) or [outer.key])
        where = self.where(inner)
        and_ = self.where(inner, word="AND")
        test = self.one_of(
            f"{ours} IN (SELECT {within.of(kind, 1)} FROM {inner.sql}{where})",
            f"{ours} NOT IN (SELECT {theirs} FROM {inner.sql} WHERE {theirs} IS NOT NULL{and_})",
            f"EXISTS (SELECT 1 FROM {inner.sql} WHERE {theirs} = {column}{and_})",
            f"NOT EXISTS (SELECT 1 FROM {inner.sql} WHERE {theirs} = {column}{and_})",
            f"{ours} > ALL (SELECT {theirs} FROM {inner.sql}{where})",
            f"{ours} = ANY (SELECT {theirs} FROM {inner.sql}{where})",
            f"{ours} >= (SELECT max({theirs}) FROM {inner.sql}{where})",
        )
        output = self.output(outer, 2, (*SIMPLE, "texts", "scores"))
        scalar = self.one_of(
            f"(SELECT count(*) FROM {inner.sql}{where})",
            f"(SELECT max({theirs}) FROM {inner.sql} WHERE {theirs} = {column}{and_})",
            f"(SELECT count(*) FROM {inner.sql} WHERE {theirs} = {column}{and_})",
            f"{ours} IN (SELECT {theirs} FROM {inner.sql}{where})",
        )
        return f"SELECT {', '.join([*output.items, scalar])} FROM {outer.sql} WHERE {test}"

    def common_table(self) -> str:
        """WITH one or two tables, the later reading the earlier."""
        inner, name = self.relation(), self.name("w")
        output = self.output(inner, self.rng.choice([1, 2, 3]), tuple(TEMPLATES), all_named=True)
        key = self.name("k")
        parts = [
            f"{name} AS (SELECT {inner.key} AS {key}, {', '.join(output.items)} FROM {inner.sql}{self.where(inner)})"
        ]
        columns: dict[str, list[str]] = {"bigint": [f"{name}.{key}"]}
        for column, kind in output.named.items():
            columns.setdefault(kind, []).append(f"{name}.{column}")
        relation = Relation(name, columns, f"{name}.{key}")
        if self.rng.random() < 0.4:
            other, left = self.table(), relation
            sql = f"{left.sql} {self.one_of(*JOINS)} {other.sql} ON {left.key} = {other.key}"
            relation = Relation(
                sql, merged(columns, other.columns), f"coalesce({left.key}, 0) + 1000 * coalesce({other.key}, 0)"
            )
        if self.rng.random() < 0.5:
            items = [*self.keys(relation, 1), *self.aggregates(relation, 2)]
            body = f"SELECT {', '.join(items)} FROM {relation.sql}{self.where(relation)} GROUP BY 1"
        else:
            shown = self.output(relation, 3, (*TEMPLATES, *SHOWN))
            body = f"SELECT {', '.join(shown.items)} FROM {relation.sql}{self.where(relation)}"
        return f"WITH {', '.join(parts)} {body}"
