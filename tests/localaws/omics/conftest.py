"""HealthOmics with a reference and stores, one LocalAws a module; every answer is held against botocore's model.

Reads and writes a temporary folder. Make target: `test`. Example: `def test_x(omics): omics.run("a.vcf")`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from localaws import LocalAws
from localaws.world import World
from tests.localaws.conforming import conforming

REFERENCE = ">chr1 a description\n" + "ACGTTTTACGGGCATCATCATCAAAA\nTTGCA\n" + ">2\n" + "C" * 30 + "\n"
HEADER = """##fileformat=VCFv4.3
##INFO=<ID=AC,Number=A,Type=Integer,Description="x">
##FORMAT=<ID=GT,Number=1,Type=String,Description="x">
"""
RUNNING = {"SUBMITTED", "IN_PROGRESS", "CREATING"}


def a_vcf(*records: str, samples: tuple[str, ...] = ("S1",), meta: str = "") -> bytes:
    """A VCF whose records are written with spaces for tabs."""
    columns = "#CHROM POS ID REF ALT QUAL FILTER INFO" + (" FORMAT " + " ".join(samples) if samples else "")
    return (HEADER + meta + "\n".join(line.replace(" ", "\t") for line in (columns, *records)) + "\n").encode()


@dataclass
class Bench:
    """Clients, a role that omics may take on, and ways to wait."""

    world: World
    role: str

    @property
    def api(self) -> Any:
        return self.world.client("omics")

    @property
    def state(self) -> Any:
        return self.world.store.services["omics"]

    def put(self, name: str, content: bytes) -> str:
        self.world.client("s3").put_object(Bucket="raw-bucket", Key=name, Body=content)
        return f"s3://raw-bucket/{name}"

    def wait(self, look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The answer once it is settled."""
        deadline = time.monotonic() + 60
        while (found := look())["status"] in RUNNING and time.monotonic() < deadline:
            time.sleep(0.02)
        return found

    def variants(self, *contents: bytes, store: str = "variants", **options: Any) -> dict[str, Any]:
        """An import job's last answer."""
        items = [{"source": self.put(f"{store}-{number}.vcf", content)} for number, content in enumerate(contents)]
        job = self.api.start_variant_import_job(destinationName=store, roleArn=self.role, items=items, **options)
        return self.wait(lambda: self.api.get_variant_import_job(jobId=job["jobId"]))

    def annotations(self, store: str, content: bytes, **options: Any) -> dict[str, Any]:
        items = [{"source": self.put(f"{store}.txt", content)}]
        job = self.api.start_annotation_import_job(destinationName=store, roleArn=self.role, items=items, **options)
        return self.wait(lambda: self.api.get_annotation_import_job(jobId=job["jobId"]))

    def rows(self, kind: str, store: str, table: str | None = None) -> list[dict[str, Any]]:
        """The rows of a store's table, as they lie in the service's account."""
        found = getattr(self.api, f"get_{kind}_store")(name=store)
        catalog = self.world.iceberg_catalog(self.world.service_account_id)
        place = f"{kind}_{self.world.account_id}_{found['id']}"
        rows: list[dict[str, Any]] = catalog.load_table((place, table or store)).scan().to_arrow().to_pylist()
        return rows

    def make(self, kind: str, name: str, **options: Any) -> dict[str, Any]:
        """A store that is ACTIVE."""
        getattr(self.api, f"create_{kind}_store")(name=name, **options)
        return self.wait(lambda: getattr(self.api, f"get_{kind}_store")(name=name))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with LocalAws(tmp_path_factory.mktemp("omics") / "local") as aws:
        yield a_bench(aws)


def a_bench(aws: LocalAws) -> Bench:
    world = aws.world
    conforming(world.client("omics"))
    conforming(world.client("ram"))
    world.client("s3").create_bucket(Bucket="raw-bucket")
    administrator = {"DataLakePrincipalIdentifier": world.client("sts").get_caller_identity()["Arn"]}
    world.client("lakeformation").put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": [administrator]})
    return Bench(world, a_role(world, "imports", "omics.amazonaws.com"))


def a_role(world: World, name: str, service: str) -> str:
    iam = world.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]["Arn"]
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::raw-bucket/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName=name, PolicyName="read", PolicyDocument=policy)
    return str(arn)


def import_reference(bench: Bench, content: bytes = REFERENCE.encode(), name: str = "genome") -> dict[str, Any]:
    """The last answer of a reference import job into the account's store, made when it is not there."""
    stores = bench.api.list_reference_stores()["referenceStores"]
    store = stores[0]["id"] if stores else bench.api.create_reference_store(name="references")["id"]
    job = bench.api.start_reference_import_job(
        referenceStoreId=store, roleArn=bench.role, sources=[{"sourceFile": bench.put("r.fa", content), "name": name}]
    )
    return bench.wait(lambda: bench.api.get_reference_import_job(referenceStoreId=store, id=job["id"]))


@pytest.fixture(scope="module")
def reference(bench: Bench) -> dict[str, str]:
    """`reference=` of a store over an imported reference."""
    job = import_reference(bench)
    found = bench.api.get_reference_metadata(
        referenceStoreId=job["referenceStoreId"], id=job["sources"][0]["referenceId"]
    )
    return {"referenceArn": found["arn"]}
