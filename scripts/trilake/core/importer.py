"""What `ingest` hands to a room, and what it gets back: the one interface of all three importers.

It stands in core because rooms do not import operations. A room provides a class `Importer` in
`trilake.<room>.importer`; `operations.ingest` finds files, recognises them, sets aside content that the ledger has
as loaded, calls `load`, stores what was quarantined and writes the ledger.

Example:
    class Importer:
        modality = "genomic"
        def load(self, session, files, run): return [load_one(session, file, run) for file in files]
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from trilake.core.ledger import FileOutcome
from trilake.core.quarantine import Quarantine
from trilake.core.recognise import Kind
from trilake.core.session import Session


@dataclass(frozen=True)
class SourceFile:
    """One file to load. `name` is its path below the folder or prefix that was given, and its name in the ledger.

    `path` is where its bytes lie on this machine (files below s3:// are fetched first).
    """

    name: str
    path: Path
    sha256: str
    n_bytes: int
    kind: Kind

    def outcome(self, **counts: Any) -> FileOutcome:
        """A ledger entry for this file, ready to be counted up."""
        return FileOutcome(self.name, self.kind.modality, self.sha256, self.n_bytes, **counts)


@dataclass(frozen=True)
class IngestRun:
    """One call of `ingest` or `replay`. `say` writes a line of progress; `work_dir` is emptied afterwards.

    `reference` is the FASTA on which alleles are normalised, when one is given. `is_replay`: somebody looked at what
    was refused, and wants it loaded.
    """

    ingest_id: str
    say: Callable[[str], None]
    quarantine: Quarantine
    work_dir: Path
    reference: Path | None = None
    is_replay: bool = False


class Importer(Protocol):
    """One modality's way in."""

    modality: str

    def load(self, session: Session, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        """Load the files, no two of the same content; one outcome per file, whose counts add up (`FileOutcome.check`).

        A bad file or record is an outcome with reasons (`run.quarantine.keep` gives each its item id), never an
        exception; an exception refuses every file of the call. Content that an earlier run refused, or was killed
        on, comes again: loading a record twice must leave one.
        """
        ...

    def replaced(self, session: Session, contents: set[str]) -> set[str]:
        """Of contents that the ledger has as loaded, those that the store holds no more, for all the room itself knows:
        other content was put in their place. They are handed to `load` again, and not called duplicates.
        """
        ...

    def preview(self, files: list[SourceFile], run: IngestRun) -> list[FileOutcome]:
        """The outcomes as far as the files alone tell, with nothing sent: `loaded` counts what would be submitted."""
        ...
