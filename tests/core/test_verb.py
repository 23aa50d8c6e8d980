"""The folder and the words that all verbs share."""

from pathlib import Path

from click.testing import CliRunner

from localaws.saved_state import StateStore
from trilake.core.paths import State
from trilake.core.verb import Run
from trilake.sample.command import sample


def test_a_new_state_folder_is_left_alone_by_git_and_an_old_one_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for name in ("new", "old"):
        State(tmp_path / name).make()
    assert (tmp_path / "new/.gitignore").read_text() == "*\n"
    assert not (tmp_path / "old/.gitignore").exists()


def test_a_new_folder_of_the_laptops_aws_or_of_samples_is_left_alone_by_git(tmp_path: Path) -> None:
    store = StateStore(tmp_path / "made/by/localaws")
    store.lock()
    store.unlock()
    assert [file.parent.name for file in (tmp_path / "made").rglob(".gitignore")] == ["by"]
    asked = ["--patients", "1", "--workers", "1", "--state", str(tmp_path / "new")]
    assert CliRunner().invoke(sample, asked).exit_code == 0
    assert (tmp_path / "new/.gitignore").read_text() == "*\n"


def test_what_to_type_next_keeps_the_state_and_environment_that_were_given(tmp_path: Path) -> None:
    assert Run("local", State(Path(".trilake").absolute()), as_json=False).command("views") == "trilake views"
    elsewhere = Run("prod", State(tmp_path), as_json=False).command("views")
    assert elsewhere == f"trilake views --env prod --state {tmp_path}"
