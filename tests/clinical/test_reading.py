"""Files of every shape become records with their place; what is broken is one record and stops nothing."""

import gzip
import json
from pathlib import Path

import orjson
import pytest

from tests.clinical.builders import a_bundle, a_patient, check_file, ndjson
from trilake.clinical.pool import checked
from trilake.clinical.preflight import RESOURCE_BYTES, Checked
from trilake.clinical.reading import is_ndjson, read_pieces
from trilake.core.recognise import Kind, recognise

ONE, TWO = a_patient("p1"), a_patient("p2")


def read(folder: Path, content: bytes, **options: int) -> list[Checked]:
    path = folder / "file"
    path.write_bytes(content)
    return check_file(path, **options)


def ids(records: list[Checked]) -> list[str | None]:
    return [record.id or None for record in records]


def codes(records: list[Checked]) -> list[str]:
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
    broken = content[: len(content) // 2].count(b"\n") + 1
    assert f"line {broken}," in record.faults[0].found


def test_gzip_reads_as_its_content(tmp_path: Path) -> None:
    assert ids(read(tmp_path, gzip.compress(ndjson(ONE, TWO)))) == ["p1", "p2"]


def test_a_truncated_gzip_gives_the_lines_before_the_break_and_one_refused_record(tmp_path: Path) -> None:
    content = gzip.compress(
        ndjson(*(a_patient(f"p{number}", birthDate=f"19{number % 90 + 10}") for number in range(5000)))
    )
    records = read(tmp_path, content[:-2000])
    assert len(records) > 1000
    assert codes(records) == ["FILE_UNREADABLE"]
    assert records[-1].id == ""


def test_a_line_too_long_for_memory_is_skipped_and_the_next_is_read(tmp_path: Path) -> None:
    long = a_patient("long", name=[{"text": "x" * 5000}])
    records = read(tmp_path, ndjson(ONE, long, TWO), longest=1000)
    assert ids(records) == ["p1", None, "p2"]
    assert codes(records) == ["FHIR_TOO_LONG"]


def test_a_document_too_long_for_memory_is_refused(tmp_path: Path) -> None:
    content = orjson.dumps(a_bundle(ONE, TWO), option=orjson.OPT_INDENT_2)
    assert codes(read(tmp_path, content, longest=100)) == ["FHIR_TOO_LONG"]


def test_a_head_without_a_line_end_is_read_line_by_line() -> None:
    assert is_ndjson(b'{"resourceType": "Bundle", "entry": [')
    assert not is_ndjson(b"[\n{\n")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_read(tmp_path: Path, encoding: str) -> None:
    one = a_patient("p1", name=[{"family": "Müller-Ωß"}])
    content = "\r\n".join(json.dumps(each, ensure_ascii=False) for each in (one, TWO)).encode(encoding)
    (tmp_path / "recognised").write_bytes(content)
    assert recognise(tmp_path / "recognised").kind is Kind.FHIR
    records = read(tmp_path, content)
    assert ids(records) == ["p1", "p2"]
    assert orjson.loads(records[0].data) == one


def test_latin_1_is_refused_with_the_column_and_stops_nothing(tmp_path: Path) -> None:
    one = json.dumps(a_patient("p1", name=[{"family": "Müller"}]), ensure_ascii=False).encode("latin-1")
    records = read(tmp_path, one + b"\n" + ndjson(TWO))
    assert ids(records) == [None, "p2"]
    assert codes(records) == ["FHIR_NOT_JSON"]
    assert "not UTF-8 at column" in records[0].faults[0].found


@pytest.mark.parametrize("block", [7, 64, 1 << 20])
def test_blocks_of_any_size_give_the_same_lines(tmp_path: Path, block: int) -> None:
    content = b"\n" + ndjson(ONE) + b"\r\n" + ndjson(TWO)[:-1]
    assert [(one.line, one.id) for one in read(tmp_path, content, block=block)] == [(2, "p1"), (4, "p2")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'{"resourceType": "Patient", "id": "a", "x": NaN}', "NaN"),
        (b'{"resourceType": "Patient", "id": "a", "x": Infinity}', "Infinity"),
        (b'{"resourceType": "Patient", "id": "\\ud800"}', "half of a character"),
        (b'{"resourceType": "Patient", "id": "a"', "line 1"),
        (b"[" * 100_000, "deeper"),
    ],
)
def test_what_json_does_not_have_is_refused(tmp_path: Path, text: bytes, words: str) -> None:
    (record,) = read(tmp_path, text + b"\n")
    assert codes([record]) == ["FHIR_NOT_JSON"]
    assert words in record.faults[0].found


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    text = b'{"resourceType": "Patient", "id": "a", "gender": "male", "gender": "female"}\n'
    for record in read(tmp_path, text * 50):
        assert codes([record]) == ["FHIR_KEY_TWICE"]


def test_a_resource_larger_than_the_service_takes_is_refused(tmp_path: Path) -> None:
    large = a_patient("large", photo=[{"contentType": "image/png", "data": "AAAA" * (RESOURCE_BYTES // 4)}])
    assert codes(read(tmp_path, ndjson(large, TWO))) == ["FHIR_TOO_LARGE"]


def test_processes_give_what_one_process_gives(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(ndjson(*(a_patient(f"p{n}", gender="Male" if n % 7 == 0 else "male") for n in range(60))))
    pieces = list(enumerate(read_pieces(path, block=500)))
    assert list(checked(pieces, workers=2)) == list(checked(pieces, workers=1))
