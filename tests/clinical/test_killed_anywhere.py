"""A load that dies at any call to a service, or any write to register or ledger, ends the same once it is repeated."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest
from boto3.s3.transfer import S3Transfer
from botocore.client import BaseClient
from hypothesis import given, settings
from hypothesis import strategies as st

from localaws.healthlake.imports import REFUSE_TAG
from tests.clinical.builders import a_bundle, a_condition, a_patient, an_observation, ndjson
from tests.lake import a_run
from trilake.clinical import held
from trilake.clinical.register import Register
from trilake.core.athena import run
from trilake.core.errors import TrilakeError
from trilake.core.session import Session
from trilake.operations import loading
from trilake.operations.ingest import ingest_paths
from trilake.operations.ledger import ledger_rows

FILES = ("a", "b", "c")
KINDS = ("Patient", "Condition", "Observation")
STORED = (
    "SELECT max_by(birthdate, meta.lastupdated) FROM healthlake.patient WHERE id = '{name}-p'",
    "SELECT DISTINCT id FROM healthlake.condition WHERE id LIKE '{name}-%' ORDER BY id",
    "SELECT DISTINCT subject.reference FROM healthlake.observation WHERE id = '{name}-o'",
)
"""What the store has: the newest birth date, the conditions, where the observation points."""
OLD, NEW = {"lastUpdated": "2020-01-01T00:00:00Z"}, {"lastUpdated": "2021-01-01T00:00:00Z"}
REFUSED = {"tag": [dict(zip(("system", "code"), REFUSE_TAG, strict=True))]}
BREAKABLE = (
    (BaseClient, "_make_api_call"),
    (S3Transfer, "upload_file"),
    *((Register, name) for name in ("add_all", "refer", "decide", "meet", "refuse", "settle", "outcomes")),
    (loading, "append_outcomes"),
)
"""Every call to a service, and every write to the register and the ledger."""


class Killed(BaseException):
    """As a signal would: nothing may catch it."""


class Failed(Exception):
    """As a fault in the code or the line would: the load says so in the ledger."""


class Calls:
    """Counts the calls of this thread and raises an error before or after the one numbered `fatal`, from 1."""

    def __init__(self, fatal: int, error: type[BaseException], *, is_after: bool) -> None:
        self.fatal, self.error, self.is_after = fatal, error, is_after
        self.n = 0
        self.thread = threading.get_ident()

    def watched(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def watching(*given: Any, **options: Any) -> Any:
            if threading.get_ident() != self.thread:
                return call(*given, **options)
            self.n += 1
            is_fatal = self.n == self.fatal
            if is_fatal and not self.is_after:
                raise self.error
            answer = call(*given, **options)
            if is_fatal:
                raise self.error
            return answer

        return watching


@contextmanager
def watched(calls: Calls) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in BREAKABLE:
            patch.setattr(owner, name, calls.watched(getattr(owner, name)))
        yield


def write_files(folder: Path, name: str) -> None:
    """Nine records: two versions of a patient, an equal condition twice, two that are broken, one that is refused."""
    patient, condition = f"{name}-p", a_condition(f"{name}-c", f"Patient/{name}-p")
    contents = {
        "a": ndjson(a_patient(patient, birthDate="1950", meta=OLD), condition, a_patient(f"{name}-q", gender="x")),
        "b": orjson.dumps(a_bundle(a_patient(patient, birthDate="1951", meta=NEW), a_condition(f"{name}-d"))),
        "c": ndjson(
            condition,
            an_observation(f"{name}-o", f"urn:uuid:{patient}"),
            {**condition, "id": f"{name}-bad", "meta": REFUSED},
            {"resourceType": "Nothing", "id": name},
        ),
    }
    for file, content in contents.items():
        (folder / file).write_bytes(content)


def load(session: Session, folder: Path, order: list[str]) -> dict[str, Any]:
    return ingest_paths(session, a_run(session), [str(folder / name) for name in order], modalities=("clinical",))


def end_of(session: Session, folder: Path, name: str, ingest_id: str) -> tuple[Any, ...]:
    """What a load leaves: the ledger's sums, the versions held, the current patient and where the observation points.

    A sum of what is loaded, known already or given way, since a load that was cut short may have done a part.
    """
    rows = ledger_rows(session, ingest_id=ingest_id)
    there = sum(row["loaded"] + row["duplicate"] + row["superseded"] for row in rows)
    sums = len(rows), sum(row["records_in"] for row in rows), there, sum(row["quarantined"] for row in rows)
    versions = {}
    (folder / "remembered").mkdir()
    for kind in KINDS:
        for path in held.files(session, kind, folder / "remembered"):
            for row in pq.read_table(path).to_pylist():
                if row["id"].startswith(f"{name}-"):
                    versions[kind, row["id"].removeprefix(name)] = row["updated"]
    return sums, versions, *(stored(session, query, name) for query in STORED)


def stored(session: Session, query: str, name: str) -> list[list[Any]]:
    rows = run(session, query.format(name=name)).rows
    return [[value and value.replace(name, "") for value in row] for row in rows]


@pytest.fixture(scope="module")
def whole(lake: Session, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, tuple[Any, ...]]:
    """How many calls a load makes that nothing stops, give or take those that wait for the job, and its end."""
    folder = tmp_path_factory.mktemp("whole")
    write_files(folder, "whole")
    calls = Calls(0, Failed, is_after=False)
    with watched(calls):
        result = load(lake, folder, list(FILES))
    return calls.n, end_of(lake, folder, "whole", result["ingest_id"])


def test_a_load_that_nothing_stops_ends_as_it_should(whole: tuple[int, tuple[Any, ...]]) -> None:
    versions = {("Condition", "-c"): None, ("Condition", "-d"): None, ("Observation", "-o"): None}
    newest = {("Patient", "-p"): "2021-01-01T00:00:00.000000+00:00"}
    assert whole[1] == ((3, 9, 6, 3), versions | newest, [["1951"]], [["-c"], ["-d"]], [["Patient/-p"]])


@settings(max_examples=4, deadline=None)
@given(st.data())
def test_a_load_cut_short_at_any_call_ends_the_same_once_it_is_repeated(
    lake: Session, whole: tuple[int, tuple[Any, ...]], data: st.DataObject
) -> None:
    n_calls, end = whole
    fatal = data.draw(st.integers(1, n_calls - 1), label="call")
    error = data.draw(st.sampled_from([Killed, Failed]), label="error")
    calls = Calls(fatal, error, is_after=data.draw(st.booleans(), label="after the call"))
    order = st.permutations(FILES)
    name = f"k{secrets.token_hex(4)}"
    with TemporaryDirectory() as text:
        folder = Path(text)
        write_files(folder, name)
        with watched(calls), suppress(Killed, Failed, TrilakeError):
            load(lake, folder, data.draw(order, label="first"))
        result = load(lake, folder, data.draw(order, label="again"))
        assert end_of(lake, folder, name, result["ingest_id"]) == end
