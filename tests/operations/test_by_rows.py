"""A governed table that follows another: a load of one sample is merged alone, and ends as a rebuild."""

from pathlib import Path

import pytest

from tests.clinical.builders import a_patient, ndjson
from tests.genomic.conftest import a_vcf
from tests.lake import a_run
from tests.stores import built_lake, lake, stores
from trilake.core.athena import run
from trilake.core.contract import load_contract
from trilake.core.lakehouse.iceberg import open_table
from trilake.core.session import Session
from trilake.core.sql import load_relations
from trilake.operations.changes import SourceWatermarks, changed_keys, snapshot_of
from trilake.operations.ingest import ingest_paths
from trilake.operations.refresh import Built, build_table

__all__ = ["built_lake", "lake", "stores"]
META = ('##FORMAT=<ID=GT,Number=1,Type=String,Description="x">', "##contig=<ID=1>")
ROWS = "SELECT sampleid, start, calls, consent_genomic FROM genomic.variant ORDER BY sampleid, start"


@pytest.fixture(scope="module")
def read(stores: Session) -> Session:
    """Stores that the deployer may read through Athena, as terraform/modules/store grants it."""
    stores.client("lakeformation").grant_permissions(
        Principal={"DataLakePrincipalIdentifier": stores.client("sts").get_caller_identity()["Arn"]},
        Resource={"Table": {"DatabaseName": "test_genomic_store", "TableWildcard": {}}},
        Permissions=["SELECT"],
    )
    return stores


def load(session: Session, folder: Path, **files: str) -> None:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    ingest_paths(session, a_run(session), [str(folder)], modalities=("clinical", "genomic"))


def build(session: Session, *, full: bool = False) -> str:
    """How genomic.variant was brought up to date, after the tables that it reads."""
    built, watermarks_now = Built([]), SourceWatermarks(session)
    for name in ("clinical.patient", "linkage.object", "genomic.sample", "genomic.variant"):
        build_table(watermarks_now, load_relations()[name], built, say=str, full=full)
    assert built.how["genomic.sample"] == built.how["genomic.variant"]
    return built.how["genomic.variant"]


def a_sample(name: str, *records: str) -> str:
    return a_vcf(*records, samples=(name,), meta=META)


def data_files(session: Session) -> dict[str, int]:
    """The variant table's data files, with their rows."""
    return {
        task.file.file_path: task.file.record_count
        for task in open_table(session, "genomic.variant").scan().plan_files()
    }


def test_a_load_of_one_sample_touches_that_sample_alone(read: Session, tmp_path: Path) -> None:
    load(
        read,
        tmp_path / "1",
        patient=ndjson(a_patient()).decode(),
        a=a_sample("A", "1 10 . A T . . . GT 0/1"),
        b=a_sample("B", "1 10 . A T . . . GT 1/1"),
    )
    assert build(read) == "rebuilt"
    assert run(read, ROWS).rows == [["A", 9, "[0, 1]", False], ["B", 9, "[1, 1]", False]]
    assert build(read) == "unchanged"
    before = data_files(read)

    load(read, tmp_path / "2", c=a_sample("C", "1 10 . A T . . . GT 0/0", "1 20 . A T . . . GT ./."))
    assert build(read) == "merged"
    after = data_files(read)
    assert before.items() <= after.items(), "files of the other samples stay"
    assert sum(after.values()) - sum(before.values()) == 2

    load(read, tmp_path / "3", b=a_sample("B", "1 30 . A T . . . GT 0/1"))
    assert build(read) == "merged"
    expected = [
        ["A", 9, "[0, 1]", False],
        ["B", 29, "[0, 1]", False],
        ["C", 9, "[0, 0]", False],
        ["C", 19, "[-1, -1]", False],
    ]
    assert run(read, ROWS).rows == expected
    assert build(read, full=True) == "rebuilt"
    assert run(read, ROWS).rows == expected


def test_what_changed_is_told_by_two_snapshots(read: Session) -> None:
    follows = load_contract()["genomic.variant"].follows
    assert follows is not None
    first, *_, last = [str(entry.snapshot_id) for entry in open_table(read, follows.table).history()]
    assert last == snapshot_of(read, follows.table)
    assert changed_keys(read, follows, last) == []
    assert changed_keys(read, follows, first) == ["B", "C"]
    assert changed_keys(read, follows, "1") is None


def test_a_kind_of_object_follows_its_own_alone(read: Session) -> None:
    """Samples came and went since the first snapshot, and no study did."""
    studies, samples = (load_contract()[name].follows for name in ("imaging.study", "genomic.sample"))
    assert studies is not None and samples is not None
    first = str(open_table(read, "linkage.object").history()[0].snapshot_id)
    assert changed_keys(read, studies, first) == []
    assert changed_keys(read, samples, first) == ["B", "C"]
