"""Words for a query that met a closed door.

Reads the catalog through Athena as the caller. Behind `make cohort`, `make train` and `make dashboard`.

Example: run_as(session.as_persona("radiologist"), "SELECT ...", ["genomic.dosage"])
"""

from trilake.core.athena import Answer, run, visible_columns
from trilake.core.errors import AccessError, QueryError
from trilake.core.session import Session


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
