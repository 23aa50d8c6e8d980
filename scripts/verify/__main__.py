"""Whether what tests saw on the laptop's parts holds on the real ones: Trino, Spark, Terraform's providers, clients.

Each tier prints what it ran, and passes or fails on its own; one whose parts cannot be had is listed as "not run: why",
and STRICT=1 makes that a failure. Run by `make verify`, after `make setup-engines` for the tiers that need Java.

Example: python -m verify --only spark --only terraform
"""

import argparse
import importlib
import os
import pkgutil
import sys

import verify
from trilake.core.text_table import text_table
from verify.tier import Outcome, Tier, outcome

ORDER = ("terraform", "wire", "clients", "spark", "engine_tests", "sql_parity", "random_sql")
COLUMNS = ("tier", "verdict", "seconds", "what")


def tiers() -> dict[str, Tier]:
    """Those of the package's modules, by name, in the order that fails soonest."""
    modules = [module.name for module in pkgutil.iter_modules(verify.__path__) if module.name != "__main__"]
    found = [getattr(importlib.import_module(f"verify.{name}"), "TIER", None) for name in modules]
    named = {tier.name: tier for tier in found if tier is not None}
    return {name: named[name] for name in sorted(named, key=lambda name: ORDER.index(name))}


def main() -> int:
    found = tiers()
    parser = argparse.ArgumentParser(description="Repeat the proof with real parts, tier by tier.")
    parser.add_argument("--only", choices=found, action="append", help="run this tier alone (may be given twice)")
    chosen = parser.parse_args().only or list(found)
    outcomes = [outcome(found[name]) for name in chosen]
    rows = [[ended.name, ended.verdict, f"{ended.seconds:.0f}", ended.words] for ended in outcomes]
    sys.stdout.write(text_table(COLUMNS, rows, widest=100) + "\n")
    return exit_code(outcomes, strict=os.environ.get("STRICT") == "1")


def exit_code(outcomes: list[Outcome], *, strict: bool) -> int:
    """1 when a tier fails; in strict mode also when one was not run."""
    bad = {"FAILS", "not run"} if strict else {"FAILS"}
    return int(any(ended.verdict in bad for ended in outcomes))


if __name__ == "__main__":
    sys.exit(main())
