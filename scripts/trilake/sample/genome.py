"""A person's genome over the panel, and how it was sequenced: calls, depth, quality, no-calls, filtered rows.

Reads and writes nothing. Make target: sample. Example: draw_null_alleles(rng, 50).shape
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trilake.sample import keys
from trilake.sample.effects import GENOMIC
from trilake.sample.latent import Haplotypes
from trilake.sample.panel import SITES
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
