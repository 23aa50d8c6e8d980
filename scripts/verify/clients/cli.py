"""The AWS CLI, installed apart, as a process: documented commands with our own names in place of the documented ones.

Runs `python -m awscli` from the engines' folder. Example: `Cli(packages, environment, folder).run(documented, cast)`.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from verify.clients.examples import GAPS, Documented, examples, lacking

Cast = dict[str, Any]
_PAIR = re.compile(r"(\w+)=(\"[^\"]*\"|[^,{}\[\]]+)")


def plain(name: str) -> str:
    """`--datastore-id`, `datastoreId` and `DatastoreId` alike."""
    return name.replace("-", "").strip().lower()


class Cli:
    """The AWS CLI pointed at one localaws."""

    def __init__(self, packages: Path, environment: Mapping[str, str], folder: Path) -> None:
        self._packages = packages
        self._folder = folder
        nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": ""}
        self._environment = {**os.environ, **environment, **nowhere, "PYTHONPATH": str(packages)}
        self.n_run = 0
        self.faults: list[str] = []

    def call(self, *words: str) -> Any:
        """The output of a command that must go well, as JSON; None when it prints nothing."""
        done = self._process(words)
        if done.returncode != 0:
            raise RuntimeError(f"aws {' '.join(words[:2])}: {done.stderr.strip()[-400:]}")
        return json.loads(done.stdout) if done.stdout.strip() else None

    def file(self, name: str) -> Path:
        """A file that a command wrote."""
        return self._folder / name

    def _process(self, words: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "awscli", *words]
        self.n_run += 1
        return subprocess.run(
            command, env=self._environment, cwd=self._folder, capture_output=True, text=True, check=False
        )

    def documented(self, service: str, command: str, cast: Cast, number: int = 1) -> Any:
        """Run an example of the documentation and hold its output against the printed one; what it printed."""
        shown = examples(self._packages / "awscli/examples", service, command)[number - 1]
        place = f"aws {service} {command}, example {number}"
        for name, content in shown.files.items():
            (self._folder / name).write_text(_recast_text(content, cast))
        done = self._process(tuple(_recast_words(shown.words, cast)))
        if done.returncode != 0:
            self.faults.append(f"{place}: {done.stderr.strip()[-400:]}")
            return {}
        output = json.loads(done.stdout) if done.stdout.strip() else None
        self.faults += [f"{place}: {fault}" for fault in _compared(shown, output)]
        return output or {}


def _compared(shown: Documented, output: Any) -> list[str]:
    faults = lacking(shown.output, output) if shown.output is not None else []
    return [fault for fault in faults if (shown.words[:2], fault.removesuffix(" is missing")) not in GAPS]


def _recast_words(words: tuple[str, ...], cast: Cast) -> list[str]:
    recast: list[str] = []
    for word in words:
        option = plain(recast[-1].removeprefix("--")) if recast and recast[-1].startswith("--") else ""
        recast.append(str(_value(cast[option])) if option in cast else _recast_text(word, cast))
    return recast


def _recast_text(text: str, cast: Cast) -> str:
    """JSON, or the CLI's own shorthand, with the values of known names replaced."""
    stripped = re.sub(r"\\\s+", " ", text).strip()
    if stripped[:1] in "{[":
        try:
            return json.dumps(_recast(json.loads(stripped), cast))
        except ValueError:
            return text
    if stripped.startswith("--") or "=" not in stripped:
        return text
    return _PAIR.sub(lambda pair: _recast_pair(pair, cast), text)


def _recast_pair(pair: re.Match[str], cast: Cast) -> str:
    name = plain(pair[1])
    return f"{pair[1]}={_value(cast[name])}" if name in cast else pair[0]


def _recast(content: Any, cast: Cast) -> Any:
    if isinstance(content, dict):
        return {
            name.strip(): _value(cast[plain(name)]) if plain(name) in cast else _recast(value, cast)
            for name, value in content.items()
        }
    if isinstance(content, list):
        return [_recast(item, cast) for item in content]
    if isinstance(content, str) and content[:1] == "{":
        return _recast_text(content, cast)
    return content


def _value(value: Any | Callable[[], Any]) -> Any:
    return value() if callable(value) else value
