"""One data line of a VCF, taken apart and held against the rules of the specification.

Source: VCF 4.0 to 4.5, section 1.6.

Example: record, reasons = read_record(line, 17, header)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from trilake.core.ledger import Reason, shape
from trilake.genomic.header import VcfHeader, has_wrong_bytes, odd_contig
from trilake.genomic.structural import structural_faults, unknown_length
from trilake.genomic.values import FLOAT, LARGEST, Layout, check_info, check_samples, layout_of

CHROM = re.compile(r"<[^\s<>,]+>|[^\s<>,*=][^\s<>,]*")
BASES = re.compile(r"[ACGTN]+", flags=re.IGNORECASE)
IUPAC = re.compile(r"[ACGTNRYSWKMBDHV]+", flags=re.IGNORECASE)
SYMBOLIC = re.compile(r"<[^\s,<>]+>")
# A mate on a contig of the assembly file stands in angle brackets.
MATE = r"(?:[^\s\[\]<>,]+|<[^\s<>,]+>)(?::\d+)?"
# The four forms of VCF 4.3, section 5.4, and single breakends, a base beside a point.
BREAKEND = re.compile(
    rf"[ACGTN]+(?:\[{MATE}\[|\]{MATE}\])|(?:\[{MATE}\[|\]{MATE}\])[ACGTN]+|\.[ACGTN]+|[ACGTN]+\.",
    flags=re.IGNORECASE,
)
MATE_POSITION = re.compile(r":\d+[\[\]]")
WHITE = re.compile(r"\s")
INFO_KEY = re.compile(r"[A-Za-z_][0-9A-Za-z_.]*|1000G")
NO_FORMAT = Layout((".",), (None,), (), ())
Name = tuple[str, str]
# "Any other allele" of a gVCF block: the specification's and GATK's, which no header needs to declare.
BLOCK_ALLELES = {"<*>", "<NON_REF>"}


@dataclass(slots=True)
class VcfRecord:
    """A line's fields. `info` maps a key to its text (None: a flag); `samples` are the raw sample columns."""

    line: int
    chrom: str
    pos: int
    ids: list[str]
    ref: str
    alts: list[str]
    qual: float | None
    filters: list[str] | None
    info: dict[str, str | None] = field(default_factory=dict)
    layout: Layout = NO_FORMAT
    samples: list[str] = field(default_factory=list)


def read_record(text: str, line: int, header: VcfHeader) -> tuple[VcfRecord | None, list[Reason]]:
    """The record, and every rule that it breaks. The record is None when a reason refuses it."""
    # Not by htslib: it reads nine of ten rule-breaking files of the specification's and EBI's samples without an error.
    faults = Faults(line)
    if has_wrong_bytes(text):
        faults.add("VCF_ENCODING", "line", "other bytes", "text in UTF-8 without control characters")
        return None, faults.reasons
    columns = text.split("\t")
    width = 9 + len(header.samples) if header.samples else 8
    if len(columns) != width and not (len(columns) == 9 and header.has_format_alone):
        faults.add("VCF_COLUMNS", "line", f"{len(columns)} columns", f"{width} tab-separated columns")
        return None, faults.reasons
    record = VcfRecord(
        line=line,
        chrom=columns[0],
        pos=read_position(columns[1], faults),
        ids=read_ids(columns[2], faults),
        ref=columns[3],
        alts=[] if columns[4] == "." else columns[4].split(","),
        qual=read_quality(columns[5], faults),
        filters=read_filters(columns[6], header, faults),
        info=read_info(columns[7], header, faults),
        layout=layout_of(columns[8], header) if header.samples else NO_FORMAT,
        samples=columns[9:],
    )
    check_chrom(record.chrom, header, faults)
    check_limit(record, header, faults)
    check_alleles(record, faults)
    check_info(record, header, faults)
    check_samples(record, faults)
    for path, found, expected in structural_faults(record) if header.version >= "4.4" else unknown_length(record):
        faults.add("VCF_STRUCTURAL", path, found, expected, is_warning=True)
    return (None if faults.refuse else record), faults.reasons


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


def may_repeat(alt: str) -> bool:
    """Whether several records of a place may have the allele: symbolic ones, and `*`, which is none of its own."""
    return alt.startswith("<") or alt == "*"


class Faults:
    """Collects the reasons of one record. What was found is told in words or as a `shape`, never as it stands."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.reasons: list[Reason] = []

    def add(self, code: str, path: str, found: str, expected: str, *, is_warning: bool = False) -> None:
        reason = Reason(code, expected=expected, found=found, line=self.line, path=path, is_warning=is_warning)
        self.reasons.append(reason)

    @property
    def refuse(self) -> bool:
        return any(not reason.is_warning for reason in self.reasons)


def read_position(text: str, faults: Faults) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST)) and int(text) <= LARGEST):
        faults.add("VCF_POSITION", "POS", shape(text), "an integer of 0 or more, of 32 bits")
        return 0
    return int(text)


def read_ids(text: str, faults: Faults) -> list[str]:
    if text == ".":
        return []
    ids = text.split(";")
    if WHITE.search(text) or not all(ids):
        faults.add("VCF_ID", "ID", shape(text), "identifiers without white space, separated by single semicolons")
    elif has_twice(ids):
        faults.add("VCF_ID", "ID", shape(text), "each identifier once")
    elif "." in ids:
        faults.add("VCF_ID", "ID", shape(text), "identifiers, or a point alone", is_warning=True)
    return ids


def read_quality(text: str, faults: Faults) -> float | None:
    if text == ".":
        return None
    if not FLOAT.fullmatch(text) or float(text) < 0:
        faults.add("VCF_QUALITY", "QUAL", shape(text), "a number of 0 or more, or .")
        return None
    return float(text)


def read_filters(text: str, header: VcfHeader, faults: Faults) -> list[str] | None:
    """None when no filter was applied (.)."""
    if text == ".":
        return None
    if text == "PASS":
        return [text]
    names = text.split(";")
    # `0` is reserved (VCF 4.3, section 1.6.1).
    if WHITE.search(text) or not all(names):
        faults.add(
            "VCF_FILTER", "FILTER", shape(text), "filter names without white space, separated by single semicolons"
        )
    elif "0" in names or "." in names or (len(names) > 1 and "PASS" in names):
        faults.add("VCF_FILTER", "FILTER", shape(text), "PASS, ., or names other than 0")
    elif has_twice(names):
        faults.add("VCF_FILTER", "FILTER", shape(text), "each filter once")
    return names


def read_info(text: str, header: VcfHeader, faults: Faults) -> dict[str, str | None]:
    if text == ".":
        return {}
    info: dict[str, str | None] = {}
    if text.endswith(";"):
        faults.add("VCF_INFO", "INFO", "a semicolon at the end", "semicolons between entries", is_warning=True)
    # 4.3 allows white space in values, older versions do not.
    has_white = WHITE.search(text) is not None and header.version < "4.3"
    for entry in text.removesuffix(";").split(";"):
        key, equals, value = entry.partition("=")
        if not is_info_key(key) and key not in header.info:
            faults.add("VCF_INFO", "INFO", shape(key) or "an empty entry", "keys of letters, digits, _ and .")
        elif key in info:
            faults.add("VCF_INFO", f"INFO/{key}", "given twice", "each key once")
        elif has_white and WHITE.search(value):
            faults.add("VCF_INFO", f"INFO/{key}", shape(value), "a value without white space")
        info[key] = value if equals else None
    return info


@lru_cache(maxsize=10_000)
def is_info_key(text: str) -> bool:
    return INFO_KEY.fullmatch(text) is not None


def check_chrom(text: str, header: VcfHeader, faults: Faults) -> None:
    if not CHROM.fullmatch(text):
        faults.add(
            "VCF_CHROM",
            "CHROM",
            shape(text),
            "a contig name without white space, comma and angle brackets, and without = or * first",
        )
    elif not text.startswith("<") and (odd := odd_contig(text, header.version)):
        faults.add("VCF_CHROM", "CHROM", shape(text), odd, is_warning=True)


def check_limit(record: VcfRecord, header: VcfHeader, faults: Faults) -> None:
    """POS may be one more than the contig is long: the telomere (VCF 4.3, section 1.6.1)."""
    limit = header.limit(record.chrom)
    if limit is not None and record.pos > limit + 1:
        faults.add("VCF_POSITION", "POS", "a position beyond its end", f"a position in the contig of {limit:,} bases")


def check_alleles(record: VcfRecord, faults: Faults) -> None:
    if not BASES.fullmatch(record.ref):
        if IUPAC.fullmatch(record.ref):
            faults.add("VCF_REF", "REF", shape(record.ref), "A, C, G, T, N; an ambiguity code is kept", is_warning=True)
        else:
            faults.add("VCF_REF", "REF", shape(record.ref), "one or more of A, C, G, T, N")
    for alt in record.alts:
        is_known = BASES.fullmatch(alt) or SYMBOLIC.fullmatch(alt) or BREAKEND.fullmatch(alt) or alt == "*"
        if not is_known and not is_anchored(alt, record.ref):
            faults.add("VCF_ALT", "ALT", shape(alt), "bases, *, <ID>, a breakend, or . alone")
        elif alt.upper() == record.ref.upper():
            faults.add("VCF_ALT", "ALT", shape(alt), "an allele other than REF")
        elif ("[" in alt or "]" in alt) and not MATE_POSITION.search(alt):
            faults.add("VCF_ALT", "ALT", shape(alt), "a contig and a position, as in G[1:100[", is_warning=True)
    if len(record.alts) > 1 and has_twice([alt.upper() for alt in record.alts if not alt.startswith("<")]):
        faults.add("VCF_ALT", "ALT", shape(",".join(record.alts)), "each allele once")


def is_anchored(alt: str, ref: str) -> bool:
    """Whether an insertion or deletion stands after an ambiguity code of the reference (`MC` to `M`)."""
    return bool(IUPAC.fullmatch(ref)) and alt[:1].upper() == ref[:1].upper() and bool(BASES.fullmatch(alt[1:] or "N"))


def has_twice(names: list[str]) -> bool:
    return len(set(names)) < len(names)
