"""The ledger in words: the newest files, a total of all of them, and how to see the rest."""

from trilake.operations.ledger import COUNTS, MOST_FILES, in_words


def rows(n: int) -> list[dict[str, object]]:
    counts = dict.fromkeys(COUNTS, 0) | {"records_in": 2, "loaded": 2}
    return [
        {"file": f"{i}.json", "modality": "clinical", "status": "LOADED", "reasons": [], **counts} for i in range(n)
    ]


def test_thousands_of_files_end_in_their_total() -> None:
    lines = in_words(rows(1_200)).splitlines()
    assert len(lines) < MOST_FILES + 10
    assert lines[2].split()[0] == f"{1_200 - MOST_FILES}.json" and lines[-3].split()[0] == "1199.json"
    assert lines[-2].split()[:5] == ["total", "1,200", "files", "2,400", "2,400"]
    assert "of 1,200 files" in lines[-1] and "--json" in lines[-1]


def test_few_files_are_all_there() -> None:
    lines = in_words(rows(3)).splitlines()
    assert [line.split()[0] for line in lines[2:]] == ["0.json", "1.json", "2.json", "total"]


def test_values_by_shape_are_explained_where_there_are_some() -> None:
    reason = {"item": "", "code": "FHIR_DATE", "line": 1, "path": "birthDate", "found": "9/9", "expected": "a date"}
    assert in_words([{**rows(1)[0], "reasons": [reason]}]).splitlines()[-1].startswith("found: values of records")
    assert "shape" not in in_words([{**rows(1)[0], "reasons": [{**reason, "found": ""}]}])
