"""`trilake views` before there are consents, organisations or conditions: HealthLake has no such tables yet."""

from pathlib import Path

from tests.clinical.builders import a_condition, a_patient, ndjson
from tests.lake import a_run
from trilake.core.athena import run
from trilake.core.session import Session
from trilake.operations.ingest import ingest_paths
from trilake.operations.refresh import refresh

PATIENTS = "SELECT patient_id, consent_research, site_id FROM clinical.patient"


def load(session: Session, folder: Path, content: bytes) -> None:
    (folder / "file").write_bytes(content)
    ingest_paths(session, a_run(session), [str(folder)], modalities=("clinical",))


def test_views_are_built_from_what_there_is_and_say_what_is_not(lake: Session, tmp_path: Path) -> None:
    said: list[str] = []
    assert "healthlake.patient" in refresh(lake, say=str).skipped["clinical.patient"]
    load(lake, tmp_path, ndjson(a_patient()))
    built = refresh(lake, say=said.append)
    assert run(lake, PATIENTS).rows == [["p1", False, None]]
    assert any("healthlake.consent does not exist yet" in line for line in said)
    assert "healthlake.condition does not exist yet" in built.skipped["clinical.condition"]
    load(lake, tmp_path, ndjson(a_condition()))
    assert refresh(lake, say=str).rows["clinical.condition"] == 1
