"""A HealthLake table that does not exist yet, as a relation with its columns and no rows.

HealthLake's tables appear with the first resource of their type. A governed table that only looks something up in
one (`may_be_missing` in its contract) reads this instead, and `views` says so.

Example: empty_relation("consent", {"id", "status"})
"""

from functools import cache

from fhir_r4.definitions import Element, definition

TRINO = {
    "boolean": "boolean", "integer": "integer", "positiveInt": "integer", "unsignedInt": "integer", "decimal": "double",
}  # fmt: skip
RESOURCES = {
    name.lower(): name
    for name in (
        "AllergyIntolerance",
        "Condition",
        "Consent",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "FamilyMemberHistory",
        "Immunization",
        "Medication",
        "MedicationAdministration",
        "MedicationRequest",
        "Observation",
        "Organization",
        "Procedure",
    )
}
"""Table -> resource type, of those that a governed table can do without."""


def empty_relation(table: str, names: set[str]) -> str:
    """A SELECT without rows, with those of the names that are columns of the type's table."""
    columns = column_types(RESOURCES[table])
    return (
        "SELECT "
        + ", ".join(f'cast(NULL AS {kind}) AS "{name}"' for name, kind in columns.items() if name in names)
        + " WHERE FALSE"
    )


@cache
def column_types(resource_type: str) -> dict[str, str]:
    """Column name -> Trino type, nested as HealthLake nests a resource type's table."""
    return {"resourcetype": "varchar", **fields(resource_type, ())}


def fields(kind: str, path: tuple[str, ...]) -> dict[str, str]:
    return {name.lower(): trino_type(element, (*path, kind)) for name, element in definition(kind).elements.items()}


def trino_type(element: Element, path: tuple[str, ...]) -> str:
    """One element's type; extensions, contained resources and types that hold themselves again are JSON texts."""
    if element.is_primitive:
        kind = TRINO.get(element.type, "varchar")
    elif element.type in ("Resource", "Extension") or path.count(element.type) > 1:
        kind = "varchar"
    else:
        inner = fields(element.type, path)
        kind = "row(" + ", ".join(f'"{name}" {of}' for name, of in inner.items()) + ")"
    return f"array({kind})" if element.is_list else kind
