"""A query's result as objects in S3, and read back page by page.

Reads and writes `<location>/<query id>.csv` (or .txt) and its `.metadata`. Behind `make local-aws`.
Example: `write_rows(world, "s3://bucket/results/id.csv", result)`; values quoted, NULL empty and unquoted.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from localaws.athena.columninfo import metadata_bytes
from localaws.athena.engine import Result, ResultColumn
from localaws.athena.icebergs import bucket_and_key
from localaws.athena.printing import column_texts
from localaws.service import ServiceError

if TYPE_CHECKING:
    from localaws.world import World

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
    return (",".join(quoted) + "\n").encode()


def write_lines(
    world: World, location: str, lines: Sequence[str], columns: Sequence[ResultColumn], encryption: Encryption
) -> None:
    """The text of a DDL or utility statement."""
    put(world, location, "".join(f"{line}\n" for line in lines).encode(), encryption)
    put(world, f"{location}.metadata", metadata_bytes(columns), encryption)


def read_page(world: World, location: str, token: str | None, size: int) -> tuple[list[list[str | None]], str | None]:
    """Rows of a stored result from a token on, and the token of what follows."""
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
    found, inside, current = [], False, False
    for letter in record:
        if letter == '"':
            inside, current = not inside, True
        elif letter == "," and not inside:
            found.append(current)
            current = False
    return [*found, current]


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
