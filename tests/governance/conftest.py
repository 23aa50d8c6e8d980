"""A small lake that real Terraform applied into a real LocalAws, and the plans of what a test would change in it.

Reads tests/governance/lake/ and terraform/modules/; writes temporary folders. Make target: `test`.
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
from localaws.terraform.mirror import lay_out
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
POLICY = {
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
class SmallLake:
    """The applied lake. `plan` and `review` leave it as it is."""

    folder: Path
    executable: str
    environment: dict[str, str]
    aws: LocalAws

    def terraform(self, *words: str) -> str:
        done = subprocess.run(
            [self.executable, *words],
            cwd=self.folder,
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def plan(self, *options: str, files: dict[str, str] | None = None, **variables: Any) -> dict[str, Any]:
        """The JSON of a plan with other variables, files beside main.tf, or options of `terraform plan`."""
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text)
        changed = self.folder / "changed.json"
        changed.write_text(json.dumps({"contract": CONTRACT, "policy": POLICY} | variables))
        try:
            self.terraform("plan", "-out=out.tfplan", "-input=false", f"-var-file={changed}", *options)
            return json.loads(self.terraform("show", "-json", "out.tfplan"))
        finally:
            for name in files or {}:
                (self.folder / name).unlink()

    def review(self, *options: str, files: dict[str, str] | None = None, **variables: Any) -> Review:
        return review(self.plan(*options, files=files, **variables))

    def apply(self, **variables: Any) -> None:
        self.plan(**variables)
        self.terraform("apply", "-input=false", "out.tfplan")

    def state(self) -> dict[str, Any]:
        return json.loads(self.terraform("show", "-json"))


def policy_with(**personas: Any) -> dict[str, Any]:
    """The policy with some personas replaced; None takes one out."""
    changed = copy.deepcopy(POLICY)
    changed["personas"].update(personas)
    changed["personas"] = {name: entry for name, entry in changed["personas"].items() if entry is not None}
    return changed


@pytest.fixture(scope="module")
def small_lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallLake]:
    folder = tmp_path_factory.mktemp("governance")
    shutil.copytree(TERRAFORM / "modules", folder / "modules")
    shutil.copytree(SQL / "core", folder / "sql/core")
    shutil.copytree(HERE, folder / "lake")
    layout = lay_out(folder / "provider")
    with LocalAws(folder / "state") as aws:
        lake = SmallLake(
            folder / "lake",
            layout.executable,
            {
                "TF_CLI_CONFIG_FILE": str(layout.configuration),
                "AWS_ENDPOINT_URL": aws.endpoint,
                "AWS_ACCESS_KEY_ID": aws.credentials.access_key_id,
                "AWS_SECRET_ACCESS_KEY": aws.credentials.secret_access_key,
                "AWS_REGION": aws.world.region,
            },
            aws,
        )
        lake.terraform("init", "-input=false")
        lake.apply()
        yield lake


@pytest.fixture(scope="module")
def roots(small_lake: SmallLake) -> dict[str, SmallLake]:
    """Both root modules of a copy of terraform/, initialised: where `terraform` can be run on them."""
    top = small_lake.folder.parent / "checkout"
    shutil.copytree(TERRAFORM, top / "terraform", ignore=shutil.ignore_patterns(".terraform*", "*_override.tf"))
    shutil.copytree(SQL, top / "sql")
    found = {"main": replace(small_lake, folder=top / "terraform")}
    found["account"] = replace(small_lake, folder=top / "terraform/account")
    for root in found.values():
        root.terraform("init", "-input=false", "-backend=false")
    return found


@pytest.fixture(scope="module")
def root_plan(roots: dict[str, SmallLake]) -> dict[str, Any]:
    """The plan of the whole configuration for `local`, on an empty state."""
    root = roots["main"]
    root.terraform("plan", "-out=out.tfplan", "-input=false", "-var-file=environments/local.tfvars")
    return json.loads(root.terraform("show", "-json", "out.tfplan"))
