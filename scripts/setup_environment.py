"""Make the project's virtual environment: pinned versions, Trilake itself in editable form.

Reads pyproject.toml and scripts/constraints.txt; writes the folder given (default .venv). Run by `make setup`.

Example: python3 scripts/setup_environment.py .venv
"""

import subprocess
import sys
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OLDEST = (3, 11)


def main(folder: Path) -> int:
    if sys.version_info < OLDEST:
        found, oldest = (".".join(map(str, version[:2])) for version in (sys.version_info, OLDEST))
        return refuse(f"Python {oldest} or newer is needed, this is {found}", "make setup PYTHON=python3.12")
    started = time.monotonic()
    say(f"Setting up {folder.name} (once; a minute or two)")
    try:
        venv.create(folder, with_pip=True, symlinks=True)
    except subprocess.CalledProcessError:
        return refuse("This Python cannot make virtual environments with pip", "install your system's python3-venv")
    pip = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    constraints = ["--constraint", str(ROOT / "scripts/constraints.txt")]
    # The build back end goes in first, so that the editable install needs no second, isolated download.
    for words in (["setuptools", "wheel"], ["--no-build-isolation", "--editable", f"{ROOT}[dev]"]):
        if subprocess.run([*pip, *constraints, *words], check=False).returncode:
            return refuse("pip could not install the packages (its words stand above)", "make setup")
    (folder / ".installed").touch()
    say(f"Ready after {time.monotonic() - started:.0f} s")
    return 0


def refuse(problem: str, next_step: str) -> int:
    say(f"Error: {problem}\n  Next: {next_step}")
    return 10


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else ".venv").absolute()))
