"""Terraform with the real hashicorp/aws plugin: valid, tested, applied into localaws, planned again clean, destroyed.

Reads terraform/; writes to a temporary folder. The plugins come from a mirror: the folder that TRILAKE_PLUGIN_MIRROR
names, or one where Terraform and packagers put them (it holds registry.terraform.io/); else the registry is asked.
awscc comes from the local provider where the mirror has none.

Example: TRILAKE_PLUGIN_MIRROR=/opt/plugins python -m verify --only terraform
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from check import configuration_holds
from localaws.terraform.mirror import lay_out
from trilake.core.paths import State
from trilake.core.session import LOCAL, Session, environment_variables, open_session
from trilake.core.terraform import ROOTS, Plan, Terraform, open_terraform
from trilake.operations.teardown import left_behind
from verify.planned import differences
from verify.tier import Failed, NotRun, Tier

HASHICORP = "registry.terraform.io/hashicorp"
PROVIDERS = {"aws", "awscc"}
# Where Terraform itself looks for plugins: https://developer.hashicorp.com/terraform/cli/config/config-file
IMPLIED_MIRRORS = (
    Path.home() / ".terraform.d/plugins",
    Path.home() / ".local/share/terraform/plugins",
    Path("/usr/local/share/terraform/plugins"),
    Path("/usr/share/terraform/plugins"),
)
LACK = "no plugin mirror (TRILAKE_PLUGIN_MIRROR=FOLDER that holds registry.terraform.io/) and no registry to ask"
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
Say = Callable[[str], None]


def find_mirror() -> Path | None:
    """A plugin mirror with the real hashicorp/aws. NotRun when the environment names one that has none."""
    named = os.environ.get("TRILAKE_PLUGIN_MIRROR")
    if named and not (Path(named) / HASHICORP / "aws").is_dir():
        raise NotRun(f"TRILAKE_PLUGIN_MIRROR is {named}, which holds no {HASHICORP}/aws")
    places = [Path(named)] if named else [*IMPLIED_MIRRORS, *sorted(Path("/opt").glob("*"))]
    return next((place for place in places if (place / HASHICORP / "aws").is_dir()), None)


def configuration(folder: Path, local_mirror: Path, mirror: Path | None, say: Say) -> Path:
    """A CLI configuration for the real providers, as far as the mirror, or without one the registry, has them."""
    path = folder / "real.rc"
    if mirror is None:
        path.write_text("disable_checkpoint = true\n")
        say("providers: of the registry")
        return path
    real = {name for name in PROVIDERS if (mirror / HASHICORP / name).is_dir()}
    named = {
        kind: ", ".join(f'"{HASHICORP}/{name}"' for name in sorted(names))
        for kind, names in (("included", real), ("left", PROVIDERS - real))
    }
    path.write_text(MIRRORED.format(real=mirror, local=local_mirror, **named))
    say(f"providers: {', '.join(sorted(real))} of the mirror; local: {', '.join(sorted(PROVIDERS - real)) or 'none'}")
    return path


def registry_answers(executable: str, folder: Path, chosen: Path) -> bool:
    """Whether `terraform init` can fetch hashicorp/aws."""
    folder.mkdir()
    (folder / "main.tf").write_text(
        'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws" }\n  }\n}\n'
    )
    words = [executable, "init", "-input=false"]
    environment = os.environ | {"TF_CLI_CONFIG_FILE": str(chosen)}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, check=False)
    return done.returncode == 0


def run(say: Say) -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        layout = lay_out(folder / "terraform")
        mirror = find_mirror()
        real = configuration(folder, layout.configuration.parent / "mirror", mirror, say)
        if mirror is None and not registry_answers(layout.executable, folder / "probe", real):
            raise NotRun(LACK)
        if not configuration_holds(folder, layout.executable, {"TF_CLI_CONFIG_FILE": str(real)}):
            raise Failed("terraform fmt, validate or test, above")
        say("both roots are valid and pass their tests")
        with open_session(LOCAL, State(folder / "state")) as session:
            return f"valid and tested; {lived(session, folder, real, say)}"


@contextmanager
def with_real(folder: Path, chosen: Path) -> Iterator[Terraform]:
    """Terraform in localaws, with the providers that the CLI configuration `chosen` names."""
    with open_terraform(folder, LOCAL) as terraform, environment_variables(TF_CLI_CONFIG_FILE=str(chosen)):
        yield terraform


def lived(session: Session, folder: Path, real: Path, say: Say) -> str:
    """Plan with the local provider, then with the real one: the same; apply, plan again, destroy. What held, in words.

    Roots go one after the other, since the main one reads what the account's one made. The two plan in folders of their
    own, where each locks its provider's version.
    """
    faults: list[str] = []
    n_made = 0
    for root in ROOTS:
        with open_terraform(folder / "local", LOCAL) as terraform:
            ours = terraform.plan(root)
        with with_real(folder / "real", real) as terraform:
            theirs = terraform.plan(root)
            faults += differences(ours.content, theirs.content)
            terraform.apply(theirs, lambda done, total: None)
            n_made += theirs.counts["create"]
            say(f"{root.name}: {theirs.counts['create']} resources applied by the real provider")
            faults += leftovers(terraform.plan(root))
    with with_real(folder / "real", real) as terraform:
        for root in reversed(ROOTS):
            terraform.apply(terraform.plan_removal(root), lambda done, total: None)
        terraform.forget()
    faults += [f"still there after destroy: {name}" for name in left_behind(session)]
    if faults:
        raise Failed("\n".join(faults))
    return f"{n_made} resources applied into localaws, second plan clean, destroyed, nothing left"


def leftovers(plan: Plan) -> list[str]:
    return [f"a second plan would {action} {address}" for address, action in plan.actions.items()]


TIER = Tier("terraform", "the real providers plan as the local one, and localaws is AWS enough for them", run)
