"""Terraform, driven through python-terraform: plan, apply what was planned, destroy, and read what came of it.

For the environment `local` it runs with localaws' provider, whatever the environment's own Terraform settings say, and
with the Terraform of PATH or else the one from PyPI; TRILAKE_TERRAFORM names another. Elsewhere with the real ones.

It runs in <state>/<env>/terraform/, a copy of the checkout's tree made of links: its locks, providers and overrides are
the environment's own, and nothing is written into the checkout.

Example:
    with open_terraform(folder, "local") as terraform:
        plan = terraform.plan(ROOTS[1])
        terraform.apply(plan)
"""

import json
import os
import shutil
import subprocess
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import python_terraform

from trilake.core.errors import ServiceError, SettingsError
from trilake.core.paths import SQL, TERRAFORM
from trilake.core.session import LOCAL, environment_variables

FOLDER = "terraform"
LEFT_OUT = {".terraform", "terraform.tfstate.d"}
LOCK_FILE = ".terraform.lock.hcl"
BACKEND_FILE = "trilake_backend_override.tf"
BACKEND = """terraform {
  backend "s3" {
    use_lockfile = true
  }
}
"""
# In localaws itself, so that what is there and what Terraform believes to be there are saved, or lost, as one.
LOCAL_STATE = {"bucket": "trilake-local-terraform", "region": "us-east-1", "use_path_style": "true"}
EMPTY_ROOT = """terraform {
  required_providers {
    aws   = { source = "hashicorp/aws" }
    awscc = { source = "hashicorp/awscc" }
  }
}

provider "aws" {}

provider "awscc" {}
"""
FLAG = python_terraform.IsFlagged
HAS_CHANGES = 2
PARALLELISM = 10
OUR_CHOICE = "TRILAKE_TERRAFORM"
# Settings of a user's shell that would change what a command does, or where.
FOREIGN = (
    "TF_CLI_ARGS",
    *(f"TF_CLI_ARGS_{command}" for command in ("init", "plan", "apply", "show", "output")),
    "TF_DATA_DIR",
    "TF_PLUGIN_CACHE_DIR",
    "TF_REATTACH_PROVIDERS",
    "TF_WORKSPACE",
)
ACTIONS = {
    ("create",): "create",
    ("update",): "update",
    ("delete",): "destroy",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
}
# Terraform copies its whole state after each resource; collecting that garbage less often saves a tenth of an apply.
LESS_COLLECTION = {"GOGC": "400"}
BUILT_IN = {"terraform_data"}
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Root:
    """A root module: `path` is its place below terraform/."""

    name: str
    path: str


ROOTS = (Root("account", "account"), Root("main", "."))

"""In the order they are applied in."""


class TerraformError(ServiceError):
    """Terraform refused or failed; the message is its own."""


@dataclass(frozen=True)
class Plan:
    """A saved plan of one root: its file, Terraform's text, its JSON (as `terraform show -json` gives it)."""

    root: Root
    folder: Path
    file: Path
    text: str
    content: dict[str, Any]
    has_changes: bool

    @property
    def actions(self) -> dict[str, str]:
        """What would happen, by address: create, update, replace or destroy."""
        changes = self.content.get("resource_changes", [])
        found = {change["address"]: ACTIONS.get(tuple(change["change"]["actions"])) for change in changes}
        return {address: action for address, action in found.items() if action}

    @property
    def counts(self) -> dict[str, int]:
        """Resources by action; all four are there."""
        counted = Counter(self.actions.values())
        return {action: counted[action] for action in ("create", "update", "replace", "destroy")}

    @property
    def types(self) -> Counter[str]:
        """How many resources of each type the plan's configuration has."""
        changes = self.content.get("resource_changes", [])
        kept = (item for item in changes if item["mode"] == "managed" and item["change"]["actions"] != ["delete"])
        return Counter(item["type"] for item in kept)


class Terraform:
    """Terraform in one environment. Made by `open_terraform`.

    `is_disposable`: all there is can be made again, so nobody is asked first and no protection holds.
    """

    def __init__(self, folder: Path, environment: str, executable: str) -> None:
        self.folder, self.environment, self.executable = folder, environment, executable
        self.is_disposable = environment == LOCAL
        self.tree = lay_tree(folder)

    def plan(self, root: Root) -> Plan:
        """Plan a root. TerraformError with Terraform's own words when the configuration or a service refuses."""
        return self._plan(root, self.tree / root.path, {"var_file": self._variables})

    def plan_removal(self, root: Root) -> Plan:
        """Plan the removal of all that a root made. TerraformError for what is protected, unless `is_disposable`."""
        if self.is_disposable:
            return self._plan(root, lay_empty_root(self.folder, root), {})
        return self._plan(root, self.tree / root.path, {"var_file": self._variables, "destroy": FLAG})

    @property
    def _variables(self) -> str:
        return f"environments/{self.environment}.tfvars"

    def _plan(self, root: Root, folder: Path, options: dict[str, Any]) -> Plan:
        self._init(root, folder)
        file = self.folder / FOLDER / f"{root.name}.tfplan"
        code, text, error = self._command(folder, "plan", out=file, detailed_exitcode=FLAG, **options)
        is_changing = code == HAS_CHANGES
        if code and not is_changing:
            raise TerraformError(f"Terraform could not plan {self.named(root)}:\n{error.strip() or text.strip()}")
        code, shown, error = self._command(folder, "show", str(file), json=FLAG)
        if code:
            raise TerraformError(f"Terraform could not show the plan of {self.named(root)}:\n{error.strip()}")
        return Plan(root, folder, file, text, json.loads(shown), is_changing)

    def _init(self, root: Root, folder: Path) -> None:
        options = write_backend(folder, root, self.environment)
        code, text, error = self._command(folder, "init", reconfigure=FLAG, **options)
        if code:
            raise TerraformError(f"Terraform could not be set up for {self.named(root)}:\n{(error or text).strip()}")

    def apply(self, plan: Plan, progress: Progress | None = None) -> None:
        """Do what was planned; progress(done, all) is called as resources are done.

        TerraformError with Terraform's diagnostics; what was done until then stays in the state.
        """
        command = self._driver(plan.folder).generate_cmd_string(
            "apply", str(plan.file), json=FLAG, parallelism=PARALLELISM
        )
        steps = {"create": 1, "update": 1, "destroy": 1, "replace": 2}
        total = sum(steps[action] for action in plan.actions.values())
        faults = [fault for event in self._events(plan.folder, command, total, progress) for fault in words_of(event)]
        if faults:
            raise TerraformError(f"Terraform could not apply {self.named(plan.root)}:\n" + "\n".join(faults))

    def _events(
        self, folder: Path, command: list[str], total: int, progress: Progress | None
    ) -> Iterator[dict[str, Any]]:
        """The events that `terraform apply -json` prints, one by one; a failure without one becomes one."""
        done, has_failed = 0, False
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
            try:
                for event in parsed(run.stdout or ()):
                    has_failed |= event.get("type") == "diagnostic"
                    if event.get("type") == "apply_complete":
                        done += 1
                        if progress:
                            progress(done, total)
                    yield event
            except KeyboardInterrupt:
                # Terraform got the interrupt too: let it finish what it has begun and write its state.
                run.wait()
                raise
        if run.returncode and not has_failed:
            yield {"type": "diagnostic", "diagnostic": {"severity": "error", "summary": f"exit code {run.returncode}"}}

    def outputs(self, root: Root) -> dict[str, Any]:
        """The outputs of an applied root ({name: {value, type, sensitive}}); empty when nothing is applied."""
        code, text, error = self._command(self.tree / root.path, "output", json=FLAG)
        if code:
            raise TerraformError(f"Terraform could not read the outputs of {self.named(root)}:\n{error.strip()}")
        found: dict[str, Any] = json.loads(text)
        return found

    def forget(self) -> None:
        """Remove the state itself, after all that it held is gone; only where `is_disposable`."""
        if self.is_disposable:
            s3, bucket = boto3.client("s3"), LOCAL_STATE["bucket"]
            for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=item["Key"])
            s3.delete_bucket(Bucket=bucket)

    def inert(self, plans: Iterable[Plan]) -> dict[str, int]:
        """Types that are kept in Terraform's state and made nowhere, with how many of them there are."""
        if self.environment != LOCAL:
            return {}
        from localaws.terraform.registry import is_made

        total: Counter[str] = sum((plan.types for plan in plans), Counter())
        return {kind: n for kind, n in sorted(total.items()) if kind not in BUILT_IN and not is_made(kind)}

    def named(self, root: Root) -> str:
        return f"terraform/{'' if root.path == '.' else root.path} for {self.environment}"

    def _driver(self, folder: Path) -> Any:
        return python_terraform.Terraform(working_dir=str(folder), terraform_bin_path=self.executable)

    def _command(self, folder: Path, command: str, *words: str, **options: Any) -> tuple[int, str, str]:
        """One command by `cmd`: python-terraform's own plan, apply and destroy add options that Terraform dropped."""
        if command in ("init", "plan"):
            options = {"input": False, **options}
        with warnings.catch_warnings():
            # python-terraform logs each exit code but 0 by a method that Python has deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            code, out, error = self._driver(folder).cmd(command, *words, no_color=FLAG, **options)
        return int(code), str(out), str(error)


def parsed(lines: Any) -> Iterator[dict[str, Any]]:
    """JSON events; other lines (a crash, a warning of the shell) become diagnostics when they look like errors."""
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            if "rror" in line or "panic" in line:
                yield {"type": "diagnostic", "diagnostic": {"severity": "error", "summary": line.strip()}}
            continue
        if isinstance(event, dict):
            yield event


def words_of(event: dict[str, Any]) -> Iterator[str]:
    """An error diagnostic as Terraform prints it: summary, resource, file and line, detail."""
    found = event.get("diagnostic") if event.get("type") == "diagnostic" else None
    if not found or found.get("severity") != "error":
        return
    place = found.get("range") or {}
    where = f", on {place['filename']} line {place['start']['line']}" if place else ""
    lines = [f"Error: {found['summary']}"]
    if found.get("address"):
        lines.append(f"  with {found['address']}{where}")
    if found.get("detail"):
        lines.append(f"  {found['detail']}")
    yield "\n".join(lines)


@contextmanager
def open_terraform(folder: Path, environment: str) -> Iterator[Terraform]:
    """Terraform for an environment; `folder` is the environment's below the state folder."""
    quiet: dict[str, str | None] = {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_INPUT": "0"}
    quiet |= dict.fromkeys(FOREIGN)
    if environment == LOCAL:
        from localaws.terraform.mirror import lay_out

        layout = lay_out(folder / FOLDER)
        executable = layout.executable
        # The plugin listens on a socket that only this user reaches; TLS would cost each start a tenth of a second.
        quiet |= {"TF_CLI_CONFIG_FILE": str(layout.configuration), "TF_DISABLE_PLUGIN_TLS": "1", **LESS_COLLECTION}
        make_state_bucket()
    else:
        executable = shutil.which("terraform") or ""
    with environment_variables(**quiet):
        yield Terraform(folder, environment, chosen(executable))


def make_state_bucket() -> None:
    """The laptop's place for Terraform's state; on AWS it is there before anything else."""
    s3, bucket = boto3.client("s3"), LOCAL_STATE["bucket"]
    if bucket not in {item["Name"] for item in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=bucket)


def chosen(found: str) -> str:
    """The executable that TRILAKE_TERRAFORM names, or the one that was found."""
    named = os.environ.get(OUR_CHOICE)
    executable = shutil.which(named) if named else found
    if not executable:
        raise SettingsError(
            f"No Terraform: {named} cannot be run" if named else "No Terraform on PATH",
            next_step="install Terraform 1.11 or newer, or name it: export TRILAKE_TERRAFORM=/path/to/terraform",
        )
    return executable


def lay_tree(folder: Path) -> Path:
    """Bring the copy up to date: links to new files in, links to files that are gone out; its terraform/ folder."""
    checkout = folder / FOLDER / "checkout"
    for source in (TERRAFORM, SQL):
        _mirror(source, checkout / source.name)
    return checkout / TERRAFORM.name


def _mirror(source: Path, place: Path) -> None:
    place.mkdir(parents=True, exist_ok=True)
    wanted = {path.name: path for path in source.iterdir() if _is_wanted(path)}
    for path in place.iterdir():
        _drop_stale(path, wanted.get(path.name))
    for name, path in wanted.items():
        if path.is_dir():
            _mirror(path, place / name)
        elif path.name == LOCK_FILE:
            # Terraform replaces this file rather than writing into it, so each environment has its own.
            shutil.copyfile(path, place / name)
        elif not (place / name).is_symlink():
            (place / name).symlink_to(path)


def _drop_stale(path: Path, source: Path | None) -> None:
    if path.is_symlink():
        if path.readlink() != source:
            path.unlink()
    elif path.is_dir() and path.name not in LEFT_OUT and source is None:
        shutil.rmtree(path)


def _is_wanted(path: Path) -> bool:
    return path.name not in LEFT_OUT and ".tfstate" not in path.name and not path.name.endswith("_override.tf")


def write_backend(folder: Path, root: Root, environment: str) -> dict[str, Any]:
    """Say that a root's state is kept in S3. The options of `init` that say where.

    SettingsError when an AWS environment says nothing of its bucket.
    """
    (folder / BACKEND_FILE).write_text(BACKEND)
    if environment == LOCAL:
        return {"backend_config": {**LOCAL_STATE, "key": f"{root.name}.tfstate"}}
    path = Path("environments") / f"{environment}.s3.tfbackend"
    if not (folder / path).exists():
        raise SettingsError(
            f"No place for the state of '{environment}': {TERRAFORM / root.path / path} does not exist",
            next_step="write it (bucket, key, region, kms_key_id); terraform/README.md shows one",
        )
    return {"backend_config": str(path)}


def lay_empty_root(folder: Path, root: Root) -> Path:
    """A root with the providers and nothing else: applying it destroys all that a state holds.

    Protection (`prevent_destroy`) is a word of the configuration, so an empty one has none.
    """
    place = folder / FOLDER / "empty" / root.name
    place.mkdir(parents=True, exist_ok=True)
    (place / "main.tf").write_text(EMPTY_ROOT)
    return place
