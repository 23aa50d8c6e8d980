"""Speed, each figure beside a peer's on the same data. Run by `make bench`; nothing here is a test.

`--scale 0.1` takes a tenth of the data. Each module of the package has the benchmarks of one room in BENCHMARKS, by
name.

Example: python -m bench --only vcf --only dicom
"""

import argparse
import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path

import bench
from bench.figure import Benchmark, Data, Figure
from trilake.core.text_table import text_table

COLUMNS = ("benchmark", "size", "seconds", "a second", "beside it")


def benchmarks() -> dict[str, Benchmark]:
    """Those of every room, by name."""
    modules = [importlib.import_module(f"bench.{module.name}") for module in pkgutil.iter_modules(bench.__path__)]
    return {name: call for module in modules for name, call in getattr(module, "BENCHMARKS", {}).items()}


def main() -> int:
    found = benchmarks()
    parser = argparse.ArgumentParser(description="Speed, each figure beside a peer's on the same data.")
    parser.add_argument("--only", choices=found, action="append", help="run this one alone (may be given twice)")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full sizes")
    given = parser.parse_args()
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        data = Data(Path(folder), given.scale)
        for name in given.only or list(found):
            sys.stderr.write(f"== {name}\n")
            figures += found[name](data)
    sys.stdout.write(text_table(COLUMNS, [figure.row() for figure in figures], widest=90) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
