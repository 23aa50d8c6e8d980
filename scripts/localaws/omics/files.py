"""Files as the import jobs read them, each as a stream, plain or gzip: VCF, GFF3, and delimited ones.

Sources: VCF 4.0 to 4.5; GFF3 specification 1.26; read options as StartAnnotationImportJob has them.

Example: `with VcfFile(path) as file: file.header.samples, list(file.records())`.
"""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast
from urllib.parse import unquote

import pyarrow as pa

Row = dict[str, Any]
_DECLARED = re.compile(r"##(INFO|FORMAT)=<ID=([^,>]+),Number=([^,>]+)")
_CSQ_FORMAT = re.compile(r'Format: ?([^"]+)')
_ALLELE = re.compile(r"[ACGTNacgtn]+|[RYSWKMBDHVryswkmbdhv]+|\*|<[^>]+>|\.|[^,\s]*[\[\]][^,\s]*|\.?[ACGTNacgtn]+\.?")
_GZIP = b"\x1f\x8b"
FIXED = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO")
# Number of reserved keys that a header need not declare (VCF 4.3, section 1.6.1).
PER_ALLELE = {"AC": "A", "AF": "A", "AD": "R", "ADF": "R", "ADR": "R", "CIGAR": "A", "EC": "A"}
_TRUTHS = {"true": True, "false": False}
_CONVERT: dict[Any, Callable[[str], Any]] = {
    pa.int32(): int,
    pa.int64(): int,
    pa.float32(): float,
    pa.float64(): float,
    pa.bool_(): lambda text: _TRUTHS[text.lower()],
    pa.string(): str,
}


class VcfError(Exception):
    """The file, or a line of it, is no VCF; the message says where."""


@dataclass
class VcfHeader:
    """Samples, and the Number of each declared INFO and FORMAT key."""

    samples: list[str] = field(default_factory=list)
    info: dict[str, str] = field(default_factory=dict)
    format: dict[str, str] = field(default_factory=dict)
    descriptions: dict[str, str] = field(default_factory=dict)

    def add(self, line: str) -> None:
        declared = _DECLARED.match(line)
        if declared:
            kind, name, number = declared.groups()
            (self.info if kind == "INFO" else self.format)[name] = number
            self.descriptions[name] = line

    def parts_of(self, name: str) -> list[str]:
        """The parts of a VEP field as its description lists them, `|` between; ValueError when it does not."""
        match = _CSQ_FORMAT.search(self.descriptions.get(name, ""))
        if match is None:
            raise ValueError(f"The header does not describe the parts of {name}.")
        return [part.strip() for part in match[1].split("|")]


@dataclass(frozen=True)
class Record:
    """One data line; `info` values are None for flags, `samples` the sample columns as they are."""

    line: int
    chrom: str
    pos: int
    ids: list[str]
    ref: str
    alts: list[str]
    qual: float | None
    filters: list[str] | None
    info: dict[str, str | None]
    keys: list[str]
    samples: list[str]

    @property
    def end(self) -> int:
        """0-based exclusive: INFO END when it is a number, else the end of REF."""
        text = self.info.get("END") or ""
        end = int(text) if text.isascii() and text.isdigit() else 0
        return end if end >= self.pos else max(self.pos - 1, 0) + len(self.ref)


class VcfFile:
    """One VCF, open as a context; VcfError when it is none."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.header = VcfHeader()
        self._number = 0

    def __enter__(self) -> VcfFile:
        self._file = _open(self._path)
        try:
            self._read_header()
        except BaseException:
            self._file.close()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def _lines(self) -> Iterator[str]:
        try:
            for raw in self._file:
                self._number += 1
                yield raw.decode("utf-8").rstrip("\r\n")
        except (OSError, EOFError, zlib.error) as error:
            raise VcfError(f"The compressed data breaks after line {self._number}.") from error
        except UnicodeDecodeError as error:
            raise VcfError(f"Line {self._number} is not UTF-8.") from error

    def _read_header(self) -> None:
        for line in self._lines():
            if self._number == 1 and not line.startswith("##fileformat=VCFv4."):
                raise VcfError("The file does not begin with ##fileformat=VCFv4.")
            if line.startswith("##"):
                self.header.add(line)
                continue
            columns = line.split("\t")
            if tuple(columns[:8]) != FIXED or (len(columns) > 8 and columns[8] != "FORMAT"):
                raise VcfError(f"Line {self._number} is not the header line.")
            self.header.samples = columns[9:]
            if len(set(columns[9:])) < len(columns[9:]):
                raise VcfError(f"Line {self._number} names a sample twice.")
            return
        raise VcfError("The file has no header line.")

    def records(self) -> Iterator[Record]:
        """The records in file order; VcfError at the first line that is none."""
        n_columns = 8 if not self.header.samples else 9 + len(self.header.samples)
        for line in self._lines():
            if line:
                columns = line.split("\t")
                if len(columns) < n_columns or (self.header.samples and len(columns) > n_columns):
                    raise VcfError(f"Line {self._number} has {len(columns)} columns.")
                yield _record(columns, self._number)


def of_allele(value: str, number: str | None, index: int, n_alts: int) -> str:
    """The part of a comma-separated value that belongs to alternate `index` (1-based) of a split record."""
    if number not in ("A", "R") or n_alts < 2:
        return value
    values = value.split(",")
    if number == "A" and len(values) == n_alts:
        return values[index - 1]
    if number == "R" and len(values) == n_alts + 1:
        return f"{values[0]},{values[index]}"
    return value


def _record(columns: list[str], number: int) -> Record:
    chrom, pos, ids, ref, alt, qual, filters, info = columns[:8]
    alts = [] if alt == "." else alt.split(",")
    if not all(_ALLELE.fullmatch(allele) for allele in (ref, *alts)):
        raise VcfError(f"Line {number} has an allele that is none.")
    try:
        place, quality = int(pos), None if qual == "." else float(qual)
    except ValueError as error:
        raise VcfError(f"Line {number} has a position or quality that is no number.") from error
    return Record(
        number,
        chrom,
        place,
        [] if ids == "." else ids.split(";"),
        ref,
        alts,
        quality,
        None if filters == "." else filters.split(";"),
        _info(info),
        columns[8].split(":") if len(columns) > 8 else [],
        columns[9:],
    )


def _info(text: str) -> dict[str, str | None]:
    if text == ".":
        return {}
    parts = (part.partition("=") for part in text.split(";") if part)
    return {key: value if mark else None for key, mark, value in parts}


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        is_packed = file.read(2) == _GZIP
    return cast(BinaryIO, gzip.open(path, "rb")) if is_packed else path.open("rb")


# GFF3 (specification 1.26) and delimited files, as rows of annotation tables at once.


class TableError(Exception):
    """A line does not fit; the message says which."""


def gff_rows(path: Path) -> Iterator[Row]:
    """GFF3 features, their start made 0-based; TableError for a line that is none."""
    with _text(path, "utf-8") as lines:
        for number, line in _numbered(lines):
            if line.startswith(">") or line.startswith("##FASTA"):
                return
            if line and not line.startswith("#"):
                yield _feature(line.split("\t"), number)


def _feature(columns: list[str], number: int) -> Row:
    if len(columns) != 9:
        raise TableError(f"Line {number} has {len(columns)} columns; GFF3 has 9.")
    values = [None if value == "." else value for value in columns]
    pairs = (pair.partition("=") for pair in columns[8].split(";") if pair and pair != ".")
    try:
        return {
            "contigname": unquote(columns[0]),
            "source": values[1],
            "type": values[2],
            "start": int(columns[3]) - 1,
            "end": int(columns[4]),
            "score": None if values[5] is None else float(columns[5]),
            "strand": values[6],
            "phase": None if values[7] is None else int(columns[7]),
            "attributes": [(unquote(key), unquote(value)) for key, _, value in pairs] or None,
        }
    except ValueError as error:
        raise TableError(f"Line {number} has a number that is none.") from error


def tsv_rows(path: Path, schema: pa.Schema, options: dict[str, Any]) -> Iterator[Row]:
    """Lines of a delimited file in the order of the schema, or of its header when there is one (the default)."""
    comment = options.get("comment", "")
    with _text(path, options.get("encoding", "UTF-8")) as lines:
        lines_of_data = (line for _, line in _numbered(lines) if line and not (comment and line.startswith(comment)))
        reader = csv.reader(
            lines_of_data,
            delimiter=options.get("sep", "\t"),
            quotechar=options.get("quote") or '"',
            escapechar=options.get("escape") or None,
            doublequote=not options.get("escape"),
        )
        names = schema.names
        if options.get("header", True):
            names = [name.lower() for name in next(reader, [])]
            if set(schema.names) - set(names):
                missing = ", ".join(sorted(set(schema.names) - set(names)))
                raise TableError(f"The header lacks columns of the store's schema: {missing}.")
        for number, values in enumerate(reader, 1):
            if len(values) != len(names):
                raise TableError(f"Row {number} has {len(values)} values; the schema has {len(names)}.")
            yield _typed(dict(zip(names, values, strict=True)), schema, number)


def _typed(values: dict[str, str], schema: pa.Schema, number: int) -> Row:
    row: Row = {}
    for column in schema:
        text = values[column.name]
        try:
            row[column.name] = None if text == "" else _CONVERT[column.type](text)
        except (ValueError, KeyError) as error:
            raise TableError(f"Row {number}: {column.name} is no {column.type}.") from error
    return row


def _text(path: Path, encoding: str) -> TextIO:
    with path.open("rb") as file:
        is_packed = file.read(2) == b"\x1f\x8b"
    return cast(TextIO, gzip.open(path, "rt", encoding=encoding)) if is_packed else path.open(encoding=encoding)


def _numbered(lines: TextIO) -> Iterator[tuple[int, str]]:
    number = 0
    try:
        for number, line in enumerate(lines, 1):
            yield number, line.rstrip("\r\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise TableError(f"The file breaks after line {number}.") from error
