"""Every type that the provider makes: its facts speak of arguments that its schema has."""

import pytest

from localaws.terraform import registry, schemas
from localaws.terraform.resource import Inert
from localaws.terraform.values import nested_of

SCHEMAS = {
    name: spec for provider in schemas.PROVIDERS for name, spec in schemas.load(provider)["resource_schemas"].items()
}


def has_path(spec, path):
    head, _, rest = path.partition(".")
    nested = {child.name: child for child in nested_of(spec)}
    if rest:
        return head in nested and has_path(nested[head].spec, rest)
    return head in nested or head in spec.get("attributes", {})


@pytest.mark.parametrize("kind", registry.RESOURCES)
def test_a_made_type_speaks_of_its_own_arguments(kind):
    resource = registry.resource(kind, SCHEMAS[kind])
    assert resource.type_name == kind
    paths = {
        *resource.replaces,
        *resource.updates,
        *resource.defaults,
        *resource.volatile,
        *resource.json_arguments,
        *resource.unheeded,
        *resource.imported_as,
    } - {"*"}
    assert {path for path in paths if not has_path(resource.spec, path)} == set()


def test_there_is_a_schema_for_each_made_type_and_data_source():
    sources = {name for provider in schemas.PROVIDERS for name in schemas.load(provider)["data_source_schemas"]}
    assert set(registry.RESOURCES) <= set(SCHEMAS)
    assert set(registry.DATA_SOURCES) <= sources


def test_other_types_are_inert():
    assert isinstance(registry.resource("aws_budgets_budget", {"block": {}}), Inert)


def test_an_unknown_data_source_says_so():
    with pytest.raises(ValueError, match="aws_vpc cannot be read on the laptop"):
        registry.data_source("aws_vpc")
