"""`trilake views`: governed tables and views brought up to date; with --check, their SQL files held to the rules.

Reads sql/<room>/{tables,views}; writes governed tables and Athena views (see `operations.refresh`). `make views`.

Example: trilake views --check
"""

import click

from trilake.core.errors import InputError
from trilake.core.sql import load_relations, run_order
from trilake.core.verb import Run, on_engine, verb
from trilake.operations.check_sql import faults_of_sql
from trilake.operations.refresh import Built, refresh


@click.command()
@click.option("--check", is_flag=True, help="Only hold the SQL files to the rules and the contract, without AWS.")
@click.option("--full", is_flag=True, help="Rebuild every governed table, even where little or nothing changed.")
@verb
@on_engine
def views(run: Run, check: bool, full: bool) -> None:
    """Bring governed tables and views up to date, each after what it reads.

    Example: trilake views --json
    """
    if check:
        check_files(run)
        return
    with run.session() as session:
        built = refresh(session, say=run.say, full=full)
    run.emit(built.as_json(), text=in_words(built))


def check_files(run: Run) -> None:
    """InputError lists every fault of every SQL file."""
    faults = faults_of_sql()
    if faults:
        raise InputError("SQL files do not hold:\n  " + "\n  ".join(faults), next_step="mend them, then make check")
    order = run_order(load_relations())
    run.emit({"built": [], "order": order, "rows": {}}, text=f"{len(order)} SQL files hold; order: {', '.join(order)}")


def in_words(built: Built) -> str:
    n_rows = sum(built.rows.values())
    words = f"{len(built.rows)} tables and views are up to date, {n_rows:,} rows"
    return words + (f"; {len(built.skipped)} left as they are" if built.skipped else "")
