"""Builders of contract entries, with defaults."""

from collections.abc import Iterable

from trilake.core.contract import Column, GovernedTable


def a_column(name: str = "a", *, type: str = "string", sensitivity: str = "CL") -> Column:
    return Column.model_validate(
        {"name": name, "type": type, "class": sensitivity, "source": "x", "missing": "not recorded"}
    )


def a_table(
    path: str, *, key: tuple[str, ...], columns: Iterable[Column], patient_level: bool = False
) -> GovernedTable:
    room, name = path.split(".")
    return GovernedTable(
        name=name,
        room=room,
        grain="one row",
        key=key,
        patient_level=patient_level,
        filled_by="sql",
        columns=tuple(columns),
    )
