"""One run of `trilake demo`, as a newcomer would have it, for all tests of this folder."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from trilake.core.athena import run
from trilake.core.cli import trilake
from trilake.core.paths import State
from trilake.core.session import Session, open_session


@dataclass(frozen=True)
class Told:
    """What the demo left: its state folder, its summary, and the truth about the sample."""

    state: Path
    summary: dict[str, Any]

    def truth(self, name: str) -> Any:
        """A part of the truth folder: a frame, or an object for names that end in .json."""
        path = self.state / "sample.truth" / name
        return json.loads(path.read_text()) if name.endswith(".json") else pd.read_parquet(f"{path}.parquet")

    def verb(self, *words: str) -> dict[str, Any]:
        """A verb run alone afterwards; its result."""
        results: list[dict[str, Any]] = []
        trilake.main([*words, "--state", str(self.state)], standalone_mode=False, obj=results)
        return results[-1]

    @contextmanager
    def session(self) -> Iterator[Session]:
        with open_session("local", State(self.state)) as session:
            yield session


@dataclass(frozen=True)
class Asking:
    """Queries under one lasting session."""

    session: Session

    def __call__(self, sql: str, persona: str | None = None) -> pd.DataFrame:
        answer = run(self.session.as_persona(persona), sql)
        return pd.DataFrame(answer.rows, columns=answer.columns)


@pytest.fixture(scope="session")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    state = tmp_path_factory.mktemp("story") / "state"
    results: list[dict[str, Any]] = []
    trilake.main(["demo", "--json", "--state", str(state)], standalone_mode=False, obj=results)
    return Told(state, results[-1])


@pytest.fixture
def ask(told: Told) -> Iterator[Asking]:
    with told.session() as session:
        yield Asking(session)


def hash_of(ids: list[str]) -> str:
    """As cohorts.json has it: sha256 of the sorted ids, joined by newlines."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()
