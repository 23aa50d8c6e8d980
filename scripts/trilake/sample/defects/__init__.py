"""Defects of the profile `dirty`: files that stand beside a clean sample, and the truth about what must become of each.

A room's module gives `write(sample, injected)`: files below the sample, and a Defect for each thing wrong.

Reads a finished sample; writes below it. Make target: sample. Example: inject(Path("data"))
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from trilake.sample.defects import clinical, genomic, imaging, links
from trilake.sample.defects.defect import Injected

WRITERS = (clinical.write, genomic.write, imaging.write, links.write)


def inject(sample: Path) -> tuple[Injected, list[dict[str, Any]]]:
    """Write every room's defects; what they add to the sample, and the rows of the truth table."""
    injected = Injected()
    for write in WRITERS:
        write(sample, injected)
    return injected, [asdict(defect) for defect in injected.defects]
