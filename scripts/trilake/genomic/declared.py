"""Which names a record uses that the header does not declare: contigs, filters, INFO and FORMAT keys, symbolic alleles.

Pure. They are told once a file and loaded: most versions of the specification ask for declarations without insisting.

Example: set(undeclared(record, header))  ->  {("FILTER", "q20")}
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from trilake.genomic.header import VcfHeader

if TYPE_CHECKING:
    from trilake.genomic.record import VcfRecord

Name = tuple[str, str]
BLOCK_ALLELES = {"<*>", "<NON_REF>"}


def undeclared(record: VcfRecord, header: VcfHeader) -> Iterator[Name]:
    """(column, name) of each name of the record that is not declared."""
    yield from undeclared_contig(record.chrom, header)
    yield from undeclared_filters(record.filters or (), header)
    yield from (("INFO", key) for key in record.info if key not in header.info)
    yield from undeclared_keys(record.layout.keys if record.samples else (), header)
    for alt in record.alts:
        if alt.startswith("<") and alt not in BLOCK_ALLELES and alt[1:-1] not in header.alts:
            yield "ALT", alt[1:-1]


def undeclared_contig(chrom: str, header: VcfHeader) -> Iterator[Name]:
    """A header that declares no contig at all leaves them free."""
    if header.contigs and chrom not in header.contigs and not chrom.startswith("<"):
        yield "CHROM", chrom


def undeclared_filters(names: Iterable[str], header: VcfHeader) -> Iterator[Name]:
    yield from (("FILTER", name) for name in names if name != "PASS" and name not in header.filters)


def undeclared_keys(keys: Iterable[str], header: VcfHeader) -> Iterator[Name]:
    yield from (("FORMAT", key) for key in keys if key != "." and key not in header.format)
