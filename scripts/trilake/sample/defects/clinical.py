"""Clinical defects: resources that break a rule of R4 each, copies and old versions, and files that are cut or no FHIR.

Reads <sample>/fhir/ndjson; writes <sample>/fhir/defects. Make target: sample. Example: write(Path("data"), Injected())
"""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from trilake.sample.defects.defect import Defect, Injected
from trilake.sample.governed import rows_of
from trilake.sample.keys import shared_id

Resource = dict[str, Any]
Break = Callable[[Resource], Any]
OLD = "2019-01-01T00:00:00Z"
COPIES = 50
"""One of each defect in so many resources of its type."""


def put(**values: Any) -> Break:
    return lambda resource: resource.update(values)


def drop(name: str) -> Break:
    return lambda resource: resource.pop(name)


def reverse_period(visit: Resource) -> None:
    visit["period"] = {"start": visit["period"]["end"], "end": visit["period"]["start"]}


def wrong_size(document: Resource) -> None:
    document["content"][0]["attachment"]["size"] += 1


BREAKS: dict[str, tuple[str, Break, str]] = {
    "bad_date": ("Condition", put(recordedDate="2020-13-45"), "FHIR_DATE"),
    "no_such_day": ("Condition", put(onsetDateTime="2021-02-30"), "FHIR_DATE"),
    "missing_required": ("Observation", drop("status"), "FHIR_ELEMENT_MISSING"),
    "unknown_type": ("Encounter", put(resourceType="Visit"), "FHIR_UNKNOWN_TYPE"),
    "unknown_element": ("Procedure", put(surgeon="someone"), "FHIR_ELEMENT_UNKNOWN"),
    "wrong_type": ("Patient", put(birthDate=1950), "FHIR_WRONG_TYPE"),
    "empty_array": ("Condition", put(category=[]), "FHIR_EMPTY"),
    "empty_object": ("Procedure", put(code={}), "FHIR_EMPTY"),
    "bad_code": ("Observation", put(status="done"), "FHIR_CODE"),
    "bad_id": ("Condition", put(id="not an id"), "FHIR_ID_FORM"),
    "period_reversed": ("Encounter", reverse_period, "FHIR_INVARIANT"),
    "attachment_size": ("DocumentReference", wrong_size, "FHIR_ATTACHMENT"),
}
"""Kind -> resource type, what is broken, the reason code. All of them are quarantined."""


def write(sample: Path, injected: Injected) -> None:
    """Write the files, three of lines and four that are whole defects."""
    folder = sample / "fhir/defects"
    folder.mkdir(parents=True, exist_ok=True)
    held = {path.stem: path.read_bytes().splitlines() for path in sorted((sample / "fhir/ndjson").glob("*.ndjson"))}
    lines(folder / "broken.ndjson", broken(held), injected)
    lines(folder / "again.ndjson", again(held), injected)
    lines(folder / "dangling.ndjson", dangling(held), injected)
    whole(folder, held, injected)


def lines(path: Path, found: Iterator[tuple[bytes, str, str, str]], injected: Injected) -> None:
    """One file of (line, kind, expected, code)."""
    written = list(found)
    name = path.relative_to(path.parents[2]).as_posix()
    path.write_bytes(b"".join(line + b"\n" for line, *_ in written))
    injected.files.append(path)
    injected.defects += [
        Defect(name, number, kind, expected, code) for number, (_, kind, expected, code) in enumerate(written, 1)
    ]
    for line, _, expected, _ in written:
        if expected == "loaded_with_warning":
            injected.rows.update(rows_of(orjson.loads(line)))
            injected.resources[orjson.loads(line)["resourceType"]] += 1


def some(held: dict[str, list[bytes]], kind: str) -> Iterator[Resource]:
    """One in COPIES of a type's resources, at least one."""
    for line in held[kind][::COPIES]:
        yield orjson.loads(line)


def renewed(resource: Resource, word: str) -> Resource:
    """A copy under an id of its own."""
    found = copy.deepcopy(resource)
    found["id"] = shared_id(f"defect/{word}/{resource['id']}")
    return found


def broken(held: dict[str, list[bytes]]) -> Iterator[tuple[bytes, str, str, str]]:
    """Each break in turn, then lines that are no resource at all."""
    for kind, (resource_type, spoil, code) in BREAKS.items():
        for resource in some(held, resource_type):
            found = renewed(resource, kind)
            spoil(found)
            yield orjson.dumps(found), kind, "quarantined", code
    yield b"{not json", "not_json", "quarantined", "FHIR_NOT_JSON"
    yield b'["a list"]', "not_an_object", "quarantined", "FHIR_NOT_OBJECT"


def again(held: dict[str, list[bytes]]) -> Iterator[tuple[bytes, str, str, str]]:
    """Equal copies of resources, and older versions of others."""
    for line in held["Condition"][::COPIES]:
        yield line, "duplicate", "duplicate", ""
    for resource in some(held, "Observation"):
        older = {**resource, "meta": {**resource["meta"], "lastUpdated": OLD}, "status": "preliminary"}
        yield orjson.dumps(older), "superseded", "superseded", ""


def dangling(held: dict[str, list[bytes]]) -> Iterator[tuple[bytes, str, str, str]]:
    """Observations of encounters that no file has."""
    for resource in some(held, "Observation"):
        found = renewed(resource, "dangling")
        found["encounter"] = {"reference": f"Encounter/{shared_id('nowhere')}"}
        yield orjson.dumps(found), "dangling_reference", "loaded_with_warning", "FHIR_REFERENCE_UNRESOLVED"


def whole(folder: Path, held: dict[str, list[bytes]], injected: Injected) -> None:
    """Files that are cut off, empty, or no FHIR."""
    cut = orjson.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": orjson.loads(held["Condition"][0])}]}
    )
    contents = {
        "cut.json": (cut[: len(cut) // 2], "truncated_bundle", "refused_file", "FHIR_NOT_JSON"),
        "cut.ndjson": (held["Procedure"][0][:-40], "truncated_line", "refused_file", "FHIR_NOT_JSON"),
        "log.ndjson": (b'{"level":"info","message":"export done"}\n', "no_fhir", "unrecognised", "FILE_UNRECOGNISED"),
        "empty.json": (b"", "empty", "unrecognised", "FILE_EMPTY"),
        "patients.csv": (b"id,name\n1,nobody\n", "csv", "unrecognised", "FILE_UNRECOGNISED"),
    }
    for name, (content, kind, expected, code) in contents.items():
        path = folder / name
        path.write_bytes(content)
        injected.files.append(path)
        injected.defects.append(Defect(f"fhir/defects/{name}", None, kind, expected, code))
