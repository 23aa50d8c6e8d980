"""A fresh table in a database of its own, on the stage of the hostile tests."""

from __future__ import annotations

from itertools import count
from typing import Any

import pyarrow as pa

from localaws.athena.catalog import View, glue_input

from .hostile import ACCOUNT, Stage

NUMBERS = count()
ROWS = pa.table(
    {
        "id": ["a", "b", "c", "d"],
        "site": ["north", "north", "south", "south"],
        "consent": [True, False, True, False],
        "name": ["Ada", "Bo", "Cy", "Di"],
        "code": ["x", "y", "z", None],
    }
)


class Room:
    """A fresh table `t` in a database of its own, and the persona."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.database = f"room_{next(NUMBERS)}"
        place = f"s3://lake/{self.database}"
        stage.world.client("glue").create_database(DatabaseInput={"Name": self.database, "LocationUri": place})
        stage.table(self.database, "t", ROWS)
        self.lf = stage.world.client("lakeformation")

    def filtered(self, name: str, rows: str | None, columns: list[str] | None = None) -> None:
        key = {"TableCatalogId": ACCOUNT, "DatabaseName": self.database, "TableName": "t", "Name": name}
        row_filter: Any = {"AllRowsWildcard": {}} if rows is None else {"FilterExpression": rows}
        wanted: Any = {"ColumnNames": columns} if columns else {"ColumnWildcard": {}}
        self.lf.create_data_cells_filter(TableData={**key, "RowFilter": row_filter, **wanted})
        self.stage.grant(self.stage.persona, {"DataCellsFilter": key}, "SELECT")

    def grant(self, *permissions: str, table: str = "t") -> None:
        resource = {"Table": {"DatabaseName": self.database, "Name": table}}
        self.stage.grant(self.stage.persona, resource, *permissions)

    def grant_database(self, *permissions: str) -> None:
        self.stage.grant(self.stage.persona, {"Database": {"Name": self.database}}, *permissions)

    def view(self, name: str, sql: str, *columns: tuple[str, str]) -> None:
        entry = glue_input(name, View(sql, self.database, columns))
        self.stage.world.client("glue").create_table(DatabaseName=self.database, TableInput=entry)

    def ask(self, sql: str, arn: str | None = None) -> Any:
        return self.stage.ask(sql, arn, self.database)

    def rows(self, sql: str) -> list[tuple[str | None, ...]]:
        answer = self.ask(sql)
        assert answer.state == "SUCCEEDED", answer.reason
        return list(answer.rows[1:])
