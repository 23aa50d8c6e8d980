"""INFO and sample values against their declared (or reserved) Number and Type.

Source: VCF 4.0 to 4.5, sections 1.4.2, 1.4.4 and 1.6.

Example: check_info(record, header, faults)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import comb
from typing import TYPE_CHECKING

from trilake.core.ledger import shape
from trilake.genomic.genotype import check_local, local_count, read_genotype
from trilake.genomic.header import VcfHeader
from trilake.genomic.reserved import (
    FORMAT,
    INFO,
    LOCAL,
    LOCAL_ALLELES,
    NEVER_NEGATIVE,
    NEVER_NEGATIVE_IN_SAMPLES,
    SHARES,
    Field,
)

if TYPE_CHECKING:
    from trilake.genomic.record import Faults, VcfRecord

KEY = re.compile(r"[A-Za-z_][0-9A-Za-z_.%]*")
NAMED = {"GT", "AD", "DP", "GQ", "GL", "PL", "PS", "SPL"}
"""Keys with a column of their own in the variant store."""
# A plus sign and ten digits pass here, so that `wrong_value` can say "32 bits" of a number too large.
INTEGER = re.compile(r"[-+]?\d{1,10}", flags=re.ASCII)
LARGEST = 2**31 - 1  # VCF 4.3, section 1.3: integers have 32 bits. A larger one would not fit the store's column.
# VCF 4.3, section 1.3, with inf, infinity and nan in any case.
FLOAT = re.compile(
    r"[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?|inf(?:inity)?|nan)", flags=re.IGNORECASE | re.ASCII
)
CIGAR = re.compile(r"(?:\d+[MIDNSHPX=])+", flags=re.ASCII)
PLAIN = {"Integer": r"\d{1,9}", "Float": r"\d+(?:\.\d*)?(?:[eE][-+]?\d+)?", "Character": r"[^,]", "String": r"[^,]+"}
PLAIN_SHARE = r"(?:0(?:\.\d*)?|1(?:\.0*)?|\d(?:\.\d*)?[eE]-\d+)"
NEVER = re.compile(r"(?!)")
FILTER_NAME = re.compile(r"\S+")
FILTER_NAMES = re.compile(r"[A-Za-z_]\w*", flags=re.ASCII)
SEPARATORS = ("/", "|")
# VCF 4.3, section 1.2: special characters are percent-encoded. Callers that never did write a lone % here and there.
LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
MOST_REPEATS = 1_000  # Arrow's regular expressions (RE2) refuse a pattern that repeats more often.


@dataclass(frozen=True, eq=False)
class Layout:
    """`rules` stand beside `keys`, None where any text will do; `others` are the keys without a column, with the rule
    that says how their values are split; `faults` are (found, expected) of a FORMAT that breaks the specification;
    `version` is that of the file."""

    keys: tuple[str, ...]
    rules: tuple[Field | None, ...]
    others: tuple[tuple[str, Field | None], ...]
    faults: tuple[tuple[str, str], ...]
    version: str = ""

    @property
    def allows_prefix(self) -> bool:
        """Whether a genotype may begin with / or |."""
        return self.version >= "4.4"

    @cached_property
    def is_local(self) -> bool:
        """Whether values speak of the alleles of one sample alone (VCF 4.5, LAA)."""
        return LOCAL_ALLELES in self.keys or any(rule is not None and rule.number in LOCAL for rule in self.rules)

    @cached_property
    def whole(self) -> tuple[str, ...]:
        """Keys whose columns in the variant store hold whole numbers."""
        return tuple(key for key in self.keys if key in NAMED - {"GT", "GL"})

    @property
    def is_empty(self) -> bool:
        return self.keys == (".",)

    @property
    def has_genotype(self) -> bool:
        return self.keys[0] == "GT"


def layout_of(text: str, header: VcfHeader) -> Layout:
    """The layout of a FORMAT column, kept in the header."""
    if text not in header.layouts:
        keys = tuple(text.split(":"))
        others = tuple((key, header.format.get(key) or FORMAT.get(key)) for key in keys if key not in NAMED)
        rules = tuple(rule_of(key, header) for key in keys)
        header.layouts[text] = Layout(keys, rules, others, tuple(faults_of(keys)), header.version)
    return header.layouts[text]


def rule_of(key: str, header: VcfHeader) -> Field | None:
    """The declared rule; of an undeclared reserved key the number alone, as many callers write forms of their own."""
    if key == "GT":
        return None
    reserved = FORMAT.get(key)
    return header.format.get(key) or (Field(reserved.number, "String") if reserved else None)


def faults_of(keys: tuple[str, ...]) -> list[tuple[str, str]]:
    if keys == (".",):
        return []
    faults = [(key or "an empty key", "keys of letters, digits, _ and .") for key in keys if not KEY.fullmatch(key)]
    if len(set(keys)) < len(keys):
        faults.append((":".join(keys), "each key once"))
    if "GT" in keys[1:]:
        faults.append((":".join(keys), "GT first"))
    return faults


def rule_of_info(key: str, header: VcfHeader) -> Field | None:
    """The declared rule of an INFO key, else the reserved one."""
    return header.info.get(key) or INFO.get(key)


def check_info(record: VcfRecord, header: VcfHeader, faults: Faults) -> None:
    info, n_alts = record.info, len(record.alts)
    for key, value in info.items():
        rule = rule_of_info(key, header)
        if rule is not None and not (value and plain(key, rule, n_alts, None).fullmatch(value)):
            check_info_value(key, value, rule, n_alts, faults)
    if "END" in info and INTEGER.fullmatch(info["END"] or "") and record.pos:
        check_end(record, int(info["END"] or 0), header.limit(record.chrom), faults)
    if header.version >= "4.3" and LONE_PERCENT.search("".join(value or "" for value in info.values())):
        faults.add(
            "VCF_INFO", "INFO", "a lone %", "% followed by two hexadecimal digits, %25 for itself", is_warning=True
        )


def check_info_value(key: str, value: str | None, rule: Field, n_alts: int, faults: Faults) -> None:
    path = f"INFO/{key}"
    if rule.type == "Flag":
        if value is not None:
            is_usual = value in ("", "0", "1")
            faults.add("VCF_INFO", path, shape(value), "no value: the key is a flag", is_warning=is_usual)
        return
    if value is None:
        if rule.number != "0":
            faults.add("VCF_INFO", path, "no value", f"a value of type {rule.type}")
        return
    # Some annotators put a text with commas into quotes, which VCF does not know.
    values = [value] if value.startswith('"') else value.split(",")
    count = wanted_count(rule, n_alts, ploidy=None)
    if value != "." and count is not None and count != len(values):
        expected = f"{count} values (Number={rule.number})"
        faults.add("VCF_INFO", path, f"{len(values)} values", expected, is_warning=is_free_text(key, rule))
    for item in values:
        if wrong := wrong_value(item, rule.type) or wrong_for_key(item, key):
            faults.add("VCF_INFO", path, shape(item), wrong)
        elif odd := odd_value(item, rule.type) or (odd_share(item, rule) if key == "AF" else ""):
            faults.add("VCF_INFO", path, shape(item), odd, is_warning=True)


def check_end(record: VcfRecord, end: int, limit: int | None, faults: Faults) -> None:
    if end < record.pos - 1:
        faults.add("VCF_INFO", "INFO/END", "an earlier position", "POS or more", is_warning=True)
    elif limit is not None and end > limit + 1:
        expected = f"a position in the contig of {limit:,} bases"
        faults.add("VCF_INFO", "INFO/END", "a position beyond its end", expected, is_warning=True)


def check_samples(record: VcfRecord, faults: Faults) -> None:
    layout = record.layout
    for fault in layout.faults:
        faults.add("VCF_FORMAT", "FORMAT", *fault)
    if layout.is_empty and any(text != "." for text in record.samples):
        faults.add("VCF_FORMAT", "FORMAT", "a point", "the keys of what samples hold", is_warning=True)
    if layout.faults or layout.is_empty:
        return
    is_plain = plain_sample(layout, len(record.alts)).fullmatch
    for number, text in enumerate(record.samples, start=1):
        if layout.is_local or not is_plain(text):
            check_sample(record, layout, number, text.split(":"), faults)


def check_sample(record: VcfRecord, layout: Layout, number: int, values: list[str], faults: Faults) -> None:
    if len(values) > len(layout.keys):
        expected = f"at most {len(layout.keys)} fields, as in FORMAT"
        faults.add("VCF_SAMPLE", f"sample {number}", f"{len(values)} fields", expected)
        return
    n_alts, ploidy = len(record.alts), None
    if layout.has_genotype:
        genotype = read_genotype(values[0])
        if genotype is None or (values[0][:1] in SEPARATORS and not layout.allows_prefix):
            faults.add("VCF_GENOTYPE", f"sample {number}", shape(values[0]), "allele indexes separated by / or |")
            return
        ploidy = genotype.ploidy
        if values[0][-1:] in SEPARATORS:
            faults.add(
                "VCF_GENOTYPE",
                f"sample {number}",
                shape(values[0]),
                "no separator after the last index",
                is_warning=True,
            )
        if max(genotype.indexes) > n_alts:
            # With ALT `.` the alleles were dropped, not invented: kept as "another alternate" (calls 2).
            expected = f"allele indexes of 0 to {n_alts}"
            faults.add("VCF_GENOTYPE", f"sample {number}", shape(values[0]), expected, is_warning=not n_alts)
    if layout.is_local:
        check_local(layout, number, values, n_alts, faults)
    for key, rule, value in zip(layout.keys, layout.rules, values, strict=False):
        if rule is not None and value != ".":
            count = (
                local_count(rule.number, layout, values, ploidy)
                if rule.number in LOCAL
                else wanted_count(rule, n_alts, ploidy)
            )
            check_sample_value(number, key, value, rule, count, faults)
            check_range(f"sample {number}/{key}", key, value.split(","), rule, layout.version, faults)


def check_sample_value(number: int, key: str, value: str, rule: Field, count: int | None, faults: Faults) -> None:
    path, values = f"sample {number}/{key}", value.split(",")
    # `.,.` is as missing as `.`, whatever the Number.
    is_all_missing = all(item == "." for item in values)
    if count is not None and count != len(values) and not is_all_missing:
        expected = f"{count} values (Number={rule.number})"
        faults.add("VCF_SAMPLE", path, f"{len(values)} values", expected, is_warning=is_free_text(key, rule))
    for item in values:
        if wrong := wrong_value(item, rule.type):
            faults.add("VCF_SAMPLE", path, shape(item), wrong)


def check_range(path: str, key: str, values: list[str], rule: Field, version: str, faults: Faults) -> None:
    """What a reserved key asks beyond type and number. Callers break it here and there: told, and loaded."""
    for item in values:
        odd = odd_value(item, rule.type)
        if key in NEVER_NEGATIVE_IN_SAMPLES and rule.type in ("Integer", "Float") and item.startswith("-"):
            odd = "no negative number"
        elif key == "GP" and version >= "4.3" and not wrong_value(item, rule.type):
            odd = odd_share(item, rule)
        elif key == "FT" and not is_filter(item):
            odd = "PASS, ., or filter names without white space"
        if odd:
            faults.add("VCF_SAMPLE", path, shape(item), odd, is_warning=True)


# Patterns of values in which nothing is wrong: they pass nearly every value with one regular expression, and what they
# do not pass is looked at item by item. `vector` asks the same patterns of whole columns, so that both ways agree.


@lru_cache(maxsize=10_000)
def plain(key: str, rule: Field, n_alts: int, ploidy: int | None) -> re.Pattern[str]:
    """What a value looks like in which nothing is wrong at first sight."""
    if rule.type == "Flag" or key == "CIGAR":
        return NEVER
    if key == "FT":
        return FILTER_NAMES
    is_signed = rule.type in ("Integer", "Float") and key not in NEVER_NEGATIVE | NEVER_NEGATIVE_IN_SAMPLES
    sign, form = "-?" if is_signed else "", PLAIN[rule.type]
    if key in SHARES and rule.type == "Float":
        form = PLAIN_SHARE
    item = rf"(?:\.|{sign}{form})"
    count = wanted_count(rule, n_alts, ploidy)
    if count is not None and not 0 < count <= MOST_REPEATS:
        return NEVER
    return re.compile(item + (f"(?:,{item})*" if count is None else f"(?:,{item}){{{count - 1}}}"), flags=re.ASCII)


@lru_cache(maxsize=10_000)
def plain_sample(layout: Layout, n_alts: int) -> re.Pattern[str]:
    """What a sample's column looks like in which nothing is wrong at first sight; of genotypes, the diploid ones."""
    allele = f"[0-{min(n_alts, 9)}.]"
    ploidy = 2 if layout.has_genotype else None
    parts = [
        "[^:]*" if rule is None else plain(key, rule, n_alts, ploidy).pattern.replace("[^,]", "[^,:]")
        for key, rule in zip(layout.keys, layout.rules, strict=True)
    ]
    first = f"{allele}[/|]{allele}" if layout.has_genotype else rf"(?:\.|{parts[0]})"
    rest = "".join(rf"(?::(?:\.|{part})" for part in parts[1:])
    return re.compile(first + rest + ")?" * len(parts[1:]), flags=re.ASCII)


# Rules of single values. `wrong_*` refuse the record; `odd_*` are told and loaded, as callers break them (an AF above
# 1, a negative depth) and no row depends on them.


def wanted_count(rule: Field, n_alts: int, ploidy: int | None) -> int | None:
    """How many values a rule asks for. A record without ALT may keep the values of the alleles that were there."""
    return (
        expected_count(rule.number, n_alts, ploidy) if n_alts or rule.number.isdigit() or rule.number == "P" else None
    )


def expected_count(number: str, n_alts: int, ploidy: int | None) -> int | None:
    """How many values Number asks for; None when any count will do."""
    if number.isdigit():
        return int(number)
    if number == "A":
        return n_alts
    if number == "R":
        return n_alts + 1
    if number == "G" and ploidy is not None:
        return comb(n_alts + ploidy, ploidy)
    if number == "P":
        return ploidy
    return None


def is_free_text(key: str, rule: Field) -> bool:
    """Whether a wrong number of values is told and loaded: texts of no reserved key, in which callers write commas."""
    return rule.type == "String" and key not in INFO and key not in FORMAT


@lru_cache(maxsize=10_000)
def is_filter(text: str) -> bool:
    """Whether a sample's FT reads like a FILTER."""
    names = text.split(";")
    is_alone = len(names) == 1 or not {"PASS", "."} & set(names)
    return is_alone and "0" not in names and len(set(names)) == len(names) and all(map(FILTER_NAME.fullmatch, names))


def wrong_for_key(text: str, key: str) -> str:
    """What a reserved key expects beyond its type, when `text` is not that."""
    if key in NEVER_NEGATIVE and text.startswith("-"):
        return "no negative number"
    if key == "CIGAR" and text != "." and not CIGAR.fullmatch(text):
        return "a CIGAR string"
    return ""


def wrong_value(text: str, kind: str) -> str:
    """What was expected, when `text` is not of the type; nothing when it is."""
    if text == ".":
        return ""
    if kind == "Integer":
        return "" if INTEGER.fullmatch(text) and abs(int(text)) <= LARGEST else "an integer of 32 bits"
    if kind == "Float":
        return "" if FLOAT.fullmatch(text) else "a number"
    if kind == "Character":
        return "" if len(text) == 1 else "one character"
    return ""


def odd_value(text: str, kind: str) -> str:
    """What was expected, when a text is empty: a point stands for what is missing."""
    return "a value, or a point" if kind == "String" and not text else ""


def odd_share(text: str, rule: Field) -> str:
    """What was expected, when a number is not between 0 and 1."""
    is_share = rule.type != "Float" or text == "." or 0 <= float(text) <= 1
    return "" if is_share else "a number from 0 to 1"
