import pytest

from tests.genomic.conftest import rows

SOUND = [
    "1 100 . A T 50 PASS . GT 0/1",
    "chr1 100 rs1;rs2 AC A,ACC,<DEL>,* 1e3 q10;s50 AC=1,2,3,4;DB GT:AD 1|2:1,2,3,4,5",
    "1 0 . N . . . . GT ./.",
    "X 5 . A <NON_REF> . . END=90 GT:DP 0:12",
    "1 100 . A A[2:300[ . . . GT 0/1",
    "1 100 . A ]2:300]A,.T . . . GT 0/2",
    "1 100 . a t 50 PASS AF=0.5 GT:GL 0/1:-1,-2,-3",
    "1 100 . A T 50 PASS . GT 0/1",
]
BROKEN = [
    ("1 x . A T 50 PASS . GT 0/1", "VCF_POSITION", "POS"),
    ("1 -5 . A T 50 PASS . GT 0/1", "VCF_POSITION", "POS"),
    ("1 2147483648 . A T 50 PASS . GT 0/1", "VCF_POSITION", "POS"),
    ("1 99999999999999999999 . A T 50 PASS . GT 0/1", "VCF_POSITION", "POS"),
    ("1 \u0663 . A T 50 PASS . GT 0/1", "VCF_POSITION", "POS"),
    ("1 100 a;;b A T 50 PASS . GT 0/1", "VCF_ID", "ID"),
    ("1 100 a;a A T 50 PASS . GT 0/1", "VCF_ID", "ID"),
    ("1 100 . A,C T 50 PASS . GT 0/1", "VCF_REF", "REF"),
    ("1 100 . . T 50 PASS . GT 0/1", "VCF_REF", "REF"),
    ("1 100 . A TZ 50 PASS . GT 0/1", "VCF_ALT", "ALT"),
    ("1 100 . A T, 50 PASS . GT 0/1", "VCF_ALT", "ALT"),
    ("1 100 . A a 50 PASS . GT 0/1", "VCF_ALT", "ALT"),
    ("1 100 . A T,T 50 PASS . GT 0/1", "VCF_ALT", "ALT"),
    ("1 100 . A T -1 PASS . GT 0/1", "VCF_QUALITY", "QUAL"),
    ("1 100 . A T high PASS . GT 0/1", "VCF_QUALITY", "QUAL"),
    ("1 100 . A T 50 q10;q10 . GT 0/1", "VCF_FILTER", "FILTER"),
    ("1 100 . A T 50 PASS;q10 . GT 0/1", "VCF_FILTER", "FILTER"),
    ("1 100 . A T 50 0 . GT 0/1", "VCF_FILTER", "FILTER"),
    ("1 100 . A T 50 PASS AC=1,2 GT 0/1", "VCF_INFO", "INFO/AC"),
    ("1 100 . A T 50 PASS AC=one GT 0/1", "VCF_INFO", "INFO/AC"),
    ("1 100 . A T 50 PASS DP=2147483648 GT 0/1", "VCF_INFO", "INFO/DP"),
    ("1 100 . A T 50 PASS DP=\u0663 GT 0/1", "VCF_INFO", "INFO/DP"),
    ("1 100 . A T 50 PASS DP=-1 GT 0/1", "VCF_INFO", "INFO/DP"),
    ("1 100 . A T 50 PASS DB=yes GT 0/1", "VCF_INFO", "INFO/DB"),
    ("1 100 . A T 50 PASS AC=1;AC=1 GT 0/1", "VCF_INFO", "INFO/AC"),
    ("1 100 . A T 50 PASS . DP:GT 9:0/1", "VCF_FORMAT", "FORMAT"),
    ("1 100 . A T 50 PASS . GT:GT 0/1:0/1", "VCF_FORMAT", "FORMAT"),
    ("1 100 . A T 50 PASS . GT 0/2", "VCF_GENOTYPE", "sample 1"),
    ("1 100 . A T 50 PASS . GT 0/", "VCF_GENOTYPE", "sample 1"),
    ("1 100 . A T 50 PASS . GT 0-1", "VCF_GENOTYPE", "sample 1"),
    ("1 100 . A T 50 PASS . GT 0/1:5", "VCF_SAMPLE", "sample 1"),
    ("1 100 . A T 50 PASS . GT:PL 0/1:1,2", "VCF_SAMPLE", "sample 1/PL"),
    ("1 100 . A T 50 PASS . GT", "VCF_COLUMNS", "line"),
]


@pytest.mark.parametrize("record", SOUND)
def test_a_sound_record_loads(vcf, record):
    reading = vcf(record)
    assert rows(reading)
    assert (reading.counts.loaded, reading.refused) == (1, [])


@pytest.mark.parametrize(("record", "code", "path"), BROKEN)
def test_a_broken_record_is_refused_alone_with_line_and_column(vcf, record, code, path):
    reading = vcf("1 50 . C G 50 PASS . GT 0/1", record, "1 200 . G C 50 PASS . GT 1/1")
    assert {row["start"] for row in rows(reading)} == {49, 199}
    (refused,) = reading.refused
    assert (refused.line, refused.text) == (5, record.replace(" ", "\t"))
    assert (code, path) in {(reason.code, reason.path) for reason in refused.reasons}
    assert (reading.counts.records_in, reading.counts.loaded, reading.counts.refused) == (3, 2, 1)


def test_an_equal_line_is_a_duplicate_and_another_genotype_for_the_allele_is_refused(vcf):
    line = "1 100 . A T 50 PASS . GT 0/1"
    reading = vcf(line, line, "1 100 . A T 50 PASS . GT 1/1")
    assert len(rows(reading)) == 1
    assert (reading.counts.loaded, reading.counts.duplicate, reading.counts.refused) == (1, 1, 1)
    assert reading.refused[0].reasons[0].code == "VCF_DUPLICATE"


def test_symbolic_alleles_may_repeat(vcf):
    reading = vcf("1 100 . A <DEL> 50 PASS END=200 GT 0/1", "1 100 . A <DEL> 50 PASS END=300 GT 0/1")
    assert [row["end"] for row in rows(reading)] == [200, 300]


@pytest.mark.parametrize("second", ["1 50 . A T 50 PASS . GT 0/1", "2 50 . A T 50 PASS . GT 0/1"])
def test_disorder_is_a_remark_not_a_refusal(vcf, second):
    reading = vcf("1 100 . A T 50 PASS . GT 0/1", second, "1 300 . A T 50 PASS . GT 0/1")
    assert len(rows(reading)) == 3
    assert [reason.code for reason in reading.warnings if reason.code != "VCF_UNDECLARED"] == ["VCF_ORDER"]


def test_undeclared_values_beyond_32_bits_are_missing(vcf):
    (row,) = rows(vcf("1 100 . A T 50 PASS . GT:DP:AD:PL:PS 0/1:99999999999:1,4294967296:0,1e300,2:2147483648"))
    assert (row["depth"], row["ps"], row["alleledepths"], row["phredlikelihoods"]) == (
        None,
        None,
        [1, None],
        [0, None, 2],
    )


def test_declared_values_beyond_32_bits_are_refused(vcf):
    meta = ('##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">',)
    reading = vcf("1 100 . A T 50 PASS . GT:DP 0/1:99999999999", meta=meta)
    assert rows(reading) == []
    assert [reason.path for reason in reading.refused[0].reasons] == ["sample 1/DP"]


def test_bases_are_stored_in_capitals_and_other_alleles_as_they_are(vcf):
    found = rows(vcf("1 100 . a t,<del>,a[chr2:30[,* 50 PASS . GT 0/1", "1 200 . acg . 50 PASS . GT 0/0"))
    assert [row["alternatealleles"] for row in found] == [["T"], ["<del>"], ["a[chr2:30["], ["*"], None]
    assert [row["referenceallele"] for row in found] == ["A", "A", "A", "A", "ACG"]


def test_no_reason_repeats_what_stands_in_the_record(vcf):
    reading = vcf(
        "c,7 12a rs75;;b A-Q TZQ hiqual q7;q7 DP=75x;END=75;AA GT:DP 7-5:75y", "1 8 . C C 50 PASS DP=75z GT 0/7"
    )
    rows(reading)
    found = " ".join(
        reason.found + reason.expected + reason.path for entry in reading.refused for reason in entry.reasons
    )
    assert reading.counts.refused == 2 and "VCF_GENOTYPE" in str(reading.refused)
    for text in ("c,7", "12a", "rs75", "A-Q", "TZQ", "hiqual", "q7", "75", "7-5", "0/7"):
        assert text not in found


@pytest.mark.parametrize(
    ("record", "meta", "version"),
    [
        ("1 100 . A T 50 PASS . GT |0|1", (), "4.3"),
        ("1 1002 . A T 50 PASS . GT 0/1", ("##contig=<ID=1,length=1000>",), "4.3"),
        ("1 250000000 . A T 50 PASS . GT 0/1", (), "4.3"),
        ("1 100 . A T 50 PASS . GT:PX 0/1:7", ('##FORMAT=<ID=PX,Number=P,Type=Integer,Description="x">',), "4.4"),
    ],
)
def test_prefixes_ends_of_contigs_and_values_per_allele_of_the_genotype_are_checked(vcf, record, meta, version):
    reading = vcf(record, meta=meta, version=version)
    assert rows(reading) == []
    assert len(reading.refused) == 1


def test_what_the_header_lacks_is_remarked_once_with_the_first_line(vcf):
    contig = ("##contig=<ID=1>",)
    record = "{} {} . A T,<X> 50 q1 K=1 GT:Z 0/1:1"
    reading = vcf(*(record.format(chrom, pos) for chrom in "12" for pos in (1, 2)), meta=contig)
    rows(reading)
    found = [(reason.path, reason.found, reason.line) for reason in reading.warnings]
    assert sorted(found) == [
        *[("ALT", "X", 5), ("CHROM", "9", 7), ("FILTER", "q1", 5), ("FORMAT", "GT", 5), ("FORMAT", "Z", 5)],
        ("INFO", "K", 5),
    ]


@pytest.mark.parametrize(
    ("alt", "info", "path"),
    [
        ("<DEL>", "SVCLAIM=D", "INFO/SVLEN"),
        ("<DEL>", "SVLEN=5", "INFO/SVCLAIM"),
        ("<CNV>", "SVLEN=5;SVCLAIM=J", "INFO/SVCLAIM"),
        ("<DEL>,T", "SVLEN=5,5;SVCLAIM=D,.", "INFO/SVLEN"),
        ("<BND:x>", ".", "ALT"),
        ("T", "CIPOS=1,5", "INFO/CIPOS"),
        ("T", "CIPOS=-1", "INFO/CIPOS"),
        ("T", "METRANS=1,2,3", "INFO/METRANS"),
        ("<CNV:TR>", "SVLEN=5", "INFO/RUS"),
        ("<CNV:TR>", "SVLEN=5;RUS=CA,T;RN=1", "INFO/RUS"),
        ("<CNV:TR>", "SVLEN=5;RUS=CAG;RUL=2", "INFO/RUL"),
        ("<CNV:TR>", "SVLEN=5;RUS=TTT;RUC=30;RB=100", "INFO/RB"),
        ("<CNV:TR>", "SVLEN=5;RUS=TT;RUC=2.3;RUB=2", "INFO/RUB"),
        ("<DEL>", "SVLEN=5;SVCLAIM=D;END=900", "INFO/END"),
    ],
)
def test_structural_rules_of_4_4_are_remarks(vcf, alt, info, path):
    reading = vcf(f"1 100 . A {alt} 50 PASS {info} GT 0/1", version="4.4")
    assert len(rows(reading)) == len(alt.split(","))
    assert path in {reason.path for reason in reading.warnings if reason.code == "VCF_STRUCTURAL"}


ONCE = ('##INFO=<ID=AF,Number=A,Type=Float,Description="x">', '##INFO=<ID=XS,Number=.,Type=String,Description="x">')
PER_SAMPLE = (
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">',
    '##FORMAT=<ID=GP,Number=G,Type=Float,Description="x">',
)


@pytest.mark.parametrize(
    ("record", "path"),
    [
        ("1 100 rs1;. A T 50 PASS . GT 0/1", "ID"),
        ("1 100 . A A[2[ 50 PASS . GT 0/1", "ALT"),
        ("1 100 . A <DEL> 50 PASS . GT 0/1", "INFO/END"),
        ("1 100 . A T 50 PASS AF=1.5 GT 0/1", "INFO/AF"),
        ("1 100 . A T 50 PASS XS=a,,b GT 0/1", "INFO/XS"),
        ("1 100 . A T 50 PASS AF=0.5; GT 0/1", "INFO"),
        ("1 100 . A T 50 PASS . . 0/1", "FORMAT"),
        ("1 100 . A T 50 PASS . GT:DP 0/1:-7", "sample 1/DP"),
        ("1 100 . A T 50 PASS . GT:GP 0/1:0,1.5,0", "sample 1/GP"),
        ("1 100 . A T 50 PASS . GT:FT 0/1:q10;q10", "sample 1/FT"),
        ("1 100 . A T 50 PASS END=300000000 GT 0/1", "INFO/END"),
        ("", "line"),
    ],
)
def test_values_that_say_too_much_are_remarked_and_loaded(vcf, record, path):
    """The same record is given often enough to be read column by column, were it sound."""
    others = [f"1 {position} . A T 50 PASS AF=1.0e-3;XS=a GT:DP:GP:FT 0/1:7:0,1,0:PASS" for position in range(200, 230)]
    reading = vcf(record, *others, meta=(*ONCE, *PER_SAMPLE))
    assert len(rows(reading)) == 30 + bool(record)
    assert [(reason.path, reason.line) for reason in reading.warnings if reason.code != "VCF_UNDECLARED"] == [(path, 8)]


@pytest.mark.parametrize("alt", ["A[2:5]", "]2:5[A", "A]2:x"])
def test_a_breakend_has_its_brackets_one_way(vcf, alt):
    reading = vcf(f"1 100 . A {alt} 50 PASS . GT 0/1")
    assert rows(reading) == []
    assert [reason.path for reason in reading.refused[0].reasons] == ["ALT"]


LOCAL = tuple(
    f'##FORMAT=<ID={key},Number={number},Type=Integer,Description="x">'
    for key, number in (("LAA", "."), ("LAD", "LR"), ("LPL", "LG"), ("LEC", "LA"))
)


@pytest.mark.parametrize(
    ("form", "sample", "path"),
    [
        ("GT:LAA:LAD:LPL:LEC", "0/2:2:5,6:9,0,9:1", None),
        ("GT:LAA:LAD:LPL", "0/0:.:5:0", None),
        ("GT:LAA:LAD", "0/2:2:5,6,7", "sample 1/LAD"),
        ("GT:LAA:LPL", "0/2:2:5,6", "sample 1/LPL"),
        ("GT:LAA:LEC", "0/2:2:5,6", "sample 1/LEC"),
        ("GT:LAA:LAD", "0/2:.:5,6", "sample 1/LAD"),
        ("GT:LAA:LAD", "0/2:4:5,6", "sample 1/LAA"),
        ("GT:LAA:LAD", "0/2:2,2:5,6,7", "sample 1/LAA"),
        ("GT:LAA:LAD", "0/2:0:5,6", "sample 1/LAA"),
        ("GT:LAD", "0/2:5", "FORMAT"),
    ],
)
def test_local_alleles_are_counted_by_laa(vcf, form, sample, path):
    reading = vcf(f"1 100 . A G,T,C 50 PASS . {form} {sample}", meta=LOCAL, version="4.5")
    assert len(rows(reading)) == (0 if path else 3)
    assert [reason.path for refused in reading.refused for reason in refused.reasons] == ([path] if path else [])
