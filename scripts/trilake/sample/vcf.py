"""Single-sample VCFs (4.2 and 4.3) of the panel, BGZF by htslib, on GRCh38.

Every site is a row, carried or not. Half of the files name contigs `chr1`, `chrM`; phased files carry PS.
Source of the layout: VCF 4.3 specification, sections 1 and 6.2.

Reads latent records; writes vcf/*.vcf.gz. Make target: sample. Example: write_sample(sequencing, Path("a.vcf.gz"))
"""

from functools import cache
from pathlib import Path

import pysam

from trilake.sample.panel import CONTIGS, SITES, Site
from trilake.sample.record import HAPLOID, NO_CALL, Sequencing

SOURCE = "TrilakeSample v1.0"
NOTICE = "SYNTHETIC DATA, not from a person"
FILE_DATE = "20181215"
LOW_QUALITY = "LowQual"

_DECLARATIONS = (
    f'##FILTER=<ID={LOW_QUALITY},Description="Genotype quality below 20">',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Read depth">',
    '##INFO=<ID=AC,Number=A,Type=Integer,Description="Alternate alleles in called genotypes">',
    '##INFO=<ID=AN,Number=1,Type=Integer,Description="Alleles in called genotypes">',
    '##INFO=<ID=DB,Number=0,Type=Flag,Description="dbSNP membership">',
    '##INFO=<ID=END,Number=1,Type=Integer,Description="Last position of a reference block">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="Read depth">',
    '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="Genotype quality">',
    '##FORMAT=<ID=AD,Number=R,Type=Integer,Description="Read depth per allele">',
    '##FORMAT=<ID=PL,Number=G,Type=Integer,Description="Phred-scaled genotype likelihoods">',
)
_PHASE_SET = '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set: first position of the contig">'


def write_bgzf(path: Path, text: str) -> None:
    """The text as BGZF; htslib writes no time into it, so equal text gives equal bytes."""
    with pysam.BGZFile(str(path), "wb", None) as stream:
        stream.write(text.encode())


def write_sample(sequencing: Sequencing, path: Path) -> None:
    """One person's VCF."""
    write_bgzf(path, "\n".join([*_header(sequencing), *_rows(sequencing), ""]))


def contig_name(contig: str, *, has_prefix: bool) -> str:
    """The contig as the file spells it."""
    if not has_prefix:
        return contig
    return "chrM" if contig == "MT" else f"chr{contig}"


def contig_lines(*, has_prefix: bool) -> list[str]:
    """One header line a contig."""
    return [
        f"##contig=<ID={contig_name(name, has_prefix=has_prefix)},length={length},assembly=GRCh38>"
        for name, length in CONTIGS.items()
    ]


def _header(sequencing: Sequencing) -> list[str]:
    version = "VCFv4.3" if sequencing.has_prefix else "VCFv4.2"
    columns = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", sequencing.sample_id)
    return [
        f"##fileformat={version}",
        f"##fileDate={FILE_DATE}",
        f"##source={SOURCE}",
        f"##synthetic={NOTICE}",
        "##reference=GRCh38",
        *contig_lines(has_prefix=sequencing.has_prefix),
        *_DECLARATIONS,
        *([_PHASE_SET] if sequencing.is_phased else []),
        "\t".join(columns),
    ]


def _rows(sequencing: Sequencing) -> list[str]:
    calls = sequencing.calls.tolist()
    depths, qualities = sequencing.depth.tolist(), sequencing.quality.tolist()
    alternate_reads, filtered = sequencing.n_reads_alternate.tolist(), sequencing.is_filtered.tolist()
    phase_sets: dict[str, int] = {}
    rows = []
    for i, site in enumerate(SITES):
        call = (calls[i][0],) if calls[i][1] == HAPLOID else tuple(calls[i])
        phase_set = phase_sets.setdefault(site.contig, site.position) if sequencing.is_phased else None
        if NO_CALL in call:
            quality, status, data = ".", ".", _no_call(len(call), phase_set)
        else:
            is_variant = max(call) > 0
            quality = str(qualities[i] * (10 if is_variant else 1))
            status = LOW_QUALITY if filtered[i] else "PASS"
            data = _call(site, call, phase_set, depths[i], alternate_reads[i], qualities[i])
        contig = contig_name(site.contig, has_prefix=sequencing.has_prefix)
        fixed = (contig, str(site.position), site.rs_id or ".", site.ref, ",".join(site.alts) or ".")
        keys = "GT:DP:GQ:AD:PL" + (":PS" if phase_set is not None else "")
        rows.append("\t".join((*fixed, quality, status, _info(site, call, depths[i]), keys, data)))
    return rows


def _info(site: Site, call: tuple[int, ...], depth: int) -> str:
    called = [allele for allele in call if allele >= 0]
    counts = ",".join(str(called.count(k + 1)) for k in range(len(site.alts)))
    parts = [f"DP={depth}", f"AN={len(called)}"]
    if counts:
        parts.append(f"AC={counts}")
    if site.end:
        parts.append(f"END={site.end}")
    if site.rs_id:
        parts.append("DB")
    return ";".join(parts)


def _no_call(ploidy: int, phase_set: int | None) -> str:
    genotype = "/".join("." * ploidy)
    return ":".join((genotype, "0", ".", ".", ".", *(["."] if phase_set is not None else [])))


def _call(site: Site, call: tuple[int, ...], phase_set: int | None, *numbers: int) -> str:
    depth, n_alternate, quality = numbers
    if phase_set is None:
        genotype, phase = "/".join(map(str, sorted(call))), []
    else:
        genotype, phase = "|".join(map(str, call)), [str(phase_set)]
    n_alleles = 1 + len(site.alts)
    reads = _reads(call, n_alleles, depth, n_alternate)
    likelihoods = ",".join(str(quality * steps) for steps in _steps(tuple(sorted(call)), n_alleles))
    return ":".join((genotype, str(depth), str(quality), reads, likelihoods, *phase))


def _reads(call: tuple[int, ...], n_alleles: int, depth: int, n_alternate: int) -> str:
    """AD: alternate reads fall to the alternate alleles that the person has, else to the first as errors."""
    reads = [depth - n_alternate] + [0] * (n_alleles - 1)
    if n_alleles == 1:
        return str(depth)
    carried = sorted({allele for allele in call if allele > 0}) or [1]
    for place, allele in enumerate(carried):
        reads[allele] = n_alternate // len(carried) + (n_alternate % len(carried) if place == 0 else 0)
    return ",".join(map(str, reads))


@cache
def _steps(call: tuple[int, ...], n_alleles: int) -> tuple[int, ...]:
    """How many alleles each possible genotype is away from the call, in the order of PL (VCF 4.3, 1.6.2)."""
    if len(call) == 1:
        return tuple(int(allele != call[0]) for allele in range(n_alleles))
    genotypes = [(i, j) for j in range(n_alleles) for i in range(j + 1)]
    return tuple(min((i != a) + (j != b) for a, b in (call, call[::-1])) for i, j in genotypes)
