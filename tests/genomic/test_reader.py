import gzip
from pathlib import Path

import pysam
import pytest

from tests.genomic.conftest import a_vcf, read, rows
from trilake.core.paths import ROOT

RECORDS = [f"1 {position} . A T 50 PASS DP=9 GT:DP 0/1:9" for position in range(100, 3100)]
SAMPLES = ROOT.parent / "shared/samples/vcf"
META = (
    "##contig=<ID=1>",
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="x">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="x">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">',
)


def packed(path: Path, how: str) -> Path:
    """The same VCF, packed as told."""
    text = a_vcf(*RECORDS, meta=META)
    if how == "gzip":
        path.write_bytes(gzip.compress(text.encode()))
    elif how == "bgzf":
        with pysam.BGZFile(str(path), "wb") as file:
            file.write(text.encode())
    elif how == "bcf":
        plain = path.with_suffix(".vcf")
        plain.write_text(text)
        with (
            pysam.VariantFile(str(plain)) as source,
            pysam.VariantFile(str(path), "wb", header=source.header) as target,
        ):
            for record in source:
                target.write(record)
    else:
        path.write_bytes(text.replace("\n", "\r\n").encode() if how == "crlf" else text.encode())
    return path


@pytest.mark.parametrize("how", ["plain", "crlf", "gzip", "bgzf", "bcf"])
def test_every_packing_gives_the_same_rows(tmp_path, how):
    reading = read(packed(tmp_path / "any-name", how))
    assert reading.faults == []
    found = rows(reading)
    assert [(row["start"], row["calls"], row["depth"]) for row in found] == [
        (p - 1, [0, 1], 9) for p in range(100, 3100)
    ]


@pytest.mark.parametrize("how", ["gzip", "bgzf"])
def test_a_truncated_file_keeps_what_came_whole_and_says_where_it_broke(tmp_path, how):
    path = packed(tmp_path / "a", how)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    reading = read(path)
    loaded = len(rows(reading))
    assert loaded < 3000
    assert reading.faults[0].code == "FILE_UNREADABLE"
    assert reading.counts.loaded == loaded


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.vcf"
    path.touch()
    assert read(path).faults[0].code == "FILE_EMPTY"


def test_an_unnamed_build_is_assumed_with_a_remark(tmp_path):
    path = tmp_path / "a.vcf"
    path.write_text(a_vcf(RECORDS[0]).replace("##reference=GRCh38\n", ""))
    reading = read(path)
    assert rows(reading)[0]["reference_genome"] == "GRCh38"
    assert [reason.code for reason in reading.warnings] == ["VCF_BUILD_ASSUMED"]


def judged(path: Path) -> bool:
    """Whether the whole file loads without a refusal."""
    reading = read(path)
    if not reading.faults:
        rows(reading)
    counts = reading.counts
    assert counts.records_in == counts.loaded + counts.duplicate + counts.refused
    return not reading.faults and not reading.refused


@pytest.mark.skipif(not SAMPLES.exists(), reason="the specification's sample files are not beside this checkout")
def test_the_specification_s_valid_files_all_load_and_most_broken_ones_draw_a_reason():
    valid = [*SAMPLES.glob("*/passed/*.vcf"), *SAMPLES.glob("hts-specs/*.vcf")]
    assert [path.name for path in valid if not judged(path)] == []
    broken = list(SAMPLES.glob("*/failed/*.vcf"))
    silent = [path for path in broken if judged(path) and not remarks(path)]
    assert len(silent) <= len(broken) / 10, sorted(path.name for path in silent)


def remarks(path: Path) -> list[str]:
    reading = read(path)
    rows(reading)
    return [reason.code for reason in reading.warnings if reason.code != "VCF_BUILD_ASSUMED"]
