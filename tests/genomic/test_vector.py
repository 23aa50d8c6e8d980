"""The column-wise reading gives what reading record by record gives, whatever the lines are."""

from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.genomic.conftest import examples
from trilake.genomic.block import Parsed, parse_block
from trilake.genomic.header import VcfHeader, read_header
from trilake.genomic.split import Origin
from trilake.genomic.stream import Block, Stream, cut
from trilake.genomic.vector import lines

ORIGIN = Origin("a.vcf", "load", "job", "GRCh38", "2026-01-01")
META = """##fileformat=VCFv{version}
##reference=GRCh38
##contig=<ID=1,length=5000>
##contig=<ID=chr2>
##FILTER=<ID=q10,Description="x">
##INFO=<ID=AC,Number=A,Type=Integer,Description="x">
##INFO=<ID=XR,Number=R,Type=Float,Description="x">
##INFO=<ID=XG,Number=G,Type=Integer,Description="x">
##INFO=<ID=DP,Number=1,Type=Integer,Description="x">
##INFO=<ID=MQ,Number=1,Type=Float,Description="x">
##INFO=<ID=END,Number=1,Type=Integer,Description="x">
##INFO=<ID=DB,Number=0,Type=Flag,Description="x">
##INFO=<ID=CSQ,Number=.,Type=String,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">
##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="x">
##FORMAT=<ID=PL,Number=G,Type=Integer,Description="x">
##FORMAT=<ID=GL,Number=G,Type=Float,Description="x">
##FORMAT=<ID=XA,Number=A,Type=Integer,Description="x">
##FORMAT=<ID=GP,Number=G,Type=Float,Description="x">
##FORMAT=<ID=FT,Number=1,Type=String,Description="x">
##FORMAT=<ID=PS,Number=1,Type=Integer,Description="x">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO{samples}
"""
POOLS = [
    ["1", "1", "1", "chr2", "chr2", "X", "<c>", "a b", ""],
    ["100", "100", "101", "102", "0", "0100", "4999", "99999", "-1", "x", "2147483648", ""],
    [".", "rs1", "rs1;rs2", "rs1;rs1", "a b", ""],
    ["A", "A", "T", "AT", "a", "N", "R", "A-", ".", ""],
    [
        "G",
        "G",
        "C",
        "G,C",
        "G,C,<NON_REF>",
        "<NON_REF>",
        "<*>",
        "*",
        ".",
        "g",
        "A",
        "G,G",
        "<DEL>",
        "A[1:5[",
        "G,.",
        "",
    ],
    ["50", "50", ".", "0.25", "1e3", "1E-2", "nan", "-1", "high", "1.", ""],
    ["PASS", "PASS", ".", "q10", "q11", "q10;q11", "PASS;q10", "0", ""],
]
INFO = [
    "AC=1",
    "AC=1",
    "AC=1,2",
    "AC=.",
    "AC=1,2,3",
    "AC",
    "XR=0.5,1",
    "XR=0.5,1,2e5",
    "XR=1,2,3,4",
    "XG=1,2,3",
    "DP=9",
]
INFO += [
    "XG=1,2,3,4,5,6",
    "DP=x",
    "DP=",
    "MQ=60.0",
    "MQ=NaN",
    "END=200",
    "END=50",
    "END=.",
    "DB",
    "DB=1",
    "CSQ=a|b=c,d",
]
INFO += ["U=1", "U", "1X=2", "CSQ=a b", "CSQ=\u00fc", "SVLEN=5", "DP=1234567890123", ".", "", "AC=1=2", "SOMATIC"]
FORMATS = [
    "GT",
    "GT:AD:DP:GQ:PL",
    "GT:AD:DP:GQ:PL",
    "GT:DP:XA:FT:GP",
    "DP:GL",
    "GT:PS:PL:GP",
    "AD",
    ".",
    "DP:GT",
    "GT:DP:DP",
]
VALUES = {
    "GT": ["0/1", "0/1", "1|1", "./.", ".", "0", "1", "1/2", "0/2", "0|1|1", "/1", "x", "", "9/9", "0/"],
    "AD": ["3,4", "3,4", "3,4,5", ".", "3,.", "1", "x", ".,.", "-1,2", "3,4,5,6"],
    "DP": ["9", "9", ".", "x", "", "12.0", "-3", "9,9", "2147483647"],
    "GQ": ["99", ".", "1e2"],
    "PL": ["0,9,99", "0,9,99", "1,2,3,4,5,6", "0,1", "1,2,3", ".", ".,.,.", "x", "1,2,3,4,5,6,7,8,9,10", "1,2,3,4"],
    "GL": ["-0.5,-1,-2", "-1e-3,0,.", "0,-1", "x", ".", "inf,nan,0"],
    "XA": ["1", "1,2", ".", "1,.", "x"],
    "GP": ["0.1,0.2,0.7", "1,0", "1,2,3,4,5,6", ".", "1,2,3"],
    "FT": ["PASS", ".", "q10;q20", ""],
    "PS": ["7", ".", "x"],
}


@st.composite
def broken_lines(draw: st.DrawFn, n_samples: int) -> str:
    columns = [draw(st.sampled_from(pool)) for pool in POOLS]
    columns.append(";".join(draw(st.lists(st.sampled_from(INFO), max_size=4))) or ".")
    if n_samples:
        form = draw(st.sampled_from(FORMATS))
        keys = form.split(":")
        columns.append(form)
        for _ in range(n_samples):
            values = [draw(st.sampled_from(VALUES.get(key, ["."]))) for key in keys]
            columns.append(":".join(values[: draw(st.sampled_from((len(keys), len(keys), 1, 2)))]))
    if draw(st.integers(0, 30)) == 0:
        columns = columns[: draw(st.integers(0, len(columns)))]
    return "\t".join(columns) + draw(st.sampled_from(("",) * 20 + ("\r", "\textra", "::::")))


@st.composite
def common_lines(draw: st.DrawFn, n_samples: int) -> str:
    """Lines most of which are sound: what is drawn from `broken_lines` seldom is."""
    n_alts = draw(st.sampled_from((1, 1, 1, 2, 0)))
    alt = (".", "G", "G,<NON_REF>")[n_alts]
    info = ("DP=9;DB", "AC=1;XR=0.5,1;MQ=60", "AC=1,2;XR=1,2,3;XG=1,2,3,4,5,6")[n_alts]
    values = ("0/0:9", "0/1:3,4:9:99:0,9,99", "1/2:3,4,5:9:99:1,2,3,4,5,6")[n_alts]
    form = ("GT:DP", "GT:AD:DP:GQ:PL", "GT:AD:DP:GQ:PL")[n_alts]
    pos = draw(st.integers(100, 110))
    columns = [draw(st.sampled_from("12")).replace("2", "chr2"), str(pos), ".", "A", alt, "50", "PASS", info]
    return "\t".join([*columns, *([form, *[values] * n_samples] if n_samples else [])])


@st.composite
def blocks(draw: st.DrawFn) -> tuple[VcfHeader, bytes]:
    n_samples = draw(st.integers(0, 3))
    samples = "\tFORMAT\t" + "\t".join(f"S{number}" for number in range(n_samples)) if n_samples else ""
    text = META.format(version=draw(st.sampled_from(("4.1", "4.2", "4.4", "4.5"))), samples=samples)
    header, faults = read_header(Stream(iter([text.encode()])).lines())
    assert [fault for fault in faults if not fault.is_warning] == []
    several = st.lists(st.one_of(common_lines(n_samples), broken_lines(n_samples)), min_size=1, max_size=25)
    found = draw(several)
    if draw(st.booleans()):
        found.sort(key=lambda line: line.split("\t")[:2])
    return header, "\n".join(found).encode("latin-1" if draw(st.integers(0, 5)) == 0 else "utf-8") + b"\n"


@contextmanager
def any_block_is_vectorised() -> Iterator[None]:
    fewest, lines.FEWEST_CELLS = lines.FEWEST_CELLS, 1
    try:
        yield
    finally:
        lines.FEWEST_CELLS = fewest


def told(parsed: Parsed) -> tuple:
    rows = [repr(row) for row in parsed.batch.to_pylist()]
    return rows, parsed.refused, parsed.counts, parsed.runs, parsed.undeclared, sorted(map(repr, parsed.warnings))


@settings(max_examples=examples(300), deadline=None)
@given(blocks())
def test_both_ways_of_reading_give_the_same(given_block: tuple[VcfHeader, bytes]) -> None:
    header, data = given_block
    with any_block_is_vectorised():
        fast = parse_block(Block(20, data), header, ORIGIN)
        exact = parse_block(Block(20, data), header, ORIGIN, is_exact=True)
    assert told(fast) == told(exact)
    fast.batch.validate(full=True)


@settings(max_examples=examples(100), deadline=None)
@given(blocks(), st.integers(1, 400))
def test_a_cut_lies_between_two_places(given_block: tuple[VcfHeader, bytes], size: int) -> None:
    _, data = given_block
    at = cut(data[:size])
    assert at == 0 or data[at - 1 : at] == b"\n"
    before, after = data[:at].rstrip(b"\n").split(b"\n")[-1], data[at:size].split(b"\n")[0]
    assert at == 0 or before.split(b"\t")[:2] != after.split(b"\t")[:2] or after == b""


LOCAL_META = "".join(
    f'##FORMAT=<ID={key},Number={number},Type=Integer,Description="x">\n'
    for key, number in (("LAA", "."), ("LAD", "LR"), ("LEC", "LA"), ("LPL", "LG"))
)
LOCAL_FORMATS = ("GT:LAA:LAD:LEC:LPL", "LAA:LAD:LPL", "GT:LAD", "GT:LAD:LAA")
LOCAL_VALUES = st.sampled_from((".", "1", "2", "0", "1,2", "5,6", "5", "-5", "5,6,7", "7,8,9,10,11,12", "", "x"))


@st.composite
def local_lines(draw: st.DrawFn) -> str:
    form = draw(st.sampled_from(LOCAL_FORMATS))
    likely = {"GT": ("0/1", "0/0", "1", "."), "LAA": ("1", "."), "LAD": ("5,6", "5", "."), "LPL": ("0,1,2", "0", ".")}
    cells = [
        ":".join(
            draw(st.sampled_from(likely.get(key, ("9", "."))) if draw(st.integers(0, 9)) else LOCAL_VALUES)
            for key in form.split(":")
        )
        for _ in range(2)
    ]
    alts = draw(st.sampled_from(("T", "T", "T", "T,G", ".")))
    return "\t".join(["1", str(draw(st.integers(1, 5000))), ".", "A", alts, ".", ".", ".", form, *cells])


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(local_lines(), min_size=1, max_size=12), st.sampled_from(("4.2", "4.5")))
def test_both_ways_read_local_alleles_the_same(found: list[str], version: str) -> None:
    text = f"##fileformat=VCFv{version}\n##reference=GRCh38\n{LOCAL_META}#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"
    header, _ = read_header(enumerate(f"{text}\tFORMAT\tS1\tS2".splitlines(), start=1))
    block = Block(20, "\n".join(found).encode() + b"\n")
    with any_block_is_vectorised():
        fast = parse_block(block, header, ORIGIN)
    assert told(fast) == told(parse_block(block, header, ORIGIN, is_exact=True))
