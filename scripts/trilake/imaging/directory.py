"""A DICOMDIR: how many files it lists. It holds no instance itself; the files load by themselves.

Reads one file, packed by gzip or not; writes nothing. Source: DICOM PS3.3 F.3.2.2, Referenced File ID. `make ingest`.

Example: n_listed(Path("DICOMDIR")) is 31
"""

import gzip
import warnings
from io import BytesIO
from pathlib import Path

import pydicom

from trilake.core.importer import SourceFile
from trilake.core.ledger import Reason
from trilake.imaging.header import GZIP, length_faults

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
