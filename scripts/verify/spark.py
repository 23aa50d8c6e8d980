"""Every Glue job under the real Spark, on the loads that the local run did: the same rows in the same tables.

Writes to a temporary folder: a sample, deployed and ingested by the local run; then, on a copy of that state, each run
of each job again under Spark, into tables that are gone, and once more over what it wrote.

Example: python -m verify --only spark
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localaws.glue.spark import CHOICE
from localaws.installed import EnginesMissing, installed_engines
from trilake.core.glue_job import run_job
from trilake.core.lakehouse.iceberg import open_catalog
from trilake.core.paths import State
from trilake.core.session import LOCAL, Session, environment_variables, open_session
from verify.tier import Failed, NotRun, Tier

N_PATIENTS = 12
STORES = ("genomic_store", "imaging_store")
RUN_ONLY = {"importjobid"}
"""Columns that say which run of a job wrote a row."""
Rows = list[str]
Say = Callable[[str], None]


@dataclass(frozen=True)
class JobRun:
    """A run of the local engine: the job's name and its own arguments."""

    job: str
    arguments: dict[str, str]


def run(say: Say) -> str:
    try:
        version = installed_engines().spark_path.name
    except EnginesMissing as lack:
        raise NotRun(str(lack)) from None
    with tempfile.TemporaryDirectory() as name:
        local, spark = Path(name) / "local-run", Path(name) / "spark-run"
        for words in (["sample", "--patients", str(N_PATIENTS)], ["deploy", "--brief"], ["ingest"]):
            trilake(local, *words)
        shutil.copytree(local, spark, symlinks=True)
        say(f"{N_PATIENTS} patients loaded by the local run; now by {version}")
        with open_session(LOCAL, State(local)) as session:
            runs, expected = runs_of(session), tables_of(session)
        with on_spark(spark) as session:
            drop_tables(session)
            differences = [*repeated(session, runs, expected, say, "into no tables")]
            differences += repeated(session, runs, expected, say, "over its own rows")
    if differences:
        raise Failed("\n".join(differences))
    n_rows = sum(map(len, expected.values()))
    return (
        f"{len(runs)} runs of {len({run.job for run in runs})} jobs, twice: {n_rows:,} rows of {len(expected)} tables"
    )


def trilake(state: Path, *words: str) -> None:
    """A verb as a user calls it. Failed with its words when it fails."""
    asked = [sys.executable, "-m", "trilake.core.cli", *words, "--state", str(state)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(f"trilake {words[0]}: {done.stderr[-2000:]}")


@contextmanager
def on_spark(folder: Path) -> Iterator[Session]:
    with environment_variables(**{CHOICE: "spark"}), open_session(LOCAL, State(folder)) as session:
        yield session


def runs_of(session: Session) -> list[JobRun]:
    """The runs that succeeded, the oldest first."""
    glue = session.client("glue")
    job_runs = [run for name in glue.list_jobs()["JobNames"] for run in glue.get_job_runs(JobName=name)["JobRuns"]]
    done = sorted((run for run in job_runs if run["JobRunState"] == "SUCCEEDED"), key=lambda run: run["StartedOn"])
    return [JobRun(run["JobName"], own_arguments(glue, run["JobName"], run["Arguments"])) for run in done]


def own_arguments(glue: object, name: str, arguments: dict[str, str]) -> dict[str, str]:
    """What the run was given beside the job's defaults."""
    defaults = glue.get_job(JobName=name)["Job"]["DefaultArguments"]  # type: ignore[attr-defined]
    return {key.removeprefix("--"): value for key, value in arguments.items() if key not in defaults}


def store_tables(session: Session) -> Iterator[tuple[str, str]]:
    for database in session.client("glue").get_databases()["DatabaseList"]:
        if database["Name"].endswith(STORES):
            for table in session.client("glue").get_tables(DatabaseName=database["Name"])["TableList"]:
                yield database["Name"], table["Name"]


def tables_of(session: Session) -> dict[str, Rows]:
    """The rows of every table of the raw stores, as sorted texts, without the columns that name the run."""
    catalog = open_catalog(session)
    return {".".join(name): rows_of(catalog.load_table(name).scan().to_arrow()) for name in store_tables(session)}


def rows_of(table: object) -> Rows:
    kept = [name for name in table.column_names if name not in RUN_ONLY]  # type: ignore[attr-defined]
    return sorted(map(repr, table.select(kept).to_pylist()))  # type: ignore[attr-defined]


def drop_tables(session: Session) -> None:
    for name in list(store_tables(session)):
        open_catalog(session).drop_table(name)


def repeated(session: Session, runs: list[JobRun], expected: dict[str, Rows], say: Say, how: str) -> Iterator[str]:
    """Each run again under Spark; a line for each table whose rows are not those expected."""
    for one in runs:
        run_job(session, one.job, one.arguments)
        say(f"{one.job}, {how}")
    rows_by_table = tables_of(session)
    for name, rows in expected.items():
        if rows_by_table.get(name) != rows:
            theirs = rows_by_table.get(name, [])
            missing, more = len(set(rows) - set(theirs)), len(set(theirs) - set(rows))
            yield f"{name}, {how}: {missing} of {len(rows)} rows are missing, {more} are others"


TIER = Tier("spark", "Glue jobs under Spark write the rows that the local run writes", run)
