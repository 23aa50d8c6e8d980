"""ingest, ledger, replay, query and views as a person types them: one JSON object, exit codes, words."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.clinical.builders import a_patient, ndjson
from tests.lake import a_lake
from trilake.core.cli import trilake
from trilake.core.errors import InputError, QueryError


class Shell:
    """`trilake ...` on one state folder, each call with an AWS of its own, as in separate processes."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def __call__(self, *words: str) -> tuple[int, str]:
        """Exit code and standard output; errors come through as they are."""
        result = CliRunner().invoke(trilake, [*words, "--state", str(self.state)], standalone_mode=False)
        if result.exception:
            raise result.exception
        return result.return_value or 0, result.stdout

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json")[1])


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    state = tmp_path_factory.mktemp("state")
    with a_lake(state):
        pass
    return Shell(state)


@pytest.fixture(scope="module")
def first(shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("data")
    (folder / "patients").write_bytes(ndjson(a_patient("p1"), a_patient("p2", gender="Male")))
    (folder / "notes.txt").write_bytes(b"hello")
    code, text = shell("ingest", str(folder), "--only", "clinical", "--json")
    return {"code": code, "folder": folder, **json.loads(text)}


def test_ingest_gives_counts_per_modality_and_exit_code_3(first: dict[str, Any]) -> None:
    assert first["code"] == 3
    assert first["clinical"] == {
        "files": 1, "records_in": 2, "loaded": 1, "duplicate": 0, "superseded": 0, "quarantined": 1, "warnings": 0,
        "statuses": {"partial": 1}, "reasons": {"FHIR_CODE": 1}, "warned": {},
    }  # fmt: skip


def test_ingest_again_in_a_new_process_loads_nothing(shell: Shell, first: dict[str, Any]) -> None:
    again = shell.json("ingest", str(first["folder"]), "--only", "clinical")
    assert (again["clinical"]["loaded"], again["clinical"]["duplicate"]) == (0, 1)


def test_words_name_reasons_and_what_to_type_next(shell: Shell, first: dict[str, Any]) -> None:
    _, text = shell("ingest", str(first["folder"]), "--only", "clinical")
    for words in ("FHIR_CODE", "trilake ledger --reason CODE", "notes.txt: text"):
        assert words in text


def test_a_dry_run_speaks_in_the_conditional(shell: Shell, first: dict[str, Any]) -> None:
    _, text = shell("ingest", str(first["folder"]), "--only", "clinical", "--dry-run")
    assert text.startswith("Would load 0 clinical records from 1 files; 1 duplicate, 1 quarantined")


def test_ledger_and_replay_mend_one_record(shell: Shell, first: dict[str, Any], tmp_path: Path) -> None:
    rows = shell.json("ledger", "--file", "pat*", "--reason", "FHIR_CODE", "--ingest", first["ingest_id"])["rows"]
    (row,) = rows
    assert (row["file"], row["modality"], row["status"]) == ("patients", "clinical", "partial")
    reason = row["reasons"][0]
    assert (reason["line"], reason["path"], reason["found"]) == (2, "Patient.gender", "'male' in another spelling")
    mended = tmp_path / "mended"
    mended.write_bytes(ndjson(a_patient("p2", gender="male")))
    code, _ = shell("replay", reason["item"], "--with", str(mended))
    assert code == 0
    assert shell.json("query", "SELECT count(DISTINCT id) AS n FROM healthlake.patient")["rows"] == [[2]]


def test_ledger_in_words_shows_the_item_to_replay(shell: Shell, first: dict[str, Any]) -> None:
    _, text = shell("ledger", "--reason", "FHIR_CODE")
    assert first["ingest_id"] in text and "trilake replay ITEM --with FILE" in text


def test_an_unknown_reason_code_is_an_error_that_lists_them(shell: Shell) -> None:
    with pytest.raises(InputError, match="FHIR_DATE"):
        shell("ledger", "--reason", "NONSENSE")


def test_query_gives_columns_rows_and_bytes(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "question.sql"
    file.write_text("SELECT 1 AS one, cast(NULL AS varchar) AS nothing, true AS yes")
    answer = shell.json("query", "--file", str(file))
    assert (answer["columns"], answer["rows"]) == (["one", "nothing", "yes"], [[1, None, True]])
    assert answer["bytes_scanned"] == 0
    _, text = shell("query", "SELECT 1 AS one")
    assert "1 row, 0 bytes scanned" in text


def test_a_query_that_fails_says_what_athena_said(shell: Shell) -> None:
    with pytest.raises(QueryError, match="DIVISION_BY_ZERO"):
        shell("query", "SELECT x / 0 AS y FROM (VALUES 1) AS t(x)")


def test_views_check_needs_no_deployment(tmp_path: Path) -> None:
    checked = Shell(tmp_path).json("views", "--check")
    assert checked["order"].index("clinical.patient") < checked["order"].index("clinical.condition")


def test_usage_errors_are_clicks_own(shell: Shell) -> None:
    for words in (("query",), ("ingest", "x", "--only", "nonsense"), ("replay", "a", "b", "--with", __file__)):
        with pytest.raises(Exception) as error:
            shell(*words)
        assert error.type.__module__.startswith("click")
