"""A cohort's rows as files: UNLOAD as the persona, one Parquet file a table, and a manifest that accounts for them.

The parts of UNLOAD lie below the cohort extract address, from where they are joined into one file a table.

Example: extract(request, Path("out"))
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import awswrangler as wr
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from botocore.exceptions import ClientError

from trilake.cohort.compiler import rows_sql
from trilake.cohort.definition import Definition
from trilake.cohort.lock import Lock
from trilake.core.athena import failure, visible_columns
from trilake.core.catalog import database_name
from trilake.core.contract import load_contract
from trilake.core.errors import AccessError, InputError
from trilake.core.lakehouse.iceberg import open_table
from trilake.core.session import Session
from trilake.core.sql import to_athena

MANIFEST = "manifest.json"
BLOCK = 1 << 20


@dataclass(frozen=True)
class Request:
    """Whose rows, for whom. `deployer` reads the catalog; `caller` reads the rows."""

    deployer: Session
    caller: Session
    definition: Definition
    lock: Lock

    @property
    def uri(self) -> str:
        """Where this extract's parts lie; new for each extract, since UNLOAD wants an empty place."""
        base = self.deployer.settings.cohort.extract_uri
        moment = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        return f"{base}/{self.caller.persona or 'deployer'}/{self.definition.name}/{self.lock.lock_id[:12]}-{moment}"


@dataclass(frozen=True)
class ExtractFile:
    """One file. `columns` carry their sensitivity classes; `withheld` are the table's others."""

    name: str
    table: str
    sha256: str
    n_bytes: int
    n_rows: int
    columns: list[dict[str, str]]
    withheld: list[str]
    s3_uri: str


@dataclass(frozen=True)
class Extracted:
    """The files, and the tables of the definition that the caller may not see at all."""

    files: list[ExtractFile]
    not_permitted: list[str]

    def as_dict(self) -> dict[str, object]:
        return {"files": [asdict(file) for file in self.files], "not_permitted": self.not_permitted}


def claim(folder: Path) -> None:
    """Make the folder ready for an extract: new, empty, or an earlier extract, which is removed. Else InputError."""
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file, expected a folder", next_step="choose another --extract DIR")
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    ours = files_of(folder / MANIFEST) | {MANIFEST} if MANIFEST in names else set()
    if foreign := sorted(names - ours):
        raise InputError(
            f"{folder} holds {', '.join(foreign[:5])}, which is no extract of ours",
            next_step="choose another --extract DIR",
        )
    for name in names:
        (folder / name).unlink()
    folder.mkdir(parents=True, exist_ok=True)


def files_of(manifest: Path) -> set[str]:
    try:
        return {file["name"] for file in orjson.loads(manifest.read_bytes())["files"]}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return set()


def extract(request: Request, folder: Path) -> Extracted:
    """Every table's file. AccessError when the caller may not see a single one."""
    uri, files, denied = request.uri, [], []
    for table in request.definition.extract:
        columns = visible_columns(request.caller, table)
        if columns is None:
            denied.append(table)
        else:
            files.append(extract_table(request, table, columns, f"{uri}/{table.replace('.', '_')}/", folder))
    if not files:
        raise AccessError(f"{request.caller.persona} may see none of {', '.join(denied)}")
    return Extracted(files, denied)


def extract_table(request: Request, table: str, columns: list[str], uri: str, folder: Path) -> ExtractFile:
    unload(request.caller, rows_sql(request.definition, table, columns), table.split(".")[0], uri)
    path = folder / f"{table.replace('.', '_')}.parquet"
    schema = open_table(request.deployer, table).schema().as_arrow()
    n_rows = join_parts(request.caller, uri, path, pa.schema([schema.field(name) for name in columns]))
    governed = {column.name: column for column in load_contract()[table].columns}
    return ExtractFile(
        name=path.name,
        table=table,
        sha256=hash_of_file(path),
        n_bytes=path.stat().st_size,
        n_rows=n_rows,
        columns=[{"name": name, "type": governed[name].type, "class": governed[name].sensitivity} for name in columns],
        withheld=[name for name in governed if name not in columns],
        s3_uri=uri,
    )


def unload(session: Session, text: str, room: str, uri: str) -> None:
    """UNLOAD the query's rows as Parquet, as the session's caller."""
    try:
        wr.athena.unload(
            sql=to_athena(session, text),
            path=uri,
            database=database_name(session, room) or room,
            file_format="PARQUET",
            workgroup=session.workgroup,
            boto3_session=session.boto,
            athena_query_wait_polling_delay=0.05,
        )
    except wr.exceptions.QueryFailed as error:
        raise failure(str(error)) from None
    except ClientError as error:
        raise failure(f"{error.response['Error']['Code']}: {error.response['Error']['Message']}") from None


def join_parts(session: Session, uri: str, path: Path, schema: pa.Schema) -> int:
    """The parts below `uri` in one Parquet file of the given schema; its rows. No part is a file without rows."""
    n_rows = 0
    with TemporaryDirectory() as folder, pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in download(session, uri, Path(folder)):
            with pq.ParquetFile(part) as source:
                for batch in source.iter_batches():
                    writer.write_table(pa.Table.from_batches([batch]).cast(schema))
                    n_rows += batch.num_rows
            part.unlink()
    return n_rows


def download(session: Session, uri: str, folder: Path) -> Iterator[Path]:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    s3 = session.client("s3")
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            path = folder / "part"
            s3.download_file(bucket, item["Key"], str(path))
            yield path


def hash_of_file(path: Path) -> str:
    total = sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            total.update(block)
    return total.hexdigest()
