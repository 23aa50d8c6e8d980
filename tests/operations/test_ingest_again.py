"""`trilake ingest` of VCF files that come again: the same, a corrected one, and the first one once more."""

import gzip
from pathlib import Path
from typing import Any

from tests.genomic.conftest import a_vcf
from tests.lake import a_run
from tests.stores import lake as lake
from tests.stores import rows_of
from tests.stores import stores as stores
from trilake.core.session import Session
from trilake.operations.ingest import exit_code, ingest_paths


def ingest(session: Session, folder: Path, **options: Any) -> dict[str, Any]:
    return ingest_paths(session, a_run(session), [str(folder)], modalities=("genomic",), **options)


def test_going_back_to_an_earlier_file_loads_it_again(stores: Session, tmp_path: Path) -> None:
    first, corrected = (a_vcf(f"1 100 . A T 50 PASS . GT {call}") for call in ("0/1", "1/1"))
    counted = []
    for text in (first, first, corrected, first, first):
        (tmp_path / "calls.vcf").write_text(text)
        result = ingest(stores, tmp_path)["genomic"]
        calls = [row["calls"] for row in rows_of(stores, "genomic_store.variant", sampleid="S1")]
        counted.append((result["loaded"], result["duplicate"], calls))
    assert counted == [
        (1, 0, [[0, 1]]),
        (0, 1, [[0, 1]]),
        (1, 0, [[1, 1]]),
        (1, 0, [[0, 1]]),
        (0, 1, [[0, 1]]),
    ]


def test_a_file_that_breaks_off_ends_with_exit_code_3(stores: Session, tmp_path: Path) -> None:
    records = [f"1 {position} . A T 50 PASS . GT 0/1" for position in range(100, 110)]
    whole = a_vcf(*records, samples=("CUT",))
    content = gzip.compress(whole.encode())
    (tmp_path / "cut.vcf.gz").write_bytes(content[: len(content) - 12])
    result = ingest(stores, tmp_path)
    part = result["genomic"]
    assert part["records_in"] == part["loaded"] + part["quarantined"]
    assert (part["quarantined"], exit_code(result)) == (1, 3)
