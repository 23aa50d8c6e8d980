"""GFF3 and delimited files as rows of annotation tables.

Reads one file as a stream, plain or gzip. Behind `make local-aws`.
Sources: GFF3 specification 1.26; read options as StartAnnotationImportJob has them.
Example: `list(gff_rows(path))`; `list(tsv_rows(path, schema, {"sep": ","}))`.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO, cast
from urllib.parse import unquote

import pyarrow as pa

from localaws.omics.rows import Row

_TRUTHS = {"true": True, "false": False}
_CONVERT: dict[Any, Callable[[str], Any]] = {
    pa.int32(): int,
    pa.int64(): int,
    pa.float32(): float,
    pa.float64(): float,
    pa.bool_(): lambda text: _TRUTHS[text.lower()],
    pa.string(): str,
}


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
        kept = (line for _, line in _numbered(lines) if line and not (comment and line.startswith(comment)))
        reader = csv.reader(
            kept,
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
    found: Row = {}
    for column in schema:
        text = values[column.name]
        try:
            found[column.name] = None if text == "" else _CONVERT[column.type](text)
        except (ValueError, KeyError) as error:
            raise TableError(f"Row {number}: {column.name} is no {column.type}.") from error
    return found


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
