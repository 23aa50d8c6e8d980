"""A small lake that real Terraform applied into a real LocalAws, and the product's own root modules, ready to run.

Example: `def test_nothing(small_lake): assert small_lake.review().effects == ()`.
"""

import copy
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from localaws import LocalAws
from localaws.terraform.mirror import Layout, lay_out
from tests.lake import built_lake, lake
from trilake.core.paths import SQL, TERRAFORM
from trilake.governance.plan_review import Review, review

__all__ = ["built_lake", "lake"]

HERE = Path(__file__).parent / "lake"


def column(name: str, sensitivity: str) -> dict[str, str]:
    return {
        "name": name,
        "type": "boolean" if name == "consent_research" else "string",
        "class": sensitivity,
        "source": "x",
    }


KEYS = [column("site_id", "CL"), column("consent_research", "OP")]
CONTRACT = {
    "clinical": {
        "patient": {
            "grain": "one row per patient",
            "patient_level": True,
            "columns": [column("patient_id", "CL"), column("mrn", "ID"), column("postcode", "QI"), *KEYS],
        },
        "document": {
            "grain": "one row per document",
            "patient_level": True,
            "columns": [column("document_id", "CL"), column("text", "TX"), *KEYS],
        },
    },
    "genomic": {
        "variant": {
            "grain": "one row per call",
            "patient_level": True,
            "columns": [column("sampleid", "GT"), column("calls", "GT"), column("contigname", "AN"), *KEYS],
        },
        "annotation": {"grain": "one row per allele", "patient_level": False, "columns": [column("gene", "AN")]},
    },
}
POLICY: dict[str, Any] = {
    "minimum_cell": 10,
    "personas": {
        "nurse": {
            "description": "Nurse",
            "grants": [{"tables": ["clinical.patient"], "classes": ["ID", "CL"], "rows": "site_id = 'north'"}],
        },
        "analyst": {
            "description": "Analyst",
            "grants": [{"tables": ["genomic.*"], "classes": ["GT", "AN"], "rows": "consent_research = true"}],
        },
        "engineer": {"description": "Engineer", "grants": []},
    },
}


@dataclass
class Workspace:
    """A folder in which Terraform runs."""

    folder: Path
    executable: str
    environment: dict[str, str]

    def terraform(self, *words: str) -> str:
        """What a command printed; it must succeed."""
        process = subprocess.run(
            [self.executable, *words],
            cwd=self.folder,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    def show(self, *words: str) -> dict[str, Any]:
        """A plan file, or the state, as JSON."""
        content: dict[str, Any] = json.loads(self.terraform("show", "-json", *words))
        return content


@dataclass
class SmallLake(Workspace):
    """The applied lake. `plan` and `review` leave it as it is."""

    aws: LocalAws

    def plan(self, *options: str, files: dict[str, str] | None = None, **variables: Any) -> dict[str, Any]:
        """The JSON of a plan with other variables, files beside main.tf, or options of `terraform plan`."""
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
        changed = self.folder / "changed.json"
        changed.write_text(json.dumps({"contract": CONTRACT, "policy": POLICY} | variables))
        try:
            self.terraform("plan", "-out=out.tfplan", "-input=false", f"-var-file={changed}", *options)
            return self.show("out.tfplan")
        finally:
            for name in files or {}:
                (self.folder / name).unlink()

    def review(self, *options: str, files: dict[str, str] | None = None, **variables: Any) -> Review:
        return review(self.plan(*options, files=files, **variables))

    def apply(self, **variables: Any) -> None:
        self.plan(**variables)
        self.terraform("apply", "-input=false", "out.tfplan")


def policy_with(**personas: Any) -> dict[str, Any]:
    """The policy with some personas replaced; None takes one out."""
    changed = copy.deepcopy(POLICY)
    changed["personas"].update(personas)
    changed["personas"] = {name: entry for name, entry in changed["personas"].items() if entry is not None}
    return changed


@pytest.fixture(scope="session")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    return lay_out(tmp_path_factory.mktemp("provider"))


def settings_of(aws: LocalAws, layout: Layout) -> dict[str, str]:
    """The environment in which Terraform finds the local provider, and the provider finds `aws`."""
    return {
        "TF_CLI_CONFIG_FILE": str(layout.configuration),
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": aws.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.credentials.secret_access_key,
        "AWS_REGION": aws.world.region,
    }


@pytest.fixture(scope="module")
def small_lake(tmp_path_factory: pytest.TempPathFactory, layout: Layout) -> Iterator[SmallLake]:
    folder = tmp_path_factory.mktemp("governance")
    shutil.copytree(TERRAFORM / "modules", folder / "modules")
    shutil.copytree(SQL / "core", folder / "sql/core")
    shutil.copytree(HERE, folder / "lake")
    with LocalAws(folder / "state") as aws:
        lake = SmallLake(folder / "lake", layout.executable, settings_of(aws, layout), aws)
        lake.terraform("init", "-input=false")
        lake.apply()
        yield lake


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory, layout: Layout) -> dict[str, Workspace]:
    """Both root modules of a copy of terraform/, initialised. They know of no AWS: tests and validation need none."""
    top = tmp_path_factory.mktemp("checkout")
    shutil.copytree(TERRAFORM, top / "terraform", ignore=shutil.ignore_patterns(".terraform*", "*_override.tf"))
    shutil.copytree(SQL, top / "sql")
    environment = {"TF_CLI_CONFIG_FILE": str(layout.configuration)}
    workspaces = {
        name: Workspace(top / "terraform" / path, layout.executable, environment)
        for name, path in (("main", "."), ("account", "account"))
    }
    for workspace in workspaces.values():
        workspace.terraform("init", "-input=false", "-backend=false")
    return workspaces


@dataclass(frozen=True)
class RootPlan:
    """The plan of the whole configuration for one environment, on an empty state: what was printed, and the JSON."""

    printed: str
    content: dict[str, Any]


@pytest.fixture(scope="module")
def root_plans(
    roots: dict[str, Workspace], layout: Layout, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, RootPlan]:
    """A plan for every environment that has a file."""
    plans = {}
    with LocalAws(tmp_path_factory.mktemp("empty")) as aws:
        main = replace(roots["main"], environment=settings_of(aws, layout))
        for path in sorted((main.folder / "environments").glob("*.tfvars")):
            words = ("-no-color", "-out=out.tfplan", "-input=false", f"-var-file=environments/{path.name}")
            plans[path.stem] = RootPlan(main.terraform("plan", *words), main.show("out.tfplan"))
    return plans
