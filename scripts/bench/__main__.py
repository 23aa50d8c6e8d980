"""Speed, each figure beside a peer's on the same data. Run by `make bench`; nothing here is a test.

`--scale 0.1` takes a tenth of the data. Each module of the package has the benchmarks of one room in BENCHMARKS, by
name.

Example: python -m bench --only vcf --only dicom
"""

import argparse
import importlib
import pkgutil
import re
import sys
import tempfile
from pathlib import Path

import bench
from bench.figure import Benchmark, Data, Figure
from trilake.core.text_table import text_table

BEGIN, END = "<!-- written by make bench -->", "<!-- end -->"
PART = re.compile(f"{BEGIN}\n|{END}")
COLUMNS = ("benchmark", "size", "seconds", "a second", "beside it")


def benchmarks() -> dict[str, Benchmark]:
    """Those of every room, by name."""
    modules = [importlib.import_module(f"bench.{module.name}") for module in pkgutil.iter_modules(bench.__path__)]
    return {name: call for module in modules for name, call in getattr(module, "BENCHMARKS", {}).items()}


def write(page: Path, figures: list[Figure]) -> None:
    """Put the figures into the page: a benchmark that was not run keeps its line."""
    head, old, tail = PART.split(page.read_text(), maxsplit=2)
    lines = {line.split("|")[1].strip(): line for line in old.strip().splitlines()[2:]}
    lines |= {figure.name: "| " + " | ".join(map(str, figure.row())) + " |" for figure in figures}
    table = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|", *lines.values()]
    page.write_text(f"{head}{BEGIN}\n" + "\n".join(table) + f"\n{END}{tail}")


def main() -> int:
    by_name = benchmarks()
    parser = argparse.ArgumentParser(description="Speed, each figure beside a peer's on the same data.")
    parser.add_argument("--only", choices=by_name, action="append", help="run this one alone (may be given twice)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full sizes")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the figures into a page, docs/performance.md")
    arguments = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        data = Data(Path(folder), arguments.scale)
        for name in arguments.only or list(by_name):
            sys.stderr.write(f"== {name}\n")
            figures += by_name[name](data)
    if arguments.write:
        write(arguments.write, figures)
    sys.stdout.write(text_table(COLUMNS, [figure.row() for figure in figures], widest=90) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
