"""The story through HealthOmics: refused where stores are closed, then deployed, loaded, asked and left."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trilake.core.paths import ROOT

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "scripts")}
COUNT = "SELECT count(*) AS n, count(DISTINCT sampleid) AS n_samples FROM genomic.variant"


class Laptop:
    """Verbs as a user calls them, in processes of their own, on one state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "genome.fa").write_text(">chr1\n" + "N" * 60 + "\n")
        self.chosen = {"TF_VAR_genomic_backend": "healthomics", "TF_VAR_reference_fasta": str(folder / "genome.fa")}

    def __call__(self, *words: str, code: int = 0, **variables: str) -> dict[str, Any]:
        asked = [sys.executable, "-m", "trilake.core.cli", *words, "--json", "--state", str(self.folder / "state")]
        done = subprocess.run(
            asked, capture_output=True, text=True, env={**ENVIRONMENT, **self.chosen, **variables}, check=False
        )
        assert done.returncode == code, done.stderr[-4000:]
        result = json.loads(done.stdout) if done.stdout.strip() else {}
        return {**result, "said": done.stderr}


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    """A laptop on which a first deployment was refused: its account may not open stores."""
    laptop = Laptop(tmp_path_factory.mktemp("hosted"))
    refused = laptop("deploy", code=15, LOCALAWS_OMICS_STORES="closed")
    assert "no longer open to new customers" in refused["said"]
    assert 'genomic_backend = "iceberg"' in refused["said"]
    return laptop


def test_the_whole_path_through_healthomics(laptop: Laptop) -> None:
    deployed = laptop("deploy")
    assert deployed["resources"]["create"] == 2, "the stores alone were missing"
    assert laptop("plan")["resources"] == {"create": 0, "update": 0, "replace": 0, "destroy": 0}

    laptop("sample", "--patients", "3", "--seed", "11", "--out", str(laptop.folder / "sample"))
    loaded = laptop("ingest", str(laptop.folder / "sample"), "--only", "clinical,genomic")["genomic"]
    assert loaded["loaded"] == loaded["records_in"] > 100 and not loaded["quarantined"]

    built = laptop("views")["rows"]
    n_files = len(list((laptop.folder / "sample/vcf").glob("*.vcf*")))
    assert built["genomic.sample"] == n_files and built["genomic.annotation"] and built["genomic.dosage"]
    again = {how for name, how in laptop("views")["how"].items() if name.startswith("genomic.")}
    assert again == {"unchanged"}
    ((n_rows, n_samples),) = laptop("query", COUNT)["rows"]
    assert n_rows == built["genomic.variant"] and n_samples == n_files
    seen = laptop("query", "--as", "bioinformatician", COUNT)["rows"][0]
    assert 0 < seen[0] <= n_rows

    assert laptop("destroy")["left"] == []
