"""The header of a VCF: what it declares, and which rules of the specification it breaks.

Source: VCF 4.0 to 4.5, section 1.4.

Example: header, reasons = read_header(lines)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from trilake.core.ledger import Reason, shape
from trilake.genomic.genome_build import build_in_words, build_of_contig, contig_name, known_length
from trilake.genomic.reserved import TYPES, Field, as_written, reserved_field

if TYPE_CHECKING:
    from trilake.genomic.values import Layout

URL = re.compile(
    r"(?:https?|ftp|file|s3|gs)://(?:[\w-]*[a-z][\w.-]*|\d+\.\d+\.\d+\.\d+|)(?::\d+)?(?:/\S*)?", flags=re.IGNORECASE
)
COUNT = re.compile(r"\d+|\.|[ARGPM]|L[ARG]")
NAME = re.compile(r"[^\s,:;<>\"]+")
# VCF 4.3, section 1.4.7, but for the asterisk, which `odd_contig` judges.
CONTIG = re.compile(r"[0-9A-Za-z!#$%&+./:;?@^_|~-][0-9A-Za-z!#$%&*+./:;=?@^_|~-]*")
OLD_MITOCHONDRION = "16571"  # Of chrM in UCSC's hg19, which is another sequence (NC_001807).
MD5 = re.compile(r"[0-9A-Fa-f]{32}|")
ENTRY = re.compile(r' *([^=,"\s<>]+)=("(?:[^"\\]|\\.)*"|\[[^\]]*\]|(?:[^,"][^,]*)?)(?:,|$)')
FIELD_ID = re.compile(r"[A-Za-z_][0-9A-Za-z_.]*|1000G")
Fault = tuple[str, str, str]
BOM = "\ufeff"
WRONG_BYTE = re.compile("[\udc80-\udcff\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]")
FILEFORMAT = re.compile(r"##fileformat=VCFv4\.[0-5]")
META = re.compile(r"##(?P<key>[^\s=<>]+)=(?P<value>.+)")
# Lines that records are read by: when one is broken the file is refused. All others may look as they like
# (`##Mutect Version=2.1`, `##source=`).
BEARING = re.compile(r"##\W*(?:fileformat|INFO|FORMAT|FILTER|ALT|contig|SAMPLE|META)\b", flags=re.IGNORECASE)
COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"]
STRUCTURED = {"INFO", "FORMAT", "FILTER", "ALT", "contig", "SAMPLE", "META"}
# Whether the URL stands in angle brackets.
ADDRESSES = {"assembly": False, "pedigreeDB": True}
NUMBER = re.compile(r"\d+|[ARG.]|[PM]|LA|LR|LG")
ALT_ID = re.compile(r"[^\s,<>]+")
# First level of a symbolic allele (VCF 4.3, section 1.4.5); <NON_REF> is GATK's, <*> what the specification made of it.
ALT_PREFIXES = {"DEL", "INS", "DUP", "INV", "CNV", "BND", "NON_REF", "*"}
UNQUOTED = re.compile(r'"(?:[^"\\]|\\.)*"|\[[^\]]*\]')
QUOTED = {"Description", "Source", "Version"}


@dataclass
class VcfHeader:
    """What the header declares. `samples` is empty for a sites-only file.

    `builds` are those that the lengths of chromosomes tell, `named_builds` those in words, with the line of
    each. `lines` are the header as it stands in the file; `layouts` belongs to `values.layout_of`, `limits` to `limit`.
    """

    version: str = ""
    info: dict[str, Field] = field(default_factory=dict)
    format: dict[str, Field] = field(default_factory=dict)
    filters: set[str] = field(default_factory=set)
    alts: set[str] = field(default_factory=set)
    contigs: dict[str, int | None] = field(default_factory=dict)
    samples: list[str] = field(default_factory=list)
    builds: dict[str, int] = field(default_factory=dict)
    named_builds: dict[str, int] = field(default_factory=dict)
    file_date: str | None = None
    n_lines: int = 0
    lines: list[str] = field(default_factory=list)
    layouts: dict[str, Layout] = field(default_factory=dict)
    limits: dict[str, int | None] = field(default_factory=dict)
    _seen: set[tuple[str, str]] = field(default_factory=set)

    @property
    def reference_genome(self) -> str | None:
        """The build of the file, by lengths before words; None when the header does not tell."""
        return next(iter(self.builds or self.named_builds), None)

    @property
    def has_format_alone(self) -> bool:
        """A FORMAT column and no sample: records have nine columns."""
        return not self.samples and self.lines[-1].endswith("\tFORMAT")

    def limit(self, contig: str) -> int | None:
        """The last position of a contig, as declared or, of a chromosome, as the build has it; None when not known."""
        if contig not in self.limits:
            self.limits[contig] = self.contigs.get(contig) or known_length(contig, self.reference_genome)
        return self.limits[contig]


def read_header(lines: Iterable[tuple[int, str]]) -> tuple[VcfHeader, list[Reason]]:
    """The header from the first lines up to the column line, and every rule it breaks (`is_warning`: loaded anyway).

    Takes numbered lines and stops after `#CHROM`; the rest of the iterator holds the records.
    """
    header, reasons = VcfHeader(), []
    for number, line in lines:
        header.n_lines = number
        if number == 1 and line.startswith(BOM):
            line = line.removeprefix(BOM)
            reasons.append(fault(1, "fileformat", "a byte order mark", "## as the first bytes", is_warning=True))
        if not line.startswith("#") and (line.strip() or number == 1):
            reasons.append(fault(number, "#CHROM line", "a record", "a column line before the first record"))
            return header, reasons
        header.lines.append(line)
        if has_wrong_bytes(line):
            reasons.append(wrong_bytes(number, line))
            line = readable(line)
        if number > 1 and not line.strip():
            reasons.append(fault(number, "header line", "an empty line", "no empty lines", is_warning=True))
        elif number == 1:
            reasons += check_fileformat(header, line)
        elif line.startswith("##"):
            reasons += read_meta(header, number, line)
        else:
            return header, reasons + read_columns(header, number, line) + check_builds(header)
    reasons.append(fault(header.n_lines or 1, "#CHROM line", "the end of the file", "a column line"))
    return header, reasons


def check_fileformat(header: VcfHeader, line: str) -> list[Reason]:
    if not FILEFORMAT.fullmatch(line):
        # A first line that is no meta line may be a record, of a patient: its shape alone is told.
        first_line = line if line.startswith("##") else shape(line)
        return [fault(1, "fileformat", first_line, "##fileformat=VCFv4.0 to VCFv4.5 as the first line")]
    header.version = line.removeprefix("##fileformat=VCFv")
    return []


def read_meta(header: VcfHeader, number: int, line: str) -> list[Reason]:
    """Take in one ## line."""
    match = META.fullmatch(line)
    if match is None or match["key"].startswith("#"):
        is_passed_over = match is not None or BEARING.match(line) is None
        return [fault(number, "meta line", shape(line), "##key=value", is_warning=is_passed_over)]
    key, value = match["key"], match["value"]
    if key in ("reference", "contig", "assembly") and (named := build_in_words(value)):
        header.named_builds.setdefault(named, number)
    if key == "fileDate":
        header.file_date = re.sub(r"\D", "", value) or None
    if key in ADDRESSES:
        return check_address(number, key, value)
    if value.startswith("<"):
        return read_structured(header, number, key, value)
    if key == "fileformat":
        return [fault(number, key, "a second one", "one, as the first line", is_warning=True)]
    if key not in STRUCTURED and key != "PEDIGREE":
        return []
    return [fault(number, key, shape(value), f"##{key}=<ID=...>", is_warning=key == "PEDIGREE")]


def check_address(number: int, key: str, value: str) -> list[Reason]:
    """`assembly` and `pedigreeDB` are URLs; the latter in angle brackets."""
    is_bracketed = value.startswith("<") and value.endswith(">")
    if URL.fullmatch(value.strip("<>")) and is_bracketed == ADDRESSES[key]:
        return []
    expected = "a URL in angle brackets" if ADDRESSES[key] else "a URL"
    return [fault(number, key, shape(value), expected, is_warning=True)]


def read_structured(header: VcfHeader, number: int, key: str, value: str) -> list[Reason]:
    """Take in one ##key=<...> line."""
    if not value.endswith(">"):
        return [fault(number, key, shape(value), "a closing '>'")]
    entries = split_entries(value[1:-1])
    if entries is None:
        expected = "key=value pairs, text in closed double quotes"
        if key not in STRUCTURED and key != "PEDIGREE":
            return []
        return [fault(number, key, shape(value), expected, is_warning=key == "PEDIGREE")]
    values = dict(entries)
    reasons = check_entries(number, key, entries, forbidden=forbidden_in(key, header.version))
    if key in ("INFO", "FORMAT"):
        reasons += declare(header, number, key, values)
    elif key == "FILTER" and "ID" in values:
        header.filters.add(values["ID"])
    elif key == "ALT":
        header.alts.add(values.get("ID", ""))
        reasons += check_alt(number, values.get("ID", ""))
    elif key == "contig" and "ID" in values:
        declare_contig(header, number, values)
    if re.search(r", +[A-Za-z]+=", UNQUOTED.sub("", value)):
        reasons.append(fault(number, key, "white space after a comma", "key=value,key=value", is_warning=True))
    reasons += [fault(number, *broken, is_warning=True) for broken in check_meta(key, values, header.version)]
    return reasons + check_twice(header, number, key, values)


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


def check_twice(header: VcfHeader, number: int, key: str, values: dict[str, str]) -> list[Reason]:
    reasons = []
    identity = (key, values.get("ID", ""))
    if key in STRUCTURED and identity[1]:
        if identity in header._seen:
            path = f"{key} {shape(identity[1]) if key == 'SAMPLE' else identity[1]}"
            reasons.append(fault(number, path, "declared twice", "one declaration", is_warning=True))
        header._seen.add(identity)
    return reasons


def declare_contig(header: VcfHeader, number: int, values: dict[str, str]) -> None:
    name, length = values["ID"], values.get("length", "")
    header.contigs[name] = int(length) if length.isdigit() else None
    if build := build_of_contig(name, header.contigs[name]):
        header.builds.setdefault(build, number)


def forbidden_in(key: str, version: str) -> str:
    """What an ID must not have: a pattern."""
    if key == "contig":
        return r"[\s,<>]|^[*=]"
    return r"[\s,<>]" if version < "4.3" else r"[\s,<>*]"


def check_entries(number: int, key: str, entries: list[tuple[str, str]], *, forbidden: str) -> list[Reason]:
    names, values = [name for name, _ in entries], dict(entries)
    reasons = []
    if key in STRUCTURED and not values.get("ID"):
        reasons.append(fault(number, key, ",".join(names), "an ID", is_warning=key == "SAMPLE"))
    elif key in STRUCTURED and names[0] != "ID":
        reasons.append(fault(number, key, names[0], "ID first", is_warning=True))
    if key in ("SAMPLE", "contig", "META") and re.search(forbidden, values.get("ID", "")):
        reasons.append(
            fault(number, f"{key}.ID", shape(values["ID"]), "an ID without white space, comma and brackets, or * first")
        )
    if key in ("INFO", "FORMAT", "FILTER", "ALT") and not values.get("Description", "").startswith('"'):
        description = values.get("Description", "nothing")
        is_optional = key in ("FILTER", "ALT") and description == "nothing"
        reasons.append(
            fault(number, f"{key}.Description", description, "text in double quotes", is_warning=is_optional)
        )
    if len(values) < len(names):
        reasons.append(fault(number, key, "a key given twice", "each key once", is_warning=True))
    if key == "ALT" and {"Number", "Type"} & set(names):
        reasons.append(fault(number, key, ",".join(names), "ID and Description only", is_warning=True))
    if key == "META" and not values.get("Values", "[]").startswith("["):
        reasons.append(fault(number, "META.Values", values["Values"], "a list in square brackets"))
    return reasons


def declare(header: VcfHeader, number: int, key: str, values: dict[str, str]) -> list[Reason]:
    """Take in an INFO or FORMAT declaration; a reserved key declared otherwise is a warning, as callers do it."""
    name, count, kind = values.get("ID", ""), values.get("Number", ""), values.get("Type", "")
    reasons = []
    if count == "-1":  # VCF 3.3 wrote "any number" so, and some callers still do.
        reasons.append(fault(number, f"{key} {name}.Number", count, "., as of VCF 4.0", is_warning=True))
        count = "."
    if not NUMBER.fullmatch(count):
        reasons.append(fault(number, f"{key} {name}.Number", count or "nothing", "a count, A, R, G or ."))
    if kind not in TYPES or (key == "FORMAT" and kind == "Flag"):
        reasons.append(
            fault(number, f"{key} {name}.Type", kind or "nothing", "Integer, Float, Flag, Character or String")
        )
    if any(not reason.is_warning for reason in reasons):
        return reasons
    # GATK declares allele-specific texts (AS_SB_TABLE) with a Number that its own values break: `as_written` says how
    # they are to be read.
    declared, reserved = as_written(name, Field(count, kind)), reserved_field(key, name, header.version)
    (header.info if key == "INFO" else header.format)[name] = declared
    reasons += [fault(number, *broken, is_warning=True) for broken in check_field(key, values)]
    if reserved and declared != reserved:
        words = f"Number={reserved.number}, Type={reserved.type} for this reserved key"
        reasons.append(fault(number, f"{key} {name}", f"Number={count}, Type={kind}", words, is_warning=True))
    return reasons


def check_alt(number: int, name: str) -> list[Reason]:
    if not ALT_ID.fullmatch(name):
        return [fault(number, "ALT.ID", name, "an ID without white space, commas and angle brackets")]
    if ":" in name and name.split(":")[0] not in ALT_PREFIXES:
        return [fault(number, "ALT.ID", name, "a prefix of DEL, INS, DUP, INV, CNV", is_warning=True)]
    return []


def read_columns(header: VcfHeader, number: int, line: str) -> list[Reason]:
    """Take in the #CHROM line."""
    names = line.split("\t")
    if names[:8] != COLUMNS:
        return [fault(number, "#CHROM line", shape(line), "tab-separated " + " ".join(COLUMNS))]
    if len(names) > 8 and names[8] != "FORMAT":
        return [fault(number, "#CHROM line", shape(names[8]), "FORMAT as the ninth column")]
    header.samples = names[9:]
    if len(names) == 9:
        return [fault(number, "#CHROM line", "FORMAT without samples", "a sample, or no FORMAT", is_warning=True)]
    if any(not name.strip() for name in header.samples):
        return [fault(number, "#CHROM line", "an empty sample name", "a name for each sample after FORMAT")]
    twice = [name for name, count in Counter(header.samples).items() if count > 1]
    return (
        [fault(number, "#CHROM line", f"{len(twice)} sample names used twice", "unique sample names")] if twice else []
    )


def check_builds(header: VcfHeader) -> list[Reason]:
    """A header that tells two builds could be of either. Tools that lift records over leave the old ##reference behind,
    so the lengths of chromosomes count; where they too tell two, the file is refused."""
    builds = header.builds or header.named_builds
    others = header.named_builds if header.builds else {}
    build = next(iter(builds), "")
    if len(builds) > 1:
        other, line = list(builds.items())[1]
        return [Reason("VCF_BUILD", f"one reference genome; {build} was told before", other, line, "reference, contig")]
    expected = f"{build}, which the lengths of the contigs tell, and which counts"
    return [
        Reason("VCF_BUILD", expected, other, line, "reference, contig", is_warning=True)
        for other, line in others.items()
        if other != build
    ]


def fault(line: int, path: str, found: str, expected: str, *, is_warning: bool = False) -> Reason:
    return Reason("VCF_HEADER", expected=expected, found=found, line=line, path=path, is_warning=is_warning)


def wrong_bytes(number: int, line: str) -> Reason:
    """Bytes that are no UTF-8 are passed over in descriptions; a sample's name must be known for certain."""
    expected = "text in UTF-8; other bytes are passed over"
    return fault(number, "header line", "other bytes", expected, is_warning=line.startswith("##"))


# Rules of single kinds of meta lines (VCF 4.3, section 1.4). None of them refuses a file: callers break them all, and
# no row depends on them.


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
    return "an asterisk in names of HLA alleles alone" if "*" in name and not name.startswith("HLA-") else ""


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


# Text. Not all files are UTF-8, as 4.3 wants it: lone surrogates carry other bytes through, so that a refused line goes
# into quarantine byte for byte.


def decode(raw: bytes) -> str:
    """A line without its line end; bytes that are no UTF-8 stay in it as lone surrogates."""
    return raw.decode("utf-8", "surrogateescape").rstrip("\r\n")


def has_wrong_bytes(text: str) -> bool:
    """Whether a decoded line held bytes that are no UTF-8, or control characters, which no version allows."""
    return WRONG_BYTE.search(text) is not None


def readable(text: str) -> str:
    """The text with a replacement character for each wrong byte."""
    return WRONG_BYTE.sub("\ufffd", text)


def encode(text: str) -> bytes:
    """The bytes that a decoded line came from."""
    return text.encode("utf-8", "surrogateescape")
