"""The contract: each governed table, how it is kept current, and each column's type, meaning and sensitivity class.

Terraform reads `sql/<room>/contract.yaml` and `sql/core/` too: columns, keys and layout, and leaves the rest.

Example: load_contract()["clinical.patient"].columns
"""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter

from trilake.core.errors import InputError
from trilake.core.paths import SQL
from trilake.core.yaml_file import Strict, load_model

PARTITION = re.compile(r"(?P<column>[a-z_]+)|bucket\((?P<buckets>[1-9]\d{0,3}), (?P<bucketed>[a-z_]+)\)")

Text = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
TablePath = Annotated[str, StringConstraints(pattern=r"^[a-z_]+\.[a-z0-9_]+$")]
"""`room.table`, or `healthlake.<resource type>` and `<room>_store.<table>` for what services and jobs fill."""
NotStrict = Field(strict=False)
"""YAML has lists where a frozen model has tuples."""


@cache
def sensitivity_classes() -> dict[str, str]:
    """Class -> its meaning. Read when asked for: Glue jobs import this module, and have no sql/ beside them."""
    return {entry["class"]: entry["meaning"] for entry in _class_entries()}


@cache
def sensitive_classes() -> frozenset[str]:
    """The classes whose gain a plan review puts first."""
    return frozenset(entry["class"] for entry in _class_entries() if entry["is_sensitive"])


def _class_entries() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = yaml.safe_load((SQL / "core/classes.yaml").read_text())
    return entries


def of_a_class(word: str) -> str:
    if word not in sensitivity_classes():
        raise ValueError(f"class '{word}' is none of {', '.join(sensitivity_classes())}")
    return word


class Layout(Strict):
    """How a table's files are kept: `partition` in Iceberg's words (a column, or `bucket(8, column)`), and `sort`."""

    partition: Annotated[tuple[Text, ...], NotStrict] = ()
    sort: Annotated[tuple[Name, ...], NotStrict] = ()
    row_group: int | None = None
    """Rows of a Parquet row group: few where a query wants few rows of a large file."""

    def parts(self) -> list[tuple[str, int | None]]:
        """(column, number of buckets or None) of each partition field. ValueError for words of another form."""
        matches = [PARTITION.fullmatch(word) for word in self.partition]
        if None in matches:
            raise ValueError(f"partition words {', '.join(self.partition)}; expected a column or bucket(8, column)")
        return [
            (match["column"] or match["bucketed"], int(match["buckets"]) if match["buckets"] else None)
            for match in matches
            if match
        ]


class Column(Strict):
    """One governed column. `type` is an Athena DDL type; `missing` says what NULL means."""

    name: Name
    type: Text
    sensitivity: Annotated[str, AfterValidator(of_a_class)] = Field(alias="class")
    source: Text
    missing: Text
    unit: str | None = None
    code_system: str | None = None


class Source(Strict):
    """A FHIR table that keeps a governed table current: a new version of an id concerns the rows with it in `column`.

    `prefix` stands in front of the id there (`Condition/`). `patient` is the element of the source whose patient is
    concerned, where that is not the id itself (a Consent's `patient.reference`).
    """

    table: TablePath
    column: Name
    prefix: str = ""
    patient: str = ""


class Follows(Strict):
    """The governed table that tells of every change: rows of a `column` change only when its row of that `key` does.

    `only`: values of columns that its rows for this table have (one kind of object among several). `raw_column`:
    `column` as the raw stores call it, where that is another name.
    """

    table: TablePath
    key: Name
    column: Name
    only: dict[Name, Text] = {}
    raw_column: Name | None = None


class AllowedTrap(Strict):
    """A trap of `operations.sql_traps` that the SQL file falls into on purpose, in so many places."""

    trap: Name
    reason: Text
    places: Annotated[int, Field(ge=1)] = 1


class TableEntry(Strict):
    """A governed table as its room's contract has it. `key` identifies a row; `filled_by` is sql (MERGE) or job."""

    grain: Text
    key: Annotated[tuple[Name, ...], NotStrict, Field(min_length=1)]
    patient_level: bool
    filled_by: Literal["sql", "job"]
    columns: Annotated[tuple[Column, ...], NotStrict]
    layout: Layout = Layout()
    kept_current_by: Annotated[tuple[Source, ...], NotStrict] = ()
    """Empty: rebuilt whenever something that it reads has changed."""
    follows: Follows | None = None
    may_be_missing: dict[TablePath, Text] = {}
    """Services' tables that it reads and can do without, and what is the case then."""
    allowed_traps: Annotated[tuple[AllowedTrap, ...], NotStrict] = ()


class GovernedTable(TableEntry):
    """One governed table; a patient-level one carries the row keys after its own columns."""

    name: Name
    room: Name

    @property
    def path(self) -> str:
        """The name used in SQL: room.table."""
        return f"{self.room}.{self.name}"


class Withheld(Strict):
    """A governed table that a view can do without for who may not see it; `flag` is the column that says so."""

    table: TablePath
    flag: Name | None = None


class View(Strict):
    """What a view needs said besides its SQL (see `core.sql.without_withheld`)."""

    may_be_withheld: Annotated[tuple[Withheld, ...], NotStrict] = ()
    allowed_traps: Annotated[tuple[AllowedTrap, ...], NotStrict] = ()


class ContractFile(Strict):
    """`sql/<room>/contract.yaml`."""

    room: Name
    tables: dict[Name, TableEntry]
    views: dict[Name, View] = {}


@cache
def load_files(folder: Path) -> tuple[ContractFile, ...]:
    """Every contract file. InputError lists the faults of all of them."""
    files, faults = [], []
    for path in sorted(folder.glob("*/contract.yaml")):
        try:
            files.append(load_model(path, ContractFile))
        except InputError as error:
            faults.append(error.message)
    tables = [table for file in files for table in governed_tables(file, load_row_keys(folder))]
    paths = {table.path: table for table in tables}
    faults += [fault for table in tables for fault in faults_of(table, paths)]
    faults += [fault for file in files for fault in faults_of_views(file, paths)]
    if faults:
        raise InputError("The contract does not hold:\n  " + "\n  ".join(faults), next_step="mend sql/*/contract.yaml")
    return tuple(files)


@cache
def load_contract(folder: Path = SQL) -> dict[str, GovernedTable]:
    """Every governed table by `room.table`. InputError lists all faults of all contract files."""
    row_keys = load_row_keys(folder)
    return {table.path: table for file in load_files(folder) for table in governed_tables(file, row_keys)}


@cache
def load_views(folder: Path = SQL) -> dict[str, View]:
    """By `room.view`, those of which the contract says something."""
    return {f"{file.room}.{name}": view for file in load_files(folder) for name, view in file.views.items()}


@cache
def load_row_keys(folder: Path = SQL) -> tuple[Column, ...]:
    """The columns that every patient-level table carries: the only ones that a row rule may name."""
    content = yaml.safe_load((folder / "core/row_keys.yaml").read_text())
    return TypeAdapter(tuple[Column, ...]).validate_python(content)


def governed_tables(file: ContractFile, row_keys: tuple[Column, ...]) -> list[GovernedTable]:
    return [
        GovernedTable.model_construct(
            **dict(entry) | {"columns": entry.columns + (row_keys if entry.patient_level else ())},
            name=name,
            room=file.room,
        )
        for name, entry in file.tables.items()
    ]


def faults_of(table: GovernedTable, tables: dict[str, GovernedTable]) -> list[str]:
    """What in one table's entry does not fit the rest of it, or the other tables, in words."""
    names = [column.name for column in table.columns]
    faults = [f"{table.path}: key column {key} is not a column" for key in table.key if key not in names]
    faults += [f"{table.path}.{name}: named twice" for name in sorted({n for n in names if names.count(n) > 1})]
    try:
        used = [column for column, _ in table.layout.parts()] + list(table.layout.sort)
        faults += [f"{table.path}: layout names {name}, which is not a column" for name in used if name not in names]
    except ValueError as error:
        faults.append(f"{table.path}: {error}")
    if table.patient_level and "patient_id" not in names:
        faults.append(f"{table.path}: patient_level, but no column patient_id")
    if table.filled_by == "job" and (table.kept_current_by or table.follows or table.may_be_missing):
        faults.append(f"{table.path}: filled by a job, so no refresh keeps it current")
    used = [source.column for source in table.kept_current_by] + ([table.follows.column] if table.follows else [])
    faults += [f"{table.path}: kept current by {name}, which is not a column" for name in used if name not in names]
    if table.follows:
        followed = tables.get(table.follows.table)
        columns = [column.name for column in followed.columns] if followed else []
        faults += [
            f"{table.path}: follows {table.follows.table}.{name}, which is no governed column"
            for name in (table.follows.key, *table.follows.only)
            if name not in columns
        ]
    return faults


def faults_of_views(file: ContractFile, tables: dict[str, GovernedTable]) -> list[str]:
    return [
        f"{file.room}.{name}: {part.table} may be withheld, but is no governed table"
        for name, view in file.views.items()
        for part in view.may_be_withheld
        if part.table not in tables
    ]
