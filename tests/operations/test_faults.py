"""A run that dies at any point and is started again ends in the same tables."""

from pathlib import Path
from typing import Any

import pytest

from tests.clinical.builders import a_condition, a_patient, ndjson
from tests.lake import a_run
from trilake.clinical import import_job, importer, staging
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
    "in the check": (importer, "enter"),
    "before staging": (importer, "stage"),
    "half way through staging": (staging, "size_of"),
    "before the job": (importer, "run_import"),
    "while the job runs": (import_job, "wait"),
    "before what was refused is read": (import_job, "read_manifest"),
    "after the job": (importer, "remember"),
    "before the ledger": (loading, "append_outcomes"),
}

TAKEN_UP = {"while the job runs", "before what was refused is read", "after the job"}
"""Points after which the job is there already: the second run pays for none."""


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
    n_jobs = len(jobs(lake))
    result = ingest_paths(lake, a_run(lake), [str(tmp_path)], modalities=("clinical",))
    part = result["clinical"]
    assert (part["records_in"], part["loaded"] + part["duplicate"], part["quarantined"]) == (3, 2, 1)
    current = run(lake, load_relations()["clinical.condition"].text).records()
    assert [row["condition_id"] for row in current if row["patient_id"] == name] == [f"c-{name}"]
    assert [row["status"] for row in ledger_rows(lake, ingest_id=result["ingest_id"])] == ["partial"]
    is_taken_up = point in TAKEN_UP
    assert len(jobs(lake)) - n_jobs == (0 if is_taken_up else 1)
    stored = run(lake, f"SELECT id FROM healthlake.patient WHERE id = '{name}'").rows
    assert len(stored) == 1


def jobs(session: Session) -> list[Any]:
    store = session.settings.clinical.datastore_id
    answer = session.client("healthlake").list_fhir_import_jobs(DatastoreId=store, MaxResults=500)
    return list(answer["ImportJobPropertiesList"])
