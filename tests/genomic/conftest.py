import os
from collections.abc import Callable
from pathlib import Path

import pytest

from trilake.genomic.reader import Reading, open_vcf

ASKS_ALL = bool(os.environ.get("ALL_GENERATED_FILES"))
COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"


def examples(most: int) -> int:
    """How many generated files a law is asked of: `most` in `make verify` (tier `vcf_laws`), a fifth in `make test`."""
    return most if ASKS_ALL else max(5, most // 5)


def a_vcf(*records: str, samples: tuple[str, ...] = ("S1",), meta: tuple[str, ...] = (), version: str = "4.3") -> str:
    """A VCF whose records are written with spaces for tabs."""
    columns = COLUMNS + ("\tFORMAT\t" + "\t".join(samples) if samples else "")
    lines = [f"##fileformat=VCFv{version}", "##reference=GRCh38", *meta, columns]
    return "\n".join(lines + [record.replace(" ", "\t") for record in records]) + "\n"


def read(path: Path) -> Reading:
    return open_vcf(path, path.name, load_id="load", job_id="job", default_genome="GRCh38")


@pytest.fixture
def vcf(tmp_path) -> Callable[..., Reading]:
    """`vcf("1 100 . A T 50 PASS . GT 0/1")`: the reading of such a file, not yet run."""

    def make(*records: str, **options) -> Reading:
        path = tmp_path / "a.vcf"
        path.write_text(a_vcf(*records, **options))
        return read(path)

    return make


def rows(reading: Reading) -> list[dict]:
    return [row for batch in reading.batches() for row in batch.to_pylist()]
