"""The entries of structured header lines, and lines that do not bear on how records are read: META, SAMPLE, PEDIGREE,
assembly, pedigreeDB, contig.

Pure. What is wrong with the latter is told and passed over: no record depends on it. Source: VCF 4.0 to 4.5,
section 1.4.

Example: check_meta("META", {"ID": "Assay", "Number": "N"}, "4.3")  ->  [("META.Number", "N", "a count or .")]
"""

from __future__ import annotations

import re
from functools import lru_cache

from trilake.core.ledger import shape
from trilake.genomic.builds import contig_name

URL = re.compile(
    r"(?:https?|ftp|file|s3|gs)://(?:[\w-]*[a-z][\w.-]*|\d+\.\d+\.\d+\.\d+|)(?::\d+)?(?:/\S*)?", flags=re.IGNORECASE
)
TYPES = {"Integer", "Float", "Flag", "Character", "String"}
COUNT = re.compile(r"\d+|\.|[ARGPM]|L[ARG]")
NAME = re.compile(r"[^\s,:;<>\"]+")
CONTIG = re.compile(r"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*")
HLA_ALLELE = "HLA-"
OLD_MITOCHONDRION = "16571"
MD5 = re.compile(r"[0-9A-Fa-f]{32}|")
ENTRY = re.compile(r' *([^=,"\s<>]+)=("(?:[^"\\]|\\.)*"|\[[^\]]*\]|(?:[^,"][^,]*)?)(?:,|$)')
FIELD_ID = re.compile(r"[A-Za-z_][0-9A-Za-z_.]*|1000G")
Fault = tuple[str, str, str]


def split_entries(text: str) -> list[tuple[str, str]] | None:
    """(key, value) pairs of `ID=x,Description="a, b"`; None when the text is not made of such pairs."""
    entries, position = [], 0
    while position < len(text):
        match = ENTRY.match(text, position)
        if match is None:
            return None
        entries.append((match[1], match[2]))
        position = match.end()
    return None if text.endswith(",") else entries


def check_meta(key: str, values: dict[str, str], version: str) -> list[Fault]:
    """(path, found, expected) of each rule that the line breaks."""
    check = CHECKS.get(key)
    return check(values, version) if check else []


def check_meta_line(values: dict[str, str], version: str) -> list[Fault]:
    faults = []
    if "Number" in values and not COUNT.fullmatch(values["Number"]):
        faults.append(("META.Number", shape(values["Number"]), "a count or ."))
    if "Type" in values and values["Type"] not in TYPES:
        faults.append(("META.Type", shape(values["Type"]), "Integer, Float, Flag, Character or String"))
    return faults


def check_sample(values: dict[str, str], version: str) -> list[Fault]:
    """4.1 and 4.2 want Genomes, Mixture and Description beside the ID; only the Description in quotes."""
    if version >= "4.3":
        return []
    faults = [
        (f"SAMPLE.{name}", "nothing", "Genomes, Mixture and Description")
        for name in ("Genomes", "Mixture", "Description")
        if name not in values
    ]
    quoted = [name for name, value in values.items() if value.startswith('"') and name != "Description"]
    return faults + [(f"SAMPLE.{name}", "text in quotes", "text without quotes") for name in quoted]


def check_pedigree(values: dict[str, str], version: str) -> list[Fault]:
    faults = [] if version < "4.3" or values.get("ID") else [("PEDIGREE.ID", "nothing", "an ID")]
    wrong = [name for name, value in values.items() if not NAME.fullmatch(value.strip('"'))]
    return faults + [
        (f"PEDIGREE.{name}", shape(values[name]), "a name without white space and : ; ,") for name in wrong
    ]


def check_contig(values: dict[str, str], version: str) -> list[Fault]:
    faults, length, name = [], values.get("length"), values.get("ID", "")
    if length is not None and not (length.isdigit() and 0 < int(length) <= 1 << 40):
        faults.append(("contig.length", shape(length), "a length of 1 or more"))
    if name and (odd := odd_contig(name, version)):
        faults.append(("contig.ID", shape(name), odd))
    if length == OLD_MITOCHONDRION and contig_name(name) == "MT":
        faults.append(
            ("contig.length", length, "16569, as the revised Cambridge sequence; positions of hg19's old chrM differ")
        )
    if not MD5.fullmatch(values.get("md5", "").strip('"')):
        faults.append(("contig.md5", shape(values["md5"]), "32 hexadecimal digits"))
    return faults


@lru_cache(maxsize=10_000)
def odd_contig(name: str, version: str) -> str:
    """What was expected, when a contig's name is not as 4.3 wants it. An asterisk, which stands in the 525 HLA contigs
    of GRCh38's analysis set (`HLA-A*01:01:01:01`), is a slip elsewhere."""
    if version < "4.3":
        return ""
    if not CONTIG.fullmatch(name):
        return "printable characters but for quotes, commas, slashes and brackets"
    return "an asterisk in names of HLA alleles alone" if "*" in name and not name.startswith(HLA_ALLELE) else ""


def check_filter(values: dict[str, str], version: str) -> list[Fault]:
    name = values.get("ID", "")
    is_sound = not name or (name != "0" and not re.search(r"[\s;,]", name))
    return [] if is_sound else [("FILTER.ID", shape(name), "a name other than 0, without white space, ; and ,")]


def check_field(kind: str, values: dict[str, str]) -> list[Fault]:
    """An INFO or FORMAT declaration whose ID or combination of Number and Type the specification does not have."""
    name, count, form = values.get("ID", ""), values.get("Number", ""), values.get("Type", "")
    faults = []
    if not FIELD_ID.fullmatch(name):
        faults.append((f"{kind}.ID", shape(name), "letters, digits, _ and ., no digit first"))
    if (form == "Flag") != (count == "0"):
        faults.append((f"{kind} {name}", f"Number={count}, Type={form}", "Number=0 with Type=Flag, and only there"))
    return faults


CHECKS = {
    "META": check_meta_line,
    "SAMPLE": check_sample,
    "PEDIGREE": check_pedigree,
    "contig": check_contig,
    "FILTER": check_filter,
}
