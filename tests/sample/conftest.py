"""One sample of 100 patients for all tests of this room, read by other libraries than those that wrote it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from trilake.sample.generate import Plan, generate

N_PATIENTS = 100


@dataclass
class Written:
    """A sample on disk."""

    out: Path
    result: dict[str, Any]

    @property
    def truth(self) -> Path:
        return Path(self.result["truth"])

    def table(self, name: str) -> list[dict[str, Any]]:
        return pq.read_table(self.truth / f"{name}.parquet").to_pylist()

    def document(self, name: str) -> Any:
        return json.loads((self.truth / f"{name}.json").read_text())

    @cached_property
    def bundles(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted((self.out / "fhir/bundles").iterdir())]

    @cached_property
    def resources(self) -> list[dict[str, Any]]:
        """Every resource of both writers."""
        resources = [entry["resource"] for bundle in self.bundles for entry in bundle["entry"]]
        for path in sorted((self.out / "fhir/ndjson").iterdir()):
            resources += [json.loads(line) for line in path.read_text().splitlines()]
        return resources

    def of_type(self, *kinds: str) -> Iterator[dict[str, Any]]:
        return (resource for resource in self.resources if resource["resourceType"] in kinds)


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    out = tmp_path_factory.mktemp("sample") / "data"
    result = generate(Plan(7, N_PATIENTS, "tiny", out), workers=1, say=lambda _: None)
    return Written(out, result)
