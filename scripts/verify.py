"""The proof repeated with real parts: so far Terraform with the real hashicorp/aws and hashicorp/awscc providers.

Each tier prints what it ran, and "not run: why" where its parts cannot be had; STRICT=1 makes that a failure. A plugin
mirror is taken from TRILAKE_PLUGIN_MIRROR (a folder that holds registry.terraform.io/), else the registry is asked.
Where the mirror has no awscc, awscc comes from the local provider. Run by `make verify`.

Example: TRILAKE_PLUGIN_MIRROR=/opt/plugins python scripts/verify.py
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from check import configuration_holds
from localaws.terraform.mirror import lay_out

HASHICORP = "registry.terraform.io/hashicorp"
MIRRORED = """disable_checkpoint = true
provider_installation {{
  filesystem_mirror {{
    path    = "{real}"
    include = [{included}]
  }}
  filesystem_mirror {{
    path    = "{local}"
    include = [{left}]
  }}
}}
"""


def configuration(folder: Path, local_mirror: Path) -> Path | None:
    """A CLI configuration for the real providers of the mirror that the environment names; None: ask the registry."""
    mirror = os.environ.get("TRILAKE_PLUGIN_MIRROR")
    if not mirror:
        return None
    real = {name for name in ("aws", "awscc") if (Path(mirror) / HASHICORP / name).is_dir()}
    named = {
        kind: ", ".join(f'"{HASHICORP}/{name}"' for name in sorted(names))
        for kind, names in (("included", real), ("left", {"aws", "awscc"} - real))
    }
    path = folder / "real.rc"
    path.write_text(MIRRORED.format(real=mirror, local=local_mirror, **named))
    say(f"   real: {', '.join(sorted(real)) or 'none'}")
    return path


def registry_answers(executable: str, folder: Path, environment: dict[str, str]) -> bool:
    """Whether `terraform init` can fetch the real providers."""
    (folder / "main.tf").write_text(
        'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'
    )
    words = [executable, "init", "-input=false"]
    done = subprocess.run(words, cwd=folder, env=os.environ | environment, capture_output=True, check=False)
    return done.returncode == 0


def real_providers() -> bool | None:
    """Whether fmt, validate and test hold with the real providers; None when these cannot be had."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layout = lay_out(folder / "terraform")
        chosen = configuration(folder, layout.configuration.parent / "mirror")
        (folder / "empty.rc").write_text("disable_checkpoint = true\n")
        environment = {"TF_CLI_CONFIG_FILE": str(chosen or folder / "empty.rc")}
        if chosen is None:
            (folder / "probe").mkdir()
            if not registry_answers(layout.executable, folder / "probe", environment):
                return None
        return configuration_holds(folder, layout.executable, environment)


def main() -> int:
    say("== terraform, real providers")
    holds = real_providers()
    if holds is None:
        say("   not run: no plugin mirror (TRILAKE_PLUGIN_MIRROR) and no registry to ask")
        return 1 if os.environ.get("STRICT") == "1" else 0
    say(f"   terraform, real providers: {'holds' if holds else 'FAILS'}")
    return 0 if holds else 1


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
