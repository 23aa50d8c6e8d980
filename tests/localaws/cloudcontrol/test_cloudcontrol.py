"""Cloud Control through boto3: requests and their events, refusals, and the services behind the types."""

import json

import pytest
from botocore.exceptions import ClientError

FHIR = "AWS::HealthLake::FHIRDatastore"
DICOM = "AWS::HealthImaging::Datastore"


def refused(code):
    return pytest.raises(ClientError, match=f"\\({code}\\)")


def test_a_store_made_here_is_the_services_own(create, properties, client):
    tags = [{"Key": "room", "Value": "clinical"}]
    event = create(FHIR, DatastoreName="clinical", DatastoreTypeVersion="R4", Tags=tags)
    assert (event["OperationStatus"], event["Operation"], event["TypeName"]) == ("SUCCESS", "CREATE", FHIR)
    found = client("healthlake").describe_fhir_datastore(DatastoreId=event["Identifier"])["DatastoreProperties"]
    assert (found["DatastoreName"], found["DatastoreStatus"]) == ("clinical", "ACTIVE")
    seen = properties(FHIR, event["Identifier"])
    assert seen["DatastoreArn"] == found["DatastoreArn"]
    assert seen["CreatedAt"]["Seconds"] == str(int(found["CreatedAt"].timestamp()))
    assert seen["Tags"] == tags


def test_a_store_made_natively_is_seen_here(client, properties, control):
    made = client("medical-imaging").create_datastore(datastoreName="scans", clientToken="t", tags={"a": "b"})
    seen = properties(DICOM, made["datastoreId"])
    assert (seen["DatastoreName"], seen["Tags"]) == ("scans", {"a": "b"})
    listed = control.list_resources(TypeName=DICOM)["ResourceDescriptions"]
    assert [item["Identifier"] for item in listed] == [made["datastoreId"]]


def test_an_update_patches_what_may_change(create, control, done, properties):
    identifier = create(FHIR, DatastoreName="a", DatastoreTypeVersion="R4")["Identifier"]
    patch = [{"op": "add", "path": "/Tags", "value": [{"Key": "a", "Value": "b"}]}]
    event = done(control.update_resource(TypeName=FHIR, Identifier=identifier, PatchDocument=json.dumps(patch)))
    assert event["OperationStatus"] == "SUCCESS", event
    assert properties(FHIR, identifier)["Tags"] == [{"Key": "a", "Value": "b"}]


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ([{"op": "replace", "path": "/SseConfiguration", "value": {}}], "NotUpdatableException"),
        ([{"op": "replace", "path": "/DatastoreStatus", "value": "DELETED"}], "InvalidRequestException"),
        ([{"op": "replace", "path": "/Nothing", "value": 1}], "InvalidRequestException"),
        ([{"op": "add", "path": "/Nothing", "value": 1}], "ValidationException"),
        ("no patch", "InvalidRequestException"),
    ],
    ids=["create-only", "read-only", "no such path", "no such property", "no patch"],
)
def test_an_update_that_cannot_be(create, control, patch, code):
    identifier = create(FHIR, DatastoreName="a", DatastoreTypeVersion="R4")["Identifier"]
    with refused(code):
        control.update_resource(TypeName=FHIR, Identifier=identifier, PatchDocument=json.dumps(patch))


def test_what_has_no_update_handler_says_so(create, control):
    identifier = create(DICOM, DatastoreName="a")["Identifier"]
    with refused("UnsupportedActionException"):
        control.update_resource(TypeName=DICOM, Identifier=identifier, PatchDocument="[]")


def test_a_deleted_store_is_gone(create, control, done, client):
    identifier = create(DICOM, DatastoreName="a")["Identifier"]
    event = done(control.delete_resource(TypeName=DICOM, Identifier=identifier))
    assert (event["OperationStatus"], event["Operation"]) == ("SUCCESS", "DELETE")
    with refused("ResourceNotFoundException"):
        control.get_resource(TypeName=DICOM, Identifier=identifier)
    assert control.list_resources(TypeName=DICOM)["ResourceDescriptions"] == []


def test_deleting_nothing_fails_with_not_found(control, done):
    event = done(control.delete_resource(TypeName=FHIR, Identifier="0" * 32))
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "NotFound")


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({}, "required key \\[DatastoreTypeVersion\\] not found"),
        ({"DatastoreTypeVersion": "R5"}, "#/DatastoreTypeVersion: R5 is not a valid enum value"),
        ({"DatastoreTypeVersion": "R4", "Color": "red"}, "extraneous key \\[Color\\] is not permitted"),
        ({"DatastoreTypeVersion": "R4", "DatastoreName": ""}, "#/DatastoreName: expected minLength: 1"),
        ({"DatastoreTypeVersion": "R4", "DatastoreId": "1"}, "readOnly property \\[DatastoreId\\]"),
        ({"DatastoreTypeVersion": "R4", "Tags": {"a": "b"}}, "#/Tags: expected type: Array, found: dict"),
    ],
    ids=["missing", "enumeration", "unknown", "length", "read-only", "type"],
)
def test_properties_that_do_not_fit_are_refused_at_once(control, properties, said):
    with pytest.raises(ClientError, match=f"Model validation failed.*{said}"):
        control.create_resource(TypeName=FHIR, DesiredState=json.dumps(properties))


def test_a_state_that_is_no_json_and_a_type_that_is_not(control):
    with refused("InvalidRequestException"):
        control.create_resource(TypeName=FHIR, DesiredState="{")
    with refused("TypeNotFoundException"):
        control.create_resource(TypeName="AWS::Nothing::Here", DesiredState="{}")


def test_a_refusal_of_the_service_is_the_events(create):
    event = create(FHIR, DatastoreTypeVersion="R4", PreloadDataConfig={"PreloadDataType": "SYNTHEA"})
    assert (event["OperationStatus"], event["ErrorCode"]) == ("FAILED", "InvalidRequest")
    assert event["StatusMessage"]


def test_one_client_token_is_one_request(control, done):
    asked = {"TypeName": DICOM, "DesiredState": '{"DatastoreName": "once"}', "ClientToken": "token"}
    first, second = (control.create_resource(**asked)["ProgressEvent"]["RequestToken"] for _ in range(2))
    assert first == second
    done(control.get_resource_request_status(RequestToken=first))
    assert len(control.list_resources(TypeName=DICOM)["ResourceDescriptions"]) == 1
    with refused("ClientTokenConflictException"):
        control.create_resource(**{**asked, "DesiredState": "{}"})


def test_requests_are_listed_newest_first_and_filtered(create, control, done):
    identifier = create(DICOM, DatastoreName="a")["Identifier"]
    done(control.delete_resource(TypeName=DICOM, Identifier=identifier))
    found = control.list_resource_requests()["ResourceRequestStatusSummaries"]
    assert [item["Operation"] for item in found] == ["DELETE", "CREATE"]
    kept = control.list_resource_requests(ResourceRequestStatusFilter={"Operations": ["CREATE"]})
    assert [item["Operation"] for item in kept["ResourceRequestStatusSummaries"]] == ["CREATE"]


def test_lists_come_in_pages(create, control):
    made = {create(DICOM, DatastoreName=f"s{number}")["Identifier"] for number in range(3)}
    pages = control.get_paginator("list_resources").paginate(TypeName=DICOM, PaginationConfig={"PageSize": 2})
    found = [[item["Identifier"] for item in page["ResourceDescriptions"]] for page in pages]
    assert [len(page) for page in found] == [2, 1]
    assert {name for page in found for name in page} == made


def test_a_request_that_is_over_cannot_be_cancelled(create, control):
    token = create(DICOM, DatastoreName="a")["RequestToken"]
    with refused("ConcurrentModificationException"):
        control.cancel_resource_request(RequestToken=token)
    with refused("RequestTokenNotFoundException"):
        control.cancel_resource_request(RequestToken="nothing")


def test_boto3s_own_waiter_is_served(control):
    token = control.create_resource(TypeName=DICOM, DesiredState="{}")["ProgressEvent"]["RequestToken"]
    waiter = control.get_waiter("resource_request_success")
    waiter.wait(RequestToken=token, WaiterConfig={"Delay": 1, "MaxAttempts": 20})
