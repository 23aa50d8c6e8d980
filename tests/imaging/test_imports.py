"""DICOM files into HealthImaging: any mixture, any order, killed anywhere, the service busy or failing at times.

The service is the laptop's; the jobs that describe image sets afterwards are not run here (`test_importer` runs them).
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given
from hypothesis import settings as example_settings
from hypothesis import strategies as st

from localaws.healthimaging import import_jobs
from tests.imaging.conftest import a_dicom
from tests.imaging.test_real_files import files
from tests.stores import a_source, built_lake, lake, stores
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.ledger import FileOutcome
from trilake.core.quarantine import Quarantine
from trilake.core.session import Session
from trilake.core.settings import Settings
from trilake.imaging import import_job
from trilake.imaging.importer import import_all, settle
from trilake.imaging.loaded import PREFIX, read_earlier, replaced_contents
from trilake.imaging.preflight import preflight

__all__ = ["built_lake", "files", "lake", "stores"]


class Killed(BaseException):
    """What a killed process meets: nothing catches it."""


class Mortal:
    """A session with an image store of its own, which is killed at one of its calls of AWS."""

    def __init__(self, session: Session, datastore_id: str, calls_left: int = 1_000_000) -> None:
        self.session, self.calls_left = session, calls_left
        imaging = session.settings.imaging.model_copy(update={"datastore_id": datastore_id})
        self.settings: Settings = session.settings.model_copy(update={"imaging": imaging})
        self.started: list[str] = []

    def client(self, service: str) -> Any:
        return MortalClient(self, self.session.client(service))


class MortalClient:
    def __init__(self, session: Mortal, client: Any) -> None:
        self.session, self.inner = session, client

    def __getattr__(self, name: str) -> Any:
        self.session.calls_left -= 1
        if self.session.calls_left < 0:
            raise Killed
        if name == "start_dicom_import_job":
            self.session.started.append(name)
        return getattr(self.inner, name)


class Imports:
    """Importer calls on one image store, as `Importer.load` makes them before the metadata jobs."""

    number = 0

    def __init__(self, stores: Session, folder: Path) -> None:
        self.stores, self.folder = stores, folder
        self.new_store()

    def new_store(self) -> None:
        """Go on with an empty store, of which nothing was kept."""
        Imports.number += 1
        name = f"imports-{Imports.number}"
        client = self.stores.client("medical-imaging")
        self.datastore_id = client.create_datastore(datastoreName=name, clientToken=name)["datastoreId"]
        bucket, s3 = self.stores.settings.core.raw_bucket, self.stores.client("s3")
        for entry in s3.list_objects_v2(Bucket=bucket, Prefix=PREFIX).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=entry["Key"])

    def sources(self, contents: dict[str, bytes]) -> list[SourceFile]:
        folder = self.folder / f"sources-{self.datastore_id}"
        folder.mkdir(exist_ok=True)
        named = enumerate(contents.items(), start=len(list(folder.iterdir())))
        return [a_source(folder, number, name, content) for number, (name, content) in named]

    def __call__(
        self, files: list[SourceFile], *, calls_left: int = 1_000_000, is_replay: bool = False
    ) -> dict[str, FileOutcome]:
        Imports.number += 1
        folder = self.folder / f"run-{Imports.number}"
        folder.mkdir()
        quarantine = Quarantine(f"{Imports.number:06d}-run", folder)
        run = IngestRun(quarantine.ingest_id, lambda text: None, quarantine, folder, is_replay=is_replay)
        self.session: Any = Mortal(self.stores, self.datastore_id, calls_left)
        try:
            checked = preflight(files, run, lambda headers: read_earlier(self.session, headers))
            accepted = {one.file.sha256: one for one in checked.accepted}
            results = import_all(self.session, accepted, run)
            outcomes = [settle(one, results[sha256], run) for sha256, one in accepted.items()] + checked.outcomes
        finally:
            quarantine.close()
        for outcome in outcomes:
            outcome.check()
        assert sorted(outcome.file for outcome in outcomes) == sorted(file.name for file in files)
        return {outcome.file: outcome for outcome in outcomes}

    def jobs(self) -> list[dict[str, Any]]:
        client = self.stores.client("medical-imaging")
        found: list[dict[str, Any]] = client.list_dicom_import_jobs(datastoreId=self.datastore_id)["jobSummaries"]
        return found

    def instances(self) -> list[tuple[str, bool]]:
        """SOPInstanceUID of every instance in the store, with whether its image set is primary."""
        client = self.stores.client("medical-imaging")
        primary_by_uid = []
        pages = client.get_paginator("search_image_sets").paginate(datastoreId=self.datastore_id)
        for one in [one for page in pages for one in page["imageSetsMetadataSummaries"]]:
            name = {"datastoreId": self.datastore_id, "imageSetId": one["imageSetId"]}
            body = client.get_image_set_metadata(**name)["imageSetMetadataBlob"].read()
            for series in json.loads(gzip.decompress(body))["Study"]["Series"].values():
                primary_by_uid += [(uid, one["isPrimary"]) for uid in series["Instances"]]
        return sorted(primary_by_uid)


@pytest.fixture(scope="module")
def imports(stores: Session, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imports]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_job, "SECONDS_BETWEEN_STARTS", 0.0)
        yield Imports(stores, tmp_path_factory.mktemp("imports"))


def a_mixture(folder: Path) -> dict[str, bytes]:
    """Files of three studies: sound, twice, in conflict, cut, bare, packed, of two patients."""

    def content(number: int, study: str = "1.2.9", **changes: Any) -> bytes:
        uids = {"StudyInstanceUID": study, "SeriesInstanceUID": f"{study}.1", "SOPInstanceUID": f"{study}.1.{number}"}
        return a_dicom(folder / "one", **(uids | changes)).read_bytes()

    return {
        "a/1": content(1),
        "a/2": content(2),
        "b/2 again": content(2, InstanceNumber=7),
        "c/3 cut": content(3)[:-9],
        "d/4 bare": content(4)[132 + 12 + int.from_bytes(content(4)[140:144], "little") :],
        "e/5 packed": gzip.compress(content(5), mtime=0),
        "f/6 other patient": content(6, study="1.2.10", PatientID="MRN2"),
        "f/7": content(7, study="1.2.10"),
        "g/8": content(8, study="1.2.11", PatientID=""),
    }


def codes(outcomes: dict[str, FileOutcome]) -> dict[str, list[str]]:
    return {name: [reason.code for reason in outcome.reasons] for name, outcome in sorted(outcomes.items())}


MIXTURE = {
    "a/1": [],
    "a/2": [],
    "b/2 again": ["DICOM_CONFLICT"],
    "c/3 cut": ["DICOM_TRUNCATED"],
    "d/4 bare": ["DICOM_META_MADE"],
    "e/5 packed": [],
    "f/6 other patient": ["DICOM_TWO_PATIENTS"],
    "f/7": ["DICOM_TWO_PATIENTS"],
    "g/8": ["DICOM_PATIENT_MISSING"],
}
LOADED = ["1.2.11.1.8", "1.2.9.1.1", "1.2.9.1.2", "1.2.9.1.4", "1.2.9.1.5"]


def test_each_file_of_a_mixture_is_loaded_or_refused_with_the_other_side_named(
    imports: Imports, tmp_path: Path
) -> None:
    imports.new_store()
    outcomes = imports(imports.sources(a_mixture(tmp_path)))
    assert codes(outcomes) == MIXTURE
    assert imports.instances() == [(uid, True) for uid in LOADED]
    told = {name: outcome.reasons[0].expected for name, outcome in outcomes.items() if outcome.quarantined}
    assert "a/2" in told["b/2 again"]
    assert "f/7" in told["f/6 other patient"] and "f/6 other patient" in told["f/7"]
    assert not any("MRN" in words for words in told.values())


@given(st.data())
@example_settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_killed_at_any_call_and_started_again_in_any_order_it_ends_the_same(imports: Imports, data: Any) -> None:
    imports.new_store()
    folder = imports.folder / f"mixture-{imports.datastore_id}"
    folder.mkdir()
    files = imports.sources(a_mixture(folder))
    order = st.permutations(files)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_job, "MOST_FILES", 2)
        kills = data.draw(st.lists(st.integers(0, 60), min_size=1, max_size=2), label="killed at call")
        for calls_left in kills:
            try:
                imports(data.draw(order), calls_left=calls_left)
            except Killed:
                continue
        outcomes = imports(data.draw(order))
    assert codes(outcomes) == MIXTURE
    assert imports.instances() == [(uid, True) for uid in LOADED]
    assert len(imports.jobs()) == 3  # Five files, two a job: none was begun twice.


def test_an_instance_of_an_earlier_load_gives_way_to_a_replay_only(imports: Imports, tmp_path: Path) -> None:
    imports.new_store()
    first = a_dicom(tmp_path / "1", StudyInstanceUID="1.2.12").read_bytes()
    other = a_dicom(tmp_path / "2", StudyInstanceUID="1.2.12", InstanceNumber=3).read_bytes()
    stranger = a_dicom(tmp_path / "3", StudyInstanceUID="1.2.12", SOPInstanceUID="2.25.4", PatientID="X").read_bytes()
    imports(imports.sources({"first": first}))
    late = imports.sources({"other": other, "stranger": stranger})
    refused = imports(late)
    assert codes(refused) == {"other": ["DICOM_CONFLICT"], "stranger": ["DICOM_TWO_PATIENTS"]}
    assert all("first" in outcome.reasons[0].expected for outcome in refused.values())
    replayed = imports(late, is_replay=True)
    assert codes(replayed) == {"other": ["DICOM_REPLACED"], "stranger": ["DICOM_NOT_PRIMARY"]}
    assert imports.instances() == [("2.25.3", True), ("2.25.4", False)]
    (again,) = imports(imports.sources({"first": first})).values()
    assert (again.status, again.superseded, [reason.code for reason in again.reasons]) == (
        "duplicate", 1, ["DICOM_SUPERSEDED"],
    )  # fmt: skip
    assert "other" in again.reasons[0].expected
    contents = {again.content_sha256: "first", replayed["other"].content_sha256: "other"}
    assert {contents[one] for one in replaced_contents(imports.session, set(contents))} == {"first"}
    assert codes(imports(imports.sources({"first": first}), is_replay=True)) == {"first": ["DICOM_REPLACED"]}
    assert {contents[one] for one in replaced_contents(imports.session, set(contents))} == {"other"}


def test_a_busy_service_is_asked_again_later_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(import_job, "SECONDS_BETWEEN_STARTS", 1.0)
    monkeypatch.setattr(import_job.time, "sleep", pauses.append)
    error = ClientError({"Error": {"Code": "ThrottlingException"}}, "StartDICOMImportJob")
    answers: list[Any] = [error] * 8 + ["started"]

    def call() -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert import_job.patiently(call) == "started"
    limits = [min(2.0**number, 60.0) for number in range(8)]
    assert all(limit / 2 <= pause <= limit for pause, limit in zip(pauses, limits, strict=True))
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "StartDICOMImportJob")
    answers = [denied]
    with pytest.raises(ClientError, match="AccessDenied"):
        import_job.patiently(call)


def test_starts_are_a_second_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(import_job, "SECONDS_BETWEEN_STARTS", 1.0)
    monkeypatch.setattr(import_job.time, "sleep", sleep)
    monkeypatch.setattr(import_job.time, "monotonic", lambda: clock[0])
    starts, seen = import_job.Starts(), []
    for spent in (0.0, 0.25, 3.0):
        clock[0] += spent
        starts.pause()
        seen.append(clock[0])
    assert seen == [100.0, 101.0, 104.0]


@pytest.fixture
def fails_at_first(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Import jobs of the service that fail on their first run, wholly or on each file."""

    def arrange(how: str) -> None:
        runs: list[int] = []
        sound = import_jobs.ImportRun.run
        sound_write = import_jobs.ImportRun._write

        def run(self: Any) -> None:
            runs.append(1)
            if how == "job" and len(runs) == 1:
                raise RuntimeError("out of luck")
            sound(self)

        def write(self: Any, *given: Any) -> None:
            if how == "file" and len(runs) == 1:
                exception = {"exceptionType": "InternalServerException", "message": "out of luck"}
                self._failures = [{"inputFile": one["inputFile"], "exception": exception} for one in self._successes]
                self._successes = []
            sound_write(self, *given)

        monkeypatch.setattr(import_jobs.ImportRun, "run", run)
        monkeypatch.setattr(import_jobs.ImportRun, "_write", write)

    return arrange


@pytest.mark.parametrize("how", ["job", "file"])
def test_what_the_service_failed_on_is_tried_again(
    imports: Imports, tmp_path: Path, fails_at_first: Callable[[str], None], how: str
) -> None:
    imports.new_store()
    fails_at_first(how)
    outcomes = imports(imports.sources({"1": a_dicom(tmp_path / "1").read_bytes()}))
    assert codes(outcomes) == {"1": []}
    assert [outcome.loaded for outcome in outcomes.values()] == [1]
    assert len(imports.jobs()) == 2


def test_real_files_load_unless_preflight_has_a_reason(imports: Imports, files: list[Path]) -> None:
    """What preflight lets through, the service takes."""
    imports.new_store()
    small = [path for path in files if path.stat().st_size < 1_000_000]
    outcomes = imports(imports.sources({f"{place}/{path.name}": path.read_bytes() for place, path in enumerate(small)}))
    refused = {code for outcome in outcomes.values() if outcome.quarantined for code in codes({"": outcome})[""]}
    assert "SERVICE_REFUSED" not in refused and "IMPORT_FAILED" not in refused
    loaded = sum(outcome.loaded for outcome in outcomes.values())
    assert loaded == len(imports.instances()) > 100
