"""Which program called a VCF's genotypes, and its version, as the header tells it.

Sources: what GATK, Sentieon, DeepVariant, DRAGEN, bcftools, freebayes,
Strelka and Clair3 write into their headers; VCF 4.x itself knows `##source` alone.

Example: caller_of(["##source=freeBayes v1.3.6"])  ->  Caller("freeBayes", "1.3.6")
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

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
NAMED = (
    (re.compile(r"##DeepVariant_version=(?P<version>\S+)"), "DeepVariant"),
    (re.compile(r'##DRAGENVersion=<.*?Version="?(?:SW: ?)?(?P<version>[^",>]+)'), "DRAGEN"),
    (re.compile(r"##bcftools_callVersion=(?P<version>[^+\s]+)"), "bcftools call"),
    (re.compile(r"##clair3_version=(?P<version>\S+)", re.IGNORECASE), "Clair3"),
)
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
    commands = [Caller(*found.group("name", "version")) for line in lines if (found := COMMAND.match(line))]
    for name in GENOTYPERS:
        if match := next((command for command in commands if command.name == name), None):
            return match
    for pattern, name in NAMED:
        if found := next(filter(None, map(pattern.match, lines)), None):
            return Caller(name, found["version"])
    return from_source(lines) or (commands[0] if commands else Caller())


def from_source(lines: list[str]) -> Caller | None:
    """What `##source` says; its version beside it, or in `##source_version`."""
    found = next(filter(None, map(SOURCE.fullmatch, lines)), None)
    if found is None:
        return None
    if parts := NAME_AND_VERSION.fullmatch(found["name"]):
        return Caller(parts["name"], parts["version"])
    version = next(filter(None, map(SOURCE_VERSION.match, lines)), None)
    return Caller(found["name"], version["version"] if version else "")
