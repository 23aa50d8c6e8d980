"""SQL parity: what the project's own SQL answers, on DuckDB and on Trino over the same tables.

Reads sql/, tests/sql and a small sample that it makes; writes a temporary folder. The verbs and cases run as they
always do, over a twin engine (`verify.twin`): every statement that Athena gets is asked of both, after it was
authorised and rewritten for its caller, and columns, types and rows are compared by the rule in `verify.comparison`.

Asked: every SQL case of tests/sql; then, over a sample of patients, every file in sql/ (governed tables and views),
the demo's questions as each persona, every dashboard as its persona, every cohort, and the data of every study.

Example: SQL_PATIENTS=40 python -m verify --only sql_parity
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from localaws.installed import EnginesMissing, installed_engines
from trilake.cohort.cohort import build_cohort
from trilake.cohort.definition import COHORTS, load_definition
from trilake.core.athena import run as ask
from trilake.core.cli import trilake
from trilake.core.errors import TrilakeError
from trilake.core.paths import ROOT, State
from trilake.core.session import Session, open_session
from trilake.core.sql import DIALECT, load_relations
from trilake.dashboard.dashboard import Order, build_pages
from trilake.dashboard.page import load_pages
from trilake.ml.features import read_features
from trilake.ml.outcome import read_people
from trilake.ml.study import STUDIES, load_study
from trilake.operations.demo import DENIED, QUESTION, RESEARCHER
from verify.tier import Failed, NotRun, Tier
from verify.twin import Twins, twinned

PATIENTS, THREADS, SHOWN = "16", 3, 12
QUESTIONS = (QUESTION, DENIED)
Say = Callable[[str], None]


def run(say: Say) -> str:
    try:
        installed_engines().need_trino()
    except EnginesMissing as error:
        raise NotRun(str(error)) from None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = answered_cases(folder / "cases", say)
        own = answered_lake(State(folder / "state"), say)
    differences = [*cases.differences, *own.differences]
    n_queries, n_unanswered = cases.n_queries + own.n_queries, cases.n_unanswered + own.n_unanswered
    if differences:
        raise Failed("\n".join([f"{len(differences)} of {n_queries} queries differ", *map(str, differences[:SHOWN])]))
    if n_unanswered:
        raise Failed(f"Trino broke down on {n_unanswered} of {n_queries} queries")
    return f"{n_queries} queries of sql/, its cases and its users: the same on both"


def answered_cases(folder: Path, say: Say) -> Twins:
    """Every case of tests/sql, over tables of its own."""
    sys.path.append(str(ROOT))
    from tests.lake import a_lake
    from tests.sql.cases import case_files, load_case, run_case

    cases = [load_case(path) for path in case_files()]
    with twinned() as twins, a_lake(folder) as session, ThreadPoolExecutor(THREADS) as pool:
        # The first one alone: sqlglot loads its dialects when first asked, and not for several threads at once.
        run_case(session, cases[0], 0)
        for _ in pool.map(lambda place: run_case(session, cases[place], place), range(1, len(cases))):
            pass
    say(f"{len(cases)} SQL cases: {in_words(twins)}")
    return twins


def answered_lake(state: State, say: Say) -> Twins:
    """A small lake, built and asked."""
    call(state, "sample", "--patients", os.environ.get("SQL_PATIENTS") or PATIENTS)
    call(state, "deploy", "--brief")
    call(state, "ingest")
    with twinned() as twins, open_session("local", state) as session:
        for what, step in steps(state, session):
            before = twins.n_queries
            step()
            say(f"{what}: {twins.n_queries - before} queries")
    say(in_words(twins))
    return twins


def steps(state: State, session: Session) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is asked of the lake, in an order in which each finds what it reads."""
    yield f"{len(load_relations())} files of sql/", lambda: call(state, "views")
    yield "the same files, asked one by one", lambda: asked_file_by_file(session)
    yield "demo questions", lambda: asked_by_personas(session)
    yield "dashboards", lambda: pages_built(session, state)
    cohorts = [load_definition(path) for path in sorted(COHORTS.glob("*.yaml"))]
    yield f"{len(cohorts)} cohorts", lambda: for_each(partial(counted, session), cohorts)
    studies = [load_study(path) for path in sorted(STUDIES.glob("*.yaml"))]
    yield f"{len(studies)} studies", lambda: for_each(partial(read, session.as_persona(RESEARCHER)), studies)


def for_each(action: Callable[[Any], None], items: Iterable[Any]) -> None:
    for item in items:
        action(item)


def asked_file_by_file(session: Session) -> None:
    """The SELECT of each file as it stands there, and what is kept of it."""
    for name, relation in load_relations().items():
        ask(session, relation.tree.sql(dialect=DIALECT))
        if relation.kind == "table":
            ask(session, f"SELECT * FROM {name}")


def asked_by_personas(session: Session) -> None:
    for persona in session.settings.governance.personas:
        for question in QUESTIONS:
            with contextlib.suppress(TrilakeError):
                ask(session.as_persona(persona), question)


def pages_built(session: Session, state: State) -> None:
    pages = load_pages()
    order = Order(pages, (), state.environment("local") / "pages")
    build_pages(session, order, list(pages), say=lambda _: None)


def counted(session: Session, definition: object) -> None:
    """A cohort may be too small to release: its queries are what is wanted."""
    with contextlib.suppress(TrilakeError):
        build_cohort(session, definition, persona=RESEARCHER, folder=None, say=lambda _: None)  # type: ignore[arg-type]


def read(caller: Session, study: object) -> None:
    with contextlib.suppress(TrilakeError):
        read_people(caller, study)  # type: ignore[arg-type]
    with contextlib.suppress(TrilakeError):
        read_features(caller, study)  # type: ignore[arg-type]


def call(state: State, *words: str) -> None:
    """Run a verb in this process, its words kept to itself."""
    options = ["--env", "local", "--state", str(state.folder)]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        trilake.main([*words, *options], standalone_mode=False, obj=[])


def in_words(twins: Twins) -> str:
    return (
        f"{twins.n_queries} queries on both engines, {twins.n_failed} refused by both, {len(twins.differences)} differ"
    )


TIER = Tier("sql_parity", "the project's SQL answers alike on DuckDB and on Trino, row for row", run)
