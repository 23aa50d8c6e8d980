"""Equal arguments give equal bytes: any workers, a second run, a stopped run, the beginning of a longer one."""

import hashlib
import json
from pathlib import Path

import pytest

from trilake.core.errors import InputError
from trilake.sample.generate import Plan, _claim, generate
from trilake.sample.shard import write_shard

N = 55


def hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def quiet(_: str) -> None:
    pass


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> Plan:
    plan = Plan(7, N, "tiny", tmp_path_factory.mktemp("once") / "data")
    generate(plan, workers=1, say=quiet)
    return plan


def test_two_workers_write_the_same_bytes_as_one(once: Plan, tmp_path: Path) -> None:
    plan = Plan(7, N, "tiny", tmp_path / "data")
    generate(plan, workers=2, say=quiet)
    assert hashes(plan.out) == hashes(once.out)
    assert hashes(plan.truth) == hashes(once.truth)


def test_a_stopped_run_goes_on_and_a_second_run_changes_nothing(once: Plan, tmp_path: Path) -> None:
    plan = Plan(7, N, "tiny", tmp_path / "data")
    _claim(plan)
    first, second = plan.orders()
    write_shard(second)
    torn = first.part
    torn.mkdir()
    (torn / "patients.parquet").write_bytes(b"half a file")
    said: list[str] = []
    generate(plan, workers=1, say=said.append)
    assert said[0] == f"Going on after 5 of {N} patients"
    assert hashes(plan.out) == hashes(once.out)
    generate(plan, workers=1, say=quiet)
    assert hashes(plan.out) == hashes(once.out)
    assert hashes(plan.truth) == hashes(once.truth)


def test_the_beginning_of_a_longer_sample_is_the_shorter_one(once: Plan, written) -> None:
    shorter, longer = hashes(once.out), hashes(written.out)
    own = {name for name in shorter if name.startswith(("fhir/bundles", "vcf", "dicom"))}
    assert own
    assert {name: longer.get(name) for name in own} == {name: shorter[name] for name in own}
    observations = (once.out / "fhir/ndjson/Observation.ndjson").read_bytes()
    assert (written.out / "fhir/ndjson/Observation.ndjson").read_bytes().startswith(observations)


def test_another_seed_shares_no_patient_and_no_record_number(written, tmp_path: Path) -> None:
    plan = Plan(8, 5, "tiny", tmp_path / "data")
    generate(plan, workers=1, say=quiet)
    bundles = [path.name for path in (plan.out / "fhir/bundles").iterdir()]
    assert not set(bundles) & {path.name for path in (written.out / "fhir/bundles").iterdir()}
    mrns = {row["mrn"] for row in written.table("patients")}
    lines = [json.loads(line) for line in (plan.out / "fhir/ndjson/Patient.ndjson").read_text().splitlines()]
    assert lines
    assert not mrns & {line["identifier"][1]["value"] for line in lines}


def test_the_manifest_lists_every_file_with_its_hash(written) -> None:
    manifest = written.document("manifest")
    assert {entry["path"]: entry["sha256"] for entry in manifest["files"]} == hashes(written.out)
    own = hashes(written.truth)
    listed = {entry["path"]: entry["sha256"] for entry in manifest["truth_files"]}
    assert listed == {name: own[name] for name in own if name not in ("manifest.json", "run.json")}
    assert sum(entry["n_bytes"] for entry in manifest["files"]) == written.result["n_bytes"]


def test_a_folder_of_someone_else_is_never_touched(tmp_path: Path) -> None:
    for name in ("holiday.jpg", "fhir/mine.json"):
        out = tmp_path / name.split(".")[0].replace("/", "_")
        mine = out / name
        mine.parent.mkdir(parents=True)
        mine.write_text("mine")
        with pytest.raises(InputError, match="was not written by `trilake sample`"):
            generate(Plan(7, 1, "tiny", out), workers=1, say=quiet)
        assert mine.read_text() == "mine"
        assert [path for path in out.rglob("*") if path.is_file()] == [mine]


def test_a_truth_folder_of_someone_else_is_never_touched(tmp_path: Path) -> None:
    mine = tmp_path / "data.truth" / "notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(InputError, match="data.truth was not written"):
        generate(Plan(7, 1, "tiny", tmp_path / "data"), workers=1, say=quiet)
    assert mine.read_text() == "mine"


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(InputError, match="is a file, not a folder"):
        generate(Plan(7, 1, "tiny", tmp_path / "data"), workers=1, say=quiet)


def test_another_sample_replaces_an_earlier_one_whole(tmp_path: Path) -> None:
    out = tmp_path / "data"
    generate(Plan(7, 4, "tiny", out), workers=1, say=quiet)
    before = set(hashes(out))
    generate(Plan(9, 3, "tiny", out), workers=1, say=quiet)
    after = hashes(out)
    manifest = json.loads((tmp_path / "data.truth" / "manifest.json").read_text())
    assert {entry["path"] for entry in manifest["files"]} == set(after)
    assert not {name for name in before & set(after) if name.startswith(("vcf", "dicom", "fhir/bundles"))}
