"""A cohort counted, locked and extracted on a small lake, as the deployer; personas are held in tests/whole."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cohort.builders import a_dosage, a_patient, an_encounter, an_observation, put
from trilake.cohort.cohort import build_cohort, in_words, require_unchanged
from trilake.cohort.definition import Definition
from trilake.cohort.lock import code_commit
from trilake.core.errors import DisclosureError, InputError, ServiceError
from trilake.core.session import Session

N = 12


@pytest.fixture(scope="module")
def filled(lake: Session) -> Session:
    """Twelve women and three men; p0 has no encounter."""
    names = [f"p{number}" for number in range(N)]
    put(lake, "clinical.patient", *(a_patient(name, site_id="north") for name in names))
    put(lake, "clinical.patient", *(a_patient(f"m{number}", gender="male") for number in range(3)))
    put(lake, "clinical.encounter", *(an_encounter(name) for name in names[1:]))
    put(lake, "clinical.observation", *(an_observation(name, 130.0 + i) for i, name in enumerate(names)))
    put(lake, "genomic.dosage", *(a_dosage(name, 1) for name in [*names, "m1"]))
    return lake


def women(**values: object) -> Definition:
    criteria = [{"name": "women", "include": {"sex": "female"}}]
    return Definition.model_validate({"name": "women", "description": "b", "criteria": criteria} | values)


def test_an_extract_accounts_for_every_file(filled: Session, tmp_path: Path) -> None:
    definition = women(extract=["clinical.patient", "genomic.dosage", "imaging.study"])
    cohort = build_cohort(filled, definition, folder=tmp_path / "out")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "manifest.json", *(file["name"] for file in manifest["files"])
    }  # fmt: skip
    for file in manifest["files"]:
        path = tmp_path / "out" / file["name"]
        assert file["sha256"] == sha256(path.read_bytes()).hexdigest()
        assert file["n_bytes"] == path.stat().st_size
        table = pq.read_table(path)
        assert file["n_rows"] == table.num_rows
        assert [column["name"] for column in file["columns"]] == table.column_names
    assert [file["n_rows"] for file in manifest["files"]] == [N, N, 0]
    assert manifest["lock"]["lock_id"] == cohort.lock.lock_id
    assert manifest["files"][0]["columns"][0] == {"name": "patient_id", "type": "string", "class": "CL"}
    members = set(pq.read_table(tmp_path / "out/genomic_dosage.parquet").column("patient_id").to_pylist())
    assert members == {f"p{number}" for number in range(N)}


def test_a_second_extract_takes_the_place_of_the_first_and_of_nothing_else(filled: Session, tmp_path: Path) -> None:
    build_cohort(filled, women(), folder=tmp_path)
    build_cohort(filled, women(extract=["clinical.patient"]), folder=tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"manifest.json", "clinical_patient.parquet"}
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(InputError, match=r"thesis\.docx"):
        build_cohort(filled, women(), folder=tmp_path)


def test_fewer_than_ten_are_counted_and_never_extracted(filled: Session, tmp_path: Path) -> None:
    men = women(criteria=[{"name": "men", "include": {"sex": "male"}}])
    assert build_cohort(filled, men).steps[-1].n == 3
    with pytest.raises(DisclosureError) as error:
        build_cohort(filled, men, folder=tmp_path / "out")
    assert error.value.exit_code == 14
    assert "3" not in error.value.message.replace("fewer than 10", "")
    assert not (tmp_path / "out").exists()


def test_the_manifest_holds_counts_as_they_may_leave_even_for_the_deployer(filled: Session, tmp_path: Path) -> None:
    cohort = build_cohort(filled, women(extract=["clinical.patient"]), folder=tmp_path)
    assert [step.n for step in cohort.steps] == [15, 12]
    assert cohort.manifest is not None
    assert [step["n"] for step in cohort.manifest["attrition"]] == [None, 12]


def test_counts_of_the_deployer_are_true_and_marked(filled: Session) -> None:
    words = in_words(build_cohort(filled, women()))
    assert "not for release" in words
    assert "Lock " in words


def test_a_lock_changes_with_the_definition_and_with_the_data(filled: Session) -> None:
    before = build_cohort(filled, women()).lock
    assert build_cohort(filled, women()).lock == before
    assert build_cohort(filled, women(description="other")).lock.lock_id != before.lock_id
    put(filled, "clinical.patient", a_patient("late", gender="other"))
    after = build_cohort(filled, women()).lock
    assert [name for name in after.snapshots if after.snapshots[name] != before.snapshots[name]] == ["clinical.patient"]
    with pytest.raises(ServiceError, match=r"clinical\.patient changed"):
        require_unchanged(filled, before)
    require_unchanged(filled, replace(after, code_commit="any"))


def test_code_without_git_has_no_commit(tmp_path: Path) -> None:
    assert code_commit(tmp_path) == "unknown"
