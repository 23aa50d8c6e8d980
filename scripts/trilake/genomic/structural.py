"""What VCF 4.4 and 4.5 ask of structural variants and tandem repeats, and of phase sets of alleles.

All of it is told and loaded: callers follow these young rules seldom, and the rows do not depend on them.
Source: VCF 4.4 and 4.5, sections 1.6.1, 1.6.2, 3 and 5.

Example: structural_faults(record)  ->  [("INFO/SVLEN", "nothing", "a value for each symbolic allele")]
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from trilake.core.ledger import shape
from trilake.genomic.genotype import read_genotype

if TYPE_CHECKING:
    from trilake.genomic.record import VcfRecord

Fault = tuple[str, str, str]
WITH_LENGTH = re.compile(r"<(DEL|DUP|INS|INV|CNV)(?::[^>]*)?>")
SPANNING = re.compile(r"<(DEL|DUP|INV|CNV)(?::[^>]*)?>")
CLAIMS = {"DEL": {"D", "J", "DJ"}, "DUP": {"D", "J", "DJ"}, "CNV": {"D"}, "INS": {"J"}, "INV": {"J"}}
INTERVALS = ("CIPOS", "CIEND", "CILEN", "CICN", "CIRUC", "CIRB")
PER_REPEAT = ("RUS", "RUL", "RUC", "RB")
WATCHED_INFO = {"SVLEN", "SVCLAIM", "MEINFO", "METRANS", "RN", "RUB", *INTERVALS, *PER_REPEAT}
WATCHED_FORMAT = {"PSL", "PSO", "PSQ", "CICN", "LEN"}


def structural_faults(record: VcfRecord) -> list[Fault]:
    """(path, found, expected) of each rule that the record breaks."""
    kinds = [match[1] if (match := WITH_LENGTH.fullmatch(alt)) else "" for alt in record.alts]
    faults = [*alleles(record), *lengths(record, kinds), *claims(record, kinds), *intervals(record)]
    faults += check_end(record)
    if any(alt == "<CNV:TR>" for alt in record.alts):
        faults += repeats(record)
    return faults + (list(phases(record)) if WATCHED_FORMAT & set(record.layout.keys) else [])


def structural_length(record: VcfRecord, index: int) -> int | None:
    """How many bases of the reference, after POS, a symbolic allele spans; None where SVLEN does not tell."""
    alt = record.alts[index - 1] if index else ""
    if not SPANNING.fullmatch(alt):
        return None
    given = values_of(record, "SVLEN") or []
    if len(given) not in (1, len(record.alts)):
        return None
    text = given[index - 1 if len(given) > 1 else 0].lstrip("-")
    return int(text) if text.isascii() and text.isdigit() else None


def unknown_length(record: VcfRecord) -> Iterator[Fault]:
    """Before 4.4: a symbolic allele of which nothing tells where it ends. The row then ends with REF."""
    if "END" not in record.info and "SVLEN" not in record.info and any(map(SPANNING.fullmatch, record.alts)):
        yield "INFO/END", "nothing", "END or SVLEN beside a symbolic allele"


def check_end(record: VcfRecord) -> Iterator[Fault]:
    """Since 4.4 END, where given, is the end of the longest allele."""
    end, lengths = record.info.get("END"), [structural_length(record, n + 1) for n in range(len(record.alts))]
    known = [record.pos + length for length in lengths if length is not None]
    if end and end.isdigit() and known and int(end) != max([*known, record.pos + len(record.ref) - 1]):
        yield "INFO/END", "another position", "the end that SVLEN tells"


def values_of(record: VcfRecord, key: str) -> list[str] | None:
    text = record.info.get(key)
    return None if text is None else text.split(",")


def alleles(record: VcfRecord) -> Iterator[Fault]:
    if any(alt.startswith("<BND") for alt in record.alts):
        yield "ALT", "<BND>", "breakends in their own notation"


def lengths(record: VcfRecord, kinds: list[str]) -> Iterator[Fault]:
    given = values_of(record, "SVLEN")
    if given is None:
        if any(kinds):
            yield "INFO/SVLEN", "nothing", "a value beside a symbolic allele"
        return
    if len(given) != len(kinds):
        return
    if any(kind and value == "." for kind, value in zip(kinds, given, strict=True)):
        yield "INFO/SVLEN", "a point", "a length for each symbolic allele"
    if any(not kind and value != "." for kind, value in zip(kinds, given, strict=True)):
        yield "INFO/SVLEN", "a length", "a point for alleles other than DEL, DUP, INS, INV, CNV"
    if any(value.startswith("-") for value in given):
        yield "INFO/SVLEN", "a negative length", "a length of 0 or more"


def claims(record: VcfRecord, kinds: list[str]) -> Iterator[Fault]:
    given = values_of(record, "SVCLAIM")
    if given is None:
        if {"DEL", "DUP"} & set(kinds):
            yield "INFO/SVCLAIM", "nothing", "a value beside a symbolic allele"
        return
    if len(given) != len(kinds):
        yield "INFO/SVCLAIM", f"{len(given)} values", f"{len(kinds)} values"
        return
    for kind, claim in zip(kinds, given, strict=True):
        if claim == "." and kind not in ("DEL", "DUP"):
            continue
        if claim not in CLAIMS.get(kind, {"J"}):
            yield "INFO/SVCLAIM", shape(claim), f"{' or '.join(sorted(CLAIMS.get(kind, {'J'})))} for this allele"


def intervals(record: VcfRecord) -> Iterator[Fault]:
    """Confidence intervals are pairs around zero; mobile elements have four values each."""
    for key in INTERVALS:
        yield from interval(f"INFO/{key}", values_of(record, key) or [])
    for key in ("MEINFO", "METRANS"):
        if len(given := values_of(record, key) or []) % 4 and given != ["."]:
            yield f"INFO/{key}", f"{len(given)} values", "four values for each allele"
    if "CICN" in record.layout.keys:
        place = record.layout.keys.index("CICN")
        for text in record.samples:
            fields = text.split(":")
            yield from interval("FORMAT/CICN", fields[place].split(",") if place < len(fields) else [])
            if "CN" not in record.layout.keys:
                yield "FORMAT/CICN", "no CN", "CN beside it"


def interval(path: str, values: list[str]) -> Iterator[Fault]:
    if not values or values == ["."]:
        return
    if len(values) % 2:
        yield path, f"{len(values)} values", "pairs of values"
        return
    for low, high in zip(values[::2], values[1::2], strict=True):
        if (low == ".") != (high == "."):
            yield path, "half a pair", "both ends, or a point for both"
        elif low != "." and (number(low) > 0 or number(high) < 0):
            yield path, shape(f"{low},{high}"), "an interval around zero"


def number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def repeats(record: VcfRecord) -> Iterator[Fault]:
    """RN says how many repeat sequences an allele has (else one); RUS or RUL, RUC and RB have a value for each."""
    n = sum(int(number(value)) or 1 for value in values_of(record, "RN") or ["1"] * len(record.alts))
    if "RUS" not in record.info and "RUL" not in record.info:
        yield "INFO/RUS", "nothing", "RUS or RUL beside a tandem repeat"
        return
    for key in PER_REPEAT:
        given = values_of(record, key)
        if given is not None and len(given) != n:
            yield f"INFO/{key}", f"{len(given)} values", f"{n} values (RN)"
            return
    units, sizes = values_of(record, "RUS"), values_of(record, "RUL")
    if units and sizes and any(size not in (".", str(len(unit))) for unit, size in zip(units, sizes, strict=True)):
        yield "INFO/RUL", "another length", "the length of RUS"
    yield from repeat_counts(record, [float(len(unit)) for unit in units] if units else [*map(number, sizes or [])])
    for key in ("CIRUC", "CIRB"):
        given = values_of(record, key)
        if given is not None and given != ["."] and len(given) != 2 * n:
            yield f"INFO/{key}", f"{len(given)} values", f"{2 * n} values"
        if given is not None and key[2:] not in record.info:
            yield f"INFO/{key}", f"no {key[2:]}", f"{key[2:]} beside it"


def repeat_counts(record: VcfRecord, sizes: list[float]) -> Iterator[Fault]:
    counts, bases, each = (values_of(record, key) for key in ("RUC", "RB", "RUB"))
    if counts and bases:
        for size, count, n_bases in zip(sizes, counts, bases, strict=False):
            if "." not in (count, n_bases) and abs(number(count) * size - number(n_bases)) >= size:
                yield "INFO/RB", "another number of bases", "RUC times the length of the unit"
    if each and not counts:
        yield "INFO/RUB", "no RUC", "RUC beside it"
    elif each and counts and len(each) != sum(-int(-number(count) // 1) for count in counts):
        yield "INFO/RUB", f"{len(each)} values", "a value for each repeat that RUC counts"


def phases(record: VcfRecord) -> Iterator[Fault]:
    """PSL names a set for each phased allele and none for the others; PSO and PSQ go with PSL."""
    keys = record.layout.keys
    if "PSL" not in keys and {"PSO", "PSQ"} & set(keys):
        yield "FORMAT/PSL", "nothing", "PSL beside PSO and PSQ"
    for text in record.samples:
        fields = dict(zip(keys, text.split(":"), strict=False))
        genotype = read_genotype(fields.get("GT", ""))
        if genotype is None or "PSL" not in fields:
            continue
        sets = fields["PSL"].split(",")
        phased = phased_alleles(fields["GT"])
        if len(sets) != len(phased):
            yield "FORMAT/PSL", f"{len(sets)} values", f"{len(phased)} values, as alleles in GT"
        elif any(name != "." and not is_phased for name, is_phased in zip(sets, phased, strict=True)):
            yield "FORMAT/PSL", "a set for an unphased allele", "a point"
        for key in ("PSO", "PSQ"):
            values = fields.get(key, ".").split(",")
            if values != ["."] and any(value != "." and name == "." for value, name in zip(values, sets, strict=False)):
                yield f"FORMAT/{key}", "a value without a set", "a point where PSL has none"


def phased_alleles(text: str) -> list[bool]:
    """Which alleles of a genotype are phased: those after a bar; the first as written, else when all others are."""
    marks = re.findall(r"([/|]?)(?:\d+|\.)", text)
    rest = [mark == "|" for mark in marks[1:]]
    return [marks[0] == "|" if marks and marks[0] else all(rest), *rest] if marks else []
