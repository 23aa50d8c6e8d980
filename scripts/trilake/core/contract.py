"""The contract: which governed tables there are, and each column's type, meaning and sensitivity class.

Reads sql/<room>/contract.yaml and sql/core/ (the same files that Terraform reads).

Example: load_contract()["clinical.patient"].columns
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from trilake.core.errors import InputError
from trilake.core.paths import SQL

PART = re.compile(r"(?P<column>[a-z_]+)|bucket\((?P<buckets>[1-9]\d{0,3}), (?P<bucketed>[a-z_]+)\)")


@dataclass(frozen=True)
class Layout:
    """How a table's files are kept: `partition` in Iceberg's words (a column, or `bucket(8, column)`), and `sort`."""

    partition: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    row_group: int | None = None
    """Rows of a Parquet row group: few where a query wants few rows of a large file."""

    def parts(self) -> list[tuple[str, int | None]]:
        """(column, number of buckets or None) of each partition field. ValueError for words of another form."""
        found = [PART.fullmatch(word) for word in self.partition]
        if None in found:
            raise ValueError(f"partition words {', '.join(self.partition)}; expected a column or bucket(8, column)")
        matches = [match for match in found if match]
        return [(m["column"] or m["bucketed"], int(m["buckets"]) if m["buckets"] else None) for m in matches]


@dataclass(frozen=True)
class Column:
    """One governed column. `type` is an Athena DDL type; `missing` says what NULL means."""

    name: str
    type: str
    sensitivity: str
    source: str
    missing: str
    unit: str | None = None
    code_system: str | None = None


@dataclass(frozen=True)
class GovernedTable:
    """One governed table. `key` identifies a row; `filled_by` is sql (MERGE) or job (written by the product)."""

    name: str
    room: str
    grain: str
    key: tuple[str, ...]
    patient_level: bool
    filled_by: str
    columns: tuple[Column, ...]
    layout: Layout = Layout()

    @property
    def path(self) -> str:
        """The name used in SQL: room.table."""
        return f"{self.room}.{self.name}"


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


@cache
def load_contract(folder: Path = SQL) -> dict[str, GovernedTable]:
    """Every governed table by `room.table`. InputError lists all faults of all contract files."""
    row_keys = load_row_keys(folder)
    tables: dict[str, GovernedTable] = {}
    faults: list[str] = []
    for path in sorted(folder.glob("*/contract.yaml")):
        content = yaml.safe_load(path.read_text())
        for name, entry in content["tables"].items():
            table = governed_table(content["room"], name, entry, row_keys)
            tables[table.path] = table
            faults += faults_of(table)
    if faults:
        raise InputError("The contract does not hold:\n  " + "\n  ".join(faults), next_step="mend sql/*/contract.yaml")
    return tables


@cache
def load_row_keys(folder: Path = SQL) -> tuple[Column, ...]:
    """The columns that every patient-level table ends in: the only ones that a row rule may name."""
    return tuple(column(entry) for entry in yaml.safe_load((folder / "core/row_keys.yaml").read_text()))


def governed_table(room: str, name: str, entry: dict[str, Any], row_keys: tuple[Column, ...]) -> GovernedTable:
    own = tuple(column(item) for item in entry["columns"])
    return GovernedTable(
        name=name,
        room=room,
        grain=entry["grain"],
        key=tuple(entry["key"]),
        patient_level=entry["patient_level"],
        filled_by=entry["filled_by"],
        columns=own + (row_keys if entry["patient_level"] else ()),
        layout=layout(entry.get("layout") or {}),
    )


def layout(entry: dict[str, Any]) -> Layout:
    return Layout(tuple(entry.get("partition") or ()), tuple(entry.get("sort") or ()), entry.get("row_group"))


def column(entry: dict[str, Any]) -> Column:
    return Column(
        name=entry["name"],
        type=entry["type"],
        sensitivity=entry.get("class", ""),
        source=entry["source"],
        missing=entry["missing"],
        unit=entry.get("unit"),
        code_system=entry.get("code_system"),
    )


def faults_of(table: GovernedTable) -> list[str]:
    """What is wrong with one table's entry, in words."""
    names = [item.name for item in table.columns]
    faults = [
        f"{table.path}.{item.name}: class '{item.sensitivity}' is none of {', '.join(sensitivity_classes())}"
        for item in table.columns
        if item.sensitivity not in sensitivity_classes()
    ]
    faults += [f"{table.path}: key column {key} is not a column" for key in table.key if key not in names]
    faults += [f"{table.path}.{name}: named twice" for name in sorted({n for n in names if names.count(n) > 1})]
    try:
        used = [column for column, _ in table.layout.parts()] + list(table.layout.sort)
        faults += [f"{table.path}: layout names {name}, which is not a column" for name in used if name not in names]
    except ValueError as error:
        faults.append(f"{table.path}: {error}")
    if table.filled_by not in ("sql", "job"):
        faults.append(f"{table.path}: filled_by '{table.filled_by}' is neither sql nor job")
    if table.patient_level and "patient_id" not in names:
        faults.append(f"{table.path}: patient_level, but no column patient_id")
    return faults
