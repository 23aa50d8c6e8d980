"""One thing that is wrong with the sample, and what must become of it.

Reads and writes nothing. Make target: sample. Example: Defect("a.vcf", 3, "bad_position", "quarantined")
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

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
