"""Whether what tests saw on the laptop's parts holds on the real ones: Trino, Spark, Terraform's providers, clients.

Each tier prints what it ran, and passes or fails on its own; one whose parts cannot be had is listed as "not run: why",
and STRICT=1 makes that a failure. Each has a process of its own, two at a time (`--jobs`). Run by `make verify`, after
`make setup-engines` for the tiers that need Java.

Example: python -m verify --only spark --only terraform
"""

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from trilake.core.text_table import text_table
from verify.listing import outcome_of, tiers
from verify.tier import Outcome

COLUMNS = ("tier", "verdict", "seconds", "what")


def main() -> int:
    by_name = tiers()
    parser = argparse.ArgumentParser(description="Repeat the proof with real parts, tier by tier.")
    parser.add_argument("--only", choices=by_name, action="append", help="run this tier alone (may be given twice)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="tiers at a time (default 2)")
    arguments = parser.parse_args()
    with ThreadPoolExecutor(max(1, arguments.jobs)) as threads:
        outcomes = list(threads.map(outcome_apart, arguments.only or list(by_name)))
    rows = [[ended.name, ended.verdict, f"{ended.seconds:.0f}", ended.words] for ended in outcomes]
    sys.stdout.write(text_table(COLUMNS, rows, widest=100) + "\n")
    return exit_code(outcomes, strict=os.environ.get("STRICT") == "1")


def outcome_apart(name: str) -> Outcome:
    """The outcome of a tier that runs in a process of its own: no keys, sessions or servers of another's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        try:
            return pool.submit(outcome_of, name).result()
        except BrokenProcessPool:
            return Outcome(name, "FAILS", "its process was killed", 0)


def exit_code(outcomes: list[Outcome], *, strict: bool) -> int:
    """1 when a tier fails; in strict mode also when one was not run."""
    bad = {"FAILS", "not run"} if strict else {"FAILS"}
    return int(any(ended.verdict in bad for ended in outcomes))


if __name__ == "__main__":
    sys.exit(main())
