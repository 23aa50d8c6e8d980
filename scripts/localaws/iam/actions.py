"""Requests of every service as IAM sees them: an action's name and the ARNs it touches.

Reads a request and botocore's models; writes nothing. Behind every make target that talks to localaws.
Example: a signed `X-Amz-Target: AmazonAthena.StartQueryExecution` is `athena:StartQueryExecution` on its workgroup.
"""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import UnknownServiceError

from localaws.healthlake import fhir_path
from localaws.iam import resources, s3_actions
from localaws.iam.policy import Call
from localaws.request import WireRequest
from localaws.service import ServiceError
from localaws.wire import Wire

# signing name -> boto3 name, where they differ
BOTO_NAMES = {
    "cloudcontrolapi": "cloudcontrol",
    "elasticmapreduce": "emr",
    "monitoring": "cloudwatch",
    "states": "stepfunctions",
}
# signing name -> prefix of the service's IAM actions, where they differ
_PREFIXES = {"cloudcontrolapi": "cloudformation", "monitoring": "cloudwatch", "email": "ses"}


def calls_of(request: WireRequest, account_id: str) -> list[Call]:
    """Everything a signed request asks for; all of it has to be allowed."""
    signing_name = request.signing_name or ""
    if signing_name == "s3" and not request.raw_path.startswith("/v20180820/"):
        return s3_actions.calls_of(request)
    boto_name = "s3control" if signing_name == "s3" else BOTO_NAMES.get(signing_name, signing_name)
    operation, params = operation_of(request, boto_name)
    prefix = prefix_of(signing_name)
    region = request.region or "us-east-1"
    place = resources.Place(prefix, region, account_id)
    calls = [
        Call(f"{prefix}:{operation}", found.arn, is_partial=found.is_partial)
        for found in resources.touched(place, operation, params)
    ]
    return calls + [Call("iam:PassRole", arn) for arn in resources.passed_roles(prefix, operation, params)]


def prefix_of(signing_name: str) -> str:
    """What a service's IAM actions start with."""
    return _PREFIXES.get(signing_name, signing_name)


def operation_of(request: WireRequest, boto_name: str) -> tuple[str, dict[str, Any]]:
    """The name of the operation and its parameters as they came, by any of the protocols."""
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2], _json_object(request.body)
    if "Action" in request.form:
        return request.form["Action"], dict(request.form)
    if boto_name == "healthlake" and fhir_path.is_fhir(request.raw_path):
        action, datastore_id = fhir_path.action_of(request.method, request.raw_path)
        return action, {"DatastoreId": datastore_id}
    if request.raw_path.startswith("/service/") and "/operation/" in request.raw_path:
        return request.raw_path.rpartition("/")[2], {}
    try:
        operation, labels = Wire.of(boto_name).route(request)
    except (ServiceError, UnknownServiceError):
        return "Unknown", {}
    return operation.name, {**_json_object(request.body), **request.args, **labels}


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
