"""Which build of the human genome a header tells, and where it contradicts itself.

Lengths and accessions of chromosomes from the assemblies' own reports (NCBI36, GRCh37.p13, GRCh38.p14).

Example: build_of_contig("1", 248956422)  ->  "GRCh38"
"""

from __future__ import annotations

import re
from functools import lru_cache

# MT is left out: GRCh37 and GRCh38 have the same one of 16,569 bases (NC_012920), so it tells no build.
NAMES = (*(str(number) for number in range(1, 23)), "X", "Y")
LENGTHS = {
    "GRCh38": (
        *(248956422, 242193529, 198295559, 190214555, 181538259, 170805979, 159345973, 145138636, 138394717),
        *(133797422, 135086622, 133275309, 114364328, 107043718, 101991189, 90338345, 83257441, 80373285),
        *(58617616, 64444167, 46709983, 50818468, 156040895, 57227415),
    ),
    "GRCh37": (
        *(249250621, 243199373, 198022430, 191154276, 180915260, 171115067, 159138663, 146364022, 141213431),
        *(135534747, 135006516, 133851895, 115169878, 107349540, 102531392, 90354753, 81195210, 78077248),
        *(59128983, 63025520, 48129895, 51304566, 155270560, 59373566),
    ),
    "NCBI36": (
        *(247249719, 242951149, 199501827, 191273063, 180857866, 170899992, 158821424, 146274826, 140273252),
        *(135374737, 134452384, 132349534, 114142980, 106368585, 100338915, 88827254, 78774742, 76117153),
        *(63811651, 62435964, 46944323, 49691432, 154913754, 57772954),
    ),
}
BY_LENGTH = {
    (name, length): build for build, lengths in LENGTHS.items() for name, length in zip(NAMES, lengths, strict=True)
}
ACCESSION = re.compile(r"(?P<mt>NC_012920\.\d+)|NC_0000(?P<number>0[1-9]|1\d|2[0-4])\.(?P<version>\d+)", flags=re.ASCII)
VERSIONS_OF_GRCH38 = (11, 12, 12, 12, 10, 12, 14, 11, 12, 11, 10, 12, 11, 9, 10, 10, 11, 10, 10, 11, 9, 11, 11, 10)
"""Of the chromosomes' RefSeq accessions NC_000001 to NC_000024; GRCh37 has each one lower."""
WORDS = (
    (re.compile(r"GRCh38|hg38|\bb38\b|hs38", re.IGNORECASE), "GRCh38"),
    (re.compile(r"GRCh37|hg19|\bb37\b|hs37", re.IGNORECASE), "GRCh37"),
    (re.compile(r"NCBI36|hg18|\bb36\b|[-=]B36\b", re.IGNORECASE), "NCBI36"),
)


def build_in_words(text: str) -> str | None:
    """The build that a text names."""
    return next((build for pattern, build in WORDS if pattern.search(text)), None)


@lru_cache(maxsize=1_000)
def contig_name(contig: str) -> str:
    """One name per chromosome: without `chr`, M as MT, RefSeq's accession NC_000001.11 as 1. Others as they are."""
    if accession := ACCESSION.fullmatch(contig):
        return accession["mt"] and "MT" or NAMES[int(accession["number"]) - 1]
    bare = contig[3:] if contig[:3].lower() == "chr" and len(contig) > 3 else contig
    return "MT" if bare == "M" else bare


def build_of_contig(contig: str, length: int | None) -> str | None:
    """The build in which the chromosome is this long, or has this accession."""
    if build := BY_LENGTH.get((contig_name(contig), length or 0)):
        return build
    accession = ACCESSION.fullmatch(contig)
    if accession is None or not accession["number"]:
        return None
    in_grch38 = VERSIONS_OF_GRCH38[int(accession["number"]) - 1]
    return {in_grch38: "GRCh38", in_grch38 - 1: "GRCh37"}.get(int(accession["version"]))


def known_length(contig: str, build: str | None) -> int | None:
    """How long a chromosome is in a build."""
    name = contig_name(contig)
    return LENGTHS[build][NAMES.index(name)] if build in LENGTHS and name in NAMES else None
