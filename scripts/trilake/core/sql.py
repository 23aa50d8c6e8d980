"""SQL files: one Athena SELECT each, named by its path, run in an order derived from what it reads.

Names are `room.table`; `to_athena` turns them into Glue names and puts
views inline, so that a persona's query meets the governed tables and their filters directly (Lake Formation's
cell filters do not reach through an Athena view).

A view may be read without what a caller may not see, where the contract says so (`may_be_withheld`): a table of which
the caller may see nothing reads as no rows, and `TRUE AS <flag>` in the view becomes FALSE; columns that the caller may
not see read as NULL. Whatever the contract does not name stays a refusal. No table is opened wider: what is left is
still read under the caller's own filters.

Example: to_athena(session, "SELECT count(*) FROM clinical.patient")
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from trilake.core.builds import across_builds
from trilake.core.catalog import database_name
from trilake.core.contract import GovernedTable, Withheld, load_contract, load_row_keys, load_views
from trilake.core.errors import InputError, QueryError
from trilake.core.paths import SQL
from trilake.core.session import Session

DIALECT = "athena"
CURRENT = {"current_fhir": "resource", "patient_fhir": "patient_resource"}
"""In front of a FHIR type: its resources as they are now, as that file of `sql/clinical/current` has them."""
NAMED_PATIENT = frozenset({"allergyintolerance", "consent", "familymemberhistory", "immunization"})
"""Types whose element for the patient R4 calls `patient`; the other types that governed tables read say `subject`."""
TYPES = {"string": "varchar", "int": "integer", "timestamp": "timestamp(6)"}
"""Contract types (Hive's names) that CAST names otherwise."""
Visible = Callable[[str], list[str] | None]
"""`room.table` -> the columns that the caller may see; None when there is none."""
SHOW = re.compile(r"\s*SHOW\s", re.IGNORECASE)
SHOWN = re.compile(r"""\b(IN|FROM|TABLE|VIEW|PARTITIONS|TBLPROPERTIES)(\s+)[`"]?(\w+)[`"]?(?![\w`"])""", re.IGNORECASE)
"""Where a SHOW names a database, alone or in front of a table."""
RAW_PLACES = frozenset({"contigname", "start", "end", "reference_genome"})


@dataclass(frozen=True)
class Relation:
    """One SQL file. `kind` is table (governed, materialised) or view; `reads` are the room.table names in it."""

    name: str
    kind: str
    path: Path
    text: str

    @cached_property
    def tree(self) -> exp.Expr:
        """Its SELECT, of a patient-level table with row keys; to be copied, not changed."""
        tree = parse(self.text, source=str(self.path))
        table = load_contract().get(self.name)
        return with_row_keys(tree) if table and lacks_row_keys(tree, table) else tree

    @cached_property
    def reads(self) -> frozenset[str]:
        return tables_read(self.tree)

    @property
    def header(self) -> list[str]:
        """The comment lines on top: what it is, its grain, who reads it."""
        lines = []
        for line in self.text.splitlines():
            if not line.startswith("--"):
                break
            lines.append(line.removeprefix("--").strip())
        return lines


@cache
def load_relations(folder: Path = SQL) -> dict[str, Relation]:
    """Every SQL file by `room.name`."""
    found = {}
    for path in sorted(folder.glob("*/*/*.sql")):
        kind = {"tables": "table", "views": "view"}.get(path.parent.name)
        if kind:
            name = f"{path.parent.parent.name}.{path.stem}"
            found[name] = Relation(name, kind, path, path.read_text())
    return found


def run_order(relations: dict[str, Relation]) -> list[str]:
    """The relations' names, each after what it reads. InputError names a cycle."""
    graph = {name: set(relation.reads & relations.keys()) for name, relation in relations.items()}
    for name, table in load_contract().items():
        # What a table follows is built before it, though its SELECT need not read it.
        if table.follows and {name, table.follows.table} <= relations.keys():
            graph[name].add(table.follows.table)
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise InputError(f"SQL files read each other in a circle: {' -> '.join(error.args[1])}") from None


def parse(text: str, *, source: str = "the query") -> exp.Expr:
    """One statement as a tree, with current resources spelled out. QueryError with line and column when it does not
    parse.
    """
    return inline_current(parse_as_written(text, source=source))


def parse_as_written(text: str, *, source: str = "the query") -> exp.Expr:
    """As `parse`, and current resources by their name."""
    try:
        trees = [tree for tree in sqlglot.parse(text, read=DIALECT) if tree is not None]
    except SqlglotError as error:
        detail = getattr(error, "errors", None) or [{}]
        where = f"line {detail[0].get('line', '?')}, column {detail[0].get('col', '?')}"
        raise QueryError(f"{source} does not parse: {where}: {detail[0].get('description', error)}") from None
    if len(trees) != 1:
        raise QueryError(f"{source} holds {len(trees)} statements; expected one")
    return trees[0]


def inline_current(tree: exp.Expr) -> exp.Expr:
    """The tree with each `current_fhir.<type>` and `patient_fhir.<type>` replaced by the SELECT that it stands for."""
    while tables := [table for table in tree.find_all(exp.Table) if table.db in CURRENT]:
        for table in tables:
            alias = table.args.get("alias") or exp.TableAlias(this=table.this.copy())
            definition = definition_for(CURRENT[table.db], table.this)
            table.replace(exp.Subquery(this=definition, alias=alias, joins=table.args.get("joins")))
    return tree


def definition_for(name: str, resource_type: exp.Expr) -> exp.Expr:
    """The SELECT of a file of `sql/clinical/current`, with the type's table in place of `resource`."""
    definition = current_definition(name).copy()
    for table in definition.find_all(exp.Table):
        if table.db and table.name == "resource":
            table.set("alias", exp.TableAlias(this=table.this.copy()))
            table.set("this", resource_type.copy())
    if resource_type.name in NAMED_PATIENT:
        for node in definition.find_all(exp.Identifier):
            if node.name == "subject":
                node.set("this", "patient")
    return definition


@cache
def current_definition(name: str) -> exp.Expr:
    """A file of `sql/clinical/current` as it is written, without its comments; to be copied, not changed."""
    path = SQL / f"clinical/current/{name}.sql"
    tree = parse_as_written(path.read_text(), source=str(path))
    for node in tree.walk():
        node.comments = None
    return tree


def lacks_row_keys(tree: exp.Expr, table: GovernedTable) -> bool:
    """Whether the table is patient-level and leaves its row keys to `sql/clinical/current/row_keys.sql`."""
    keys = {column.name for column in load_row_keys()}
    return table.patient_level and isinstance(tree, exp.Query) and keys.isdisjoint(tree.named_selects)


def with_row_keys(tree: exp.Expr) -> exp.Expr:
    """The SELECT of a patient-level table with the row keys of each row's patient after its own columns."""
    assert isinstance(tree, exp.Query)
    wrapper = current_definition("row_keys").copy()
    assert isinstance(wrapper, exp.Select)
    own = [exp.column(name, table="fact") for name in tree.named_selects]
    wrapper.set("expressions", own + [column for column in wrapper.selects if not column.is_star])
    for table in list(wrapper.find_all(exp.Table)):
        if table.name == "fact":
            table.replace(exp.Subquery(this=tree, alias=exp.TableAlias(this=exp.to_identifier("fact"))))
    return wrapper


def tables_read(tree: exp.Expr) -> frozenset[str]:
    """The `room.table` names in FROM and JOIN."""
    return frozenset(f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db)


def columns_of(name: str) -> frozenset[str] | None:
    """The columns of a governed table or view; of a raw variant or annotation table those that say where a row lies."""
    if name in load_contract():
        return frozenset(column.name for column in load_contract()[name].columns)
    relation = load_relations().get(name)
    if relation is not None:
        tree = relation.tree
        return frozenset(tree.named_selects if isinstance(tree, exp.Query) else ())
    return RAW_PLACES if name in ("genomic_store.variant", "genomic_store.annotation") else None


def refuse_across_builds(tree: exp.Expr, *, source: str) -> None:
    """QueryError when relations meet by place without meeting by reference genome (see `core.builds`)."""
    if faults := across_builds(tree, columns_of):
        raise QueryError(
            f"{source} joins across reference genomes: " + "; ".join(faults),
            next_step="add AND a.reference_genome = b.reference_genome, or hold each to the same build",
        )


def inline_views(tree: exp.Expr, relations: dict[str, Relation], visible: Visible | None = None) -> exp.Expr:
    """The tree with each view replaced by its SELECT, views within views too.

    `visible` says what a caller may see of a table, for views that can do without some (see `without_withheld`).
    """

    def replace(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Table):
            return node
        relation = relations.get(f"{node.db}.{node.name}")
        if relation is None or relation.kind != "view":
            return node
        inner = relation.tree.copy()
        view = load_views().get(relation.name)
        if visible is not None and view is not None:
            inner = without_withheld(view.may_be_withheld, inner, visible)
        inner = inline_views(inner, relations, visible)
        inner.comments = None
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name))
        return exp.Subquery(this=inner, alias=alias, joins=node.args.get("joins"))

    return tree.transform(replace)


def rename_databases(tree: exp.Expr, name_of: Callable[[str], str | None]) -> exp.Expr:
    """The tree with every `room` in front of a table or column replaced by its Glue database."""
    renamed = tree.copy()
    for node in renamed.find_all(exp.Table, exp.Column):
        database = name_of(node.args["db"].name) if node.args.get("db") else None
        if database is not None:
            node.set("db", exp.to_identifier(database, quoted=True))
    return renamed


def show_in_databases(text: str, name_of: Callable[[str], str | None]) -> str:
    """A SHOW statement with each `room` replaced by its Glue database (sqlglot has no tree for it)."""

    def renamed(match: re.Match[str]) -> str:
        database = name_of(match[3].lower())
        return match[0] if database is None else f"{match[1]}{match[2]}`{database}`"

    return SHOWN.sub(renamed, text)


def to_athena(
    session: Session,
    text: str,
    *,
    source: str = "the query",
    with_views: bool = True,
    visible: Visible | None = None,
) -> str:
    """The statement as Athena gets it. `with_views=False` leaves views by name (for CREATE VIEW).

    QueryError when it does not parse, or joins across reference genomes; ServiceError when it reads HealthLake before
    the first import.
    """
    if SHOW.match(text):
        return show_in_databases(text, lambda room: database_name(session, room))
    tree = parse(text, source=source)
    refuse_across_builds(tree, source=source)
    if with_views:
        tree = inline_views(tree, load_relations(), visible)
    return rename_databases(tree, lambda room: database_name(session, room)).sql(dialect=DIALECT)


def without_withheld(parts: Iterable[Withheld], tree: exp.Expr, visible: Visible) -> exp.Expr:
    """The view's tree as this caller may read it."""
    columns_of = {part.table: visible(part.table) for part in parts}
    hidden = {part.flag for part in parts if part.flag and columns_of[part.table] is None}

    def replace(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Alias) and node.alias in hidden and isinstance(node.this, exp.Boolean):
            return exp.alias_(exp.false(), node.alias)
        if not isinstance(node, exp.Table) or f"{node.db}.{node.name}" not in columns_of:
            return node
        table = load_contract()[f"{node.db}.{node.name}"]
        columns = columns_of[table.path]
        if columns is not None and set(columns) >= {column.name for column in table.columns}:
            return node
        alias = node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(node.name))
        inner = sqlglot.parse_one(narrowed(table, used(node), columns), read=DIALECT)
        return exp.Subquery(this=inner, alias=alias, joins=node.args.get("joins"))

    return tree.transform(replace) if columns_of else tree


def used(node: exp.Table) -> set[str]:
    """Names of columns in the SELECT that reads the table."""
    select = node.find_ancestor(exp.Select)
    return {column.name.lower() for column in select.find_all(exp.Column)} if select else set()


def narrowed(table: GovernedTable, names: set[str], visible: list[str] | None) -> str:
    """A SELECT of the table's columns among `names`; those that are not visible are NULL, no table is no rows."""
    wanted = [column for column in table.columns if column.name in names] or list(table.columns[:1])
    words = [
        f'"{column.name}"'
        if visible is not None and column.name in visible
        else f'CAST(NULL AS {TYPES.get(column.type, column.type)}) AS "{column.name}"'
        for column in wanted
    ]
    source = f'FROM {table.room}."{table.name}"' if visible is not None else "WHERE FALSE"
    return f"SELECT {', '.join(words)} {source}"
