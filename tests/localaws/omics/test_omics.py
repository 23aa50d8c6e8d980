"""HealthOmics says what it lacks, and keeps its stores' names, limits and lives.

Make target: `test`. Example: `pytest tests/localaws/omics/test_omics.py`.
"""

from __future__ import annotations

import gzip

import pytest
from botocore.exceptions import ClientError

from tests.localaws.omics.conftest import REFERENCE, Bench, import_reference


def code(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


@pytest.mark.parametrize("operation", ["list_runs", "list_sequence_stores", "list_workflows"])
def test_operations_say_that_they_are_not_there(bench: Bench, operation: str) -> None:
    with pytest.raises(bench.api.exceptions.ValidationException) as caught:
        getattr(bench.api, operation)()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert operation.replace("_", "") in caught.value.response["Error"]["Message"].lower()


def test_a_reference_is_imported_whole_and_given_back(bench: Bench) -> None:
    job = import_reference(bench, gzip.compress(REFERENCE.encode()), "packed")
    assert job["status"] == "COMPLETED" and job["sources"][0]["status"] == "FINISHED"
    place = {"referenceStoreId": job["referenceStoreId"], "id": job["sources"][0]["referenceId"]}
    held = bench.api.get_reference_metadata(**place)
    assert held["name"] == "packed" and held["files"]["source"]["contentLength"] == len(REFERENCE)
    assert bench.api.get_reference(**place, partNumber=1)["payload"].read() == REFERENCE.encode()
    same = import_reference(bench, REFERENCE.lower().replace(">chr1 a description", ">chr1").encode(), "lower")
    other = bench.api.get_reference_metadata(
        referenceStoreId=place["referenceStoreId"], id=same["sources"][0]["referenceId"]
    )
    assert other["md5"] == held["md5"], "the same bases are the same reference"
    with pytest.raises(ClientError) as caught:
        bench.api.get_reference(**place, partNumber=2)
    assert code(caught) == "RangeNotSatisfiableException"
    bench.api.delete_reference(**place)
    names = {
        item["name"] for item in bench.api.list_references(referenceStoreId=place["referenceStoreId"])["references"]
    }
    assert names == {"lower"}


@pytest.mark.parametrize("content", [b"ACGT\n", b">1\nAC GT\n", b"", b">1\nAC\n>1\nAC\n", b"\x1f\x8bnonsense"])
def test_what_is_no_fasta_is_not_imported(bench: Bench, content: bytes) -> None:
    job = import_reference(bench, content, "broken")
    assert job["status"] == "FAILED" and job["sources"][0]["statusMessage"]


def test_an_account_has_one_reference_store(bench: Bench) -> None:
    import_reference(bench, name="one")
    with pytest.raises(ClientError) as caught:
        bench.api.create_reference_store(name="second")
    assert code(caught) == "ServiceQuotaExceededException"
    store = bench.api.list_reference_stores(filter={"name": "references"})["referenceStores"][0]["id"]
    assert bench.api.list_reference_stores(filter={"name": "other"})["referenceStores"] == []
    with pytest.raises(ClientError) as caught:
        import_reference(bench, name="one")
    assert code(caught) == "ValidationException", "a reference's name is taken once"
    with pytest.raises(ClientError) as caught:
        bench.api.delete_reference_store(id=store)
    assert code(caught) == "ConflictException", "it still holds a reference"


def test_a_store_lives_from_creating_to_gone(bench: Bench, reference: dict[str, str]) -> None:
    store = bench.make("variant", "life", reference=reference, description="d", tags={"a": "b"})
    assert (
        store["status"] == "ACTIVE" and store["tags"] == {"a": "b"} and store["storeArn"].endswith("variantStore/life")
    )
    bench.api.tag_resource(resourceArn=store["storeArn"], tags={"c": "d"})
    bench.api.untag_resource(resourceArn=store["storeArn"], tagKeys=["a"])
    assert bench.api.list_tags_for_resource(resourceArn=store["storeArn"])["tags"] == {"c": "d"}
    assert bench.api.update_variant_store(name="life", description="e")["description"] == "e"
    assert [item["name"] for item in bench.api.list_variant_stores(filter={"status": "ACTIVE"})["variantStores"]] == [
        "life"
    ]
    with pytest.raises(ClientError) as caught:
        bench.api.create_variant_store(name="life", reference=reference)
    assert code(caught) == "ConflictException"
    place = {"referenceStoreId": reference["referenceArn"].split("/")[1], "id": reference["referenceArn"].split("/")[3]}
    with pytest.raises(ClientError) as caught:
        bench.api.delete_reference(**place)
    assert code(caught) == "ConflictException", "a store stands on it"
    assert bench.api.delete_variant_store(name="life")["status"] == "DELETING"
    with pytest.raises(bench.api.exceptions.ResourceNotFoundException):
        while True:
            bench.api.get_variant_store(name="life")


def test_what_no_store_can_be_is_refused(
    bench: Bench, reference: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(bench.api.exceptions.ResourceNotFoundException):
        bench.api.create_variant_store(name="lost", reference={"referenceArn": reference["referenceArn"] + "9"})
    with pytest.raises(bench.api.exceptions.ValidationException):
        bench.api.create_annotation_store(name="tabular", storeFormat="TSV")
    with pytest.raises(bench.api.exceptions.ValidationException):
        bench.api.create_annotation_store(name="calls", storeFormat="VCF")
    monkeypatch.setattr("localaws.omics.stores.MAX_STORES", 0)
    with pytest.raises(bench.api.exceptions.ServiceQuotaExceededException):
        bench.api.create_variant_store(name="eleventh", reference=reference)
    monkeypatch.setenv("LOCALAWS_OMICS_STORES", "closed")
    with pytest.raises(bench.api.exceptions.AccessDeniedException, match="no longer open to new customers"):
        bench.api.create_variant_store(name="newcomer", reference=reference)
