"""HealthOmics' stores through Cloud Control: what the provider asks for, what it reads back, what it is refused."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from localaws import LocalAws
from tests.localaws.omics.conftest import REFERENCE, a_role

KEY = {"Type": "KMS", "KeyArn": "arn:aws:kms:us-east-1:123456789012:key/0"}


@pytest.fixture
def reference_arn(aws: LocalAws, create: Callable[..., dict[str, Any]]) -> str:
    """A reference in a store that Cloud Control made."""
    client = aws.world.client
    client("s3").create_bucket(Bucket="raw-bucket")
    client("s3").put_object(Bucket="raw-bucket", Key="r.fa", Body=REFERENCE.encode())
    made = create("AWS::Omics::ReferenceStore", Name="references", SseConfig=KEY, Tags={"room": "genomic"})
    store = made["Identifier"]
    role = a_role(aws.world, "imports", "omics.amazonaws.com")
    sources = [{"sourceFile": "s3://raw-bucket/r.fa", "name": "GRCh38"}]
    client("omics").start_reference_import_job(referenceStoreId=store, roleArn=role, sources=sources)
    while not (found := client("omics").list_references(referenceStoreId=store)["references"]):
        time.sleep(0.02)
    return str(found[0]["arn"])


def test_stores_are_made_read_described_anew_and_deleted(
    control: Any,
    create: Callable[..., dict[str, Any]],
    done: Callable[..., dict[str, Any]],
    properties: Callable[..., dict[str, Any]],
    reference_arn: str,
) -> None:
    store = reference_arn.split("/")[1]
    kept = properties("AWS::Omics::ReferenceStore", store)
    assert {
        "Name": "references",
        "SseConfig": KEY,
        "Tags": {"room": "genomic"},
        "ReferenceStoreId": store,
    }.items() <= kept.items()
    reference = {"ReferenceArn": reference_arn}
    wanted = {"Name": "variants", "Reference": reference, "SseConfig": KEY, "Tags": {"a": "B"}, "Description": "d"}
    assert create("AWS::Omics::VariantStore", **wanted)["Identifier"] == "variants"
    held = properties("AWS::Omics::VariantStore", "variants")
    assert wanted.items() <= held.items() and held["Status"] == "ACTIVE" and held["StoreSizeBytes"] == 0
    patch = json.dumps([{"op": "replace", "path": "/Description", "value": "e"}])
    event = done(
        control.update_resource(TypeName="AWS::Omics::VariantStore", Identifier="variants", PatchDocument=patch)
    )
    assert event["OperationStatus"] == "SUCCESS"
    assert properties("AWS::Omics::VariantStore", "variants")["Description"] == "e"
    options = {"TsvStoreOptions": {"AnnotationType": "CHR_POS", "Schema": [{"chrom": "STRING"}, {"pos": "LONG"}]}}
    table = {"Name": "scores", "StoreFormat": "TSV", "StoreOptions": options, "Reference": reference}
    assert create("AWS::Omics::AnnotationStore", **table)["OperationStatus"] == "SUCCESS"
    assert table.items() <= properties("AWS::Omics::AnnotationStore", "scores").items()
    for kind, name in (("AnnotationStore", "scores"), ("VariantStore", "variants")):
        listed = control.list_resources(TypeName=f"AWS::Omics::{kind}")["ResourceDescriptions"]
        assert [item["Identifier"] for item in listed] == [name]
        event = done(control.delete_resource(TypeName=f"AWS::Omics::{kind}", Identifier=name))
        assert event["OperationStatus"] == "SUCCESS"
    event = done(control.delete_resource(TypeName="AWS::Omics::ReferenceStore", Identifier=store))
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "ResourceConflict"), "it holds a reference"


def test_refusals_come_in_cloud_controls_words(
    create: Callable[..., dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = {"ReferenceArn": "arn:aws:omics:us-east-1:123456789012:referenceStore/1/reference/1"}
    event = create("AWS::Omics::VariantStore", Name="variants", Reference=lost)
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "NotFound")
    monkeypatch.setenv("LOCALAWS_OMICS_STORES", "closed")
    event = create("AWS::Omics::VariantStore", Name="variants", Reference=lost)
    assert event["ErrorCode"] == "AccessDenied" and "no longer open" in event["StatusMessage"]
