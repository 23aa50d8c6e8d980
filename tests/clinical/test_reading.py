"""Files of every shape become records with their place; what is broken is one record and stops nothing."""

import gzip
from pathlib import Path

import orjson
import pytest

from tests.clinical.builders import a_bundle, a_patient, ndjson
from trilake.clinical.reading import Record, is_ndjson, read_records

ONE, TWO = a_patient("p1"), a_patient("p2")


def read(folder: Path, content: bytes, **options: int) -> list[Record]:
    path = folder / "file"
    path.write_bytes(content)
    return list(read_records(path, **options))


def ids(records: list[Record]) -> list[str | None]:
    return [record.resource["id"] if record.resource else None for record in records]


def codes(records: list[Record]) -> list[str]:
    return [fault.code for record in records for fault in record.faults]


def test_ndjson_lines_are_counted_through_blank_lines_crlf_and_byte_order_mark(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbf" + orjson.dumps(ONE) + b"\r\n\r\n  \r\n" + orjson.dumps(TWO)
    records = read(tmp_path, content)
    assert ids(records) == ["p1", "p2"]
    assert [record.line for record in records] == [1, 4]


def test_a_broken_line_is_one_record_and_the_others_are_read(tmp_path: Path) -> None:
    content = ndjson(ONE) + b'{"resourceType": "Patient", "id\n' + b"[1, 2]\n" + b"\x00\x01\xff\n" + ndjson(TWO)
    records = read(tmp_path, content)
    assert ids(records) == ["p1", None, None, None, "p2"]
    assert codes(records) == ["FHIR_NOT_JSON", "FHIR_NOT_OBJECT", "FHIR_NOT_JSON"]
    assert [record.label for record in records] == ["1", "2", "3", "4", "5"]


def test_a_broken_first_line_does_not_turn_lines_into_one_document(tmp_path: Path) -> None:
    assert ids(read(tmp_path, b"{oops\n" + ndjson(ONE, TWO))) == [None, "p1", "p2"]


@pytest.mark.parametrize("indent", [0, orjson.OPT_INDENT_2])
def test_a_bundle_is_its_entries_however_it_is_printed(tmp_path: Path, indent: int) -> None:
    records = read(tmp_path, orjson.dumps(a_bundle(ONE, TWO), option=indent))
    assert ids(records) == ["p1", "p2"]
    assert [record.entry for record in records] == [0, 1]


def test_lines_may_be_bundles(tmp_path: Path) -> None:
    records = read(tmp_path, ndjson(a_bundle(ONE), a_bundle(TWO)))
    assert [(record.line, record.entry, record.label) for record in records] == [(1, 0, "1-e0"), (2, 0, "2-e0")]


def test_entries_without_a_resource_are_records_too(tmp_path: Path) -> None:
    bundle = a_bundle(ONE)
    bundle["entry"] += [{"request": {"method": "DELETE", "url": "Patient/x"}}, "junk", {"resource": a_bundle(TWO)}]
    records = read(tmp_path, orjson.dumps(bundle))
    assert ids(records) == ["p1", None, None, None]
    assert codes(records) == ["FHIR_ENTRY_EMPTY", "FHIR_ENTRY_EMPTY", "FHIR_NESTED_BUNDLE"]


def test_entries_that_are_no_list_refuse_the_bundle(tmp_path: Path) -> None:
    assert codes(read(tmp_path, b'{"resourceType": "Bundle", "entry": {}}')) == ["FHIR_WRONG_TYPE"]


def test_an_empty_bundle_has_no_records(tmp_path: Path) -> None:
    assert read(tmp_path, orjson.dumps(a_bundle())) == []


def test_a_truncated_document_is_one_record_with_the_line_where_it_breaks(tmp_path: Path) -> None:
    content = orjson.dumps(a_bundle(ONE, TWO), option=orjson.OPT_INDENT_2)
    (record,) = read(tmp_path, content[: len(content) // 2])
    assert codes([record]) == ["FHIR_NOT_JSON"]
    assert record.line == content[: len(content) // 2].count(b"\n") + 1


def test_gzip_reads_as_its_content(tmp_path: Path) -> None:
    assert ids(read(tmp_path, gzip.compress(ndjson(ONE, TWO)))) == ["p1", "p2"]


def test_a_truncated_gzip_gives_the_lines_before_the_break_and_one_refused_record(tmp_path: Path) -> None:
    content = gzip.compress(
        ndjson(*(a_patient(f"p{number}", birthDate=f"19{number % 90 + 10}") for number in range(5000)))
    )
    records = read(tmp_path, content[:-2000])
    assert len(records) > 1000
    assert codes(records) == ["FILE_UNREADABLE"]
    assert records[-1].resource is None


def test_a_line_too_long_for_memory_is_skipped_and_the_next_is_read(tmp_path: Path) -> None:
    long = a_patient("long", language="x" * 5000)
    records = read(tmp_path, ndjson(ONE, long, TWO), longest=1000)
    assert ids(records) == ["p1", None, "p2"]
    assert codes(records) == ["FHIR_TOO_LONG"]


def test_a_document_too_long_for_memory_is_refused(tmp_path: Path) -> None:
    content = orjson.dumps(a_bundle(ONE, TWO), option=orjson.OPT_INDENT_2)
    assert codes(read(tmp_path, content, longest=100)) == ["FHIR_TOO_LONG"]


def test_a_head_without_a_line_end_is_read_line_by_line() -> None:
    assert is_ndjson(b'{"resourceType": "Bundle", "entry": [')
    assert not is_ndjson(b"[\n{\n")
