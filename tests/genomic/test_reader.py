import gzip
import os
from pathlib import Path

import pysam
import pytest

from tests.genomic.conftest import a_vcf, read, rows
from trilake.core.paths import ROOT
from trilake.genomic import stream
from trilake.genomic.header import encode

RECORDS = [f"1 {position} . A T 50 PASS DP=9 GT:DP 0/1:9" for position in range(100, 3100)]
SAMPLES = ROOT.parent / "shared/samples/vcf"
META = (
    "##contig=<ID=1>",
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="x">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="x">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">',
)


def packed(path: Path, how: str, times: int = 1) -> Path:
    """The same VCF, packed as told; of several contigs it is several blocks long."""
    records = [f"{contig}{record[1:]}" for contig in range(1, times + 1) for record in RECORDS]
    contigs = tuple(f"##contig=<ID={contig}>" for contig in range(2, times + 1))
    text = a_vcf(*records, meta=META + contigs)
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
    assert 0 < loaded < 3000
    (fault,) = reading.faults
    assert (fault.code, fault.found) == (
        "FILE_UNREADABLE",
        f"the compressed data ends or breaks after line {loaded + len(META) + 3}",
    )
    assert (reading.counts.loaded, reading.counts.refused, reading.counts.records_in) == (loaded, 1, loaded + 1)


def test_a_truncated_bcf_keeps_what_came_whole_and_says_where_it_broke(tmp_path):
    path = packed(tmp_path / "a", "bcf", times=5)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    reading = read(path)
    loaded = len(rows(reading))
    assert [fault.code for fault in reading.faults] == ["FILE_UNREADABLE"]
    assert 0 < loaded == reading.counts.records_in - 1


def test_a_bgzf_file_cut_between_two_blocks_is_remarked(tmp_path):
    path = packed(tmp_path / "a", "bgzf")
    path.write_bytes(path.read_bytes()[:-28])
    reading = read(path)
    assert len(rows(reading)) == 3000
    assert (reading.faults, [reason.code for reason in reading.warnings]) == ([], ["VCF_NO_END_BLOCK"])


@pytest.mark.parametrize("how", ["plain", "gzip", "bgzf", "bcf"])
def test_a_whole_file_draws_no_remark(tmp_path, how):
    reading = read(packed(tmp_path / "a", how))
    rows(reading)
    assert reading.warnings == []


def test_a_plain_file_without_last_line_end_is_remarked(tmp_path):
    path = tmp_path / "a"
    path.write_text(a_vcf(RECORDS[0]).rstrip("\n"))
    assert [reason.code for reason in read(path).warnings] == ["VCF_NO_NEWLINE"]


def test_a_header_alone_is_loaded_with_a_remark(vcf):
    reading = vcf()
    assert rows(reading) == []
    assert (reading.faults, [reason.code for reason in reading.warnings]) == ([], ["VCF_NO_RECORDS"])


def test_bytes_that_are_no_text_refuse_their_record_alone(tmp_path):
    path = tmp_path / "a"
    text = a_vcf(RECORDS[0], "1 200 . A T 50 PASS SRC=M\u00fcller GT 0/1", RECORDS[1])
    path.write_bytes(text.encode("latin-1"))
    reading = read(path)
    assert [row["start"] for row in rows(reading)] == [99, 100]
    (refused,) = reading.refused
    assert [reason.code for reason in refused.reasons] == ["VCF_ENCODING"]
    assert encode(refused.text) == text.splitlines()[4].encode("latin-1")


@pytest.mark.parametrize(("line", "is_warning"), [("##source=M\u00fcller", True), (None, False)])
def test_such_bytes_in_the_header_are_passed_over_but_in_a_sample_name(tmp_path, line, is_warning):
    path = tmp_path / "a"
    text = a_vcf(RECORDS[0], meta=(line,)) if line else a_vcf(RECORDS[0], samples=("M\u00fcller",))
    path.write_bytes(text.encode("latin-1"))
    reading = read(path)
    (reason,) = reading.warnings if is_warning else reading.faults
    assert (reason.code, reason.path) == ("VCF_HEADER", "header line")
    reason.found.encode()


def test_a_line_too_long_for_memory_is_one_refused_record(tmp_path, monkeypatch):
    monkeypatch.setattr(stream, "LONGEST_LINE", 400)
    path = tmp_path / "a"
    path.write_text(a_vcf(RECORDS[0], f"1 200 . A T 50 PASS SRC={'x' * 2000} GT 0/1", RECORDS[1]))
    reading = read(path)
    assert [row["start"] for row in rows(reading)] == [99, 100]
    assert [reason.code for reason in reading.refused[0].reasons] == ["VCF_COLUMNS"]


def test_a_reading_that_is_let_go_closes_its_file(tmp_path):
    path = packed(tmp_path / "a", "bgzf")
    before = len(os.listdir("/proc/self/fd"))
    headers = [read(path).header for _ in range(20)]
    assert len(headers) == 20
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_empty_file_is_refused(tmp_path):
    path = tmp_path / "empty.vcf"
    path.touch()
    assert read(path).faults[0].code == "FILE_EMPTY"


def test_an_unnamed_build_is_assumed_with_a_remark(tmp_path):
    path = tmp_path / "a.vcf"
    path.write_text(a_vcf(RECORDS[0]).replace("##reference=GRCh38\n", ""))
    reading = read(path)
    assert rows(reading)[0]["reference_genome"] == "GRCh38"
    assert "VCF_BUILD_ASSUMED" in {reason.code for reason in reading.warnings}


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
