"""The `awscc` resources: every one through Cloud Control, as the real provider does.

Reads and writes Cloud Control. Make targets: deploy, plan, destroy.
Example: resource "awscc_healthlake_fhir_datastore" "this" { datastore_type_version = "R4" }
"""

import json
import time
from collections.abc import Callable
from typing import Any, ClassVar

from localaws.cloudcontrol.model import Properties, ResourceType, find_type, resolve
from localaws.terraform.aws import Aws
from localaws.terraform.merge import holds_unknown
from localaws.terraform.resource import EVERYTHING, Resource
from localaws.terraform.schemas import Spec
from localaws.terraform.values import Nested, Problem, Values, nested_of

FIRST_WAIT, LONGEST_WAIT, PATIENCE = 0.02, 0.5, 300.0
ENDED = ("SUCCESS", "FAILED", "CANCEL_COMPLETE")
Schema = dict[str, Any]


class CloudControlResource(Resource):
    """A CloudFormation type as a Terraform resource; its id is the type's primary identifier."""

    replaces = EVERYTHING
    cfn_name: ClassVar[str]

    def __init__(self, spec: Spec) -> None:
        super().__init__(spec)
        found = find_type(self.cfn_name)
        if found is None:
            raise LookupError(self.cfn_name)
        self.type: ResourceType = found
        self.definitions: Schema = found.schema.get("definitions", {})
        # `id` is Terraform's own, so a property of that name carries the resource's name in front.
        self.reserved = f"{self.type_name.split('_', 2)[-1]}_id".replace("_", "")

    def check(self, config: Values) -> list[Problem]:
        wanted = self.properties(config)
        faults = [fault for fault in self.type.check(wanted) if "required key" not in fault]
        return [Problem("Invalid configuration", f"{self.cfn_name} {fault.removeprefix('#')}") for fault in faults]

    def properties(self, values: Values) -> Properties:
        """The CloudFormation properties of Terraform values; what is not set or not known is left out."""
        found: Properties = self._to_properties(self.spec, values, self.type.schema)
        return self.type.without_read_only(found)

    def _to_properties(self, spec: Spec, values: Values, schema: Schema) -> Any:
        schema = resolve(schema, self.definitions)
        nested = {child.name: child for child in nested_of(spec)}
        found: Properties = {}
        for name in spec.get("attributes", {}):
            member = self._member(schema, name)
            value = values.get(name)
            if member is None or value is None or holds_unknown(value):
                continue
            inner = schema["properties"][member]
            found[member] = self._below(nested[name], value, inner, self._to_properties) if name in nested else value
        return found

    def _from_properties(self, spec: Spec, properties: Properties, schema: Schema) -> Values:
        schema = resolve(schema, self.definitions)
        nested = {child.name: child for child in nested_of(spec)}
        found: Values = {}
        for name in spec.get("attributes", {}):
            member = self._member(schema, name)
            if member is None:
                continue
            value, inner = properties.get(member), schema["properties"][member]
            found[name] = self._below(nested[name], value, inner, self._from_properties) if name in nested else value
        return found

    def _below(self, child: Nested, value: Any, schema: Schema, change: Callable[[Spec, Any, Schema], Any]) -> Any:
        inner = resolve(schema, self.definitions)
        return child.map(value, lambda item, _: change(child.spec, item, inner.get("items", inner)))

    def _member(self, schema: Schema, name: str) -> str | None:
        plain = name.replace("_", "")
        if plain == "id":
            return None
        if plain == self.reserved and "Id" in schema.get("properties", {}):
            return "Id"
        return next((member for member in schema.get("properties", {}) if member.lower() == plain), None)

    def create(self, aws: Aws, wanted: Values) -> str:
        state = json.dumps(self.properties(wanted))
        client = aws.client("cloudcontrol")
        return self._wait(client, client.create_resource(TypeName=self.cfn_name, DesiredState=state))

    def read(self, aws: Aws, state: Values) -> Values | None:
        found = aws.client("cloudcontrol").get_resource(TypeName=self.cfn_name, Identifier=state["id"])
        properties = json.loads(found["ResourceDescription"]["Properties"])
        values = self._from_properties(self.spec, properties, self.type.schema)
        held = state.get("tags")
        if isinstance(held, list) and isinstance(values.get("tags"), list):
            order = [tag["key"] for tag in held]
            values["tags"].sort(key=lambda tag: order.index(tag["key"]) if tag["key"] in order else len(order))
        return {**values, "id": state["id"]}

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        old, new = self.properties(before), self.properties(wanted)
        operations: list[dict[str, Any]] = [{"op": "remove", "path": f"/{name}"} for name in old if name not in new]
        operations += [
            {"op": "replace" if name in old else "add", "path": f"/{name}", "value": value}
            for name, value in new.items()
            if old.get(name) != value
        ]
        if not operations:
            return
        client = aws.client("cloudcontrol")
        self._wait(
            client,
            client.update_resource(
                TypeName=self.cfn_name, Identifier=before["id"], PatchDocument=json.dumps(operations)
            ),
        )

    def delete(self, aws: Aws, state: Values) -> None:
        client = aws.client("cloudcontrol")
        self._wait(client, client.delete_resource(TypeName=self.cfn_name, Identifier=state["id"]), gone_is_fine=True)

    def _wait(self, client: Any, answer: dict[str, Any], *, gone_is_fine: bool = False) -> str:
        """The identifier once the request has succeeded; ValueError in Cloud Control's words when it has not."""
        event, pause, waited = answer["ProgressEvent"], FIRST_WAIT, 0.0
        while event["OperationStatus"] not in ENDED and waited < PATIENCE:
            time.sleep(pause)
            waited, pause = waited + pause, min(pause * 1.5, LONGEST_WAIT)
            event = client.get_resource_request_status(RequestToken=event["RequestToken"])["ProgressEvent"]
        code = event.get("ErrorCode", event["OperationStatus"])
        if event["OperationStatus"] == "SUCCESS" or (gone_is_fine and code == "NotFound"):
            return str(event.get("Identifier", ""))
        reason = event.get("StatusMessage", "no reason given")
        raise ValueError(f"{self.cfn_name} {event['Operation']}: {code}: {reason}")


class FhirDatastore(CloudControlResource):
    """awscc_healthlake_fhir_datastore: only tags change in place."""

    type_name, cfn_name = "awscc_healthlake_fhir_datastore", "AWS::HealthLake::FHIRDatastore"
    updates = frozenset({"tags"})


class ImagingDatastore(CloudControlResource):
    """awscc_healthimaging_datastore: nothing changes in place, not even tags."""

    type_name, cfn_name = "awscc_healthimaging_datastore", "AWS::HealthImaging::Datastore"


class ReferenceStore(CloudControlResource):
    """awscc_omics_reference_store: nothing changes in place."""

    type_name, cfn_name = "awscc_omics_reference_store", "AWS::Omics::ReferenceStore"


class VariantStore(CloudControlResource):
    """awscc_omics_variant_store: only the description changes in place."""

    type_name, cfn_name = "awscc_omics_variant_store", "AWS::Omics::VariantStore"
    updates = frozenset({"description"})


class AnnotationStore(CloudControlResource):
    """awscc_omics_annotation_store: only the description changes in place."""

    type_name, cfn_name = "awscc_omics_annotation_store", "AWS::Omics::AnnotationStore"
    updates = frozenset({"description"})


TYPES = {
    kind.type_name: kind for kind in (FhirDatastore, ImagingDatastore, ReferenceStore, VariantStore, AnnotationStore)
}
