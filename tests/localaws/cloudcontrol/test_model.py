"""Every operation's request and answer hold against botocore's model of the service."""

import json

from botocore.session import get_session
from botocore.validate import ParamValidator

from localaws.cloudcontrol.service import CloudControl

MODEL = get_session().get_service_model("cloudcontrol")
DICOM = "AWS::HealthImaging::Datastore"


def held(service, operation, **params):
    """The answer of an operation, after both sides were held against the model (a foreign member is a fault too)."""
    model = MODEL.operation_model(operation)
    answer = service.operation(operation)(params, None)
    for value, shape in ((params, model.input_shape), (answer, model.output_shape)):
        report = ParamValidator().validate(value, shape)
        assert not report.has_errors(), report.generate_report()
    return answer


def test_all_operations_are_there_and_answer_as_modelled(aws, done):
    service = CloudControl(aws.world)
    assert all(service.operation(name) for name in MODEL.operation_names)
    made = held(service, "CreateResource", TypeName=DICOM, DesiredState=json.dumps({"DatastoreName": "a"}))
    event = done(made)
    identifier, token = event["Identifier"], event["RequestToken"]
    held(service, "GetResource", TypeName=DICOM, Identifier=identifier)
    held(service, "ListResources", TypeName=DICOM)
    held(service, "GetResourceRequestStatus", RequestToken=token)
    held(service, "ListResourceRequests", MaxResults=5)
    deleting = held(service, "DeleteResource", TypeName=DICOM, Identifier=identifier)
    done(deleting)
    fhir = "AWS::HealthLake::FHIRDatastore"
    store = done(held(service, "CreateResource", TypeName=fhir, DesiredState='{"DatastoreTypeVersion": "R4"}'))
    patch = json.dumps([{"op": "add", "path": "/DatastoreName", "value": "b"}])
    done(held(service, "UpdateResource", TypeName=fhir, Identifier=store["Identifier"], PatchDocument=patch))


def test_a_request_that_has_not_begun_is_cancelled(aws):
    service = CloudControl(aws.world)
    running = {
        "TypeName": DICOM,
        "RequestToken": "waiting",
        "Operation": "CREATE",
        "OperationStatus": "PENDING",
    }
    service.requests.record.events["waiting"] = running
    event = held(service, "CancelResourceRequest", RequestToken="waiting")["ProgressEvent"]
    assert event["OperationStatus"] == "CANCEL_IN_PROGRESS"
    service.requests._run(running, None, None)
    assert running["OperationStatus"] == "CANCEL_COMPLETE"
