"""Laws over generated VCF files: no line is lost, and what is loaded is what htslib reads, split by hand."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pysam
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.genomic.conftest import a_vcf, examples, read, rows
from trilake.genomic.reader import Reading

META = (
    "##contig=<ID=1>",
    "##contig=<ID=chr2>",
    '##FILTER=<ID=q10,Description="x">',
    '##INFO=<ID=AC,Number=A,Type=Integer,Description="x">',
    '##INFO=<ID=XR,Number=R,Type=Float,Description="x">',
    '##INFO=<ID=DB,Number=0,Type=Flag,Description="x">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="x">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="x">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="x">',
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="x">',
    '##FORMAT=<ID=XA,Number=A,Type=Integer,Description="x">',
)
FORMAT = "GT:AD:DP:PL:XA"
COMPARED = (
    *("contigname", "start", "end", "names", "referenceallele", "alternatealleles", "qual", "filters", "attributes"),
    *("splitfrommultiallelic", "sampleid", "calls", "alleledepths", "depth", "phredlikelihoods", "information"),
)
COUNTS = st.integers(0, 2**31 - 1)


@dataclass(frozen=True)
class Vcf:
    """A generated file: its samples and lines, and which of the lines are broken."""

    samples: tuple[str, ...]
    lines: list[str]
    broken: set[int]

    def reading(self, folder: str) -> Reading:
        path = Path(folder, "a.vcf")
        path.write_text(a_vcf(*self.lines, samples=self.samples, meta=META))
        return read(path)


@st.composite
def numbers(draw: st.DrawFn, count: int) -> str:
    """`count` numbers as a value: all of them, some missing, or a point for all."""
    if count == 0 or draw(st.integers(0, 5)) == 0:
        return "."
    return ",".join("." if draw(st.integers(0, 9)) == 0 else str(draw(COUNTS)) for _ in range(count))


@st.composite
def sample_columns(draw: st.DrawFn, n_alts: int) -> str:
    ploidy = draw(st.sampled_from((2, 2, 2, 1, 3)))
    alleles = [draw(st.sampled_from([".", *map(str, range(n_alts + 1))])) for _ in range(ploidy)]
    genotype = draw(st.sampled_from("/|")).join(alleles)
    n_genotypes = len(genotypes_of(n_alts, ploidy))
    values = [draw(numbers(count)) for count in (n_alts + 1, 1, n_genotypes, n_alts)]
    return ":".join([genotype, *values][: draw(st.integers(1, 5))])


def genotypes_of(n_alts: int, ploidy: int) -> list[tuple[int, ...]]:
    """All genotypes in the order of the specification: by the highest allele first."""
    if ploidy == 0:
        return [()]
    return [(*rest, last) for last in range(n_alts + 1) for rest in genotypes_of(last, ploidy - 1)]


@st.composite
def sound_lines(draw: st.DrawFn, contig: str, position: int, n_samples: int) -> str:
    bases = st.text("ACGT", min_size=1, max_size=4)
    ref = draw(bases)
    names = st.one_of(bases, st.sampled_from(("<DEL>", "*"))).filter(lambda alt: alt != ref)
    alts = draw(st.lists(names, max_size=4, unique=True))
    info = [] if not alts else [f"AC={','.join(str(draw(COUNTS)) for _ in alts)}", f"XR={'0.5,' * len(alts)}1"]
    info += ["DB"] if draw(st.booleans()) else []
    fixed = [contig, str(position), draw(st.sampled_from((".", "rs1", "rs1;x"))), ref, ",".join(alts) or "."]
    fixed += [draw(st.sampled_from((".", "50", "1e3", "0.25"))), draw(st.sampled_from((".", "PASS", "q10")))]
    return " ".join(
        [*fixed, ";".join(info) or ".", FORMAT, *(draw(sample_columns(len(alts))) for _ in range(n_samples))]
    )


BREAKS = (
    lambda columns: columns[:-1],
    lambda columns: [*columns, "extra"],
    lambda columns: [columns[0], "-1", *columns[2:]],
    lambda columns: [*columns[:3], "A-", *columns[4:]],
    lambda columns: [*columns[:4], f"{columns[3]}", *columns[5:]],
    lambda columns: [*columns[:5], "high", *columns[6:]],
    lambda columns: [*columns[:7], "DP=many", *columns[8:]],
    lambda columns: [*columns[:9], "0/9", *columns[10:]] if columns[4] != "." else [*columns[:9], "x", *columns[10:]],
    lambda columns: [*columns[:9], "0/0:::::::", *columns[10:]],
)


@st.composite
def files(draw: st.DrawFn, *, with_broken: bool) -> Vcf:
    samples = tuple(f"S{number}" for number in range(draw(st.integers(1, 3))))
    positions = {contig: sorted(draw(st.sets(st.integers(1, 10_000), max_size=6))) for contig in ("1", "chr2")}
    lines, broken = [], set()
    for contig, places in positions.items():
        for position in places:
            line = draw(sound_lines(contig, position, len(samples)))
            if with_broken and draw(st.booleans()):
                broken.add(len(lines))
                line = " ".join(draw(st.sampled_from(BREAKS))(line.split(" ")))
            lines.append(line)
    return Vcf(samples, lines, broken)


@settings(max_examples=examples(100), deadline=None)
@given(files(with_broken=True), st.data())
def test_every_line_is_loaded_refused_or_a_duplicate(vcf: Vcf, data: st.DataObject) -> None:
    repeated = [number for number in range(len(vcf.lines)) if number not in vcf.broken and data.draw(st.booleans())]
    lines = [line for number, text in enumerate(vcf.lines) for line in [text] * (1 + (number in repeated))]
    with TemporaryDirectory() as folder:
        reading = Vcf(vcf.samples, lines, set()).reading(folder)
        found = rows(reading)
    counts, n_sound = reading.counts, len(vcf.lines) - len(vcf.broken)
    assert counts.records_in == len(lines) == counts.loaded + counts.duplicate + counts.refused
    assert counts.refused == len(vcf.broken) == len(reading.refused)
    assert [entry.text.replace("\t", " ") for entry in reading.refused] == [vcf.lines[n] for n in sorted(vcf.broken)]
    # Records of symbolic alleles alone may repeat: two deletions may start at one place.
    assert counts.loaded + counts.duplicate == n_sound + len(repeated)
    assert counts.loaded >= n_sound
    assert {(row["contigname"], row["start"]) for row in found} == {
        (line.split(" ")[0].removeprefix("chr"), int(line.split(" ")[1]) - 1)
        for number, line in enumerate(vcf.lines)
        if number not in vcf.broken
    }


@settings(max_examples=examples(100), deadline=None)
@given(files(with_broken=False))
def test_what_is_loaded_is_what_htslib_reads(vcf: Vcf) -> None:
    with TemporaryDirectory() as folder:
        reading = vcf.reading(folder)
        ours = [comparable(row) for row in rows(reading)]
        with pysam.VariantFile(str(Path(folder, "a.vcf"))) as file:
            theirs = [comparable(row) for record in file for row in split_by_hand(record)]
    assert (reading.faults, reading.refused) == ([], [])
    assert Counter(ours) == Counter(theirs)


def split_by_hand(record: pysam.VariantRecord) -> Iterator[dict[str, Any]]:
    """One row per sample and alternate allele, from what htslib gives."""
    alts = record.alts or ()
    for name, sample in record.samples.items():
        for index in range(1, len(alts) + 1) if alts else [0]:
            yield {
                "contigname": record.chrom.removeprefix("chr"),
                "start": record.pos - 1,
                "end": record.pos - 1 + len(record.ref),
                "names": record.id.split(";") if record.id else None,
                "referenceallele": record.ref,
                "alternatealleles": [alts[index - 1]] if alts else None,
                "qual": record.qual,
                "filters": list(record.filter) or None,
                "splitfrommultiallelic": len(alts) > 1,
                "attributes": info_by_hand(record, index),
                "sampleid": name,
                **sample_by_hand(sample, index, len(alts)),
            }


def info_by_hand(record: pysam.VariantRecord, index: int) -> list[tuple[str, str]] | None:
    info = {"DB": "true"} if "DB" in record.info else {}
    if index:
        info |= {"AC": str(record.info["AC"][index - 1])}
        info |= {"XR": ",".join(f"{record.info['XR'][allele]:g}" for allele in (0, index))}
    return sorted(info.items()) or None


def sample_by_hand(sample: pysam.VariantRecordSample, index: int, n_alts: int) -> dict[str, Any]:
    genotype = sample["GT"]
    calls = [-1 if call is None else 0 if call == 0 else 1 if call == index else 2 for call in genotype]
    depths = values_of(sample, "AD")
    mine = values_of(sample, "XA")
    likelihoods = values_of(sample, "PL")
    if likelihoods and n_alts > 1:
        ploidy = len(genotype)
        by_genotype = dict(zip(genotypes_of(n_alts, ploidy), likelihoods, strict=True))
        likelihoods = [by_genotype[(0,) * (ploidy - n) + (index,) * n] for n in range(ploidy + 1)]
    return {
        "calls": calls,
        "alleledepths": [depths[0], depths[index]] if depths and n_alts > 1 else depths,
        "depth": (values_of(sample, "DP") or [None])[0],
        "phredlikelihoods": likelihoods,
        "information": text_of(mine[index - 1]) if mine and index else None,
    }


def values_of(sample: pysam.VariantRecordSample, key: str) -> list[int | None] | None:
    """A sample's values; nothing where the key is not given, or is a point."""
    found = sample.get(key)
    values = [found] if isinstance(found, int) else list(found or ())
    return None if all(value is None for value in values) else values


def text_of(value: int | None) -> str | None:
    return None if value is None else str(value)


def comparable(row: dict[str, Any]) -> str:
    """A row of either side in one form: lists of nothing but missing numbers are missing, maps are sorted."""
    return repr({name: form_of(name, row[name]) for name in COMPARED})


def form_of(name: str, value: Any) -> Any:
    if name == "information" and isinstance(value, list):
        return text_of(dict(value).get("XA"))
    if name == "attributes":
        return sorted(value) if value else None
    if name == "qual" and value is not None:
        return float(value)
    if isinstance(value, list) and all(item is None for item in value):
        return None
    return value
