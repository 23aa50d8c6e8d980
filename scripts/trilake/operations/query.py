"""`trilake query`: one Athena query, as the deployer or as a persona, tables named `room.table`.

Reads what the caller may read. `make query`.

Example: trilake query --as radiologist "SELECT count(*) AS n FROM imaging.study"
"""

from pathlib import Path
from typing import Any

import click

from trilake.core.athena import Answer, run
from trilake.core.text_table import text_table
from trilake.core.verb import Run, on_engine, verb


@click.command()
@click.argument("sql", required=False)
@click.option("--as", "persona", help="Ask under this persona's role; without it, as the deployer.")
@click.option(
    "--file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read the SQL from a file instead."
)
@verb
@on_engine
def query(run_of: Run, sql: str | None, persona: str | None, file: Path | None) -> None:
    """Run one Athena query over tables named room.table.

    Example: trilake query --as clinician "SELECT gender, count(*) AS n FROM clinical.patient GROUP BY gender"
    """
    if (sql is None) == (file is None):
        raise click.UsageError("Give the SQL, or --file with a file that holds it.")
    text = file.read_text() if file else str(sql)
    with run_of.session() as session:
        answer = run(session.as_persona(persona), text)
    run_of.emit(as_json(answer), text=in_words(answer))


def as_json(answer: Answer) -> dict[str, Any]:
    return {"columns": answer.columns, "rows": answer.rows, "bytes_scanned": answer.bytes_scanned}


def in_words(answer: Answer) -> str:
    n_rows = f"{len(answer.rows):,} row{'' if len(answer.rows) == 1 else 's'}"
    if not answer.columns:
        return n_rows
    table = text_table(answer.columns, answer.rows, has_separators=False)
    return f"{table}\n\n{n_rows}, {answer.bytes_scanned:,} bytes scanned"
