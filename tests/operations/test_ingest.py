"""`trilake ingest` on mixtures of files: sorted by content, accounted for, and never loaded twice."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from tests.clinical.builders import a_bundle, a_patient, an_observation, ndjson
from tests.lake import a_run
from trilake.core.errors import InputError
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.ledger import FileOutcome
from trilake.core.session import Session
from trilake.operations import loading
from trilake.operations.ingest import exit_code, in_words, ingest_paths
from trilake.operations.ledger import ledger_rows
from trilake.operations.replay import replay_items

CLINICAL = ("clinical",)


def write(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def ingest(session: Session, *paths: Path | str, **options: Any) -> dict[str, Any]:
    return ingest_paths(session, a_run(session), [str(path) for path in paths], modalities=CLINICAL, **options)


def test_a_mixture_is_sorted_by_content_and_adds_up(lake: Session, tmp_path: Path) -> None:
    lines = ndjson(a_patient("mix1"), a_patient("mix 2"), an_observation("mix3"))
    folder = write(
        tmp_path, a=lines, deep__er__b=lines, c=gzip.compress(ndjson(a_patient("mix4"))), notes=b"hello", empty=b""
    )
    result = ingest(lake, folder)
    counted = {name: result["clinical"][name] for name in ("files", "records_in", "loaded", "duplicate", "quarantined")}
    assert counted == {"files": 3, "records_in": 7, "loaded": 3, "duplicate": 2, "quarantined": 2}
    assert result["unrecognised"]["names"] == [
        {"file": "empty", "found": "nothing"},
        {"file": "notes", "found": "text"},
    ]
    assert exit_code(result) == 3
    rows = ledger_rows(lake, ingest_id=result["ingest_id"])
    assert {row["file"]: row["status"] for row in rows} == {
        "a": "partial", "deep/er/b": "partial", "c": "loaded", "notes": "unrecognised", "empty": "unrecognised",
    }  # fmt: skip


def test_a_second_run_loads_nothing_and_still_names_what_is_refused(lake: Session, tmp_path: Path) -> None:
    folder = write(tmp_path, a=ndjson(a_patient("again1"), a_patient("again 2")))
    first, second = ingest(lake, folder), ingest(lake, folder)
    assert (first["clinical"]["loaded"], second["clinical"]["loaded"]) == (1, 0)
    assert (second["clinical"]["duplicate"], second["clinical"]["quarantined"]) == (1, 1)
    assert exit_code(second) == 3


def test_a_dry_run_says_would_and_changes_nothing(lake: Session, tmp_path: Path) -> None:
    folder = write(tmp_path, a=ndjson(a_patient("dry1"), a_patient("dry 2")), b=b"other")
    result = ingest(lake, folder, dry_run=True)
    words = in_words(result, dry_run=True)
    assert words.startswith("Would load 1 clinical records from 1 files; 1 quarantined (FHIR_ID_FORM 1)")
    assert ledger_rows(lake, ingest_id=result["ingest_id"]) == []
    assert ingest(lake, folder)["clinical"]["loaded"] == 1


def test_only_leaves_other_modalities_out_of_the_ledger(lake: Session, tmp_path: Path) -> None:
    folder = write(tmp_path, a=b"##fileformat=VCFv4.3\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
    result = ingest(lake, folder)
    assert result["clinical"]["files"] == 0
    assert ledger_rows(lake, ingest_id=result["ingest_id"]) == []


def test_an_s3_prefix_is_read_like_a_folder(lake: Session) -> None:
    bucket = lake.settings.core.raw_bucket
    body = ndjson(a_bundle(a_patient("s3p1"), an_observation("s3o1", "urn:uuid:s3p1")))
    lake.client("s3").put_object(Bucket=bucket, Key="incoming/day 1/file", Body=body)
    result = ingest(lake, f"s3://{bucket}/incoming/")
    assert result["clinical"]["loaded"] == 2
    (row,) = ledger_rows(lake, ingest_id=result["ingest_id"])
    assert row["file"] == "day 1/file"


def test_paths_that_are_not_there_are_all_named(lake: Session, tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        ingest(lake, tmp_path / "one", "s3://no-such-bucket/x", tmp_path / "two")
    for words in ("one", "no-such-bucket", "two"):
        assert words in error.value.message


def test_equal_names_below_two_folders_keep_names_of_their_own(lake: Session, tmp_path: Path) -> None:
    write(tmp_path, x__f=ndjson(a_patient("twin1")), y__f=ndjson(a_patient("twin2")))
    result = ingest(lake, tmp_path / "x", tmp_path / "y", tmp_path / "x")
    assert sorted(row["file"] for row in ledger_rows(lake, ingest_id=result["ingest_id"])) == ["f", "y/f"]


def test_a_mended_item_loads_alone(lake: Session, tmp_path: Path) -> None:
    folder = write(tmp_path / "in", a=ndjson(a_patient("mend1"), a_patient("mend2", gender="Male")))
    result = ingest(lake, folder)
    (reason,) = ledger_rows(lake, ingest_id=result["ingest_id"], code="FHIR_CODE")[0]["reasons"]
    mended = write(tmp_path, mended=ndjson(a_patient("mend2", gender="male"))) / "mended"
    again = replay_items(lake, a_run(lake), [reason["item"]], mended)
    assert (again["clinical"]["records_in"], again["clinical"]["loaded"], exit_code(again)) == (1, 1, 0)
    (row,) = ledger_rows(lake, ingest_id=again["ingest_id"])
    assert (row["file"], row["status"]) == ("a#2", "loaded")


def test_an_item_replayed_as_it_was_is_refused_again(lake: Session, tmp_path: Path) -> None:
    folder = write(tmp_path, a=ndjson(a_patient("same", gender="Male")))
    item = ledger_rows(lake, ingest_id=ingest(lake, folder)["ingest_id"])[0]["reasons"][0]["item"]
    again = replay_items(lake, a_run(lake), [item], None)
    assert (again["clinical"]["quarantined"], exit_code(again)) == (1, 3)


@pytest.mark.parametrize("item", ["nonsense", "20200101T000000-abc.0123456789ab.1"])
def test_an_unknown_item_is_an_error_with_a_next_step(lake: Session, item: str) -> None:
    with pytest.raises(InputError):
        replay_items(lake, a_run(lake), [item], None)


class Failing:
    """An importer with a defect of the given kind."""

    modality = "clinical"

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def load(self, session: Session, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        if self.kind == "raises":
            raise RuntimeError("secret value")
        return [] if self.kind == "forgets" else [file.outcome(records_in=3, loaded=1) for file in files]


@pytest.mark.parametrize("kind", ["raises", "forgets", "miscounts"])
def test_a_failing_importer_refuses_its_files_and_stops_nothing(
    lake: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(loading, "importer_of", lambda modality: Failing(kind))
    folder = write(tmp_path, a=ndjson(a_patient(f"fail-{kind}")), b=b"other")
    result = ingest(lake, folder)
    assert (result["clinical"]["reasons"], result["unrecognised"]["files"]) == ({"IMPORT_FAILED": 1}, 1)
    assert exit_code(result) == 3
    assert "secret" not in str(ledger_rows(lake, ingest_id=result["ingest_id"]))
    monkeypatch.undo()
    assert ingest(lake, folder)["clinical"]["loaded"] == 1


def test_a_refusal_is_told_with_file_line_and_what_was_expected(lake, tmp_path):
    bad = a_patient("told-1") | {"birthDate": "1961-02-30"}
    folder = write(tmp_path / "in", **{"people.ndjson": ndjson(a_patient("told-2"), bad)})
    result = ingest_paths(lake, a_run(lake), [str(folder)])
    (refusal,) = result["refusals"]
    assert (refusal["file"], refusal["line"], refusal["code"]) == ("people.ndjson", 2, "FHIR_DATE")
    assert "people.ndjson" in in_words(result, dry_run=False).split("Refused:")[1]
