"""Parameters of an operation that its model allows, and the same broken in one place.

Pure over a seeded `random.Random` and what is known to be there. Example: `Values(operation, random, known).least()`.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from verify.wire.known import Known
from verify.wire.texts import a_text, forbidden, is_allowed

Params = dict[str, Any]
DEEPEST = 7
_IN_HEADERS = {"header", "headers"}
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Want:
    """How much of a shape: the share of optional members, of known names, and whether texts are odd."""

    optional: float
    known: float = 0.75
    odd: bool = False


class Values:
    """A generator of one operation's parameters."""

    def __init__(self, operation: OperationModel, random: Random, known: Known) -> None:
        self._operation = operation
        self._random = random
        self._known = known

    def params(self, want: Want) -> Params:
        shape = self._operation.input_shape
        found: Params = self.of(shape, want) if shape is not None else {}
        return found

    def of(self, shape: Shape, want: Want, name: str = "", depth: int = 0) -> Any:
        """A value that the shape allows."""
        if getattr(shape, "is_document_type", False):
            return {"any": ["document", 1, None]}
        if isinstance(shape, StructureShape):
            return self._structure(shape, want, depth)
        if isinstance(shape, ListShape):
            return self._list(shape, want, name, depth)
        if isinstance(shape, MapShape):
            n = max(shape.metadata.get("min", 0), 1 if depth < DEEPEST else 0)
            pairs = [(self.of(shape.key, want), self.of(shape.value, want, "", depth + 1)) for _ in range(n)]
            return dict(pairs)
        return self._scalar(shape, want, name)

    def _structure(self, shape: StructureShape, want: Want, depth: int) -> Params:
        names = list(shape.members)
        if getattr(shape, "is_tagged_union", False):
            names = [self._random.choice(names)]
        else:
            required = set(shape.required_members)
            names = [name for name in names if name in required or self._takes(want, depth)]
        return {name: self.of(shape.members[name], want, name, depth + 1) for name in names}

    def _takes(self, want: Want, depth: int) -> bool:
        return depth < DEEPEST and self._random.random() < want.optional

    def _list(self, shape: ListShape, want: Want, name: str, depth: int) -> list[Any]:
        least, most = shape.metadata.get("min", 0), shape.metadata.get("max", 2)
        n = max(least, min(most, self._random.randint(0 if want.optional < 1 else 1, 2)))
        return [self.of(shape.member, want, name.removesuffix("s"), depth + 1) for _ in range(n)]

    def _scalar(self, shape: Shape, want: Want, name: str) -> Any:
        maker = _MAKERS.get(shape.type_name)
        if maker is not None:
            return maker(self._random, shape.metadata.get("min", 0), shape.metadata)
        known = self._known.pick(self._operation, name, self._random) if self._random.random() < want.known else None
        if known is not None and is_allowed(shape, known):
            return known
        location = shape.serialization.get("location")
        text = a_text(shape, self._random, odd=want.odd and location not in _IN_HEADERS)
        return text or "label" if location == "uri" else text


_MAKERS: dict[str, Callable[[Random, Any, dict[str, Any]], Any]] = {
    "boolean": lambda random, least, limits: random.random() < 0.5,
    "timestamp": lambda random, least, limits: START + timedelta(hours=random.randint(0, 5000)),
    "blob": lambda random, least, limits: random.randbytes(max(least, 5)),
    "integer": lambda random, least, limits: random.randint(least, min(limits.get("max", least + 20), least + 20)),
    "long": lambda random, least, limits: random.randint(least, min(limits.get("max", least + 20), least + 20)),
    "float": lambda random, least, limits: least + random.random(),
    "double": lambda random, least, limits: least + random.random(),
}


@dataclass(frozen=True)
class Broken:
    """Parameters that the model does not allow: how, where."""

    kind: str
    where: str
    params: Params


Path = tuple[str | int, ...]


def broken(operation: OperationModel, params: Params) -> Iterator[Broken]:
    """The parameters with one member away or one value beyond its limits, for each that has limits."""
    if operation.input_shape is None:
        return
    for path, shape, value in leaves(operation.input_shape, params):
        where = ".".join(map(str, path))
        for kind, wrong in _wrong(shape, value):
            yield Broken(kind, where, _with(params, path, wrong))
        if isinstance(shape, StructureShape):
            for name in shape.required_members:
                if name in value and shape.members[name].serialization.get("location") != "uri":
                    yield Broken("missing", f"{where}.{name}", _with(params, (*path, name), None))


def leaves(shape: Shape, value: Any, path: Path = ()) -> Iterator[tuple[Path, Shape, Any]]:
    """Every value of the parameters with its shape, structures and lists too."""
    yield path, shape, value
    if getattr(shape, "is_document_type", False):
        return
    if isinstance(shape, StructureShape):
        for name, item in value.items():
            yield from leaves(shape.members[name], item, (*path, name))
    elif isinstance(shape, ListShape):
        for index, item in enumerate(value[:1]):
            yield from leaves(shape.member, item, (*path, index))
    elif isinstance(shape, MapShape):
        for key, item in list(value.items())[:1]:
            yield from leaves(shape.value, item, (*path, key))


def _wrong(shape: Shape, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, str) and shape.type_name == "string":
        is_label = shape.serialization.get("location") in {"uri", "header", "headers"}
        yield from (
            (kind, text) for kind, text in forbidden(shape) if not is_label or text.isprintable() and text.strip()
        )
    elif isinstance(shape, ListShape) and value:
        most, least = shape.metadata.get("max"), shape.metadata.get("min", 0)
        if most is not None and most <= 10_000:
            yield "too many", [value[0]] * (most + 1)
        if least:
            yield "too few", []
    elif shape.type_name in {"integer", "long"}:
        most, least = shape.metadata.get("max"), shape.metadata.get("min")
        yield "too large", most + 1 if most is not None and most < 2**62 else 2**70
        if least is not None:
            yield "too small", least - 1


def _can_stand_apart(text: str) -> bool:
    """Whether a text can be a path's label or a header at all."""
    return text.isascii() and text.isprintable() and text.strip() != ""


def _with(params: Params, path: Path, value: Any) -> Params:
    """The parameters with another value at a path; None takes the member away."""
    if not path:
        return params
    found = copy.deepcopy(params)
    holder: Any = found
    for step in path[:-1]:
        holder = holder[step]
    if value is None:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return found
