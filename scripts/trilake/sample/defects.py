"""Defects of the profile `dirty`: files that stand beside a clean sample, and the truth about what must become of each.

Each modality's writer makes files below the sample and a Defect for each thing wrong with them. Copies and changes are
made from the sample's own resources and slices, so that nothing but the defect is wrong.

Example: write_clinical(Path("data"), Injected())
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, MediaStorageDirectoryStorage, RLELossless

from trilake.sample.governed import rows_of
from trilake.sample.keys import shared_id

HANDLING = ("quarantined", "duplicate", "superseded", "loaded_with_warning", "refused_file", "unrecognised")


@dataclass(frozen=True)
class Defect:
    """`line` is from 1 (of an NDJSON or VCF file, or the entry of a Bundle); None where the whole file is meant.

    `expected` is one of HANDLING; `code` is the reason that the ledger must give, empty where it gives none.
    """

    file: str
    line: int | None
    kind: str
    expected: str
    code: str = ""


@dataclass
class Injected:
    """Files, defects, what of them is loaded all the same (rows of governed tables), and what they add to the truth."""

    files: list[Path] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    resources: Counter[str] = field(default_factory=Counter)
    links: list[dict[str, Any]] = field(default_factory=list)
    discordances: list[dict[str, Any]] = field(default_factory=list)


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


def write_clinical(sample: Path, injected: Injected) -> None:
    """Write the files, three of lines and four that are whole defects."""
    folder = sample / "fhir/defects"
    folder.mkdir(parents=True, exist_ok=True)
    held = {path.stem: path.read_bytes().splitlines() for path in sorted((sample / "fhir/ndjson").glob("*.ndjson"))}
    lines(folder / "broken.ndjson", broken(held), injected)
    lines(folder / "again.ndjson", again(held), injected)
    lines(folder / "dangling.ndjson", dangling(held), injected)
    whole(folder, held, injected)


def lines(path: Path, entries: Iterator[tuple[bytes, str, str, str]], injected: Injected) -> None:
    """One file of (line, kind, expected, code)."""
    written = list(entries)
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
    renamed = copy.deepcopy(resource)
    renamed["id"] = shared_id(f"defect/{word}/{resource['id']}")
    return renamed


def broken(held: dict[str, list[bytes]]) -> Iterator[tuple[bytes, str, str, str]]:
    """Each break in turn, then lines that are no resource at all."""
    for kind, (resource_type, spoil, code) in BREAKS.items():
        for resource in some(held, resource_type):
            spoilt = renewed(resource, kind)
            spoil(spoilt)
            yield orjson.dumps(spoilt), kind, "quarantined", code
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
        orphan = renewed(resource, "dangling")
        orphan["encounter"] = {"reference": f"Encounter/{shared_id('nowhere')}"}
        yield orjson.dumps(orphan), "dangling_reference", "loaded_with_warning", "FHIR_REFERENCE_UNRESOLVED"


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


VCF_HEAD = (
    "##fileformat=VCFv4.3\n##reference=GRCh38\n##contig=<ID=1,length=248956422>\n"
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
)
VCF_COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tSTRANGER_DEFECTS\n"
RECORDS = {
    "bad_position": ("1\tten\t.\tA\tG\t50\tPASS\t.\tGT\t0/1", "VCF_POSITION"),
    "bad_reference": ("1\t1000\t.\tA*\tG\t50\tPASS\t.\tGT\t0/1", "VCF_REF"),
    "columns_missing": ("1\t1100\t.\tA\tG", "VCF_COLUMNS"),
    "genotype_of_no_allele": ("1\t1200\t.\tA\tG\t50\tPASS\t.\tGT\t0/7", "VCF_GENOTYPE"),
}


def write_genomic(sample: Path, injected: Injected) -> None:
    """Write the files; every record in them is wrong, so that nothing of them is loaded."""
    folder = sample / "vcf/defects"
    folder.mkdir(parents=True, exist_ok=True)
    first = VCF_HEAD.count("\n") + 2
    records, headless = folder / "records.vcf", folder / "headless.vcf"
    records.write_text(VCF_HEAD + VCF_COLUMNS + "".join(f"{line}\n" for line, _ in RECORDS.values()))
    headless.write_text(VCF_HEAD + "1\t1000\t.\tA\tG\t50\tPASS\t.\tGT\t0/1\n")
    injected.files += [records, headless]
    injected.defects += [
        Defect("vcf/defects/records.vcf", first + place, kind, "quarantined", code)
        for place, (kind, (_, code)) in enumerate(RECORDS.items())
    ]
    injected.defects.append(Defect("vcf/defects/headless.vcf", None, "no_header_line", "refused_file", "VCF_HEADER"))


STUDY = "2.25.77001"
DELIMITER_BYTES = 8
# What is changed in the slice (None leaves an element out), what must become of the file, and for which reason.
CHANGED: dict[str, tuple[dict[str, Any], str]] = {
    "no_study": ({"StudyInstanceUID": None}, "DICOM_UID_MISSING"),
    "no_series": ({"SeriesInstanceUID": None}, "DICOM_UID_MISSING"),
    "no_instance": ({"SOPInstanceUID": None}, "DICOM_UID_MISSING"),
    "uid_of_letters": ({"StudyInstanceUID": "study-of-july"}, "DICOM_UID_FORM"),
    "no_rows": ({"Rows": None}, "DICOM_VALUE"),
    "short_pixels": ({"PixelData": b"\0" * 16}, "DICOM_PIXELS_SHORT"),
    "other_content": ({"ImageComments": "The same instance, changed"}, "DICOM_CONFLICT"),
    "patient_1_of_2": (
        {"StudyInstanceUID": STUDY, "SOPInstanceUID": f"{STUDY}.1", "PatientID": "ONE"},
        "DICOM_TWO_PATIENTS",
    ),
    "patient_2_of_2": (
        {"StudyInstanceUID": STUDY, "SOPInstanceUID": f"{STUDY}.2", "PatientID": "TWO"},
        "DICOM_TWO_PATIENTS",
    ),
}


def write_imaging(sample: Path, injected: Injected) -> None:
    """Write the files; none of them adds an instance to the store. A sample without slices gets none."""
    paths = sorted((sample / "dicom").rglob("*.dcm"))
    plain = next((path for path in paths if is_plain(path)), None)
    if plain is None:
        return
    slice_bytes = plain.read_bytes()
    contents = {name: (changed(plain, changes), "quarantined", code) for name, (changes, code) in CHANGED.items()}
    contents |= {
        "cut_in_pixels": (slice_bytes[:-100], "quarantined", "DICOM_TRUNCATED"),
        "no_delimiter": (without_delimiter(plain), "quarantined", "DICOM_TRUNCATED"),
        "prefix_alone": (b"\0" * 128 + b"DICM", "quarantined", "DICOM_UNREADABLE"),
        "again": (slice_bytes, "duplicate", ""),
        "DICOMDIR": (directory(), "loaded_with_warning", "DICOM_DIRECTORY"),
    }
    folder = sample / "dicom/defects"
    folder.mkdir(parents=True, exist_ok=True)
    for name, (content, expected, code) in contents.items():
        path = folder / name  # No suffix: what a file is, its content says.
        path.write_bytes(content)
        injected.files.append(path)
        injected.defects.append(Defect(f"dicom/defects/{name}", None, name, expected, code))


def is_plain(path: Path) -> bool:
    """One slice in uncompressed pixels."""
    dataset = pydicom.dcmread(path, stop_before_pixels=True)
    return dataset.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian and "NumberOfFrames" not in dataset


def changed(path: Path, changes: dict[str, Any]) -> bytes:
    dataset = pydicom.dcmread(path)
    for keyword, value in changes.items():
        if value is None:
            del dataset[keyword]
        elif keyword.endswith("UID"):
            dataset.add(pydicom.DataElement(keyword, "UI", value, validation_mode=pydicom.config.IGNORE))
        else:
            setattr(dataset, keyword, value)
    return saved(dataset)


def without_delimiter(path: Path) -> bytes:
    """The slice as one RLE fragment, and then the end of the file instead of the sequence delimiter."""
    dataset = pydicom.dcmread(path)
    dataset.PixelData = encapsulate([bytes(64)])
    dataset.file_meta.TransferSyntaxUID = RLELossless
    return saved(dataset)[:-DELIMITER_BYTES]


def directory() -> bytes:
    """A DICOMDIR without records."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("2.25.77002")
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.FileSetID = "TRILAKE"
    return saved(dataset)


def saved(dataset: Dataset) -> bytes:
    with BytesIO() as file:
        dataset.save_as(file, enforce_file_format=True)
        return file.getvalue()
