import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.genomic.conftest import rows
from trilake.genomic.genome_build import contig_name
from trilake.genomic.genotype import calls_of, read_genotype
from trilake.genomic.split import picked


def test_per_allele_values_are_picked_right(vcf):
    meta = (
        '##INFO=<ID=XR,Number=R,Type=Integer,Description="x">',
        '##FORMAT=<ID=XA,Number=A,Type=Integer,Description="x">',
    )
    record = "chr2 10 rs9 A C,G 50 PASS AC=3,4;XR=1,2,3;DP=9 GT:AD:PL:XA:DP 1|2:5,6,7:0,1,2,3,4,5:8,9:18"
    first, second = rows(vcf(record, meta=meta))
    assert (first["alternatealleles"], second["alternatealleles"]) == (["C"], ["G"])
    assert dict(first["attributes"]) == {"AC": "3", "XR": "1,2", "DP": "9"}
    assert dict(second["attributes"]) == {"AC": "4", "XR": "1,3", "DP": "9"}
    assert (first["calls"], second["calls"]) == ([1, 2], [2, 1])
    assert (first["alleledepths"], second["alleledepths"]) == ([5, 6], [5, 7])
    assert (first["phredlikelihoods"], second["phredlikelihoods"]) == ([0, 1, 2], [0, 3, 5])
    assert (first["information"], second["information"]) == ([("XA", "8")], [("XA", "9")])
    assert first["splitfrommultiallelic"] and first["phased"] and first["depth"] == 18
    assert (first["contigname"], first["start"], first["end"]) == ("2", 9, 10)


def test_reference_only_no_call_and_filtered_stay_apart(vcf):
    reference, missing, half, filtered = rows(
        vcf(
            "1 10 . A . 50 PASS . GT 0/0",
            "1 20 . A T 50 PASS . GT ./.",
            "1 30 . A T 50 PASS . GT ./1",
            "1 40 . A T 5 q10 . GT 0/1",
        )
    )
    assert (reference["alternatealleles"], reference["calls"]) == (None, [0, 0])
    assert (missing["calls"], half["calls"]) == ([-1, -1], [-1, 1])
    assert (filtered["filters"], filtered["calls"]) == (["q10"], [0, 1])


def test_a_reference_block_ends_where_info_says(vcf):
    (row,) = rows(vcf("1 10 . A <NON_REF> . . END=500 GT:DP 0/0:7"))
    assert (row["start"], row["end"]) == (9, 500)


ENDS = (
    "1 10 . A <DEL> . . SVLEN=20 GT:LEN 0/1:. 0/0:.",
    "1 20 . A <*> . . . GT:LEN 0/0:30 0/0:5",
    "1 30 . AG <INS>,<DUP>,T . . SVLEN=7,50,. GT:LEN 0/1:. 0/0:.",
    "1 40 . A <INV> . . SVLEN=20;END=60 GT:LEN 0/1:. 0/0:.",
    "1 50 . A <DEL> . . END=90 GT:LEN 0/1:. 0/0:.",
    "1 60 . A G[1:9[ . . . GT:LEN 0/1:. 0/0:.",
)


def test_alleles_end_where_svlen_and_len_say_and_the_longest_where_htslib_says(vcf, tmp_path):
    meta = (
        *("##contig=<ID=1>", '##INFO=<ID=END,Number=1,Type=Integer,Description="x">'),
        '##INFO=<ID=SVLEN,Number=A,Type=Integer,Description="x">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="x">',
        '##FORMAT=<ID=LEN,Number=1,Type=Integer,Description="x">',
    )
    found = rows(vcf(*ENDS, meta=meta, samples=("S1", "S2"), version="4.5"))
    assert [(row["start"], row["end"]) for row in found if row["start"] == 19] == [(19, 49), (19, 24)]
    assert [row["end"] for row in found if row["start"] == 29] == [31, 80, 31] * 2
    with pysam.VariantFile(str(tmp_path / "a.vcf")) as file:
        theirs = {record.start: record.stop for record in file}
    assert {start: max(row["end"] for row in found if row["start"] == start) for start in theirs} == theirs


def test_before_4_4_end_counts_before_svlen(vcf):
    first, second = rows(vcf("1 10 . A <DEL> . . SVLEN=-20;END=31 GT 0/1", "1 50 . A <DEL> . . SVLEN=-20 GT 0/1"))
    assert (first["end"], second["end"]) == (31, 70)


def test_local_values_are_those_of_the_allele(vcf):
    record = "1 9 . A C,G,T . . . GT:LAA:LAD:LEC:LPL 0/3:1,3:5,6,7:8,9:0,1,2,3,4,5"
    found = [dict(row["information"]) for row in rows(vcf(record, version="4.5"))]
    assert found == [
        {"LAA": "1", "LAD": "5,6", "LEC": "8", "LPL": "0,1,2"},
        {"LAD": "5", "LPL": "0"},
        {"LAA": "1", "LAD": "5,7", "LEC": "9", "LPL": "0,3,5"},
    ]


def test_a_sites_only_file_is_annotation(vcf):
    reading = vcf("1 10 42 A T,G . . CLNSIG=Benign;RS=7", samples=(), meta=("##fileDate=2026-03-01",))
    assert reading.is_annotation
    first, second = rows(reading)
    assert (first["release"], first["names"], dict(first["attributes"])["CLNSIG"]) == ("2026-03-01", ["42"], "Benign")
    assert second["alternatealleles"] == ["G"]


@pytest.mark.parametrize(
    ("name", "one"),
    [("chr1", "1"), ("CHRX", "X"), ("chrM", "MT"), ("M", "MT"), ("MT", "MT"), ("7", "7"), ("chr", "chr")],
)
def test_contigs_have_one_name(name, one):
    assert contig_name(name) == one


@given(st.lists(st.one_of(st.none(), st.integers(0, 5)), min_size=1, max_size=4), st.integers(1, 5))
def test_calls_keep_ploidy_and_never_invent_an_allele(indexes, allele):
    genotype = "/".join("." if index is None else str(index) for index in indexes)
    calls = calls_of(read_genotype(genotype), allele)
    assert len(calls) == len(indexes)
    for index, call in zip(indexes, calls, strict=True):
        assert call == {None: -1, 0: 0, allele: 1}.get(index, 2)


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_values_of_genotypes_keep_those_of_reference_and_one_allele(n_alts, ploidy, data):
    index = data.draw(st.integers(1, n_alts))
    genotypes = genotypes_of(n_alts, ploidy)
    wanted = [(0,) * (ploidy - copies) + (index,) * copies for copies in range(ploidy + 1)]
    assert picked(genotypes, "G", index, n_alts) == wanted


def genotypes_of(n_alts, ploidy):
    """All genotypes in the order of the specification: by the highest allele first."""
    if ploidy == 0:
        return [()]
    return [(*rest, last) for last in range(n_alts + 1) for rest in genotypes_of(last, ploidy - 1)]
