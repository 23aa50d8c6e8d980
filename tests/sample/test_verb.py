"""`trilake sample` as people call it."""

import json
from pathlib import Path

from click.testing import CliRunner

from trilake.core.cli import trilake


def run(*arguments: str):
    return CliRunner().invoke(trilake, ["sample", *arguments])


def test_json_is_one_object_on_standard_output(tmp_path: Path) -> None:
    result = run("--patients", "3", "--seed", "5", "--out", str(tmp_path / "data"), "--json")
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["n_patients"] == 3
    assert answer["counts"]["fhir"]["Patient"] == 3
    assert answer["truth"] == str(tmp_path / "data.truth")
    assert answer["n_bytes"] == sum(p.stat().st_size for p in (tmp_path / "data").rglob("*") if p.is_file())
    assert "3 of 3 patients" in result.stderr


def test_the_sample_lies_below_the_state_folder_unless_told(tmp_path: Path) -> None:
    result = run("--patients", "1", "--state", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "sample" / "fhir").is_dir()
    assert (tmp_path / "sample.truth" / "manifest.json").exists()
    assert "1 synthetic patients" in result.stdout


def test_wrong_arguments_are_usage_errors() -> None:
    for wrong in (("--patients", "0"), ("--seed", "-1"), ("--profile", "enormous"), ("--workers", "0")):
        assert run(*wrong).exit_code == 2
