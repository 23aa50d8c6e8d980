"""DICOM files sorted before anything is sent: those that may load, and why each of the others may not.

Every file's header is read and held against the other files' and against what earlier loads put into the store; refused
files go to quarantine. Of a DICOMDIR only a remark remains.

Example: sorted_files = preflight(files, run, lambda headers: read_earlier(session, headers))
"""

import gzip
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path

import pydicom

from trilake.core.importer import IngestRun, SourceFile
from trilake.core.ledger import FileOutcome, Reason
from trilake.core.recognise import Kind
from trilake.imaging.header import GZIP, length_faults, read_headers
from trilake.imaging.import_job import MOST_BYTES
from trilake.imaging.loaded import Earlier, patient_hash
from trilake.imaging.pixels import is_reencoded
from trilake.imaging.quick_header import DicomHeader

LARGEST = 256 * 10**6  # A directory of a million files.


def n_listed(path: Path) -> int | None:
    """The files that the directory's records name, each once; None where its records cannot be read."""
    try:
        with path.open("rb") as start:
            is_packed = start.read(2) == GZIP
        with (gzip.open if is_packed else open)(path, "rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(BytesIO(file.read(LARGEST)))
            if length_faults(dataset):
                return None
            records = dataset.get("DirectoryRecordSequence") or []
            named = [record.get("ReferencedFileID") for record in records]
    except Exception:  # pydicom raises nearly anything on damaged input.
        return None
    return len({str(name) for name in named if name})


def remark(file: SourceFile) -> Reason:
    """What the ledger says of a DICOMDIR, as a warning."""
    count = n_listed(file.path)
    found = (
        "a list that cannot be read" if count is None else f"a list of {count:,} {'file' if count == 1 else 'files'}"
    )
    expected = "instances: a DICOMDIR holds none, the files that it lists load by themselves"
    return Reason("DICOM_DIRECTORY", expected, found=found, path="(0004,1500)", is_warning=True)


LookUp = Callable[[Iterable[DicomHeader]], Earlier]


@dataclass(frozen=True)
class Accepted:
    """One file that may load, and what is odd about it."""

    file: SourceFile
    header: DicomHeader
    warnings: tuple[Reason, ...] = ()


@dataclass
class Sorted:
    """Files after preflight: those that may load, and the outcomes of the rest."""

    accepted: list[Accepted] = field(default_factory=list)
    outcomes: list[FileOutcome] = field(default_factory=list)


def preflight(files: list[SourceFile], run: IngestRun, look_up: LookUp) -> Sorted:
    """Every file's header read and held against the others' and the earlier loads'; their order makes no difference."""
    result = Sorted()
    readable = readable_files(sorted(files, key=lambda file: file.name), result, run)
    earlier = look_up(entry.header for entry in readable)
    patients = patients_by_study(readable, earlier)
    first_of = first_files(readable, earlier, run)
    for entry in readable:
        first = first_of[entry.header.sop_uid]
        if first is not entry.file and first.sha256 == entry.file.sha256:
            result.outcomes.append(entry.file.outcome(records_in=1, duplicate=1))
            continue
        if reason := gave_way(entry, earlier, run):
            result.outcomes.append(entry.file.outcome(records_in=1, superseded=1, reasons=[reason]))
            continue
        reason = two_contents(entry, first) or other_content(entry, earlier, run) or two_patients(entry, patients, run)
        if reason is None:
            result.accepted.append(entry)
        elif reason.is_warning:
            result.accepted.append(replace(entry, warnings=(*entry.warnings, reason)))
        else:
            result.outcomes.append(refuse(entry.file, [reason], run))
    return result


def readable_files(files: list[SourceFile], result: Sorted, run: IngestRun) -> list[Accepted]:
    """The files whose header is sound; the outcomes of the others are put down."""
    images = []
    for file in files:
        if file.kind is Kind.DICOMDIR:
            result.outcomes.append(file.outcome(reasons=[remark(file)]))
        elif file.n_bytes > MOST_BYTES:
            result.outcomes.append(refuse(file, [too_large(file)], run))
        else:
            images.append(file)
    readable = []
    for file, (header, reasons) in zip(images, read_headers([file.path for file in images], run.say), strict=True):
        if header is None:
            result.outcomes.append(refuse(file, reasons, run))
        else:
            readable.append(Accepted(file, header, tuple(reasons)))
    return readable


def patients_by_study(readable: list[Accepted], earlier: Earlier) -> dict[str, dict[str, str]]:
    """The patients of each study, by hash, each with the first file that names it."""
    patients = {study: dict(names) for study, names in earlier.patients.items()}
    for entry in readable:
        if key := patient_hash(entry.header):
            patients.setdefault(entry.header.study_uid, {}).setdefault(key, entry.file.name)
    return patients


def first_files(readable: list[Accepted], earlier: Earlier, run: IngestRun) -> dict[str, SourceFile]:
    """The file that stands for each SOPInstanceUID: the one that an earlier run loaded, else the first by name."""
    first: dict[str, SourceFile] = {}
    for entry in readable:
        uid = entry.header.sop_uid
        is_loaded = not run.is_replay and earlier.contents.get(uid, ("",))[0] == entry.file.sha256
        if uid not in first or (is_loaded and first[uid].sha256 != entry.file.sha256):
            first[uid] = entry.file
    return first


def two_contents(entry: Accepted, first: SourceFile) -> Reason | None:
    """Another file of the load stands for the UID."""
    if first is entry.file:
        return None
    expected = f"one content for a SOPInstanceUID; {first.name} holds another"
    if is_reencoded(entry.file.path, first.path):
        expected = (
            f"one content for a SOPInstanceUID; {first.name}, which is kept, has the same picture otherwise encoded"
        )
    return Reason("DICOM_CONFLICT", expected, path="(0008,0018)")


def gave_way(entry: Accepted, earlier: Earlier, run: IngestRun) -> Reason | None:
    """The content was loaded once, and a replay has put another in its place: that decision stands."""
    sha256, name = earlier.contents.get(entry.header.sop_uid, ("", ""))
    if (
        run.is_replay
        or entry.file.sha256 == sha256
        or entry.file.sha256 not in earlier.before.get(entry.header.sop_uid, ())
    ):
        return None
    expected = (
        f"the content of {name}, replayed in the place of this one; replay its ITEM --with this file takes it back"
    )
    return Reason("DICOM_SUPERSEDED", expected, path="(0008,0018)", is_warning=True)


def other_content(entry: Accepted, earlier: Earlier, run: IngestRun) -> Reason | None:
    """An earlier load has the UID with another content: refused, unless the file is replayed, which is a decision."""
    sha256, name = earlier.contents.get(entry.header.sop_uid, ("", ""))
    if not sha256 or sha256 == entry.file.sha256:
        return None
    if run.is_replay:
        return Reason("DICOM_REPLACED", f"the content that {name} had before", path="(0008,0018)", is_warning=True)
    expected = f"one content for a SOPInstanceUID; {name}, loaded before, holds another"
    return Reason("DICOM_CONFLICT", expected, path="(0008,0018)")


def two_patients(entry: Accepted, patients: dict[str, dict[str, str]], run: IngestRun) -> Reason | None:
    """A study of two patients is refused whole, since nothing here says which of them is the right one."""
    ours = patient_hash(entry.header)
    others = [name for key, name in patients.get(entry.header.study_uid, {}).items() if key != ours]
    if not ours or not others or run.is_replay:
        return None
    expected = f"one PatientID for a StudyInstanceUID; {others[0]} names another"
    return Reason("DICOM_TWO_PATIENTS", expected, path="(0010,0020)")


def too_large(file: SourceFile) -> Reason:
    return Reason("DICOM_TOO_LARGE", expected=f"{MOST_BYTES:,} bytes at most", found=f"{file.n_bytes:,} bytes")


def refuse(file: SourceFile, reasons: list[Reason], run: IngestRun) -> FileOutcome:
    item = run.quarantine.keep_file(file.sha256, file.path)
    return file.outcome(records_in=1, quarantined=1, reasons=[replace(reason, item=item) for reason in reasons])
