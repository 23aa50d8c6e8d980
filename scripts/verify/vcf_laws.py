"""Tier vcf_laws: the laws of reading VCF asked of five times the generated files that `make test` asks.

Example: python -m verify --only vcf_laws
"""

from collections.abc import Callable

from verify.engine_tests import run_pytest
from verify.tier import Tier

ALL_FILES = {"ALL_GENERATED_FILES": "1"}


def run(say: Callable[[str], None]) -> str:
    laws = ("test_laws", "test_vector", "test_round_trip", "test_normalise", "test_dna_csv")
    reports = [run_pytest(f"tests/genomic/{name}.py", say, ALL_FILES) for name in laws]
    return (
        f"Lines accounted for, both ways of reading equal, rows as htslib and bcftools have them: {', '.join(reports)}"
    )


TIER = Tier("vcf_laws", "Generated VCF files read as htslib and bcftools read them, and no line lost", run)
