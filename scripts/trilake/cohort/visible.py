"""What the caller may see of a governed table, as Athena answers it, and words for a query that met a closed door.

Reads the catalog through Athena as the caller. Behind `make cohort`, `make train` and `make dashboard`.

Example: visible_columns(session.as_persona("radiologist"), "genomic.dosage")  ->  None
"""

from trilake.core.athena import Answer, run
from trilake.core.errors import AccessError, QueryError
from trilake.core.session import Session

NO_SUCH_TABLE = "TABLE_NOT_FOUND"
"""What Athena says of a table that the caller may see nothing of."""


def visible_columns(session: Session, table: str) -> list[str] | None:
    """The columns of `room.table` that this caller may see; None when there is none."""
    room, name = table.split(".")
    try:
        return run(session, f'SELECT * FROM {room}."{name}" LIMIT 0').columns
    except AccessError:
        return None
    except QueryError as error:
        if NO_SUCH_TABLE in error.message:
            return None
        raise


def run_as(caller: Session, text: str, tables: list[str]) -> Answer:
    """The answer of a query over governed tables. AccessError names those that the caller may not see."""
    try:
        return run(caller, text)
    except (AccessError, QueryError):
        closed = [name for name in tables if visible_columns(caller, name) is None]
        if closed:
            raise AccessError(
                f"{caller.persona or 'The deployer'} may not see {', '.join(closed)}",
                next_step=f"trilake explain --as {caller.persona} --column {closed[0]}.patient_id",
            ) from None
        raise
