"""The rules that SQL files keep, held without AWS: they parse, fit the contract, say what they are, and end somewhere.

Reads sql/. Behind `trilake views --check` and `make check`.

Example: faults_of_sql()  ->  ["sql/clinical/views/a.sql: SELECT * (list the columns)"]
"""

from pathlib import Path

from sqlglot import exp

from fhir_r4.definitions import resource_types
from trilake.core.builds import across_builds
from trilake.core.catalog import HEALTHLAKE, SOURCES
from trilake.core.contract import GovernedTable, View, load_contract, load_row_keys, load_views
from trilake.core.errors import InputError, QueryError
from trilake.core.paths import SQL
from trilake.core.sql import Relation, columns_of, lacks_row_keys, load_relations, parse_as_written, run_order
from trilake.operations.sql_traps import faults_of_traps

HEADER_LINES = 3
CASTS = {"string": "varchar", "int": "integer"}
"""Contract types (Hive's names) that Athena's CAST names otherwise."""
UNSIZED = {"TIMESTAMP(6)": "TIMESTAMP"}


def faults_of_sql(folder: Path = SQL) -> list[str]:
    """Everything that is wrong, one line each, the file first."""
    relations, contract, views = load_relations(folder), load_contract(folder), load_views(folder)
    faults = [fault for relation in relations.values() for fault in faults_of(relation, relations, contract)]
    faults += [fault for name, table in contract.items() for fault in faults_of_settings(table, relations.get(name))]
    faults += [fault for name, view in views.items() for fault in faults_of_view(name, view, relations.get(name))]
    for name, table in contract.items():
        if table.filled_by == "sql" and (name not in relations or relations[name].kind != "table"):
            faults.append(f"{name}: the contract has it filled by SQL, but there is no sql/{table.room}/tables file")
    faults += faults_of_traps(folder)
    if not faults:
        try:
            run_order(relations)
        except InputError as error:
            faults.append(error.message)
    return faults


def faults_of(relation: Relation, relations: dict[str, Relation], contract: dict[str, GovernedTable]) -> list[str]:
    where = "/".join(relation.path.parts[-4:])
    if len(relation.header) < HEADER_LINES:
        return [f"{where}: {len(relation.header)} comment lines on top; expected what it is, its grain, who reads it"]
    try:
        tree = parse_as_written(relation.text, source=where)
    except QueryError as error:
        return [error.message]
    if not isinstance(tree, exp.Query):
        return [f"{where}: not a SELECT"]
    faults = []
    if any(isinstance(star.parent, exp.Select | exp.Column) for star in tree.find_all(exp.Star)):
        faults.append("SELECT * (list the columns)")
    faults += [f"reads {name}, which nothing makes" for name in unknown(relation, relations, contract)]
    faults += across_builds(tree, columns_of)
    if relation.kind == "table":
        table = contract.get(relation.name)
        faults += misfits(tree, table) if table else ["the contract has no such table"]
    return [f"{where}: {fault}" for fault in faults]


def faults_of_settings(table: GovernedTable, relation: Relation | None) -> list[str]:
    """How a table is kept current, as the contract has it, against what its SELECT reads."""
    if relation is None or relation.kind != "table":
        return []
    named = {source.table for source in table.kept_current_by} | table.may_be_missing.keys()
    faults = [
        f"{table.path}: the contract names {name}, which its SQL does not read" for name in named - relation.reads
    ]
    governed = sorted(name for name in table.may_be_missing if name.split(".")[0] not in SOURCES)
    return sorted(faults) + [f"{table.path}: {name} cannot be missing: it is governed" for name in governed]


def faults_of_view(name: str, view: View, relation: Relation | None) -> list[str]:
    """What a view can do without, as the contract has it, against its SELECT."""
    if relation is None or relation.kind != "view":
        return [f"{name}: the contract has a view that no SQL file makes"]
    faults = []
    for part in view.may_be_withheld:
        if part.table not in relation.reads:
            faults.append(f"{name}: the contract names {part.table}, which its SQL does not read")
        if part.flag and f"TRUE AS {part.flag}" not in relation.text:
            faults.append(f"{name}: no TRUE AS {part.flag}, the flag of {part.table} in the contract")
    return faults


def unknown(relation: Relation, relations: dict[str, Relation], contract: dict[str, GovernedTable]) -> list[str]:
    """Names read that are no SQL file, no contract table and no source."""
    return sorted(name for name in relation.reads if name not in relations | contract and not is_source(name))


def is_source(name: str) -> bool:
    room, table = name.split(".")
    if room == HEALTHLAKE:
        return table in {name.lower() for name in resource_types()}
    return room in SOURCES


def misfits(tree: exp.Query, table: GovernedTable) -> list[str]:
    """Where the SELECT's columns are not the contract's, in name, order or, where a CAST shows it, type."""
    selected = tree.named_selects
    columns = table.columns[: -len(load_row_keys())] if lacks_row_keys(tree, table) else table.columns
    expected = [column.name for column in columns]
    if selected != expected:
        missing = [name for name in expected if name not in selected]
        extra = [name for name in selected if name not in expected]
        return [
            f"columns do not fit the contract: missing {missing or 'none'}, not in it {extra or 'none'}, or reordered"
        ]
    faults = []
    for column, expression in zip(columns, tree.selects, strict=True):
        wanted = exp.DataType.build(CASTS.get(column.type, column.type), dialect="athena").sql()
        found = cast_type(expression.unalias())
        if found is not None and UNSIZED.get(found, found) != UNSIZED.get(wanted, wanted):
            faults.append(f"{column.name} is {found}, the contract has {wanted}")
    return faults


def cast_type(expression: exp.Expr) -> str | None:
    """The type that an expression's outermost CAST gives it, through CASE and coalesce; None when none is seen."""
    if isinstance(expression, exp.Cast):
        return str(expression.to.sql())
    if isinstance(expression, exp.Case):
        parts = [case.args["true"] for case in expression.args["ifs"]]
    elif isinstance(expression, exp.Coalesce):
        parts = [expression.this]
    else:
        return "BOOLEAN" if isinstance(expression, exp.Boolean | exp.Predicate) else None
    found = {cast_type(part) for part in parts} - {None}
    return found.pop() if len(found) == 1 else None
