"""Forms that callers write and the specification does not foresee, or that are easily taken for errors: they load."""

import pytest

from tests.genomic.conftest import rows
from trilake.genomic.genome_build import build_of_contig, contig_name

MUTECT = (
    '##INFO=<ID=AS_SB_TABLE,Number=1,Type=String,Description="x">',
    '##INFO=<ID=AS_FilterStatus,Number=A,Type=String,Description="x">',
)
TEXTS = (
    '##INFO=<ID=NOTE,Number=1,Type=String,Description="x">',
    '##FORMAT=<ID=NB,Number=1,Type=String,Description="x">',
)
FLOATS = (
    '##FORMAT=<ID=GQ,Number=1,Type=Float,Description="x">',
    '##FORMAT=<ID=PS,Number=1,Type=String,Description="x">',
)


def test_allele_specific_texts_of_gatk_are_cut_by_bars(vcf):
    info = "AS_SB_TABLE=10,12|1,0|2,0;AS_FilterStatus=SITE|weak_evidence"
    reading = vcf(f"17 100 . CA C,CAA . PASS {info} GT 0/1/2", meta=MUTECT)
    assert [dict(row["attributes"])["AS_SB_TABLE"] for row in rows(reading)] == ["10,12|1,0|2,0"] * 2
    assert "VCF_INFO" not in {reason.code for reason in reading.warnings}


def test_commas_in_a_text_are_told_and_kept(vcf):
    reading = vcf("1 100 . A T . . NOTE=a,b GT:NB 0/1:c,d", meta=TEXTS)
    (row,) = rows(reading)
    assert (dict(row["attributes"]), dict(row["information"])) == ({"NOTE": "a,b"}, {"NB": "c,d"})
    assert {reason.path for reason in reading.warnings} >= {"INFO/NOTE", "sample 1/NB"}


@pytest.mark.parametrize("version", ["4.2", "4.5"])
@pytest.mark.parametrize(("name", "is_odd"), [("HLA-A*01:01:01:01", False), ("c*1", True), ("c(1)", True)])
def test_hla_contigs_have_an_asterisk(vcf, name, is_odd, version):
    reading = vcf(f"{name} 100 . A T . . . GT 0/1", version=version)
    assert [row["contigname"] for row in rows(reading)] == [name]
    assert ("VCF_CHROM" in {reason.code for reason in reading.warnings}) == (is_odd and version > "4.2")


def test_an_indel_after_an_ambiguity_code_of_the_reference_loads(vcf):
    reading = vcf("3 60830764 . MC M . . . GT 0/1", "3 60830766 . M R . . . GT 0/1")
    assert [row["alternatealleles"] for row in rows(reading)] == [["M"]]
    assert [reason.code for refused in reading.refused for reason in refused.reasons] == ["VCF_ALT"]


def test_what_a_column_of_whole_numbers_cannot_hold_stands_beside_it(vcf):
    (row,) = rows(vcf("1 100 . A T . . . GT:GQ:PS 0|1:49.5:100_A_T", meta=FLOATS))
    assert (row["conditionalquality"], row["ps"]) == (49, None)
    assert dict(row["information"]) == {"GQ": "49.5", "PS": "100_A_T"}


def test_the_deleted_allele_may_stand_in_several_records_of_a_place(vcf):
    records = [f"1 100 . A {alt},* . . . GT 0/1" for alt in "CG"] * 9
    assert len(rows(reading := vcf(*records[:2]))) == 4
    assert reading.refused == []


@pytest.mark.parametrize(
    ("name", "contig", "build"),
    [
        ("NC_000001.11", "1", "GRCh38"),
        ("NC_000023.10", "X", "GRCh37"),
        ("NC_012920.1", "MT", None),
        ("NC_000001.9", "1", None),
        ("chrM", "MT", None),
        ("NW_009646201.1", "NW_009646201.1", None),
    ],
)
def test_accessions_of_chromosomes_are_read_as_their_names(name, contig, build):
    assert (contig_name(name), build_of_contig(name, None)) == (contig, build)


def test_the_old_mitochondrion_of_hg19_is_told(vcf):
    reading = vcf("chrM 100 . A T . . . GT 0/1", meta=("##contig=<ID=chrM,length=16571>",))
    assert ("contig.length", "16571") in {(reason.path, reason.found) for reason in reading.warnings}


def test_a_separator_after_the_genotype_is_told(vcf):
    reading = vcf(*(f"1 {position} . A T . . . GT 0/1{'/' * (position == 120)}" for position in range(100, 140)))
    assert len(rows(reading)) == 40
    assert [reason.line for reason in reading.warnings if reason.code == "VCF_GENOTYPE"] == [24]


def test_a_ninth_column_of_a_file_without_one_refuses_its_record(vcf):
    reading = vcf("1 100 . A T . . .", "1 101 . A T . . . GT", samples=())
    assert [row["start"] for row in rows(reading)] == [99]
    assert [refused.reasons[0].code for refused in reading.refused] == ["VCF_COLUMNS"]
