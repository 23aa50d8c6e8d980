"""`make setup-engines`: nothing twice, what is half there mended, nothing that has another hash."""

import hashlib
import json

import pytest

import setup_engines
from setup_engines import FILES, Part, Refused, install, is_whole, write_list


@pytest.fixture
def part():
    calls = []

    def bring(folder):
        calls.append(folder)
        (folder / "lib").mkdir()
        (folder / "lib/a.jar").write_text("content")

    return Part("trino", "thing-1", "a thing", bring, {"trino_home": "thing-1"}), calls


def test_a_second_call_does_nothing(part, tmp_path, capsys):
    one, calls = part
    install(one, tmp_path)
    install(one, tmp_path)
    assert len(calls) == 1
    assert "thing-1: there" in capsys.readouterr().err
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".part")]


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "lib/a.jar").unlink(),
        lambda folder: (folder / "lib/a.jar").write_text("half"),
        lambda folder: (folder / FILES).unlink(),
        lambda folder: (folder / FILES).write_text("{"),
        lambda folder: (folder / FILES).write_text(json.dumps({"what": "an older thing", "files": {}})),
    ],
)
def test_what_is_broken_is_brought_again(part, tmp_path, damage):
    one, calls = part
    install(one, tmp_path)
    damage(tmp_path / "thing-1")
    assert not is_whole(one, tmp_path)
    install(one, tmp_path)
    assert len(calls) == 2
    assert (tmp_path / "thing-1/lib/a.jar").read_text() == "content"


def test_a_failed_download_leaves_nothing_and_is_not_listed(tmp_path, monkeypatch):
    def bring(folder):
        (folder / "half").write_text("x")
        raise Refused("no network")

    one = Part("trino", "thing-1", "a thing", bring, {"trino_home": "thing-1"})
    monkeypatch.setattr(setup_engines, "PARTS", (one,))
    monkeypatch.setenv("LOCALAWS_ENGINES", str(tmp_path))
    assert setup_engines.main(["trino"]) == 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["engines.json"]
    assert json.loads((tmp_path / "engines.json").read_text()) == {}


def test_the_list_names_what_is_whole(part, tmp_path, monkeypatch):
    one, _ = part
    monkeypatch.setattr(setup_engines, "PARTS", (one,))
    install(one, tmp_path)
    write_list(tmp_path)
    assert json.loads((tmp_path / "engines.json").read_text()) == {"trino_home": "thing-1"}


def a_maven(tmp_path, monkeypatch, content):
    """An mvn on the PATH that puts this content where Maven puts an artifact."""
    script = tmp_path / "bin/mvn"
    script.parent.mkdir()
    script.write_text(
        "#!/bin/sh\nfor word; do case $word in -Dmaven.repo.local=*) place=${word#*=};; esac; done\n"
        f"mkdir -p $place/g && printf '{content}' > $place/g/a-1.jar\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{script.parent}:/usr/bin:/bin")


def test_a_download_is_held_against_its_hash(tmp_path, monkeypatch):
    a_maven(tmp_path, monkeypatch, "right")
    folder = tmp_path / "into"
    folder.mkdir()
    with pytest.raises(Refused, match="another SHA-256"):
        setup_engines.download("g:a:1:jar", "0" * 64, folder)
    assert not list(folder.iterdir())
    right = hashlib.sha256(b"right").hexdigest()
    assert setup_engines.download("g:a:1:jar", right, folder).read_bytes() == b"right"
    assert [path.name for path in folder.iterdir()] == ["a-1.jar"]


def test_without_maven_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="apt-get install maven"):
        setup_engines.download("g:a:1:jar", "0" * 64, tmp_path)


def test_an_unknown_engine_is_refused(capsys):
    assert setup_engines.main(["presto"]) == 2
    assert "trino, spark, awscli" in capsys.readouterr().err
