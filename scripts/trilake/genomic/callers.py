"""Which program called a VCF's genotypes, and its version, as the header tells it.

Sources: what GATK, Sentieon, DeepVariant, DRAGEN, bcftools, freebayes,
Strelka and Clair3 write into their headers; VCF 4.x itself knows `##source` alone.

Example: caller_of(["##source=freeBayes v1.3.6"])  ->  Caller("freeBayes", "1.3.6")
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

# A header keeps the command line of every tool that the file went through, filters and mergers too (GATK and Sentieon
# write one ##...CommandLine each). So those that make genotypes are sought by name, the one that saw the reads first.
GENOTYPERS = (
    "HaplotypeCaller",
    "Haplotyper",
    "Mutect2",
    "TNhaplotyper2",
    "UnifiedGenotyper",
    "GenotypeGVCFs",
    "DNAscope",
)
COMMAND = re.compile(r'##(?:GATK|Sentieon)CommandLine[^=]*=<ID=(?P<name>[^,>]+).*?Version="?(?P<version>[^",>]+)')
# DeepVariant, DRAGEN, bcftools and Clair3 have keys of their own, which no other program writes.
NAMED = (
    (re.compile(r"##DeepVariant_version=(?P<version>\S+)"), "DeepVariant"),
    (re.compile(r'##DRAGENVersion=<.*?Version="?(?:SW: ?)?(?P<version>[^",>]+)'), "DRAGEN"),
    (re.compile(r"##bcftools_callVersion=(?P<version>[^+\s]+)"), "bcftools call"),
    (re.compile(r"##clair3_version=(?P<version>\S+)", re.IGNORECASE), "Clair3"),
)
# VCF 4.x has ##source alone, in free words: freebayes and Strelka (which adds ##source_version) are known by it only.
SOURCE = re.compile(r'##source="?(?P<name>[^"]+?)"?\s*')
SOURCE_VERSION = re.compile(r"##source_version=(?P<version>\S+)", re.IGNORECASE)
NAME_AND_VERSION = re.compile(r"(?P<name>.*?)[\s,:_-]+v?(?P<version>\d+(?:\.\w+)+.*)", re.IGNORECASE)


class Caller(NamedTuple):
    """A program; each part is empty when the header does not tell it."""

    name: str = ""
    version: str = ""


def caller_of(lines: Iterable[str]) -> Caller:
    """The program that made the genotypes: a known caller's own line first, then `##source`."""
    lines = list(lines)
    commands = [Caller(*match.group("name", "version")) for line in lines if (match := COMMAND.match(line))]
    for name in GENOTYPERS:
        if command := next((command for command in commands if command.name == name), None):
            return command
    for pattern, name in NAMED:
        if match := next(filter(None, map(pattern.match, lines)), None):
            return Caller(name, match["version"])
    return from_source(lines) or (commands[0] if commands else Caller())


def from_source(lines: list[str]) -> Caller | None:
    """What `##source` says; its version beside it, or in `##source_version`."""
    source = next(filter(None, map(SOURCE.fullmatch, lines)), None)
    if source is None:
        return None
    if parts := NAME_AND_VERSION.fullmatch(source["name"]):
        return Caller(parts["name"], parts["version"])
    version = next(filter(None, map(SOURCE_VERSION.match, lines)), None)
    return Caller(source["name"], version["version"] if version else "")
