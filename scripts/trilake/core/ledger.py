"""The ledger's arithmetic: for each file, records_in = loaded + duplicate + superseded + quarantined.

Pure data, filled by the rooms' importers and written by operations.

Example: FileOutcome("a.ndjson", "clinical", sha256, n_bytes, records_in=3, loaded=3).check()
"""

import re
from dataclasses import dataclass, field

from trilake.core.reasons import REASONS

LEDGER = "operations.ingest_ledger"  # The table. Operations writes it; a room may ask it what it loaded before.


@dataclass(frozen=True)
class Reason:
    """Why one record or file was refused (or, `is_warning`, loaded with a remark).

    `item` names it for `trilake replay`; `path` is an element path, column or DICOM tag; `found` is cut to 80
    characters, and holds no patient's values: see `shape`.
    """

    code: str
    expected: str
    found: str = ""
    line: int | None = None
    path: str = ""
    item: str = ""
    is_warning: bool = False

    def __post_init__(self) -> None:
        if self.code not in REASONS:
            raise ValueError(f"reason code {self.code} is not in the catalogue")
        object.__setattr__(self, "found", self.found[:80])


def shape(text: str) -> str:
    """A text without its content: letters as x, digits as 9."""
    return re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", text[:40])) + ("..." if len(text) > 40 else "")


@dataclass
class FileOutcome:
    """What became of one file. Counts are records: FHIR resources, VCF records, DICOM instances."""

    file: str
    modality: str
    content_sha256: str
    n_bytes: int
    records_in: int = 0
    loaded: int = 0
    duplicate: int = 0
    superseded: int = 0
    quarantined: int = 0
    reasons: list[Reason] = field(default_factory=list)
    quarantine_uri: str = ""
    is_recognised: bool = True

    @property
    def warnings(self) -> int:
        return sum(reason.is_warning for reason in self.reasons)

    @property
    def status(self) -> str:
        """loaded (a file without records too), partial, refused, duplicate or unrecognised."""
        if not self.is_recognised:
            return "unrecognised"
        refusals = any(not reason.is_warning for reason in self.reasons)
        if self.quarantined or refusals:
            return "partial" if self.loaded or self.duplicate or self.superseded else "refused"
        return "loaded" if self.loaded or not self.records_in else "duplicate"

    def check(self) -> None:
        """ValueError when the counts do not add up: a defect of the importer, never of the input."""
        accounted = self.loaded + self.duplicate + self.superseded + self.quarantined
        if self.records_in != accounted:
            raise ValueError(f"{self.file}: {self.records_in} records in, {accounted} accounted for")
