"""Duplicates and superseded versions, within a load and against what the store holds; the sums hold for any mixture."""

from pathlib import Path
from tempfile import TemporaryDirectory

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.clinical.builders import a_patient, check_line, ndjson
from trilake.clinical.importer import Importer
from trilake.clinical.preflight import Checked
from trilake.clinical.register import Register
from trilake.core.importer import IngestRun, SourceFile
from trilake.core.ledger import FileOutcome
from trilake.core.quarantine import Quarantine
from trilake.core.recognise import Kind

OLD, NEW, NEWER = "2020-01-01T00:00:00Z", "2021-01-01T00:00:00+01:00", "2021-01-01T00:00:00.5Z"
Held = tuple[str, str, bytes, str | None, int | None]
FILE = SourceFile("a.ndjson", Path("a.ndjson"), "0" * 64, 0, Kind.FHIR)


def version(content: str, updated: str | None = None) -> Checked:
    meta = {"meta": {"lastUpdated": updated}} if updated else {}
    return check_line(a_patient("p1", birthDate=content, **meta))


def outcome(folder: Path, *versions: Checked, held: list[Held] | None = None) -> FileOutcome:
    with Register(folder) as register:
        number = register.add_file(FILE)
        for one in versions:
            register.add(number, one)
        register.decide()
        register.meet(held or [])
        return register.outcomes()[0]


def counts(found: FileOutcome) -> tuple[int, int, int]:
    return found.loaded, found.duplicate, found.superseded


def as_held(checked: Checked) -> Held:
    return checked.type, checked.id, checked.sha, checked.updated, checked.version


def test_equal_content_is_a_duplicate_whatever_the_order_of_keys_and_the_stamp(tmp_path: Path) -> None:
    turned = dict(reversed(a_patient("p1", birthDate="1950", meta={"lastUpdated": NEW, "versionId": "2"}).items()))
    assert counts(outcome(tmp_path, version("1950"), check_line(turned))) == (1, 1, 0)


def test_the_newest_by_last_updated_wins_in_whatever_order_they_come(tmp_path: Path) -> None:
    with Register(tmp_path) as register:
        number = register.add_file(FILE)
        for one in (version("1951", NEW), version("1950", OLD)):
            register.add(number, one)
        register.decide()
        ((_, _, line, _),) = register.accepted("Patient")
    assert b"1951" in line


def test_without_dates_on_all_the_last_one_read_wins(tmp_path: Path) -> None:
    with Register(tmp_path) as register:
        number = register.add_file(FILE)
        for one in (version("1951", NEW), version("1950")):
            register.add(number, one)
        register.decide()
        ((_, _, line, _),) = register.accepted("Patient")
    assert b"1950" in line


def test_what_the_store_holds_is_a_duplicate(tmp_path: Path) -> None:
    assert counts(outcome(tmp_path, version("1950"), held=[as_held(version("1950"))])) == (0, 1, 0)


def test_what_is_older_than_the_store_is_superseded(tmp_path: Path) -> None:
    assert counts(outcome(tmp_path, version("1950", OLD), held=[as_held(version("1951", NEW))])) == (0, 0, 1)


def test_what_is_newer_than_the_store_or_undated_is_loaded(tmp_path: Path) -> None:
    for folder, one in (("a", version("1950", NEW)), ("b", version("1950"))):
        (tmp_path / folder).mkdir()
        assert counts(outcome(tmp_path / folder, one, held=[as_held(version("1951", OLD))])) == (1, 0, 0)


def test_only_the_latest_of_what_was_held_counts(tmp_path: Path) -> None:
    held = [as_held(version("1950")), as_held(version("1951"))]
    assert counts(outcome(tmp_path, version("1950"), held=held)) == (1, 0, 0)


RECORD = st.tuples(
    st.sampled_from(["p1", "p2", "p3"]), st.sampled_from(["1950", "1951", "broken"]), st.sampled_from([None, OLD, NEW])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(RECORD, max_size=6), min_size=1, max_size=4))
def test_the_ledger_adds_up_for_any_mixture(files: list[list[tuple[str, str, str | None]]]) -> None:
    with TemporaryDirectory() as folder:
        outcomes = preview(Path(folder), [file_content(file) for file in files])
    for found, records in zip(outcomes, files, strict=True):
        found.check()
        assert found.records_in == len(records)
        assert found.quarantined == sum(content == "broken" for _, content, _ in records)
    sound = {resource_id for records in files for resource_id, content, _ in records if content != "broken"}
    assert sum(found.loaded for found in outcomes) == len(sound)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_whatever_the_order_of_files_the_same_versions_win_and_a_second_load_adds_none(data: st.DataObject) -> None:
    dated = st.tuples(
        st.sampled_from(["p1", "p2"]), st.sampled_from(["1950", "1951"]), st.sampled_from([OLD, NEW, NEWER])
    )
    stamped = {(key, updated): content for key, content, updated in data.draw(st.lists(dated, max_size=8))}
    records = [(key, content, updated) for (key, updated), content in stamped.items()]
    first, again = data.draw(st.permutations(records)), data.draw(st.permutations(records))
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        winners, held = winners_of(Path(one), first, [])
        assert winners == winners_of(Path(other), again, [])[0]
    with TemporaryDirectory() as folder:
        assert winners_of(Path(folder), again, held)[0] == set()


def winners_of(folder: Path, records: list[tuple[str, str, str]], held: list[Held]) -> tuple[set[bytes], list[Held]]:
    """The lines that would be loaded of records that each are a file; and what the store then holds."""
    with Register(folder) as register:
        for record in records:
            register.add(register.add_file(FILE), check_line(orjson.loads(file_content([record]))))
        register.decide()
        register.meet(held)
        lines = {line for _, _, line, _ in register.accepted()}
        register.settle()
        return lines, [("Patient", *row) for row in register.loaded("Patient")]


JUNK = st.sampled_from(
    [
        b"",
        b"{",
        b"\x00\xff",
        b"[]",
        b'{"resourceType": "Patient"}',
        ndjson(a_patient()),
        b'{"resourceType":"Bundle","entry":[1]}',
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(JUNK, max_size=5).map(b"\n".join), min_size=1, max_size=4))
def test_the_ledger_adds_up_for_any_bytes(contents: list[bytes]) -> None:
    with TemporaryDirectory() as folder:
        outcomes = preview(Path(folder), contents)
    assert len(outcomes) == len(contents)
    for found in outcomes:
        found.check()
        n_refused = len({reason.item for reason in found.reasons if not reason.is_warning})
        assert n_refused == found.quarantined


def file_content(records: list[tuple[str, str, str | None]]) -> bytes:
    return ndjson(
        *(
            a_patient(resource_id, birthDate=content, **({"meta": {"lastUpdated": updated}} if updated else {}))
            for resource_id, content, updated in records
        )
    )


def preview(folder: Path, contents: list[bytes]) -> list[FileOutcome]:
    files = []
    for number, content in enumerate(contents):
        path = folder / f"{number}.ndjson"
        path.write_bytes(content)
        files.append(SourceFile(path.name, path, f"{number:064x}", len(content), Kind.FHIR))
    quarantine = Quarantine("test", folder)
    try:
        return Importer().preview(files, IngestRun("test", lambda text: None, quarantine, folder))
    finally:
        quarantine.close()
