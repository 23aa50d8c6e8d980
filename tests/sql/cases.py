"""SQL cases: `given` tables, the relation's own SQL run on localaws' Athena, `expect` rows.

A case is tests/sql/<room>/<relation>/<case>.yaml:

    about: A delete marker ends a patient.
    given:
      healthlake.patient:            # FHIR resources, newest last unless meta.lastUpdated says otherwise;
        - {resourceType: Patient, id: p1}
        - {id: p1}                   # an object without resourceType is a delete marker
      clinical.condition:            # rows of a governed table; columns left out are NULL
        - {condition_id: c1}
    only: {status: [active]}         # where it stands: rows of the answer with one of these values, and no others
    expect:                          # the columns named here, rows in any order
      - {patient_id: p1}

Tables that the SQL reads and the case does not name are empty.

Example: answer = run_case(session, load_case(path), number=1)
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml
from sqlglot import exp

from fhir_r4.definitions import resource_types
from localaws.healthlake.rows import schema as resource_schema
from localaws.healthlake.rows import shape
from tests.lake import NAMES, governed_table_input
from trilake.core.athena import Answer, run_athena
from trilake.core.contract import load_contract
from trilake.core.lakehouse.iceberg import open_catalog
from trilake.core.session import Session
from trilake.core.sql import DIALECT, inline_views, load_relations, rename_databases, tables_read
from trilake.genomic import store_schema as genomic_tables
from trilake.imaging import tables as imaging_tables

FOLDER = Path(__file__).parent
RAW_TABLES: dict[str, Any] = {"genomic_store": genomic_tables, "imaging_store": imaging_tables}
MIDNIGHT = re.compile(r"(\.\d*?)0+$")


@dataclass(frozen=True)
class Case:
    """One file. `relation` is the room.name whose SQL is run."""

    name: str
    relation: str
    about: str
    given: dict[str, list[dict[str, Any]]]
    expect: list[dict[str, Any]]
    only: dict[str, list[Any]]

    def asked(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows that the case is about."""
        return [row for row in rows if all(row[column] in values for column, values in self.only.items())]


def case_files() -> list[Path]:
    return sorted(FOLDER.glob("*/*/*.yaml"))


def load_case(path: Path) -> Case:
    content = yaml.safe_load(path.read_text())
    room, relation = path.parts[-3], path.parts[-2]
    name = "/".join(path.with_suffix("").parts[-3:])
    return Case(
        name,
        f"{room}.{relation}",
        content["about"],
        content.get("given") or {},
        content["expect"],
        content.get("only") or {},
    )


def run_case(session: Session, case: Case, number: int) -> Answer:
    """The relation's answer over the given tables, which are made in databases of the case's own."""
    relations = load_relations()
    tree = inline_views(relations[case.relation].tree, relations)
    reads = tables_read(tree)
    if unread := set(case.given) - reads:
        raise ValueError(f"{case.name}: {', '.join(sorted(unread))} is given, but {case.relation} does not read it")
    used = {identifier.name.lower() for identifier in tree.find_all(exp.Identifier)}
    for name in sorted(reads):
        make_table(session, name, case.given.get(name, []), number, used)
    rooms = {name.split(".")[0] for name in reads}
    statement = rename_databases(tree, lambda room: f"case{number}_{room}" if room in rooms else None)
    return run_athena(session, statement.sql(dialect=DIALECT, comments=False))


def make_table(session: Session, name: str, rows: list[dict[str, Any]], number: int, used: set[str]) -> None:
    """The table with its rows; of HealthLake's wide tables only the columns whose names the SQL uses."""
    room, table = name.split(".")
    database, glue = f"case{number}_{room}", session.client("glue")
    location = f"s3://{NAMES['lake']}/cases/{database}/{table}"
    with suppress(glue.exceptions.AlreadyExistsException):
        glue.create_database(DatabaseInput={"Name": database})
    catalog = open_catalog(session)
    if name in load_contract():
        glue.create_table(DatabaseName=database, **governed_table_input(load_contract()[name], location))
        made = catalog.load_table((database, table))
    else:
        schema = source_schema(room, table)
        if room == "healthlake":
            schema = pa.schema([field for field in schema if field.name in used])
            rows = [resource_row(row, table, place) for place, row in enumerate(rows)]
        made = catalog.create_table((database, table), schema, location=location)
    if rows:
        made.append(pa.Table.from_pylist(rows, schema=made.schema().as_arrow()))


def source_schema(room: str, table: str) -> pa.Schema:
    """The columns of a table that a service or a job writes."""
    if room == "healthlake":
        return resource_schema(type_of(table))
    schema: pa.Schema = getattr(RAW_TABLES[room], table.upper())
    return schema


def type_of(table: str) -> str:
    return next(name for name in resource_types() if name.lower() == table)


def resource_row(resource: dict[str, Any], table: str, place: int) -> dict[str, Any]:
    """A resource as its table's row, stamped one second after the one before."""
    stamp = resource.get("meta", {}).get("lastUpdated", f"2026-01-01T00:00:{place:02d}.000000Z")
    meta = {**resource.get("meta", {}), "lastUpdated": stamp}
    return shape(type_of(table)).row({**resource, "meta": meta})


def comparable(rows: list[dict[str, Any]], columns: list[str]) -> list[tuple[str, ...]]:
    """Rows as sorted tuples of texts, dates and times in one form."""
    return sorted(tuple(text_of(row[column]) for column in columns) for row in rows)


def text_of(value: Any) -> str:
    if isinstance(value, datetime):
        value = value.isoformat(sep=" ")
    elif isinstance(value, date):
        value = value.isoformat()
    if isinstance(value, str):
        return MIDNIGHT.sub(r"\1", value).removesuffix(".")
    return repr(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else repr(value)
