"""Where Terraform runs: a copy of the checkout's tree made of links, one per environment, in the state folder.

What Terraform writes (plugins, lock file, local state) and what an environment adds (its backend) then never touch the
checkout, where `terraform init`, `validate`, `plan` and `test` stay usable by hand. Folders are real, files are links.

Reads terraform/ and sql/; writes <state>/<env>/terraform/. Make targets: deploy, plan, destroy.
Example: lay_tree(Path(".trilake/local"))  ->  .trilake/local/terraform/checkout/terraform
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trilake.core.errors import SettingsError
from trilake.core.paths import SQL, TERRAFORM
from trilake.core.session import LOCAL

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


@dataclass(frozen=True)
class Root:
    """A root module: `path` is its place below terraform/."""

    name: str
    path: str


ROOTS = (Root("account", "account"), Root("main", "."))
"""In the order they are applied in."""


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
