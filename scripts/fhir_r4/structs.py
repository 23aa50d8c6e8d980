"""Typed structs of R4's types, made from the definitions: what msgspec decodes into one of them is certainly valid.

Reads the definitions; a resource type's structs are made when they are first asked for. They take less than R4 allows
(no element ids, few companions of primitives, a type in itself twice at most): what they do not take is not wrong, but
for the exact rules to judge. Fields stand in the order of their names, so that a struct is encoded in one way only.

Example: msgspec.json.Decoder(Structs().resource("Patient")).decode(line)
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from fhir_r4.checks import check_of
from fhir_r4.definitions import PRIMITIVES, Definition, Element, definition, resource_types
from fhir_r4.primitives import FAST, LEAST, LONGEST

EXTENSION_TYPES = (
    "Boolean Code CodeableConcept Coding Date DateTime Decimal Identifier Integer Period Quantity Reference String Uri"
    " Url Address"
)
EXTENSION_VALUES = frozenset(f"value{kind}" for kind in EXTENSION_TYPES.split())
RECURSIVE = ("Extension", "Reference", "Identifier")
PARENTS = ("Bundle", "Parameters")
"""Resource types that hold other resources: left to the exact rules."""
TEXT = Annotated[str, Meta(min_length=1)]
STRING = Annotated[str, Meta(min_length=1, max_length=LONGEST)]
WHOLE = {kind: Annotated[int, Meta(ge=least, le=2**31 - 1)] for kind, least in LEAST.items()}
NESTED_URL = Annotated[str, Meta(pattern=r"^(?!urn:)\S+\Z")]
UNCHECKED = {
    ("Coding", "system"),
    ("Coding", "code"),
    ("Identifier", "system"),
    ("Quantity", "system"),
    ("Quantity", "code"),
}
"""Elements whose form a remembered check of the whole object tells, which is quicker than a pattern."""


class Base(msgspec.Struct):
    """What the predicates of the invariants ask of an object."""

    CHOICES: ClassVar[dict[str, tuple[Callable[[Any], tuple[Any, ...]], int, bool]]] = {}

    def get(self, name: str) -> Any:
        found = getattr(self, name, UNSET)
        return None if found is UNSET else found

    def has(self, name: str) -> bool:
        return getattr(self, name, UNSET) is not UNSET or getattr(self, "_" + name, UNSET) is not UNSET

    def chosen(self, name: str) -> bool:
        getter, n, _ = self.CHOICES[name]
        return getter(self).count(UNSET) < n


class Structs:
    """The structs of one process.

    `with_contained` makes those for resources with others in them, or with references that tell a type.
    """

    def __init__(self, *, with_contained: bool = False) -> None:
        self.with_contained = with_contained
        self.made: dict[tuple[Any, ...], Any] = {}

    def resource(self, name: str) -> Any:
        """The struct of a resource type; KeyError for a name that R4 does not have."""
        return self.struct(definition(name), (name,), None, None)

    def struct(self, kind: Definition, path: tuple[str, ...], binding: Any, targets: frozenset[str] | None) -> Any:
        deep = tuple(sorted((name, path.count(name)) for name in {*path} if name in RECURSIVE or path.count(name) > 1))
        key = (
            kind.name,
            deep,
            len(path) == 1,
            kind.name == "Extension" and path[-2] == "Extension",
            id(binding),
            targets,
        )
        if key not in self.made:
            self.made[key] = self.make(kind, path, binding, targets)
        return self.made[key]

    def make(self, kind: Definition, path: tuple[str, ...], binding: Any, targets: frozenset[str] | None) -> Any:
        names = set(kind.elements)
        if kind.name == "Extension":
            names = {"extension", "url"} | EXTENSION_VALUES
        elif len(path) > 1:
            names.discard("id")
        fields: dict[str, tuple[Any, bool]] = {}
        for name in names:
            made = self.field(kind, kind.elements[name], path, targets)
            if made is not None:
                fields[name] = (made, name in kind.required)
        if len(path) == 1:
            fields["resourceType"] = (Literal[kind.name], True)
            fields |= self.companions(kind, path)
        choices = {
            choice: tuple(name for name in options if name in fields) for choice, options in kind.choices.items()
        }
        decimals = tuple(name for name in fields if name in kind.elements and kind.elements[name].type == "decimal")
        namespace: dict[str, Any] = {
            "CHOICES": {
                choice: (attrgetter(*options), len(options), choice in kind.required_choices)
                for choice, options in choices.items()
                if len(options) > 1
            }
        }
        check = check_of(
            kind.name, namespace["CHOICES"], decimals, binding, with_contained=self.with_contained, targets=targets
        )
        if check is not None:
            namespace["__post_init__"] = check
        renamed = {name: f"{name}_" for name in fields if name in ("class", "import", "for", "assert", "global")}
        return msgspec.defstruct(
            kind.name.replace(".", "_"),
            [declared(renamed.get(name, name), *fields[name]) for name in sorted(fields)],
            bases=(Base,),
            namespace=namespace,
            rename={new: old for old, new in renamed.items()} or None,
            forbid_unknown_fields=True,
            omit_defaults=True,
            kw_only=True,
            gc=False,
        )

    def companions(self, kind: Definition, path: tuple[str, ...]) -> dict[str, tuple[Any, bool]]:
        """Of a resource's own single, optional primitives: an extension beside the value."""
        options = {name for names in kind.choices.values() for name in names}
        holder = self.struct(definition("Element"), (*path, "Element"), None, None)
        return {
            f"_{name}": (holder, False)
            for name, element in kind.elements.items()
            if element.is_primitive and not element.is_list and name not in options and name not in kind.required
            and element.codes is None
            and name not in ("id", "implicitRules", "language")
        }  # fmt: skip

    def field(self, kind: Definition, element: Element, path: tuple[str, ...], targets: frozenset[str] | None) -> Any:
        """The type of a field; None for an element that the struct does not take."""
        if element.type == "Resource":
            made = Raw if self.with_contained and element.name == "contained" else None
        elif element.is_primitive:
            made = self.primitive(kind, element, path, targets)
        elif path.count(element.type) > 1:
            made = None
        else:
            made = self.struct(definition(element.type), (*path, element.type), element.binding, element.targets)
        return Annotated[list[made], Meta(min_length=1)] if made is not None and element.is_list else made  # type: ignore[valid-type]

    def primitive(
        self, kind: Definition, element: Element, path: tuple[str, ...], targets: frozenset[str] | None
    ) -> Any:
        name = (kind.name, element.name)
        if name in UNCHECKED or name == ("Attachment", "data"):
            made: Any = TEXT
        elif name == ("Reference", "reference"):
            made = reference_to(targets, with_local=self.with_contained)
        elif name == ("Reference", "type"):
            if not self.with_contained:
                return None
            made = Literal[tuple(sorted(targets or resource_types()))]
        elif name == ("Extension", "url") and path[-2] == "Extension":
            made = NESTED_URL
        elif element.codes is not None:
            made = Literal[tuple(sorted(element.codes))] if element.type == "code" else None
        else:
            made = PLAIN[element.type]
        return made


def reference_to(targets: frozenset[str] | None, *, with_local: bool) -> Any:
    """The text of a reference that leads elsewhere or, `Type/id`, to a type that may stand there."""
    local = "#|" if with_local else ""
    if targets is None:
        return Annotated[str, Meta(pattern=rf"^(?:{local}[^\s#])\S*\Z")]
    types = "|".join(sorted(targets))
    return Annotated[str, Meta(pattern=rf"^(?:(?:{types})[/?]|{local}urn:|https?://)\S*\Z")]


PLAIN: dict[str, Any] = {
    **{kind: TEXT for kind in PRIMITIVES},
    "string": STRING,
    **{kind: Annotated[str, Meta(pattern=pattern)] for kind, pattern in FAST.items()},
    **WHOLE,
    "boolean": bool,
    "decimal": Raw,
}


def declared(name: str, kind: Any, is_required: bool) -> tuple[Any, ...]:
    return (name, kind) if is_required else (name, kind | UnsetType, UNSET)
