"""The profile `dirty` from files to verdicts: each link case and discordance is what the truth says; decisions hold."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from tests.lake import a_run
from tests.stores import built_lake, lake, stores
from trilake.core.athena import run
from trilake.core.cli import trilake
from trilake.core.session import Session
from trilake.core.sql import load_relations, run_order
from trilake.operations.changes import SourceWatermarks
from trilake.operations.loading import MODALITIES, find_files, ingest_run, load_sorted, sort_files
from trilake.operations.refresh import Built, build_table
from trilake.sample.generate import Plan, generate

__all__ = ["built_lake", "lake", "stores"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Told:
    """A loaded sample and the truth about it."""

    session: Session
    data: Path

    @property
    def links(self) -> list[Row]:
        rows = pq.read_table(self.data.with_name("data.truth") / "links.parquet").to_pylist()
        return [row for row in rows if row["verdict"] != "no_file"]

    def object_of(self, row: Row) -> tuple[str, str]:
        """(modality, object_id) of a row of the truth."""
        return ("imaging", row["object"]) if row["kind"] == "study" else ("genomic", row["name_in_file"])

    def case(self, name: str) -> tuple[str, list[str]]:
        """A case's object and its candidates."""
        row = next(row for row in self.links if row["case"] == name)
        return self.object_of(row)[1], row["candidates"]

    def linked(self, object_id: str) -> Row:
        rows = run(
            self.session,
            f"""SELECT patient_id, link_method, link_reason FROM imaging.study WHERE study_instance_uid = '{object_id}'
            UNION SELECT patient_id, link_method, link_reason FROM genomic.sample WHERE sample_id = '{object_id}'""",
        ).records()
        assert len(rows) == 1
        return rows[0]


def may_read_stores(session: Session) -> None:
    """What terraform/modules/store grants the pipeline: the jobs' tables are the jobs'."""
    caller = session.client("sts").get_caller_identity()["Arn"]
    for room in ("genomic", "imaging"):
        session.client("lakeformation").grant_permissions(
            Principal={"DataLakePrincipalIdentifier": caller},
            Resource={"Table": {"DatabaseName": f"test_{room}_store", "TableWildcard": {}}},
            Permissions=["SELECT", "DESCRIBE"],
        )


def load(session: Session, data: Path) -> None:
    with ingest_run(a_run(session)) as ingest:
        load_sorted(session, sort_files(find_files(session, [str(data)], ingest.work_dir), MODALITIES), ingest)


def build_links(session: Session, *wanted: str) -> None:
    """What `views` does, of the tables that the wanted ones (links) are made of."""
    relations = load_relations()
    needed, open_names = set[str](), [*wanted, "linkage.link", "genomic.sample", "imaging.study"]
    while open_names:
        name = open_names.pop()
        needed.add(name)
        open_names += [read for read in relations[name].reads if read in relations and read not in needed]
    order = [name for name in run_order(relations) if name in needed]
    built, watermarks_now = Built(order), SourceWatermarks(session)
    for name in order:
        build_table(watermarks_now, relations[name], built, say=str, full=False)
    assert not built.skipped


@pytest.fixture(scope="module")
def told(stores: Session, tmp_path_factory: pytest.TempPathFactory) -> Told:
    data = tmp_path_factory.mktemp("dirty") / "data"
    generate(Plan(7, 3, "dirty", data), workers=1, say=str)
    may_read_stores(stores)
    load(stores, data)
    build_links(stores, "cohort.discordance")
    return Told(stores, data)


def test_every_verdict_is_that_of_the_truth(told: Told) -> None:
    found: dict[tuple[str, str], list[Row]] = {}
    for row in run(told.session, "SELECT * FROM linkage.link WHERE modality <> 'clinical'").records():
        found.setdefault((row["modality"], row["object_id"]), []).append(row)
    assert len(told.links) == len({told.object_of(row) for row in told.links}) == len(found) >= 35
    for truth in told.links:
        rows = found[told.object_of(truth)]
        verdicts = {row["verdict"] for row in rows}
        assert truth["verdict"] in verdicts and verdicts <= {truth["verdict"], "refuse"}, truth["case"]
        assert {row["reason"] for row in rows} == {truth["reason"]}, truth["case"]
        links = [(row["patient_id"], truth["method"] in row["link_method"].split(",")) for row in rows]
        if truth["verdict"] == "link":
            assert (truth["patient_id"], True) in links, truth["case"]
            assert told.linked(told.object_of(truth)[1])["link_method"] == truth["method"]
        if truth["verdict"] == "review":
            assert sorted(row["patient_id"] for row in rows) == truth["candidates"], truth["case"]


def test_tables_take_a_patient_from_a_link_alone(told: Told) -> None:
    for truth in told.links:
        found = told.linked(told.object_of(truth)[1])
        assert found["patient_id"] == (truth["patient_id"] if truth["verdict"] == "link" else None), truth["case"]


def test_every_discordance_is_that_of_the_truth(told: Told) -> None:
    names = ["code", "object_id", "other_object_id", "patient_id"]
    expected = orjson.loads((told.data.with_name("data.truth") / "discordances.json").read_bytes())
    found = run(told.session, f"SELECT {', '.join(names)} FROM cohort.discordance").rows
    assert sorted(found) == sorted([row[name] for name in names] for row in expected)


def test_rows_are_as_many_as_the_truth_says(told: Told) -> None:
    counts = orjson.loads((told.data.with_name("data.truth") / "counts.json").read_bytes())["governed_rows"]
    for name in ("clinical.patient", "clinical.specimen", "genomic.sample", "genomic.variant", "imaging.study"):
        assert run(told.session, f"SELECT count(*) FROM {name}").rows == [[counts[name]]], name


@pytest.fixture
def review(told: Told) -> Callable[..., Any]:
    """The verb, in the lake that is open; its JSON."""

    def call(*words: str, code: int = 0) -> Any:
        folder = str(told.session.folder.parent)
        done = CliRunner().invoke(trilake, ["review", *words, "--json", "--state", folder])
        if code:
            assert done.exception is not None
            return str(done.exception)
        assert done.exception is None, done.exception
        return orjson.loads(done.stdout)

    return call


def test_what_waits_is_listed_with_its_candidates(told: Told, review: Callable[..., Any]) -> None:
    listed = {case["object_id"]: case for case in review()["open"]}
    waiting = {told.object_of(row)[1]: row for row in told.links if row["verdict"] == "review"}
    assert set(listed) == set(waiting)
    for name, case in listed.items():
        assert [one["patient_id"] for one in case["candidates"]] == waiting[name]["candidates"]
    assert {case["reason"] for case in review("--reason", "weak")["open"]} == {"weak"}


def test_decisions_hold_over_a_load_until_their_evidence_changes(told: Told, review: Callable[..., Any]) -> None:
    """A specimen that bears the name of a sample speaks for another patient than the one that was accepted."""
    (shared, (one, other)), (conflict, _) = told.case("ambiguous_mrn"), told.case("sample_conflict")
    (orphan, _), (weak, (accepted,)), (_, (stranger,)) = map(told.case, ("unknown", "sample_other_system", "padded"))
    words = ("--accept", f"{shared}={one}", "--reject", conflict, "--accept", f"{orphan}={other}", "--why", "asked")
    words = (*words, "--accept", f"{weak}={accepted}", "--by", "ann")
    first = review(*words)["decided"]
    assert [row["is_new"] for row in first] == [True] * 4
    assert {row["object_id"] for row in first if not row["is_candidate"]} == {orphan}
    assert [row["is_new"] for row in review(*words)["decided"]] == [False] * 4
    assert {case["object_id"] for case in review()["open"] if case["awaits_views"]} == {shared, conflict, weak}
    build_links(told.session)
    by_a_person = {"link_method": "review", "link_reason": "accepted"}
    assert told.linked(weak) == {"patient_id": accepted, **by_a_person}
    again = told.data.with_name("again")
    again.mkdir()
    tube = {
        "resourceType": "Specimen", "id": "late-tube", "status": "available",
        "subject": {"reference": f"Patient/{stranger}"}, "accessionIdentifier": {"value": weak},
    }  # fmt: skip
    (again / "tube.ndjson").write_bytes(orjson.dumps(tube))
    name = next(row["object"] for row in told.links if row["case"] == "sample_conflict")
    (again / Path(name).name).write_text((told.data / name).read_text().replace("\t60\t", "\t61\t"))
    load(told.session, again)
    build_links(told.session)
    assert told.linked(shared) == {"patient_id": one, **by_a_person}
    assert told.linked(orphan) == {"patient_id": other, **by_a_person}
    assert told.linked(conflict) == {"patient_id": None, "link_method": "none", "link_reason": "rejected"}
    assert told.linked(weak)["patient_id"] is None
    waiting = {case["object_id"]: case for case in review()["open"]}
    assert not {shared, conflict, orphan} & set(waiting)
    assert waiting[weak]["reason"] == "evidence_changed" and waiting[weak]["decided_at"] is not None
    assert [found["patient_id"] for found in waiting[weak]["candidates"]] == [stranger]
    history = review("--history")["decisions"]
    assert {row["object_id"] for row in history} == {shared, conflict, orphan, weak}
    assert {row["why"] for row in history} == {"asked"}
    assert all(row["decided_by"].startswith("ann (arn:") for row in history)


def test_unknown_objects_and_patients_are_all_named_and_nothing_is_decided(
    told: Told, review: Callable[..., Any]
) -> None:
    waiting, _ = told.case("conflict")
    before = review("--history")["decisions"]
    words = ("--accept", "nowhere=p", "--accept", f"{waiting}=nobody", "--accept", waiting, "--reject", "x=y")
    said = review(*words, code=11)
    for part in (
        "nowhere: no study or sample",
        "=nobody: no patient has this id",
        "expected OBJECT=PATIENT",
        "reject x",
    ):
        assert part in said
    assert review("--history")["decisions"] == before
