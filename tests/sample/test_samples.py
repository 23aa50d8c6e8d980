"""The VCFs, read by pysam: declared headers, every site a row, and exactly the genotypes of the truth."""

import gzip
from collections import Counter
from pathlib import Path

import pysam
import pytest

from trilake.sample.genome import _steps
from trilake.sample.panel import CONTIGS, N_ROWS_AFTER_SPLIT, SITES


def header(path) -> list[str]:
    with gzip.open(path, "rt") as lines:
        return [line.rstrip("\n") for line in lines if line.startswith("#")]


def names(contig: str) -> str:
    return {"M": "MT"}.get(contig.removeprefix("chr"), contig.removeprefix("chr"))


def test_headers_declare_all_that_rows_use(written) -> None:
    versions: Counter[str] = Counter()
    prefixes: Counter[bool] = Counter()
    for path in (written.out / "vcf").iterdir():
        lines = header(path)
        versions[lines[0]] += 1
        assert "##reference=GRCh38" in lines
        assert any("SYNTHETIC" in line for line in lines)
        with pysam.VariantFile(str(path)) as file:
            prefixes[next(iter(file.header.contigs)).startswith("chr")] += 1
            assert {names(n): c.length for n, c in file.header.contigs.items()} == CONTIGS
            for record in file:
                assert set(record.format) <= set(file.header.formats)
                assert set(record.info) <= set(file.header.info)
                assert set(record.filter) <= {"PASS", "LowQual"}
    assert set(versions) == {"##fileformat=VCFv4.2", "##fileformat=VCFv4.3"}
    assert min(prefixes.values()) > 20


def test_files_are_bgzf_with_its_end_marker(written) -> None:
    for path in (written.out / "vcf").iterdir():
        content = path.read_bytes()
        assert content[:4] == b"\x1f\x8b\x08\x04" and content[12:14] == b"BC"
        assert content[4:8] == b"\0\0\0\0"
        assert content.endswith(bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000"))


def test_genotypes_are_those_of_the_truth(written) -> None:
    expected = {(row["file"], row["variant_id"]): row for row in written.table("genotypes")}
    n_matched = 0
    for path in (written.out / "vcf").iterdir():
        n_rows = 0
        with pysam.VariantFile(str(path)) as file:
            sample = file.header.samples[0]
            for record in file:
                n_rows += 1
                call = record.samples[0]["GT"]
                for number, alt in enumerate(record.alts or (), start=1):
                    row = expected[f"vcf/{path.name}", f"{names(record.chrom)}-{record.pos}-{record.ref}-{alt}"]
                    status = "no_call" if None in call else "filtered" if "LowQual" in record.filter else "called"
                    assert row["sample_id"] == sample
                    assert row["call_status"] == status
                    assert row["n_alt"] == (call.count(number) if status == "called" else None)
                    n_matched += 1
        assert n_rows == len(SITES)
    assert n_matched == len(expected)


def test_depths_and_likelihoods_fit_the_call(written) -> None:
    for path in list((written.out / "vcf").iterdir())[:20]:
        with pysam.VariantFile(str(path)) as file:
            for record in file:
                call = record.samples[0]
                if None in call["GT"]:
                    assert call["DP"] == 0
                    continue
                assert sum(call["AD"]) == call["DP"] == record.info["DP"]
                assert min(call["PL"]) == 0
                n, ploidy = len(record.alleles), len(call["GT"])
                assert len(call["PL"]) == (n if ploidy == 1 else n * (n + 1) // 2)
                if n > 1:
                    assert sorted(call["PL"])[1] == call["GQ"]
                if ploidy == 2:
                    low, high = sorted(call["GT"])
                    assert call["PL"][high * (high + 1) // 2 + low] == 0


@pytest.mark.parametrize(
    ("call", "n_alleles", "steps"),
    [((0, 0), 2, (0, 1, 2)), ((0, 1), 2, (1, 0, 1)), ((1, 2), 3, (2, 1, 1, 1, 0, 1)), ((1,), 2, (1, 0))],
)
def test_steps_are_in_the_order_of_the_specification(call, n_alleles, steps) -> None:
    assert _steps(call, n_alleles) == steps


def test_rare_shapes_are_all_there(written) -> None:
    shapes: Counter[str] = Counter()
    for path in (written.out / "vcf").iterdir():
        with pysam.VariantFile(str(path)) as file:
            for record in file:
                call = record.samples[0]
                shapes["no_call"] += None in call["GT"]
                shapes["filtered"] += "LowQual" in record.filter
                shapes["phased"] += call.phased and len(call["GT"]) == 2 and None not in call["GT"]
                shapes["haploid"] += len(call["GT"]) == 1
                shapes["multi_allelic"] += len(record.alleles) == 3
                shapes["two_alternates"] += tuple(sorted(call["GT"], key=str)) == (1, 2)
                shapes["reference_block"] += record.alts is None and record.stop == record.pos + 99
                shapes["deletion"] += record.alts is not None and len(record.ref) > len(record.alts[0])
                shapes["insertion"] += record.alts is not None and len(record.ref) < len(record.alts[0])
    assert len(shapes) == 9
    assert min(shapes.values()) > 0


def test_the_annotation_covers_the_markers_and_alleles_no_one_has(written) -> None:
    earlier, newest = sorted((written.out / "annotation").iterdir())
    truth = {row["variant_id"] for row in written.table("genotypes") if row["is_annotated"]}
    before, records = annotated(earlier, "2025-12-01"), annotated(newest, "2026-06-01")
    assert len(before) + len(records) == written.document("counts")["vcf"]["annotation_records"]
    assert truth < set(before) | set(records)
    assert truth - set(records) and truth - set(before), "alleles of the panel are withdrawn, and new"
    both = truth & set(before) & set(records)
    assert any(before[one].info["CLNSIG"] != records[one].info["CLNSIG"] for one in both)
    assert all(before[one].id == records[one].id for one in set(before) & set(records))
    keys = {"CLNSIG", "CLNDN", "CLNDISDB", "CLNHGVS", "GENEINFO", "CLNREVSTAT", "MC", "ORIGIN"}
    assert all(keys <= set(record.info) for record in records.values())
    assert any("CLNSIGCONF" in record.info for record in records.values())
    assert all(record.id.isdigit() for record in records.values())
    markers = {record.info["RS"][0]: record.pos for record in records.values() if "RS" in record.info}
    assert markers["429358"] == 44908684
    assert markers["1333049"] == 22125504
    assert len(markers) == 13


def annotated(path: Path, release: str) -> dict[str, pysam.VariantRecord]:
    with pysam.VariantFile(str(path)) as file:
        assert not list(file.header.samples)
        assert f"##fileDate={release}" in header(path)
        records = list(file)
    by_variant = {f"{record.chrom}-{record.pos}-{record.ref}-{record.alts[0]}": record for record in records}
    assert len({record.id for record in records}) == len(by_variant) == len(records)
    return by_variant


def test_rows_after_splitting_follow_from_the_panel() -> None:
    assert len(SITES) - N_ROWS_AFTER_SPLIT == -1
    assert len({(site.contig, site.position) for site in SITES}) == len(SITES)
    assert all(site.position <= CONTIGS[site.contig] for site in SITES)
    assert all(site.ref[0] == alt[0] for site in SITES for alt in site.alts if len(site.ref) != len(alt))
