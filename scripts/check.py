"""Everything that can be known without a lake: lint, types, SQL, contract, documents, secrets, Terraform, checkov.

Reads the checkout; writes only caches. Run by `make check`; `--only NAME` runs one step.

Example: python scripts/check.py --only types
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

from localaws.terraform.mirror import lay_out
from trilake.core.paths import ROOT, TERRAFORM
from trilake.core.terraform import ROOTS, lay_tree

BIN = Path(sys.executable).parent
CHECKOV = ROOT / ".checkov"
HASHES = re.compile(r"^(scripts/(constraints.*\.txt|setup_engines\.py)$|tests/sql/)")
PYTHON_FOLDERS = ["scripts", "glue_jobs", "tests"]


def run(*words: str | Path, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> bool:
    """Whether the command succeeded; its words go to the terminal."""
    command = [str(word) for word in words]
    return subprocess.run(command, cwd=cwd, env=os.environ | (environment or {}), check=False).returncode == 0


def lint() -> bool:
    return run(BIN / "ruff", "check", *PYTHON_FOLDERS) and run(BIN / "ruff", "format", "--check", *PYTHON_FOLDERS)


def types() -> bool:
    return run(BIN / "mypy")


def sql() -> bool:
    return run(BIN / "trilake", "views", "--check") and run(BIN / "sqlfluff", "lint", "--disable-progress-bar", "sql")


def documents() -> bool:
    """Whether docs/ and scripts/localaws/COVERAGE.md say what the code and the tests say."""
    is_current = run(BIN / "python", "scripts/write_docs.py", "--check")
    return run(BIN / "python", "-m", "localaws.describe", "--check") and is_current


def secrets() -> bool:
    """No file that git knows holds what looks like a secret. Hashes look like some: pins and SQL cases are left out."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    # HL7's definitions and the providers' schemas are megabytes of others' words, a minute to scan.
    files = [name for name in tracked if not name.endswith(".json") and not HASHES.search(name)]
    return run(BIN / "detect-secrets-hook", *files)


def terraform_format() -> bool:
    """Format alone: what a commit needs to know at once."""
    with tempfile.TemporaryDirectory() as folder:
        executable = lay_out(Path(folder) / "terraform").executable
        return run(executable, "fmt", "-check", "-recursive", "-diff", cwd=TERRAFORM)


def terraform() -> bool:
    """Init, validate and test on a copy of the checkout, with the local provider."""
    with tempfile.TemporaryDirectory() as folder:
        layout = lay_out(Path(folder) / "terraform")
        return configuration_holds(Path(folder), layout.executable, {"TF_CLI_CONFIG_FILE": str(layout.configuration)})


def configuration_holds(folder: Path, executable: str, environment: dict[str, str]) -> bool:
    """Whether both roots are valid and pass their tests, with the providers that `environment` names."""
    tree = lay_tree(folder)
    return all(
        run(executable, *words, cwd=tree / root.path, environment=environment)
        for root in ROOTS
        for words in (
            ["init", "-no-color", "-backend=false", "-input=false"],
            ["validate", "-no-color"],
            ["test", "-no-color"],
        )
    )


def checkov() -> bool:
    """checkov pins old versions of boto3 and packaging: it lives in an environment of its own."""
    if not (CHECKOV / ".installed").exists():
        venv.create(CHECKOV, with_pip=True)
        pinned = ROOT / "scripts/constraints-checkov.txt"
        if not run(CHECKOV / "bin/python", "-m", "pip", "install", "--quiet", "--constraint", pinned, "checkov"):
            return False
        (CHECKOV / ".installed").touch()
    quiet = {"LOG_LEVEL": "ERROR", "BC_SKIP_MAPPING": "TRUE"}
    return run(
        CHECKOV / "bin/checkov", "--config-file", ROOT / ".checkov.yaml", "--directory", TERRAFORM, environment=quiet
    )


STEPS: dict[str, Callable[[], bool]] = {
    "lint": lint,
    "types": types,
    "sql": sql,
    "documents": documents,
    "secrets": secrets,
    "format": terraform_format,
    "terraform": terraform,
    "checkov": checkov,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--only", choices=STEPS, action="append", help="run this step alone (may be given twice)")
    chosen = parser.parse_args().only or list(STEPS)
    failed = []
    for name in chosen:
        say(f"== {name}")
        started = time.monotonic()
        is_green = STEPS[name]()
        say(f"   {name}: {'holds' if is_green else 'FAILS'} ({time.monotonic() - started:.0f} s)")
        failed += [] if is_green else [name]
    say("All checks hold" if not failed else f"Failing: {', '.join(failed)}")
    return 1 if failed else 0


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
