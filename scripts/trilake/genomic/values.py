"""INFO and sample values against their declared (or reserved) Number and Type.

Pure; called by `record.read_record`. Source: VCF 4.0 to 4.5, sections 1.4.2, 1.4.4 and 1.6.

Example: check_info(record, header, faults)
"""

from __future__ import annotations

import re
from math import comb
from typing import TYPE_CHECKING

from trilake.genomic.header import VcfHeader
from trilake.genomic.reserved import FORMAT, INFO, NEVER_NEGATIVE, Field

if TYPE_CHECKING:
    from trilake.genomic.record import Faults, VcfRecord

INTEGER = re.compile(r"[-+]?\d+")
FLOAT = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|inf(?:inity)?|nan)", flags=re.IGNORECASE)
CIGAR = re.compile(r"(?:\d+[MIDNSHPX=])+")
GENOTYPE = re.compile(r"[/|]?(?:\d+|\.)(?:[/|](?:\d+|\.))*[/|]?")
FORMAT_KEY = re.compile(r"[A-Za-z_][0-9A-Za-z_.%]*")
ALLELE = re.compile(r"\d+|\.")
SYMBOLIC_LENGTH = ("<DEL", "<DUP", "<INS", "<INV", "<CNV")
CLAIMS = {"D", "J", "DJ", "."}


def check_info(record: VcfRecord, header: VcfHeader, faults: Faults) -> None:
    for key, value in record.info.items():
        declared = header.info.get(key) or INFO.get(key)
        if declared is not None:
            check_info_value(key, value, declared, len(record.alts), faults)
    if record.info.get("END") and INTEGER.fullmatch(record.info["END"] or "") and record.pos:
        check_end(record, int(record.info["END"] or 0), faults)
    check_structural(record, header, faults)
    for claim in (record.info.get("SVCLAIM") or "").split(","):
        if claim and claim not in CLAIMS:
            faults.add("VCF_INFO", "INFO/SVCLAIM", claim, "D, J or DJ")


def check_structural(record: VcfRecord, header: VcfHeader, faults: Faults) -> None:
    """VCF 4.4 wants SVLEN and SVCLAIM beside <DEL> and <DUP>; its own examples leave them out, so a warning."""
    if header.version < "4.4" or not any(alt.startswith(SYMBOLIC_LENGTH) for alt in record.alts):
        return
    wanted = ["SVLEN", "SVCLAIM"] if any(alt.startswith(("<DEL", "<DUP")) for alt in record.alts) else ["SVLEN"]
    for key in wanted:
        if key not in record.info:
            faults.add("VCF_INFO", f"INFO/{key}", "nothing", "a value beside a symbolic allele", is_warning=True)


def check_end(record: VcfRecord, end: int, faults: Faults) -> None:
    if end < record.pos - 1:
        faults.add("VCF_INFO", "INFO/END", str(end), f"POS ({record.pos}) or more", is_warning=True)


def check_info_value(key: str, value: str | None, declared: Field, n_alts: int, faults: Faults) -> None:
    path = f"INFO/{key}"
    if declared.type == "Flag":
        if value not in (None, "", "0", "1"):
            faults.add("VCF_INFO", path, value or "", "no value: the key is a flag")
        return
    if value is None:
        if declared.number != "0":
            faults.add("VCF_INFO", path, "no value", f"a value of type {declared.type}")
        return
    values = [value] if value.startswith('"') else value.split(",")
    # A record without ALT (.) may keep the per-allele values of the alleles that were there.
    count = expected_count(declared.number, n_alts, ploidy=None) if n_alts or declared.number.isdigit() else None
    if value != "." and count is not None and count != len(values):
        faults.add("VCF_INFO", path, f"{len(values)} values", f"{count} values (Number={declared.number})")
    for item in values:
        if wrong := wrong_value(item, declared.type) or wrong_for_key(item, key):
            faults.add("VCF_INFO", path, item, wrong)


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
        return "" if INTEGER.fullmatch(text) else "an integer"
    if kind == "Float":
        return "" if FLOAT.fullmatch(text) else "a number"
    if kind == "Character":
        return "" if len(text) == 1 else "one character"
    return ""


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
    return None


def check_samples(record: VcfRecord, header: VcfHeader, faults: Faults) -> None:
    if not record.samples:
        return
    if not check_format(record, faults):
        return
    for name, text in zip(header.samples, record.samples, strict=True):
        check_sample(record, header, f"sample {header.samples.index(name) + 1}", text.split(":"), faults)


def check_format(record: VcfRecord, faults: Faults) -> bool:
    keys = record.format
    if record.format == ["."]:
        return False
    for key in keys:
        if not FORMAT_KEY.fullmatch(key):
            faults.add("VCF_FORMAT", "FORMAT", key or "an empty key", "keys of letters, digits, _ and .")
    if len(set(keys)) < len(keys):
        faults.add("VCF_FORMAT", "FORMAT", ":".join(keys), "each key once")
    if "GT" in keys[1:]:
        faults.add("VCF_FORMAT", "FORMAT", ":".join(keys), "GT first")
    return not any(reason.code == "VCF_FORMAT" for reason in faults.reasons)


def check_sample(record: VcfRecord, header: VcfHeader, name: str, values: list[str], faults: Faults) -> None:
    if len(values) > len(record.format):
        faults.add("VCF_SAMPLE", name, f"{len(values)} fields", f"at most {len(record.format)} fields, as in FORMAT")
        return
    ploidy: int | None = None
    if record.format[0] == "GT":
        if not GENOTYPE.fullmatch(values[0]):
            faults.add("VCF_GENOTYPE", name, values[0], "allele indexes separated by / or |")
            return
        indexes = ALLELE.findall(values[0])
        ploidy = len(indexes)
        if any(index != "." and int(index) > len(record.alts) for index in indexes):
            # With ALT `.` the alleles were dropped, not invented: kept as "another alternate" (calls 2).
            expected = f"allele indexes of 0 to {len(record.alts)}"
            faults.add("VCF_GENOTYPE", name, values[0], expected, is_warning=not record.alts)
    for key, value in zip(
        record.format[1:] if ploidy else record.format, values[1:] if ploidy else values, strict=False
    ):
        check_sample_value(record, header, f"{name}/{key}", key, value, ploidy, faults)


def check_sample_value(
    record: VcfRecord, header: VcfHeader, path: str, key: str, value: str, ploidy: int | None, faults: Faults
) -> None:
    declared = header.format.get(key)
    reserved = FORMAT.get(key)
    rule = declared or reserved
    if rule is None or value == ".":
        return
    values = value.split(",")
    count = expected_count(rule.number, len(record.alts), ploidy) if record.alts or rule.number.isdigit() else None
    is_all_missing = all(item == "." for item in values)
    if count is not None and count != len(values) and not is_all_missing:
        faults.add("VCF_SAMPLE", path, f"{len(values)} values", f"{count} values (Number={rule.number})")
    # Undeclared keys are held to their number only: many callers write reserved keys in forms of their own.
    for item in values if declared else []:
        wrong = wrong_value(item, rule.type)
        if wrong:
            faults.add("VCF_SAMPLE", path, item, wrong)
