"""How Athena comes to see a store: RAM's invitation, a resource link, Lake Formation; and shares with another account.

Make target: `test`. Example: `pytest tests/localaws/omics/test_shares.py`.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.localaws.omics.conftest import Bench, a_vcf


def query(bench: Bench, text: str) -> tuple[str, list[list[str | None]]]:
    """(final state, rows) of one Athena query of the deployer."""
    athena = bench.world.client("athena")
    place = {"OutputLocation": "s3://raw-bucket/results/"}
    execution = athena.start_query_execution(QueryString=text, ResultConfiguration=place)["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=execution)["QueryExecution"]["Status"]
        if status["State"] not in ("QUEUED", "RUNNING"):
            break
        time.sleep(0.02)
    if status["State"] != "SUCCEEDED":
        return status["StateChangeReason"], []
    rows = athena.get_query_results(QueryExecutionId=execution)["ResultSet"]["Rows"][1:]
    return "SUCCEEDED", [[cell.get("VarCharValue") for cell in row["Data"]] for row in rows]


def databases(bench: Bench) -> list[str]:
    found = bench.world.client("ram").list_resources(resourceOwner="OTHER-ACCOUNTS", resourceType="glue:Database")
    return [item["arn"] for item in found["resources"]]


def test_athena_sees_a_store_once_its_share_is_accepted(bench: Bench, reference: dict[str, str]) -> None:
    ram, glue = bench.world.client("ram"), bench.world.client("glue")
    store = bench.make("variant", "seen", reference=reference)
    bench.variants(a_vcf("2 1 . C T . . . GT 0/1"), store="seen")
    (invitation,) = ram.get_resource_share_invitations()["resourceShareInvitations"]
    assert invitation["status"] == "PENDING" and store["id"] in invitation["resourceShareName"]
    assert databases(bench) == []
    database = f"variant_{bench.world.account_id}_{store['id']}"
    target = {"CatalogId": bench.world.service_account_id, "DatabaseName": database}
    glue.create_database(DatabaseInput={"Name": "link", "TargetDatabase": target})
    state, _ = query(bench, "SELECT * FROM link.seen")
    assert "TABLE_NOT_FOUND" in state, "nothing is open before the share is accepted"
    arn = invitation["resourceShareInvitationArn"]
    assert (
        ram.accept_resource_share_invitation(resourceShareInvitationArn=arn)["resourceShareInvitation"]["status"]
        == "ACCEPTED"
    )
    with pytest.raises(ram.exceptions.ResourceShareInvitationAlreadyAcceptedException):
        ram.accept_resource_share_invitation(resourceShareInvitationArn=arn)
    assert [name.endswith(f"database/{database}") for name in databases(bench)] == [True]
    (share,) = ram.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"]
    assert share["owningAccountId"] == bench.world.service_account_id
    assert query(bench, 'SELECT sampleid, start, "end" FROM link.seen') == ("SUCCEEDED", [["S1", "0", "1"]])
    bench.api.delete_variant_store(name="seen")
    with pytest.raises(bench.api.exceptions.ResourceNotFoundException):
        while True:
            bench.api.get_variant_store(name="seen")
    assert databases(bench) == [] and "NOT_FOUND" in query(bench, "SELECT * FROM link.seen")[0]


def test_an_invitation_that_is_rejected_opens_nothing(bench: Bench, reference: dict[str, str]) -> None:
    ram = bench.world.client("ram")
    bench.make("variant", "unwanted", reference=reference)
    (invitation,) = ram.get_resource_share_invitations()["resourceShareInvitations"]
    ram.reject_resource_share_invitation(resourceShareInvitationArn=invitation["resourceShareInvitationArn"])
    assert databases(bench) == []
    with pytest.raises(ram.exceptions.ResourceShareInvitationArnNotFoundException):
        ram.accept_resource_share_invitation(resourceShareInvitationArn=invitation["resourceShareInvitationArn"] + "x")


def test_the_customers_own_shares_stay_with_moto(bench: Bench) -> None:
    ram = bench.world.client("ram")
    arn = f"arn:aws:glue:us-east-1:{bench.world.account_id}:database/mine"
    ram.create_resource_share(
        name="mine", resourceArns=[arn], principals=["111122223333"], allowExternalPrincipals=True
    )
    assert [item["name"] for item in ram.get_resource_shares(resourceOwner="SELF")["resourceShares"]] == ["mine"]
    assert [item["arn"] for item in ram.list_resources(resourceOwner="SELF")["resources"]] == [arn]


def test_a_store_is_shared_with_another_account_and_taken_back(bench: Bench, reference: dict[str, str]) -> None:
    store = bench.make("variant", "lent", reference=reference)
    other: Any = bench.world.client("omics", bench.world.service_account_id)
    subscriber = bench.world.service_account_id
    share = bench.api.create_share(resourceArn=store["storeArn"], principalSubscriber=subscriber, shareName="lent")
    with pytest.raises(bench.api.exceptions.ConflictException):
        bench.api.create_share(resourceArn=store["storeArn"], principalSubscriber=subscriber)
    with pytest.raises(bench.api.exceptions.AccessDeniedException):
        bench.api.accept_share(shareId=share["shareId"])
    assert [item["status"] for item in other.list_shares(resourceOwner="OTHER")["shares"]] == ["PENDING"]
    assert other.accept_share(shareId=share["shareId"])["status"] == "ACTIVATING"
    listed = bench.api.list_shares(resourceOwner="SELF", filter={"type": ["VARIANT_STORE"], "status": ["ACTIVE"]})
    assert [item["shareName"] for item in listed["shares"]] == ["lent"]
    with pytest.raises(ClientError, match="delete its shares first"):
        bench.api.delete_variant_store(name="lent")
    assert bench.api.delete_share(shareId=share["shareId"])["status"] == "DELETING"
    with pytest.raises(bench.api.exceptions.ResourceNotFoundException):
        bench.api.get_share(shareId=share["shareId"])
