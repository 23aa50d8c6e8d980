"""The Coherent data set's DNA csv to a VCF: one panel of markers of one patient, named by the uuid in the file's name.

Source: header and meaning of the columns as in the Synthea Coherent
Data Set (Electronics 2022, 11(8), 1199), positions GRCh38. What the csv says and does not say:

- each marker is a row, carried or not: VARIANT is true and ALLELE holds `ancestral>variant` where it is carried;
- in how many copies it does not say: carried is `./1` (one copy for certain, the other unknown), or `1` on Y and MT;
  not carried is `0/0`, or `0`;
- REF is the ancestral allele, which is not the reference base everywhere: the csv holds no reference. INFO AA repeats
  it;
- alleles of a row on the minus strand are complemented;
- insertions and deletions (`-`) lack the base before them that VCF needs: such an allele is left out with a remark, and
  a row that carries one is refused;
- rows of one place and ancestral allele (`rs1_2`) are one record with the alleles of all of them.

Example: convert(["INDEX,INDEX_PREFIX,...", "rs1,..."], "Ann_Stone_<uuid>_dna.csv").lines
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from trilake.core.ledger import Reason, shape
from trilake.core.recognise import DNA_COLUMNS

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
RS_ID = re.compile(r"rs\d+", re.IGNORECASE)
CHROMOSOME = re.compile(r"(?:chr)?([1-9]|1\d|2[0-2]|X|Y|MT?)", re.IGNORECASE)
BASES = re.compile(r"[ACGTN]+")
BETWEEN = re.compile(r"[\s,;|/\[\]']+")
COMPLEMENT = str.maketrans("ACGTN", "TGCAN")
TRUTHS = {"true": True, "1": True, "false": False, "0": False, "": False}
STRANDS = {"": "+", "+": "+", "1": "+", "+1": "+", "-": "-", "-1": "-"}
MOST_POSITION = 2**31 - 1
ORDER = {name: place for place, name in enumerate([*map(str, range(1, 23)), "X", "Y", "MT"])}
HEADER = (
    "##fileformat=VCFv4.3",
    "##source=CoherentDnaCsv",
    "##reference=GRCh38",
    '##INFO=<ID=AA,Number=1,Type=String,Description="Ancestral allele, as the csv has it on the plus strand">',
    '##INFO=<ID=GENE,Number=.,Type=String,Description="GENE of the csv">',
    '##INFO=<ID=SIGNIFICANCE,Number=.,Type=String,Description="CLINICAL_SIGNIFICANCE of the csv">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype; ./1 is carried, in one copy or two">',
)


@dataclass(frozen=True)
class Row:
    """One row of the csv, read. `carried` is the variant allele that the patient has, None for none."""

    line: int
    text: str
    contig: str
    position: int
    rs_id: str
    ancestral: str
    variants: tuple[str, ...]
    carried: str | None
    gene: str
    significance: str


@dataclass
class Conversion:
    """What became of a csv. `sources` tells, for each line of the VCF, the rows that it was made of."""

    header: str = ""
    lines: list[str] = field(default_factory=list)
    sources: dict[int, list[Row]] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Reason] = field(default_factory=list)
    warnings: list[Reason] = field(default_factory=list)

    def in_rows(self, report: dict[str, Any]) -> dict[str, Any]:
        """A load's report on the VCF, told of the csv's rows instead."""
        refused = [
            {
                "line": row.line,
                "text": row.text,
                "reasons": [{**reason, "line": row.line} for reason in entry["reasons"]],
            }
            for entry in report["refused"]
            for row in self.sources[entry["line"]]
        ]
        n_refused = len(self.refused) + len(refused)
        n_rows = len(self.refused) + sum(map(len, self.sources.values()))
        counts = {"records_in": n_rows, "loaded": n_rows - n_refused, "duplicate": 0, "refused": n_refused}
        warnings = [vars(reason) for reason in self.warnings] + report["warnings"]
        return {**report, "counts": counts, "refused": self.refused + refused, "warnings": warnings}


class RefusedRow(Exception):
    """A row that cannot be a VCF record, with why."""

    def __init__(self, code: str, path: str, found: str, expected: str) -> None:
        super().__init__(code)
        self.code, self.path, self.found, self.expected = code, path, found, expected


def convert(lines: Iterable[str], name: str) -> Conversion:
    """The VCF of a csv called `name`. Faults refuse the file: no patient in its name, no column line."""
    numbered = ((number, line.rstrip("\r\n")) for number, line in enumerate(lines, start=1))
    result = Conversion(header=next(numbered, (1, ""))[1].removeprefix("\ufeff"))
    columns = [column.strip().upper() for column in cells(result.header)]
    if missing := sorted(set(DNA_COLUMNS) - set(columns)):
        result.faults.append(Reason("DNA_HEADER", expected=", ".join(missing), found="other columns", line=1))
    patient = UUID.findall(name)
    if len(set(patient)) != 1:
        uuids = f"{len(set(patient))} uuids in the file's name"
        result.faults.append(Reason("DNA_PATIENT", expected="the patient's uuid in the file's name", found=uuids))
    if not result.faults:
        sample = patient[0].lower()
        result.lines = [*HEADER, f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}"]
        write_records(result, rows_of(numbered, columns, result))
    return result


def rows_of(numbered: Iterator[tuple[int, str]], columns: list[str], result: Conversion) -> Iterator[Row]:
    for number, text in numbered:
        if not text.strip():
            continue
        try:
            yield read_row(number, text, columns, result)
        except RefusedRow as why:
            refuse(result, number, text, why)


def refuse(result: Conversion, line: int, text: str, why: RefusedRow) -> None:
    reason = Reason(why.code, expected=why.expected, found=why.found, line=line, path=why.path)
    result.refused.append({"line": line, "text": text, "reasons": [vars(reason)]})


def cells(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error:
        return []


def read_row(line: int, text: str, columns: list[str], result: Conversion) -> Row:
    values = cells(text)
    if len(values) != len(columns):
        raise RefusedRow("DNA_COLUMNS", "row", f"{len(values)} columns", f"{len(columns)} comma-separated columns")
    row = dict(zip(columns, map(str.strip, values), strict=True))
    strand = STRANDS.get(row["STRAND"])
    if strand is None:
        raise RefusedRow("DNA_STRAND", "STRAND", shape(row["STRAND"]), "1 or +, -1 or -")
    contig, position = place(row)
    ancestral = allele(row["ANCESTRAL_ALLELE"], strand)
    if not BASES.fullmatch(ancestral):
        expected = "bases: VCF needs the base before an insertion, which the csv does not hold"
        raise RefusedRow("DNA_ALLELE", "ANCESTRAL_ALLELE", shape(row["ANCESTRAL_ALLELE"]), expected)
    carried = carried_allele(row, strand, ancestral)
    listed = [allele(text, strand) for text in BETWEEN.split(row["VARIANT_ALLELE_LIST"]) if text]
    variants = [bases for bases in dict.fromkeys(listed) if BASES.fullmatch(bases) and bases != ancestral]
    if len(variants) < len(set(listed) - {ancestral}):
        remark(result, "DNA_ALLELE_LEFT_OUT", line, "VARIANT_ALLELE_LIST", "bases; other alleles are left out")
    if carried is not None and carried not in variants:
        remark(result, "DNA_ALLELE_UNLISTED", line, "ALLELE", "an allele of VARIANT_ALLELE_LIST; it is loaded")
        variants.append(carried)
    if not variants:
        raise RefusedRow("DNA_ALLELE", "VARIANT_ALLELE_LIST", shape(row["VARIANT_ALLELE_LIST"]), "an allele of bases")
    named = RS_ID.match(row["INDEX"]) or RS_ID.match(row["INDEX_PREFIX"])
    return Row(
        line=line,
        text=text,
        contig=contig,
        position=position,
        rs_id=named[0].lower() if named else ".",
        ancestral=ancestral,
        variants=tuple(variants),
        carried=carried,
        gene=info_text(row["GENE"]),
        significance=info_text(row["CLINICAL_SIGNIFICANCE"]),
    )


def place(row: dict[str, str]) -> tuple[str, int]:
    chromosome, location = CHROMOSOME.fullmatch(row["CHROMOSOME"]), row["LOCATION"]
    if chromosome is None:
        raise RefusedRow("DNA_PLACE", "CHROMOSOME", shape(row["CHROMOSOME"]), "1 to 22, X, Y or MT")
    if not (location.isascii() and location.isdigit() and 0 < int(location) <= MOST_POSITION):
        raise RefusedRow("DNA_PLACE", "LOCATION", shape(location), "a position of 1 or more")
    contig = chromosome[1].upper()
    return "MT" if contig == "M" else contig, int(location)


def allele(text: str, strand: str) -> str:
    bases = text.upper()
    return bases.translate(COMPLEMENT)[::-1] if strand == "-" else bases


def carried_allele(row: dict[str, str], strand: str, ancestral: str) -> str | None:
    """The allele that stands behind `>`, on the plus strand; None where the marker is not carried."""
    is_carried = TRUTHS.get(row["VARIANT"].lower())
    before, arrow, after = (part.strip() for part in row["ALLELE"].partition(">"))
    if is_carried is None:
        raise RefusedRow("DNA_CONTRADICTION", "VARIANT", shape(row["VARIANT"]), "true or false")
    if is_carried != bool(arrow):
        contradiction = "true without an allele" if is_carried else "false with an allele"
        raise RefusedRow("DNA_CONTRADICTION", "VARIANT", contradiction, "true where ALLELE holds '>', and only there")
    if not arrow:
        return None
    carried = allele(after, strand)
    if not BASES.fullmatch(carried) or carried == ancestral:
        raise RefusedRow("DNA_ALLELE", "ALLELE", shape(row["ALLELE"]), "'>' before another allele of bases")
    if before and allele(before, strand) != ancestral:
        raise RefusedRow("DNA_CONTRADICTION", "ALLELE", shape(row["ALLELE"]), "ANCESTRAL_ALLELE in front of '>'")
    return carried


def info_text(text: str) -> str:
    """A value as INFO takes it: no white space, `;`, `=` or `,`."""
    return re.sub(r"[\s;=,]+", "_", text).strip("_")


def remark(result: Conversion, code: str, line: int, path: str, expected: str) -> None:
    if not any(reason.code == code for reason in result.warnings):
        result.warnings.append(Reason(code, expected=expected, line=line, path=path, is_warning=True))


def write_records(result: Conversion, rows: Iterable[Row]) -> None:
    """One record a place and ancestral allele, in file order of a VCF."""
    by_place: dict[tuple[int, int, str, str], list[Row]] = {}
    for row in rows:
        by_place.setdefault((ORDER[row.contig], row.position, row.ancestral, row.contig), []).append(row)
    for _, same in sorted(by_place.items()):
        try:
            result.lines.append(record(same))
            result.sources[len(result.lines)] = same
        except RefusedRow as why:
            for row in same:
                refuse(result, row.line, row.text, why)
    if any(row.carried for same in result.sources.values() for row in same):
        expected = "the number of copies; carried is loaded as a half call"
        result.warnings.append(Reason("DNA_ZYGOSITY", expected=expected, found="carried or not", is_warning=True))


def record(rows: list[Row]) -> str:
    """The line of rows that share a place. RefusedRow when they name more alleles than a person has there."""
    first = rows[0]
    variants = sorted({variant for row in rows for variant in row.variants})
    carried = sorted({variants.index(row.carried) + 1 for row in rows if row.carried})
    # Ancestral is not GRCh38's base everywhere (rs429358: ancestral C, reference T), and the csv has no reference to
    # ask. Carried is a half call (`./1`), as `0/1` would invent a number of copies: it counts among carriers, and in no
    # allele frequency.
    is_single = first.contig in ("Y", "MT")
    if len(carried) > (1 if is_single else 2):
        raise RefusedRow("DNA_CONTRADICTION", "ALLELE", f"{len(carried)} alleles", "as many as there are copies")
    if is_single:
        genotype = str(carried[0]) if carried else "0"
    else:
        genotype = "/".join(map(str, carried)) if len(carried) == 2 else f"./{carried[0]}" if carried else "0/0"
    names = ";".join(sorted({row.rs_id for row in rows if row.rs_id != "."})) or "."
    info = [f"AA={first.ancestral}"]
    for key, values in (("GENE", {row.gene for row in rows}), ("SIGNIFICANCE", {row.significance for row in rows})):
        if texts := sorted(values - {""}):
            info.append(f"{key}={','.join(texts)}")
    fixed = (first.contig, str(first.position), names, first.ancestral, ",".join(variants), ".", ".", ";".join(info))
    return "\t".join((*fixed, "GT", genotype))
