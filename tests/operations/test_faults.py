"""A run that dies at any point and is started again ends in the same tables."""

from pathlib import Path
from typing import Any

import pytest

from tests.clinical.builders import a_condition, a_patient, ndjson
from tests.lake import a_run
from trilake.clinical import importer
from trilake.core.athena import run
from trilake.core.session import Session
from trilake.core.sql import load_relations
from trilake.operations import loading
from trilake.operations.ingest import ingest_paths
from trilake.operations.ledger import ledger_rows


class Killed(BaseException):
    """As a signal would: nothing may catch it."""


def die(*words: Any, **options: Any) -> None:
    raise Killed


POINTS = {
    "before staging": (importer, "stage"),
    "before the job": (importer, "run_import"),
    "after the job": (importer, "remember"),
    "before the ledger": (loading, "append_outcomes"),
}


@pytest.mark.parametrize("point", POINTS)
def test_a_killed_run_started_again_ends_in_the_same_tables(
    lake: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    name = point.replace(" ", "-")
    (tmp_path / "file").write_bytes(ndjson(a_patient(name), a_condition(f"c-{name}", f"Patient/{name}"), {"id": "x"}))
    monkeypatch.setattr(*POINTS[point], die)
    with pytest.raises(Killed):
        ingest_paths(lake, a_run(lake), [str(tmp_path)], modalities=("clinical",))
    monkeypatch.undo()
    result = ingest_paths(lake, a_run(lake), [str(tmp_path)], modalities=("clinical",))
    part = result["clinical"]
    assert (part["records_in"], part["loaded"] + part["duplicate"], part["quarantined"]) == (3, 2, 1)
    current = run(lake, load_relations()["clinical.condition"].text).records()
    assert [row["condition_id"] for row in current if row["patient_id"] == name] == [f"c-{name}"]
    assert [row["status"] for row in ledger_rows(lake, ingest_id=result["ingest_id"])] == ["partial"]
