"""The profile `dirty`: every injected defect becomes what the truth says, and nothing else is refused."""

from collections import Counter
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.lake import a_run
from trilake.core.ledger import FileOutcome
from trilake.core.session import Session
from trilake.operations.loading import MODALITIES, find_files, ingest_run, load_sorted, preview_sorted, sort_files
from trilake.sample.defects import HANDLING
from trilake.sample.generate import Plan, generate

Defects = list[dict[str, Any]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dirty") / "data"
    generate(Plan(7, 50, "dirty", out), workers=1, say=str)
    return out


@pytest.fixture(scope="module")
def defects(data: Path) -> Defects:
    return list(orjson.loads((data.with_name("data.truth") / "defects.json").read_bytes()))


def outcomes_of(lake: Session, data: Path, modality: str, *, is_loaded: bool) -> dict[str, FileOutcome]:
    """Outcome by file name; genomic and imaging files are only checked, without a job."""
    with ingest_run(a_run(lake)) as run:
        files = sort_files(find_files(lake, [str(data)], run.work_dir), MODALITIES)
        files.by_modality = {name: found if name == modality else [] for name, found in files.by_modality.items()}
        found = (load_sorted if is_loaded else preview_sorted)(lake, files, run)
    return {outcome.file: outcome for outcome in found}


@pytest.fixture(scope="module")
def clinical(lake: Session, data: Path) -> dict[str, FileOutcome]:
    return outcomes_of(lake, data, "clinical", is_loaded=True)


@pytest.fixture(scope="module")
def genomic(lake: Session, data: Path) -> dict[str, FileOutcome]:
    return outcomes_of(lake, data, "genomic", is_loaded=False)


@pytest.fixture(scope="module")
def imaging(lake: Session, data: Path) -> dict[str, FileOutcome]:
    return outcomes_of(lake, data, "imaging", is_loaded=False)


def test_every_handling_occurs(defects: Defects) -> None:
    assert {defect["expected"] for defect in defects} == set(HANDLING)


def assert_as_told(defects: Defects, outcomes: dict[str, FileOutcome]) -> None:
    wrong = [defect for defect in defects if not is_as_told(defect, outcomes[defect["file"]])]
    assert wrong == []


def is_as_told(defect: dict[str, Any], outcome: FileOutcome) -> bool:
    codes = {(reason.line, reason.code, reason.is_warning) for reason in outcome.reasons}
    expected, line = defect["expected"], defect["line"]
    if expected == "quarantined":
        return (line, defect["code"], False) in codes
    if expected == "loaded_with_warning":
        return (line, defect["code"], True) in codes
    if expected in ("duplicate", "superseded"):
        return getattr(outcome, expected) > 0 and not any(place == line for place, _, _ in codes)
    code_found = any(code == defect["code"] for _, code, _ in codes)
    return code_found and outcome.loaded == 0 and outcome.is_recognised == (expected != "unrecognised")


def test_clinical_defects_become_what_the_truth_says(defects: Defects, clinical: dict[str, FileOutcome]) -> None:
    assert_as_told([defect for defect in defects if defect["file"].startswith("fhir/")], clinical)


def test_genomic_defects_are_refused_for_what_they_are(defects: Defects, genomic: dict[str, FileOutcome]) -> None:
    assert_as_told([defect for defect in defects if defect["file"].startswith("vcf/")], genomic)


def test_imaging_defects_become_what_the_truth_says_and_nothing_else_is_refused(
    defects: Defects, imaging: dict[str, FileOutcome]
) -> None:
    ours = [defect for defect in defects if defect["file"].startswith("dicom/")]
    assert_as_told(ours, imaging)
    refused = {name for name, outcome in imaging.items() if outcome.quarantined}
    assert refused == {defect["file"] for defect in ours if defect["expected"] == "quarantined"}
    assert len(refused) > 10


@pytest.mark.parametrize("expected", ["quarantined", "duplicate", "superseded"])
def test_counts_add_up_to_the_truth(defects: Defects, clinical: dict[str, FileOutcome], expected: str) -> None:
    lines = Counter(d["file"] for d in defects if d["expected"] == expected and d["file"].startswith("fhir/"))
    cut = ("fhir/defects/cut.json", "fhir/defects/cut.ndjson")
    found = {
        name: getattr(one, expected) for name, one in clinical.items() if getattr(one, expected) and name not in cut
    }
    assert found == dict(lines)


def test_what_is_clean_is_loaded(data: Path, clinical: dict[str, FileOutcome]) -> None:
    counts = orjson.loads((data.with_name("data.truth") / "counts.json").read_bytes())
    assert sum(outcome.loaded for outcome in clinical.values()) == sum(counts["fhir"].values())
