"""VCF to rows and back: what the shape keeps is what `bcftools norm -m -any` makes of the file."""

import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pysam
import pysam.bcftools
import pytest
from hypothesis import HealthCheck, given, reject, settings

from tests.genomic.conftest import COLUMNS, examples, read
from tests.genomic.test_laws import Vcf, files
from tests.genomic.test_reader import SAMPLES
from trilake.genomic.genome_build import contig_name
from trilake.genomic.reader import Reading
from trilake.genomic.reserved import Field, reserved_field

KEYS = {
    "AD": "alleledepths", "DP": "depth", "GQ": "conditionalquality", "GL": "genotypelikelihoods",
    "PL": "phredlikelihoods", "PS": "ps", "SPL": "spl",
}  # fmt: skip
CONTIG = re.compile(r"(?<=##contig=<ID=)[^,>]+")


def written(reading: Reading) -> str:
    """The rows as a VCF of one allele a record."""
    meta = [CONTIG.sub(lambda match: contig_name(match[0]), line) for line in reading.header.lines[:-1]]
    names = reading.header.samples
    sites: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in (row for batch in reading.batches() for row in batch.to_pylist()):
        allele = (row["alternatealleles"] or ["."])[0]
        key = (
            row["contigname"],
            row["start"],
            row["referenceallele"],
            allele,
            repr(row["qual"]),
            repr(row["attributes"]),
        )
        sites.setdefault((*key, n_earlier(sites, key, row)), []).append(row)
    lines = [line_of(mine, names) for mine in sites.values()]
    return "\n".join([*meta, COLUMNS + "\tFORMAT\t" + "\t".join(names), *lines, ""])


def line_of(mine: list[dict[str, Any]], names: list[str]) -> str:
    others = dict.fromkeys(key for row in mine for key, _ in row["information"] or ())
    keys = ["GT", *(key for key in [*KEYS, *others] if any(field(row, key) != "." for row in mine))]
    samples = {row["sampleid"]: ":".join(field(row, key) for key in keys) for row in mine}
    return "\t".join([site(mine[0]), ":".join(keys), *(samples[name] for name in names)])


def n_earlier(sites: dict[tuple[Any, ...], Any], key: tuple[Any, ...], row: dict[str, Any]) -> int:
    """How many records of this very allele the sample had before: symbolic ones may repeat."""
    number = 0
    while any(other["sampleid"] == row["sampleid"] for other in sites.get((*key, number), ())):
        number += 1
    return number


def site(row: dict[str, Any]) -> str:
    position = row["start"] + 1
    alt, ids = (row["alternatealleles"] or ["."])[0], ";".join(row["names"] or ["."])
    quality = "." if row["qual"] is None else repr(row["qual"])
    info = ";".join(key if value == "true" else f"{key}={value}" for key, value in row["attributes"] or ()) or "."
    filters = ";".join(row["filters"] or ["."])
    return "\t".join([row["contigname"], str(position), ids, row["referenceallele"], alt, quality, filters, info])


def field(row: dict[str, Any], key: str) -> str:
    if key == "GT":
        mark = "|" if row["phased"] else "/"
        other = "0" if row["alternatealleles"] else "1"
        return mark.join({-1: ".", 2: other}.get(call, str(call)) for call in row["calls"] or [-1])
    value = row[KEYS[key]] if key in KEYS else dict(row["information"] or ()).get(key)
    if isinstance(value, list):
        return ",".join("." if one is None else str(one) for one in value)
    return "." if value is None else str(value)


def records(path: Path) -> Iterator[str]:
    """Each record as htslib reads it, in one form."""
    with pysam.VariantFile(str(path)) as file:
        for record in file:
            samples = {name: tuple(sorted(sample_of(one))) for name, one in record.samples.items()}
            head = (
                contig_name(record.chrom),
                record.pos,
                record.id,
                record.ref.upper(),
                upper(record.alts),
                record.qual,
            )
            info = sorted((key, values(value)) for key, value in record.info.items() if key != "END")
            yield repr((head, list(record.filter), [one for one in info if one[1]], samples))


def upper(alts: tuple[str, ...] | None) -> list[str]:
    return [alt.upper() if alt.isalpha() else alt for alt in alts or ()]


def sample_of(sample: pysam.VariantRecordSample) -> Iterator[tuple[str, Any]]:
    for key, value in sample.items():
        if key == "GT" and values(value):
            yield key, (value, sample.phased if len(value) == 2 else None)
        elif key != "GT" and (found := values(value)):
            yield key, found


def values(value: Any) -> tuple[Any, ...] | None:
    found = value if isinstance(value, tuple) else (value,)
    return None if all(one in (None, ".") for one in found) else found


def held_against_bcftools(folder: Path, path: Path) -> tuple[set[str], set[str]]:
    """(ours, theirs), each record once, at position 1 for 0."""
    ours, theirs = folder / "ours.vcf", folder / "theirs.vcf"
    ours.write_text(written(read(path)))
    pysam.bcftools.norm("-m", "-any", "-o", str(theirs), str(path), catch_stdout=False)
    return set(records(ours)), set(records(theirs))


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(files(with_broken=False))
def test_rows_written_as_vcf_are_those_of_bcftools_norm(vcf: Vcf) -> None:
    """But for values of three copies, of which bcftools says that they are too many."""
    with TemporaryDirectory() as name:
        vcf.reading(name)
        try:
            ours, theirs = held_against_bcftools(Path(name), Path(name, "a.vcf"))
        except pysam.SamtoolsError as error:
            assert "wrong number of fields" in str(error)
            reject()
    assert ours == theirs


VALID = [*SAMPLES.glob("*/passed/*.vcf"), *SAMPLES.glob("hts-specs/*.vcf")]
MOST_UNREAD = 14
KINDS = ("FILTER", "INFO", "FORMAT")


@pytest.mark.skipif(not VALID, reason="the specification's sample files are not beside this checkout")
def test_the_specification_s_valid_files_come_back_as_bcftools_normalises_them(tmp_path: Path) -> None:
    """Those with samples and records. bcftools writes nothing that is not declared, and does not know all of 4.4."""
    same, different, unread = [], [], []
    for path in VALID:
        reading = read(path)
        if reading.header.samples and any(batch.num_rows for batch in reading.batches()):
            copy = tmp_path / path.name
            copy.write_text(declared(path))
            try:
                ours, theirs = held_against_bcftools(tmp_path, copy)
            except (pysam.SamtoolsError, ValueError, OSError):
                unread.append(path.name)
                continue
            (same if ours == theirs else different).append(path.name)
    assert different == []
    assert len(unread) <= MOST_UNREAD < len(same)


def declared(path: Path) -> str:
    """The file with all that it uses declared."""
    reading, lines = read(path), path.read_text().splitlines()
    list(reading.batches())
    lacking = sorted({(one.path, one.found) for one in reading.warnings if one.code == "VCF_UNDECLARED"})
    made = [declaration(kind, name, reading.header.version) for kind, name in lacking if kind in KINDS]
    names = dict.fromkeys(line.split("\t")[0] for line in lines if line and not line.startswith("#"))
    made += [f"##contig=<ID={name}>" for name in names if name not in reading.header.contigs and "<" not in name]
    return "\n".join([lines[0], *made, *lines[1:], ""])


def declaration(kind: str, name: str, version: str) -> str:
    rule = reserved_field(kind, name, version) or Field(".", "String")
    typed = "" if kind == "FILTER" else f"Number={rule.number},Type={rule.type},"
    return f'##{kind}=<ID={name},{typed}Description="x">'
