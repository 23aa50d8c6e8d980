"""The provider's remote calls: each decodes a request, asks the resource type, encodes the answer.

Reads schemas and the environment; writes only through boto3. Terraform calls it by way of `plugin`.
Make targets: deploy, plan, destroy.
Example: Provider("aws").PlanResourceChange(request, context)
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

from localaws.terraform import registry, schemas, wire
from localaws.terraform.aws import Aws, unheeded
from localaws.terraform.lifecycle import Refused, apply_change, conform, import_state, read_data, read_state
from localaws.terraform.planning import plan_change
from localaws.terraform.resource import Resource


class Provider(rpc.ProviderServicer):
    """hashicorp/aws or hashicorp/awscc, by name, over localaws."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.facts = schemas.load(name)
        self.aws = Aws.from_config({})
        self._resources: dict[str, Resource] = {}
        self._lock = threading.Lock()

    def resource(self, type_name: str) -> Resource:
        with self._lock:
            if type_name not in self._resources:
                self._resources[type_name] = registry.resource(type_name, self.facts["resource_schemas"][type_name])
            return self._resources[type_name]

    def GetMetadata(self, request: Any, context: Any) -> Any:
        answer = pb.GetMetadata
        return answer.Response(
            server_capabilities=CAPABILITIES,
            resources=[answer.ResourceMetadata(type_name=name) for name in self.facts["resource_schemas"]],
            data_sources=[answer.DataSourceMetadata(type_name=name) for name in self.facts["data_source_schemas"]],
        )

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        return pb.GetProviderSchema.Response(
            provider=wire.schema_message(self.facts["provider"]),
            provider_meta=pb.Schema(block=pb.Schema.Block()),
            server_capabilities=CAPABILITIES,
            **{
                key: {name: wire.schema_message(spec) for name, spec in self.facts[key].items()}
                for key in ("resource_schemas", "data_source_schemas")
            },
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        problems = unheeded(wire.decode(request.config))
        return pb.ValidateProviderConfig.Response(diagnostics=wire.diagnostics(problems))

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        resource, config = self.resource(request.type_name), wire.decode(request.config)
        problems = [*resource.check(config), *resource.warnings(config)]
        return pb.ValidateResourceConfig.Response(diagnostics=wire.diagnostics(problems))

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        self.aws = Aws.from_config(wire.decode(request.config))
        return pb.ConfigureProvider.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:
        import json

        spec = self.resource(request.type_name).spec
        state = conform(spec, json.loads(request.raw_state.json))
        return pb.UpgradeResourceState.Response(upgraded_state=wire.encode(state))

    def ReadResource(self, request: Any, context: Any) -> Any:
        resource, state = self.resource(request.type_name), wire.decode(request.current_state)
        answer = pb.ReadResource.Response
        return _answered(
            answer,
            "new_state",
            lambda: wire.encode(read_state(resource, self.aws, state)),
            # A refresh that fails must not look like a resource that is gone.
            otherwise=request.current_state,
        )

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        spec, config = self.facts["data_source_schemas"][request.type_name]["block"], wire.decode(request.config)
        answer, name = pb.ReadDataSource.Response, request.type_name
        return _answered(answer, "state", lambda: wire.encode(read_data(name, spec, self.aws, config)))

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        resource = self.resource(request.type_name)
        prior, proposed, config = (
            wire.decode(value) for value in (request.prior_state, request.proposed_new_state, request.config)
        )
        planned = plan_change(
            resource, prior, proposed, config, region=self.aws.region, default_tags=self.aws.default_tags
        )
        return pb.PlanResourceChange.Response(
            planned_state=wire.encode(planned.state),
            requires_replace=[wire.path_message(path) for path in planned.replace_paths],
            legacy_type_system=planned.is_lenient,
        )

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:
        resource = self.resource(request.type_name)
        prior, planned = wire.decode(request.prior_state), wire.decode(request.planned_state)
        answer = pb.ApplyResourceChange.Response
        return _answered(
            answer,
            "new_state",
            lambda: wire.encode(apply_change(resource, self.aws, prior, planned)),
            otherwise=request.prior_state,
            legacy_type_system=bool(resource.defaults),
        )

    def ImportResourceState(self, request: Any, context: Any) -> Any:
        resource, answer = self.resource(request.type_name), pb.ImportResourceState

        def imported() -> list[Any]:
            state = wire.encode(import_state(resource, self.aws, request.id))
            return [answer.ImportedResource(type_name=request.type_name, state=state)]

        return _answered(answer.Response, "imported_resources", imported)

    def StopProvider(self, request: Any, context: Any) -> Any:
        return pb.StopProvider.Response()


CAPABILITIES = pb.ServerCapabilities(plan_destroy=False, get_provider_schema_optional=True)


def _answered(make: Any, field: str, work: Callable[[], Any], *, otherwise: Any = None, **more: Any) -> Any:
    """A response with what work returns in its field, or with the problem it met."""
    try:
        return make(**{field: work()}, **more)
    except Refused as error:
        kept = {field: wire.encode(error.state)} if error.has_state else {field: otherwise} if otherwise else {}
        return make(**kept, diagnostics=wire.diagnostics([error.problem]), **more)
