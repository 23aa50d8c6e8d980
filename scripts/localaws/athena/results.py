"""A query's result as objects in S3, and read back page by page; values and columns as Athena prints them.

Example: `write_rows(world, "s3://bucket/results/id.csv", result, {})`; values quoted, NULL empty and unquoted.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from localaws.athena.engine import Result, ResultColumn
from localaws.athena.iceberg import bucket_and_key
from localaws.athena.types import Type
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.world import World


_UNBOUNDED = 2147483647
_PRECISIONS = {
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 24,
    "double": 17,
    "timestamp": 3,
    "timestamp with time zone": 3,
    "time": 3,
    "varbinary": 1073741824,
}


def column_info(column: ResultColumn) -> dict[str, Any]:
    """One entry of ResultSetMetadata.ColumnInfo."""
    precision, scale = _digits(column.type)
    return {
        # What Athena answers for every column, whatever its catalog.
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": column.name,
        "Label": column.name,
        "Type": athena_name(column.type),
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": column.type.name in ("varchar", "char"),
    }


def athena_name(kind: Type) -> str:
    """The type's name as results give it: without what is inside."""
    # Results keep Hive's word for a real.
    return {"real": "float", "unknown": "unknown"}.get(kind.name, kind.name)


def _digits(kind: Type) -> tuple[int, int]:
    if kind.name in ("varchar", "char"):
        return (kind.numbers[0] if kind.numbers else _UNBOUNDED), 0
    if kind.name == "decimal":
        return kind.numbers[0], kind.numbers[1] if len(kind.numbers) > 1 else 0
    return _PRECISIONS.get(kind.name, 0), 0


# A protocol buffer without a published schema; the field numbers are those that public readers of it use.
def metadata_bytes(columns: Sequence[ResultColumn]) -> bytes:
    """The `.metadata` object of a result."""
    return b"".join(_field(4, _column_bytes(column_info(column))) for column in columns)


def _column_bytes(info: dict[str, Any]) -> bytes:
    texts = ((1, "CatalogName"), (2, "SchemaName"), (3, "TableName"), (4, "Name"), (5, "Label"), (6, "Type"))
    content = b"".join(_field(number, info[name].encode()) for number, name in texts)
    content += _number(7, info["Precision"]) + _number(8, info["Scale"])
    return content + _number(9, 3) + _number(10, int(info["CaseSensitive"]))


def _varint(value: int) -> bytes:
    groups = bytearray()
    while value > 127:
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


Printer = Callable[[Any], str]
MILLISECONDS = 3


def column_texts(column: pa.Array, shown: ResultColumn) -> list[str | None]:
    """A column's values as texts, None for NULL."""
    texts: list[str | None]
    if shown.type.name in ("varchar", "json", "uuid"):
        texts = column.to_pylist()
        return texts
    if shown.type.name in ("tinyint", "smallint", "integer", "bigint", "boolean", "date"):
        texts = pc.cast(column, pa.string()).to_pylist()
        return texts
    show = printer(shown.type, shown.zone)
    return [None if value is None else show(value) for value in column.to_pylist()]


def printer(kind: Type, zone: str | None = None) -> Printer:
    """The function that prints values of a type."""
    if kind.name == "row":
        return _row(kind)
    if kind.name == "array":
        return _array(_element(kind.elements[0]))
    if kind.name == "map":
        return _map(_element(kind.elements[0]), _element(kind.elements[1]))
    if kind.name.startswith("timestamp"):
        return _moment(kind, zone)
    if kind.name == "char":
        width = kind.numbers[0] if kind.numbers else 1
        return lambda value: str(value).ljust(width)
    return _SCALARS.get(kind.name, str)


def _element(kind: Type) -> Printer:
    inner = printer(kind)
    return lambda value: "null" if value is None else inner(value)


def _row(kind: Type) -> Printer:
    names = [name or f"field{index}" for index, name in enumerate(kind.fields)]
    shows = [_element(item) for item in kind.elements]
    return lambda value: (
        "{"
        + ", ".join(f"{name}={show(item)}" for name, show, item in zip(names, shows, value.values(), strict=True))
        + "}"
    )


def _array(show: Printer) -> Printer:
    return lambda value: "[" + ", ".join(show(item) for item in value) + "]"


def _map(key: Printer, show: Printer) -> Printer:
    return lambda value: "{" + ", ".join(f"{key(name)}={show(item)}" for name, item in value) + "}"


def _moment(kind: Type, zone: str | None) -> Printer:
    # Athena never prints fewer than three: https://docs.aws.amazon.com/athena/latest/ug/data-types.html
    digits = max(MILLISECONDS, kind.numbers[0] if kind.numbers else MILLISECONDS)
    zoned = kind.name.endswith("time zone")
    place = ZoneInfo(zone) if zoned and zone and not zone.startswith(("+", "-")) else None

    def show(value: datetime) -> str:
        if place is not None:
            value = value.astimezone(place)
        # glibc's strftime writes the year 999 without its zero.
        text = value.strftime("%Y-%m-%d %H:%M:%S") if value.year > 999 else str(value)[:19]
        text = f"{text}.{value.microsecond:06d}"[: 20 + digits]
        return f"{text} {zone or 'UTC'}" if zoned else text

    return show


def java_double(value: float) -> str:
    """A double as Java's Double.toString prints it."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return _java(repr(float(value)), abs(value))


def java_float(value: float) -> str:
    """A real as Java's Float.toString prints it."""
    if value != value or value in (float("inf"), float("-inf")):
        return java_double(value)
    # The fewest digits that read back as the same float, as Java chooses them; nine always do.
    for places in range(1, 10):
        text = f"{value:.{places}g}"
        if pa.scalar(float(text), pa.float32()).as_py() == value:
            return _java(repr(float(text)), abs(value))
    return _java(f"{value:.9g}", abs(value))


def _java(plain: str, size: float) -> str:
    """Plain between a thousandth and ten million, else with an exponent."""
    number, _, power = plain.lower().partition("e")
    # The bounds are those of Java's Double.toString.
    if size == 0 or (1e-3 <= size < 1e7 and not power):
        return plain if "." in plain else f"{plain}.0"
    sign = "-" if number.startswith("-") else ""
    whole, _, fraction = number.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) + len(whole) - 1 - (len(whole + fraction) - len(digits))
    if 1e-3 <= size < 1e7:
        return str(Decimal(plain))
    return f"{sign}{digits[0]}.{digits[1:].rstrip('0') or '0'}E{exponent}"


def _bytes(value: bytes) -> str:
    return " ".join(f"{byte:02x}" for byte in value)


def _days(value: timedelta | tuple[int, int, int]) -> str:
    """`1 02:03:04.000`."""
    if not isinstance(value, timedelta):
        value = timedelta(days=value[1], microseconds=value[2] // 1000)
    total = int(value.total_seconds() * 1000)
    sign, total = ("-", -total) if total < 0 else ("", total)
    days, rest = divmod(total, 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{sign}{days} {hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _months(value: Sequence[int]) -> str:
    sign = "-" if value[0] < 0 else ""
    return f"{sign}{abs(value[0]) // 12}-{abs(value[0]) % 12}"


def _time(value: time) -> str:
    return value.strftime("%H:%M:%S.%f")[:12]


_SCALARS: dict[str, Printer] = {
    "boolean": lambda value: str(value).lower(),
    "double": java_double,
    "real": java_float,
    "decimal": lambda value: f"{value:f}",
    "varbinary": _bytes,
    "date": lambda value: value.isoformat() if isinstance(value, date) else str(value),
    "time": _time,
    "interval day to second": _days,
    "interval year to month": _months,
}


IN_MEMORY = 1 << 20
Encryption = dict[str, str]


def put(world: World, location: str, body: bytes | IO[bytes], encryption: Encryption) -> None:
    """Write one object with the result's encryption."""
    bucket, key = bucket_and_key(location)
    client = world.client("s3")
    if isinstance(body, bytes):
        client.put_object(Bucket=bucket, Key=key, Body=body, **encryption)
    else:
        client.upload_fileobj(body, bucket, key, ExtraArgs=encryption)


def encryption_of(configuration: dict[str, Any]) -> Encryption:
    """The arguments of S3 for a ResultConfiguration's encryption."""
    chosen = configuration.get("EncryptionConfiguration") or {}
    option = chosen.get("EncryptionOption")
    if option == "SSE_KMS":
        return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": chosen["KmsKey"]}
    return {"ServerSideEncryption": "AES256"} if option == "SSE_S3" else {}


def write_rows(world: World, location: str, result: Result, encryption: Encryption) -> int:
    """The result as CSV and its metadata beside it; the number of rows."""
    count = 0
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        file.write(_line([column.name for column in result.columns]))
        for batch in result.batches:
            texts = [column_texts(array, shown) for array, shown in zip(batch.columns, result.columns, strict=True)]
            file.write(b"".join(_line(row) for row in zip(*texts, strict=True)) if texts else b"")
            count += batch.num_rows
        file.seek(0)
        put(world, location, file, encryption)
    put(world, f"{location}.metadata", metadata_bytes(result.columns), encryption)
    return count


def _line(values: Sequence[str | None]) -> bytes:
    quoted = ('"' + value.replace('"', '""') + '"' if value is not None else "" for value in values)
    # Athena's CSV: every value in quotes, NULL nothing at all. `csv.writer` would write both as one.
    return (",".join(quoted) + "\n").encode()


def write_lines(
    world: World, location: str, lines: Sequence[str], columns: Sequence[ResultColumn], encryption: Encryption
) -> None:
    """The text of a DDL or utility statement."""
    put(world, location, "".join(f"{line}\n" for line in lines).encode(), encryption)
    put(world, f"{location}.metadata", metadata_bytes(columns), encryption)


def read_page(world: World, location: str, token: str | None, size: int) -> tuple[list[list[str | None]], str | None]:
    """Rows of a stored result from a token on, and the token of what follows."""
    # The token is a byte of the object, so that the last page costs no more than the first.
    place = _place(token)
    with _opened(world, location) as file:
        file.seek(place)
        lines = _records(file) if location.endswith(".csv") else _text_lines(file)
        rows: list[list[str | None]] = []
        for row, end in lines:
            if len(rows) == size:
                return rows, _token(place)
            rows.append(row)
            place = end
    return rows, None


def _opened(world: World, location: str) -> IO[bytes]:
    try:
        path: Path = world.object_path(*bucket_and_key(location))
        return path.open("rb")
    except (KeyError, FileNotFoundError):
        message = f"Could not find results at {location}: the object does not exist"
        raise ServiceError("InvalidRequestException", message) from None


def _records(file: IO[bytes]) -> Iterator[tuple[list[str | None], int]]:
    """Rows of our own CSV with the byte at which the next begins."""
    place = file.tell()
    pending = b""
    for line in file:
        pending += line
        # A quoted value goes on in the next line.
        if pending.count(b'"') % 2:
            continue
        place += len(pending)
        yield _fields(pending.decode()), place
        pending = b""


def _fields(record: str) -> list[str | None]:
    text = record.removesuffix("\n")
    if '""' not in text and "\n" not in text:
        parts = text.split(",")
        if all(not part or (part[0] == '"' and part[-1] == '"' and len(part) > 1) for part in parts):
            return [part[1:-1] if part else None for part in parts]
    values = next(csv.reader(io.StringIO(text, newline="")), [""])
    return [value if quoted else None for value, quoted in zip(values, _quoted(text), strict=True)]


def _quoted(record: str) -> list[bool]:
    """Which fields stand in quotes: an empty one without is NULL, with them an empty text."""
    quoted, inside, current = [], False, False
    for letter in record:
        if letter == '"':
            inside, current = not inside, True
        elif letter == "," and not inside:
            quoted.append(current)
            current = False
    return [*quoted, current]


def _text_lines(file: IO[bytes]) -> Iterator[tuple[list[str | None], int]]:
    place = file.tell()
    for line in file:
        place += len(line)
        yield [line.decode().removesuffix("\n")], place


def _token(place: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"at": place}).encode()).decode()


def _place(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(json.loads(base64.urlsafe_b64decode(token))["at"])
    except (ValueError, KeyError, TypeError):
        raise ServiceError("InvalidRequestException", "The nextToken is not valid") from None
