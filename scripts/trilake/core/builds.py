"""The guard against joins across reference genomes: the same number is another place on GRCh37 than on GRCh38.

Pure. A relation that has both `reference_genome` and a place (contigname, start, end, variant_id) may meet another one
by place only where the query also makes their builds equal: by `a.reference_genome = b.reference_genome`, by USING, by
a tuple of IN, or by the same constant on both. Seen through CTEs, subqueries and EXISTS. Joins by sample or rs number
are free.

Example: across_builds(tree, columns_of)  ->  ["genomic.variant meets genomic.annotation by contigname, start ..."]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import combinations

from sqlglot import exp

BUILD = "reference_genome"
PLACES = frozenset({"contigname", "start", "end", "variant_id"})
COMPARED = (exp.EQ, exp.NullSafeEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between)
ColumnsOf = Callable[[str], frozenset[str] | None]


@dataclass(eq=False)
class Source:
    """What a SELECT reads under one name: which columns are places, which are builds, and the build it is held to."""

    label: str
    columns: frozenset[str]
    places: frozenset[str] = frozenset()
    builds: frozenset[str] = frozenset()
    constant: str | None = None
    same_as: Source | None = field(default=None, repr=False)

    def root(self) -> Source:
        return self if self.same_as is None else self.same_as.root()

    def join(self, other: Source) -> None:
        """From here on both have one build."""
        mine, theirs = self.root(), other.root()
        if mine is not theirs:
            theirs.same_as = mine
            mine.constant = mine.constant or theirs.constant

    def shares_build(self, other: Source) -> bool:
        mine, theirs = self.root(), other.root()
        return mine is theirs or (mine.constant is not None and mine.constant == theirs.constant)


@dataclass(frozen=True)
class Scope:
    """The sources of one SELECT by name, and those of the SELECT around it."""

    sources: dict[str, Source]
    outer: Scope | None = None

    def named(self, column: exp.Column) -> Source | None:
        """The source that a column comes from; an unqualified one from the only source that has it."""
        name = column.name.lower()
        if column.table:
            found = [source for alias, source in self.sources.items() if alias == column.table.lower()]
        else:
            found = [source for source in self.sources.values() if name in source.columns]
        if len(found) == 1:
            return found[0]
        return self.outer.named(column) if not found and self.outer else None

    def places(self, tree: exp.Expr | None) -> dict[Source, str]:
        return self._columns(tree, "places")

    def builds(self, tree: exp.Expr | None) -> dict[Source, str]:
        return self._columns(tree, "builds")

    def _columns(self, tree: exp.Expr | None, kind: str) -> dict[Source, str]:
        found: dict[Source, str] = {}
        for column in own_columns(tree) if tree is not None else ():
            source = self.named(column)
            if source is not None and column.name.lower() in getattr(source, kind):
                found[source] = column.name.lower()
        return found


def across_builds(tree: exp.Expr, columns_of: ColumnsOf) -> list[str]:
    """Each pair of relations that the query joins by place but not by build, in words; empty when there is none."""
    checker = Checker(columns_of)
    for query in tree.find_all(exp.Query):
        if not isinstance(query.parent, exp.Subquery | exp.CTE | exp.SetOperation | exp.In | exp.Exists):
            checker.describe(query, "the query", None, {})
    return list(dict.fromkeys(checker.faults))


class Checker:
    """Walks queries from the outside in; `faults` grows."""

    def __init__(self, columns_of: ColumnsOf) -> None:
        self.columns_of = columns_of
        self.faults: list[str] = []

    def describe(self, query: exp.Expr, label: str, outer: Scope | None, ctes: dict[str, Source]) -> Source:
        """What a query gives, as a source for the one around it."""
        ctes = dict(ctes)
        for cte in query.ctes if isinstance(query, exp.Query) else ():
            ctes[cte.alias.lower()] = self.describe(cte.this, cte.alias, outer, ctes)
        if isinstance(query, exp.Subquery):
            return self.describe(query.this, query.alias or label, outer, ctes)
        if isinstance(query, exp.SetOperation):
            left, right = (self.describe(side, label, outer, ctes) for side in (query.left, query.right))
            constant = left.root().constant if left.root().constant == right.root().constant else None
            return Source(label, left.columns, left.places | right.places, left.builds, constant)
        if not isinstance(query, exp.Select):
            return Source(label, frozenset())
        scope = Scope(dict(self.sources(query, outer, ctes)), outer)
        self.learn(query, scope)
        self.check(query, scope, ctes)
        return outputs(query, label, scope)

    def sources(self, select: exp.Select, outer: Scope | None, ctes: dict[str, Source]) -> Iterator[tuple[str, Source]]:
        first = select.args.get("from_") or select.args.get("from")
        items = ([first.this] if first else []) + [join.this for join in select.args.get("joins") or []]
        for item in items:
            if isinstance(item, exp.Subquery):
                yield item.alias.lower(), self.describe(item, item.alias, outer, ctes)
            elif isinstance(item, exp.Table):
                yield item.alias_or_name.lower(), self.relation(item, ctes)

    def relation(self, table: exp.Table, ctes: dict[str, Source]) -> Source:
        if not table.db and table.name.lower() in ctes:
            found = ctes[table.name.lower()]
            return Source(found.label, found.columns, found.places, found.builds, found.root().constant)
        name = f"{table.db}.{table.name}".lower()
        columns = self.columns_of(name) or frozenset()
        if BUILD not in columns:
            return Source(name, columns)
        return Source(name, columns, columns & PLACES, frozenset({BUILD}))

    def learn(self, select: exp.Select, scope: Scope) -> None:
        """Take in what makes builds equal: conjuncts of ON and WHERE, USING, NATURAL."""
        for join in select.args.get("joins") or []:
            names = {name.name.lower() for name in join.args.get("using") or []}
            if BUILD in names or join.method == "NATURAL":
                same = [source for source in scope.sources.values() if source.builds]
                for source in same[1:]:
                    same[0].join(source)
        for part in conjuncts(select):
            if isinstance(part, exp.EQ | exp.NullSafeEQ):
                found = list(scope.builds(part))
                constant = next((side.name for side in (part.left, part.right) if side.is_string), None)
                if len(found) == 2:
                    found[0].join(found[1])
                elif len(found) == 1 and constant is not None:
                    found[0].root().constant = constant

    def check(self, select: exp.Select, scope: Scope, ctes: dict[str, Source]) -> None:
        for join in select.args.get("joins") or []:
            names = {name.name.lower() for name in join.args.get("using") or []} & PLACES
            if names:
                self.compare({source: ", ".join(sorted(names)) for source in scope.sources.values() if source.places})
        for node in own_nodes(select):
            if isinstance(node, COMPARED):
                self.compare(scope.places(node))
            elif isinstance(node, exp.In) and node.args.get("query"):
                self.member(node, scope, ctes)
            elif is_in_an_expression(node) and node.parent_select is select:
                self.describe(node.this, "a subquery", scope, ctes)

    def member(self, node: exp.In, scope: Scope, ctes: dict[str, Source]) -> None:
        inner = self.describe(node.args["query"], "a subquery", scope, ctes)
        if inner.places and not (scope.builds(node.this) and inner.builds):
            for source, name in scope.places(node.this).items():
                self.compare({source: name, inner: name})

    def compare(self, places: dict[Source, str]) -> None:
        for (one, name), (other, _) in combinations(places.items(), 2):
            if one is not other and not one.shares_build(other):
                self.faults.append(words(one, other, name))


def is_in_an_expression(node: exp.Expr) -> bool:
    """A subquery that is no source: EXISTS, or one that gives a value."""
    return isinstance(node, exp.Exists | exp.Subquery) and not isinstance(node.parent, exp.From | exp.Join | exp.In)


def words(one: Source, other: Source, name: str) -> str:
    held = [source.root().constant for source in (one, other)]
    if all(held):
        return f"{one.label} ({held[0]}) meets {other.label} ({held[1]}) by {name}: they are of two reference genomes"
    return f"{one.label} meets {other.label} by {name}, but not by {BUILD}"


def outputs(select: exp.Select, label: str, scope: Scope) -> Source:
    """Output columns that are, or are made of, a place or a build."""
    places: set[str] = set()
    builds: set[str] = set()
    from_sources: list[Source] = []
    for item in select.selects:
        name = item.alias_or_name.lower()
        if found := scope.places(item):
            places.add(name)
            from_sources += found
        if isinstance(item.unalias(), exp.Column) and scope.builds(item):
            builds.add(name)
    constants = {source.root().constant for source in from_sources}
    constant = constants.pop() if len(constants) == 1 else None
    return Source(label, frozenset(select.named_selects), frozenset(places), frozenset(builds), constant)


def conjuncts(select: exp.Select) -> Iterator[exp.Expr]:
    where = select.args.get("where")
    conditions = [where.this] if where else []
    conditions += [join.args["on"] for join in select.args.get("joins") or [] if join.args.get("on")]
    for condition in conditions:
        inner = condition.unnest()
        yield from (part.unnest() for part in inner.flatten()) if isinstance(inner, exp.And) else (inner,)


def own_nodes(select: exp.Select) -> Iterator[exp.Expr]:
    """The nodes of a SELECT that are not inside another one."""
    return (node for node in select.walk(prune=lambda node: isinstance(node, exp.Query) and node is not select))


def own_columns(tree: exp.Expr) -> Iterator[exp.Column]:
    nodes = tree.walk(prune=lambda node: isinstance(node, exp.Query) and node is not tree)
    return (node for node in nodes if isinstance(node, exp.Column))
