"""DICOMDIRs of any encoding say how many files they list; damaged ones that their list cannot be read."""

from __future__ import annotations

import gzip
from pathlib import Path

import pydicom.data
import pytest

from trilake.imaging.preflight import n_listed

FOLDER = Path(pydicom.data.__file__).parent / "test_files/dicomdirtests"


@pytest.mark.parametrize(
    ("name", "count"),
    [("DICOMDIR", 31), ("DICOMDIR-bigEnd", 31), ("DICOMDIR-implicit", 31), ("DICOMDIR-empty.dcm", 0)],
)
def test_listed_files_are_counted(name: str, count: int) -> None:
    assert n_listed(FOLDER / name) == count


def test_packed_and_damaged_lists(tmp_path: Path) -> None:
    content = (FOLDER / "DICOMDIR").read_bytes()
    for name, damaged in {"cut": content[:4000], "packed cut": gzip.compress(content)[:300], "no": b"DICM"}.items():
        (tmp_path / name).write_bytes(damaged)
        assert n_listed(tmp_path / name) is None
    (tmp_path / "packed").write_bytes(gzip.compress(content))
    assert n_listed(tmp_path / "packed") == 31
