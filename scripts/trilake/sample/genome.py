"""A person's genome over the panel, how it was sequenced, and the single-sample VCF (4.2 or 4.3, BGZF) that shows it.

The sequencer's depth, quality, no-calls and filtered rows are drawn independently of the genotype and of every outcome.

Example: write_sample(person.sequencing, Path("vcf") / person.sequencing.file_name)
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from trilake.sample import keys
from trilake.sample.latent import GENOMIC, Haplotypes
from trilake.sample.panel import CONTIGS, SITES, Site
from trilake.sample.record import HAPLOID, NO_CALL, Identity, Sequencing

Alleles = NDArray[np.int8]

SHARE_VCF = 0.80
SHARE_NAMED_BY_UUID = 0.82
SHARE_NAMED_BY_MRN = 0.12
SHARE_WITH_PREFIX = 0.5
SHARE_PHASED = 0.2
SHARE_NO_CALL = 0.015
SHARE_FILTERED = 0.02
MEAN_DEPTH = 32.0

_ORPHAN_PLACE = 10**9
_MARKER_ROWS = {site.rs_id: row for row, site in enumerate(SITES) if site.rs_id}
_BLOCK_ROWS = [row for row, site in enumerate(SITES) if not site.alts]
_MT_ROWS = [row for row, site in enumerate(SITES) if site.contig == "MT"]
_X_ROWS = [row for row, site in enumerate(SITES) if site.contig == "X"]


@dataclass(frozen=True)
class Calls:
    """What the sequencer saw, per site of the panel."""

    alleles: Alleles
    depth: NDArray[np.int64]
    quality: NDArray[np.int64]
    n_reads_alternate: NDArray[np.int64]
    is_filtered: NDArray[np.bool_]


@dataclass(frozen=True)
class _Names:
    """How a sample is called, and what leads from it to the person."""

    patient_id: str | None
    sample_id: str
    file_name: str
    link_method: str


def draw_alleles(rng: np.random.Generator, markers: Haplotypes) -> Alleles:
    """Allele numbers, person x site x 2: the given markers, and null sites in Hardy-Weinberg proportions."""
    u = rng.random((len(markers), len(SITES), 2))
    first = np.array([site.frequencies[0] if site.alts else 0.0 for site in SITES])[None, :, None]
    second = np.array([sum(site.frequencies) for site in SITES])[None, :, None]
    alleles = ((u < first) + 2 * ((u >= first) & (u < second))).astype(np.int8)
    for i, name in enumerate(GENOMIC):
        alleles[:, _MARKER_ROWS[name]] = markers[:, i]
    return alleles


def sequence(rng: np.random.Generator, alleles: Alleles, *, is_male: bool) -> Calls:
    """One person's calls: a few sites fail to be called, a few are called with low quality and filtered."""
    n = len(SITES)
    seen = alleles.copy()
    haploid_rows = _MT_ROWS + (_X_ROWS if is_male else [])
    seen[haploid_rows, 1] = HAPLOID
    u = rng.random(n)
    is_missing = u < SHARE_NO_CALL
    is_filtered = (u >= SHARE_NO_CALL) & (u < SHARE_NO_CALL + SHARE_FILTERED)
    is_missing[_BLOCK_ROWS] = is_filtered[_BLOCK_ROWS] = False
    seen[is_missing] = np.where(seen[is_missing] == HAPLOID, HAPLOID, NO_CALL)
    depth = np.where(is_missing, 0, np.maximum(12, rng.poisson(MEAN_DEPTH, n)))
    depth = np.where(is_filtered, rng.integers(3, 8, n), depth)
    quality = np.where(is_filtered, rng.integers(3, 18, n), rng.integers(40, 100, n))
    # Reads that show any alternate allele: half of them in a heterozygote, an error now and then in a reference call.
    called = np.maximum(seen, 0) > 0
    share = np.where(seen[:, 1] == HAPLOID, called[:, 0], called.mean(axis=1))
    n_alternate = rng.binomial(depth, np.clip(share, 0.004, 0.996))
    return Calls(seen, depth, np.where(is_missing, 0, quality), n_alternate, is_filtered)


def draw_sequencing(
    seed: int,
    index: int,
    presence: np.random.Generator,
    identity: Identity,
    alleles: Alleles,
    *,
    has_vcf: bool | None = None,
) -> Sequencing | None:
    """The person's VCF, or None for those who were never sequenced; `presence` looks at no outcome.

    `has_vcf` says whether there is one, in place of chance.
    """
    is_sequenced, naming = presence.random() < SHARE_VCF, presence.random()
    if not (is_sequenced if has_vcf is None else has_vcf):
        return None
    if naming < SHARE_NAMED_BY_UUID:
        sample_id, method = identity.patient_id, "uuid"
    elif naming < SHARE_NAMED_BY_UUID + SHARE_NAMED_BY_MRN:
        sample_id, method = identity.mrn, "mrn"
    else:
        sample_id, method = f"LAB{index:06d}", "file_name"
    names = _Names(identity.patient_id, sample_id, f"{identity.file_stem}_dna.vcf.gz", method)
    return _sequenced(keys.stream(seed, "calls", index), names, alleles, is_male=identity.is_male)


def draw_orphan_sample(seed: int, shard: int, alleles: Alleles) -> Sequencing:
    """A sample whose person is in no chart."""
    stranger = keys.patient_id(seed, -1 - shard)
    names = _Names(None, stranger, f"Unknown_Donor_{stranger}_dna.vcf.gz", "none")
    return _sequenced(keys.stream(seed, "calls", _ORPHAN_PLACE + shard), names, alleles, is_male=False)


def _sequenced(rng: np.random.Generator, names: _Names, alleles: Alleles, *, is_male: bool) -> Sequencing:
    has_prefix, is_phased = bool(rng.random() < SHARE_WITH_PREFIX), bool(rng.random() < SHARE_PHASED)
    calls = sequence(rng, alleles, is_male=is_male)
    return Sequencing(
        patient_id=names.patient_id,
        sample_id=names.sample_id,
        file_name=names.file_name,
        link_method=names.link_method,
        has_prefix=has_prefix,
        is_phased=is_phased,
        calls=calls.alleles,
        depth=calls.depth,
        quality=calls.quality,
        n_reads_alternate=calls.n_reads_alternate,
        is_filtered=calls.is_filtered,
    )


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
