"""What Cloud Control does for each resource type: calls of the service's own API, properties in CloudFormation's names.

Reads and writes HealthLake, HealthImaging and HealthOmics through `world`. Make targets: deploy, destroy.
Example: HANDLERS["AWS::HealthImaging::Datastore"](world).read("0123...")
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from localaws.cloudcontrol.model import Properties, find_type, resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from localaws.world import World

Definitions = dict[str, Any]


def renamed(schema: dict[str, Any], value: Any, definitions: Definitions, *, to_service: bool) -> Any:
    """Properties with their first letters small for the service, or capital for CloudFormation.

    Only names that the schema knows change: keys of maps (tags, headers) are the user's own.
    """
    schema = resolve(schema, definitions)
    if isinstance(value, list):
        return [renamed(schema.get("items", {}), item, definitions, to_service=to_service) for item in value]
    if not isinstance(value, dict) or "properties" not in schema:
        return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value
    done: Properties = {}
    for name, inner in schema["properties"].items():
        small = name[0].lower() + name[1:]
        given, found = (name, small) if to_service else (small, name)
        if value.get(given) is not None:
            done[found] = renamed(inner, value[given], definitions, to_service=to_service)
    return done


class Handler:
    """One type's create, read, update, delete and list. Errors of the service pass through."""

    type_name: ClassVar[str]
    service: ClassVar[str]

    def __init__(self, world: World) -> None:
        found = find_type(self.type_name)
        if found is None:
            raise LookupError(self.type_name)
        self.world, self.type = world, found

    @property
    def client(self) -> Any:
        return self.world.client(self.service)

    def create(self, properties: Properties) -> str:
        raise NotImplementedError

    def read(self, identifier: str) -> Properties:
        raise NotImplementedError

    def update(self, identifier: str, before: Properties, wanted: Properties) -> None:
        raise NotImplementedError

    def delete(self, identifier: str) -> None:
        raise NotImplementedError

    def list(self) -> Iterator[str]:
        raise NotImplementedError

    def state(self, identifier: str) -> str:
        """Where the service is with it: CREATING, ACTIVE, ..."""
        found = self.read(identifier)
        return str(found.get("DatastoreStatus") or found.get("Status") or "ACTIVE")

    def to_service(self, properties: Properties) -> Any:
        return renamed(self.type.schema, properties, self.type.schema.get("definitions", {}), to_service=True)

    def from_service(self, structure: dict[str, Any]) -> Any:
        return renamed(self.type.schema, structure, self.type.schema.get("definitions", {}), to_service=False)


class FhirDatastore(Handler):
    """AWS::HealthLake::FHIRDatastore. HealthLake names its members as CloudFormation does."""

    type_name, service = "AWS::HealthLake::FHIRDatastore", "healthlake"

    def create(self, properties: Properties) -> str:
        return str(self.client.create_fhir_datastore(**properties)["DatastoreId"])

    def read(self, identifier: str) -> Properties:
        found = self.client.describe_fhir_datastore(DatastoreId=identifier)["DatastoreProperties"]
        tags = self.client.list_tags_for_resource(ResourceARN=found["DatastoreArn"])["Tags"]
        created = found["CreatedAt"]
        kept = {name: found[name] for name in self.type.schema["properties"] if name in found}
        return {
            **kept,
            "CreatedAt": {"Seconds": str(int(created.timestamp())), "Nanos": created.microsecond * 1000},
            **({"Tags": tags} if tags else {}),
        }

    def state(self, identifier: str) -> str:
        found = self.client.describe_fhir_datastore(DatastoreId=identifier)["DatastoreProperties"]
        return str(found["DatastoreStatus"])

    def update(self, identifier: str, before: Properties, wanted: Properties) -> None:
        changed = {name: value for name, value in wanted.items() if name != "Tags" and before.get(name) != value}
        if changed:
            self.client.update_fhir_datastore(DatastoreId=identifier, **changed)
        arn = before["DatastoreArn"]
        old, new = ({tag["Key"]: tag["Value"] for tag in given.get("Tags", [])} for given in (before, wanted))
        gone = sorted(set(old) - set(new))
        if gone:
            self.client.untag_resource(ResourceARN=arn, TagKeys=gone)
        added = [{"Key": key, "Value": value} for key, value in new.items() if old.get(key) != value]
        if added:
            self.client.tag_resource(ResourceARN=arn, Tags=added)

    def delete(self, identifier: str) -> None:
        self.client.delete_fhir_datastore(DatastoreId=identifier)

    def list(self) -> Iterator[str]:
        for page in _pages(self.client.list_fhir_datastores, "NextToken"):
            stores = page["DatastorePropertiesList"]
            yield from (store["DatastoreId"] for store in stores if store["DatastoreStatus"] != "DELETED")


class ImagingDatastore(Handler):
    """AWS::HealthImaging::Datastore. There is no update."""

    type_name, service = "AWS::HealthImaging::Datastore", "medical-imaging"

    def create(self, properties: Properties) -> str:
        token = uuid.uuid4().hex
        return str(self.client.create_datastore(clientToken=token, **self.to_service(properties))["datastoreId"])

    def read(self, identifier: str) -> Properties:
        found = self.client.get_datastore(datastoreId=identifier)["datastoreProperties"]
        tags = self.client.list_tags_for_resource(resourceArn=found["datastoreArn"]).get("tags") or None
        return dict(self.from_service({**found, "tags": tags}))

    def state(self, identifier: str) -> str:
        return str(self.client.get_datastore(datastoreId=identifier)["datastoreProperties"]["datastoreStatus"])

    def delete(self, identifier: str) -> None:
        self.client.delete_datastore(datastoreId=identifier)

    def list(self) -> Iterator[str]:
        for page in _pages(self.client.list_datastores, "nextToken"):
            stores = page["datastoreSummaries"]
            yield from (store["datastoreId"] for store in stores if store["datastoreStatus"] != "DELETED")


class ReferenceStore(Handler):
    """AWS::Omics::ReferenceStore. There is no update."""

    type_name, service = "AWS::Omics::ReferenceStore", "omics"

    def create(self, properties: Properties) -> str:
        return str(self.client.create_reference_store(**self.to_service(properties))["id"])

    def read(self, identifier: str) -> Properties:
        found = self.client.get_reference_store(id=identifier)
        tags = self.client.list_tags_for_resource(resourceArn=found["arn"]).get("tags") or None
        return {**self.from_service({**found, "tags": tags}), "ReferenceStoreId": found["id"]}

    def delete(self, identifier: str) -> None:
        self.client.delete_reference_store(id=identifier)

    def list(self) -> Iterator[str]:
        for page in _pages(self.client.list_reference_stores, "nextToken"):
            yield from (store["id"] for store in page["referenceStores"])


class AnalyticsStore(Handler):
    """What variant and annotation stores have in common: found by name, only the description changes."""

    service = "omics"
    kind: ClassVar[str]
    listed: ClassVar[str]

    def call(self, verb: str, **arguments: Any) -> Any:
        return getattr(self.client, f"{verb}_{self.kind}")(**arguments)

    def create(self, properties: Properties) -> str:
        return str(self.call("create", **self.to_service(properties))["name"])

    def read(self, identifier: str) -> Properties:
        return dict(self.from_service(self.call("get", name=identifier)))

    def update(self, identifier: str, before: Properties, wanted: Properties) -> None:
        self.call("update", name=identifier, description=wanted.get("Description", ""))

    def delete(self, identifier: str) -> None:
        self.call("delete", name=identifier)

    def list(self) -> Iterator[str]:
        for page in _pages(getattr(self.client, f"list_{self.kind}s"), "nextToken"):
            yield from (store["name"] for store in page[self.listed])


class VariantStore(AnalyticsStore):
    """AWS::Omics::VariantStore."""

    type_name, kind, listed = "AWS::Omics::VariantStore", "variant_store", "variantStores"


class AnnotationStore(AnalyticsStore):
    """AWS::Omics::AnnotationStore."""

    type_name, kind, listed = "AWS::Omics::AnnotationStore", "annotation_store", "annotationStores"


def _pages(call: Any, token: str) -> Iterator[dict[str, Any]]:
    answer = call()
    yield answer
    while answer.get(token):
        answer = call(**{token: answer[token]})
        yield answer


HANDLERS: dict[str, type[Handler]] = {
    kind.type_name: kind for kind in (FhirDatastore, ImagingDatastore, ReferenceStore, VariantStore, AnnotationStore)
}
