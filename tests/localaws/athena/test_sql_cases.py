"""Every case of `cases/*.yaml`: query in, Athena's answer out, through the embedded engine alone.

Example: `python -m pytest tests/localaws/athena/test_sql_cases.py -k unnest`
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from localaws.athena.embedded.engine import Embedded
from localaws.athena.engine import Query, Work
from localaws.athena.errors import QueryError
from localaws.athena.parser import parse_query
from localaws.athena.results import column_texts
from localaws.athena.types import trino_text

FOLDER = Path(__file__).parent / "cases"
Case = dict[str, Any]


def all_cases() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for place, case in enumerate(yaml.safe_load(path.read_text())):
            yield pytest.param(case, id=f"{path.stem}-{place + 1}")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    embedded = Embedded(None, tmp_path_factory.mktemp("objects"))  # type: ignore[arg-type]
    yield embedded
    embedded.close()


def answer(engine: Embedded, sql: str) -> dict[str, Any]:
    """Columns, types and printed rows of a query; or the text of its failure."""
    try:
        with engine.run(Query(parse_query(sql)), Work()) as result:
            rows: list[list[str | None]] = []
            for batch in result.batches:
                texts = [column_texts(array, shown) for array, shown in zip(batch.columns, result.columns, strict=True)]
                rows += [list(row) for row in zip(*texts, strict=True)]
            types = [trino_text(column.type) for column in result.columns]
            return {"columns": [column.name for column in result.columns], "types": types, "rows": rows}
    except QueryError as error:
        return {"error": error.reason}


@pytest.mark.parametrize("case", list(all_cases()))
def test_case(case: Case, engine: Embedded) -> None:
    result = answer(engine, case["sql"])
    if "error" in case:
        assert result.get("error", "").startswith(case["error"]), result
        assert "error" in result, result
        assert "athena-error" not in result["error"] and "LINE" not in result["error"]
        return
    assert "error" not in result, result
    for part in ("columns", "types", "rows"):
        if part in case:
            assert result[part] == case[part], part
