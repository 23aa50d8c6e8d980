import pytest

from trilake.genomic.header import read_header

COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
FIRST = "##fileformat=VCFv4.2"


def judge(*lines: str):
    return read_header(iter(list(enumerate(lines, start=1))))


def refusals(*lines: str):
    return [reason for reason in judge(*lines)[1] if not reason.is_warning]


@pytest.mark.parametrize(
    "meta",
    [
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="Count, of \\"alternate\\" alleles">',
        '##FILTER=<ID=q10,Description="Quality below 10">',
        "##contig=<ID=chr1,length=248956422>",
        '##ALT=<ID=DUP:TANDEM,Description="Tandem duplication">',
        "##source=anything at all",
        "##contig=<ID=HLA-A*01:01:01:01,length=3503>",
    ],
)
def test_a_sound_meta_line_draws_no_remark(meta):
    assert judge(FIRST, meta, COLUMNS)[1] == []


@pytest.mark.parametrize(
    ("meta", "path"),
    [
        ("##INFO:<ID=AC>", "meta line"),
        ('##INFO=<ID=AC,Number=A,Type=Whole,Description="x">', "INFO AC.Type"),
        ('##INFO=<ID=AC,Number=many,Type=Integer,Description="x">', "INFO AC.Number"),
        ('##INFO=<Number=A,Type=Integer,Description="x">', "INFO"),
        ("##INFO=<ID=AC,Number=A,Type=Integer,Description=x>", "INFO.Description"),
        ('##FORMAT=<ID=AB,Number=1,Type=Flag,Description="x">', "FORMAT AB.Type"),
        ('##INFO=<ID=AC,Number=A,Type=Integer,Description="x"', "INFO"),
        ('##INFO=<ID=AC,Number=A,Type=Integer,Description="x>', "INFO"),
        ("##INFO=AC", "INFO"),
        ("##contig=<length=5>", "contig"),
    ],
)
def test_a_broken_meta_line_is_refused_with_its_line_and_field(meta, path):
    (reason,) = refusals(FIRST, meta, COLUMNS)
    assert (reason.line, reason.path) == (2, path)


@pytest.mark.parametrize("first", ["##fileformat=VCFv3.3", "##fileformat=", "##fileformat=VCFv4.1 ", "##source=x"])
def test_the_first_line_names_a_known_version(first):
    assert refusals(first, COLUMNS)[0].path == "fileformat"


@pytest.mark.parametrize(
    "columns",
    [
        COLUMNS.replace("\t", " "),
        COLUMNS + "\tS1",
        COLUMNS + "\tFORMAT\tS1\tS1",
        COLUMNS + "\tFORMAT\tS1\t",
    ],
)
def test_the_column_line_is_held_to_its_form(columns):
    assert refusals(FIRST, columns)[0].line == 2


def test_a_file_without_column_line_is_refused():
    assert refusals(FIRST)[0].expected == "a column line"


def test_a_reserved_key_declared_otherwise_is_a_remark_and_the_declaration_counts():
    header, reasons = judge(FIRST, '##FORMAT=<ID=GQ,Number=1,Type=Float,Description="x">', COLUMNS)
    assert [reason.is_warning for reason in reasons] == [True]
    assert header.format["GQ"].type == "Float"


@pytest.mark.parametrize(
    ("meta", "build"),
    [
        ("##reference=file:///refs/hg19.fa", "GRCh37"),
        ("##reference=GRCh38.p13", "GRCh38"),
        ("##contig=<ID=chr1,length=248956422>", "GRCh38"),
        ("##contig=<ID=1,length=249250621,assembly=b37>", "GRCh37"),
        ("##contig=<ID=1,length=6243>", None),
    ],
)
def test_the_build_is_read_from_reference_and_contigs(meta, build):
    assert judge(FIRST, meta, COLUMNS)[0].reference_genome == build


@pytest.mark.parametrize(
    "meta",
    [
        ("##reference=hg19", "##reference=hg38"),
        ("##contig=<ID=1,length=249250621>", "##contig=<ID=2,length=242193529>"),
    ],
)
def test_a_header_that_tells_two_builds_refuses_the_file(meta):
    (reason,) = refusals(FIRST, *meta, COLUMNS)
    assert (reason.code, reason.line, reason.found) == ("VCF_BUILD", 3, "GRCh38")


@pytest.mark.parametrize(
    ("meta", "path"),
    [
        ("##assembly=nowhere", "assembly"),
        ("##assembly=ftp://8080:8080/x", "assembly"),
        ("##pedigreeDB=ftp://host/x", "pedigreeDB"),
        ("##META=<ID=Assay,Number=N,Type=String,Values=[a]>", "META.Number"),
        ("##META=<ID=Assay,Number=.,Type=Text,Values=[a]>", "META.Type"),
        ("##PEDIGREE=<Father=F>", "PEDIGREE.ID"),
        ("##PEDIGREE=<ID=C,Father=some body>", "PEDIGREE.Father"),
        ("##PEDIGREE=<ID=C,Father=some,body>", "PEDIGREE"),
        ("##contig=<ID=1,length=many>", "contig.length"),
        ('##INFO=<ID=1A,Number=1,Type=String,Description="x">', "INFO.ID"),
        ('##INFO=<ID=XF,Number=1,Type=Flag,Description="x">', "INFO XF"),
        ("##fileformat=VCFv4.2", "fileformat"),
        ('##FILTER=<ID=0,Description="x">', "FILTER.ID"),
        ('##FILTER=<ID=a;b,Description="x">', "FILTER.ID"),
        ("##contig=<ID=c(1)>", "contig.ID"),
        ("##contig=<ID=c9,md5=short>", "contig.md5"),
        ('##INFO=<ID=XF,ID=XG,Number=1,Type=Float,Description="x">', "INFO"),
        ('###INFO=<ID=XF,Number=1,Type=Float,Description="x">', "meta line"),
        ("##PEDIGREE=x", "PEDIGREE"),
        ("##no equals sign", "meta line"),
        ("##Mutect Version=2.1", "meta line"),
        ("##source=", "meta line"),
        ("", "header line"),
        ("##contig=<ID=1*>", "contig.ID"),
    ],
)
def test_what_no_record_depends_on_is_a_remark(meta, path):
    _, reasons = judge(FIRST.replace("4.2", "4.3"), meta, COLUMNS)
    assert [(reason.path, reason.is_warning) for reason in reasons] == [(path, True)]


def test_a_byte_order_mark_is_a_remark():
    _, (reason,) = judge("\ufeff" + FIRST, COLUMNS)
    assert (reason.line, reason.found, reason.is_warning) == (1, "a byte order mark", True)


def test_the_lengths_of_contigs_count_where_words_say_otherwise():
    header, (reason,) = judge(FIRST, "##reference=hg19", "##contig=<ID=chr1,length=248956422>", COLUMNS)
    assert (header.reference_genome, reason.code, reason.found, reason.is_warning) == (
        *("GRCh38", "VCF_BUILD", "GRCh37"),
        True,
    )


@pytest.mark.parametrize(
    "meta",
    [
        '##INFO=<ID=AC,Number=-1,Type=Integer,Description="x">',
        '##INFO=<ID=ZZ, Number=1, Type=Float, Description="a, b=c">',
    ],
)
def test_forms_of_old_callers_are_read_with_a_remark(meta):
    header, reasons = judge(FIRST, meta, COLUMNS)
    assert {reason.is_warning for reason in reasons} == {True}
    assert header.info


def test_format_without_samples_is_a_sites_only_file():
    header, (reason,) = judge(FIRST, COLUMNS + "\tFORMAT")
    assert (header.samples, reason.is_warning) == ([], True)
