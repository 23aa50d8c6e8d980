"""Function signatures as text, and the choice of the one that fits the arguments.

Example: `signature("element_at(array(t), bigint) -> t", "list_extract({0}, {1})")`

A signature is written as Trino's documentation writes it. One lower-case letter is a type variable (`t`, `u`, `k`,
`v`; `n` stands for any number type, `d` for a date or timestamp); a last parameter with `*` may come any number of
times, a parameter with `?` may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from localaws.athena.embedded.casts import to_type
from localaws.athena.embedded.typed import Typed
from localaws.athena.types import NUMBERS, Type, coerces, common_type, parse_type, trino_text

Template = str | Callable[[Sequence[Typed], Type], str]
_HEAD = re.compile(r"(\w+)\((.*)\) -> (.*)\Z", re.DOTALL)
_GENERIC_DECIMAL = Type("decimal", (38, 0))


@dataclass(frozen=True)
class Signature:
    """One form of a function: parameter types, result type, and its text for DuckDB."""

    name: str
    params: tuple[Type, ...]
    required: int
    repeats: bool
    returns: Type
    template: Template

    def arity(self, count: int) -> bool:
        return self.required <= count and (self.repeats or count <= len(self.params))

    def expected(self, count: int) -> list[Type]:
        """The parameter types for this many arguments."""
        extra = count - len(self.params)
        return [*self.params[:count], *([self.params[-1]] * extra if extra > 0 else [])]

    def render(self, args: Sequence[Typed], returns: Type) -> str:
        """The call's text; `{0}`… are the arguments, `{*}` all of them."""
        if callable(self.template):
            return self.template(args, returns)
        words = [arg.sql for arg in args]
        every = ", ".join(f"{{{index}}}" for index in range(len(words)))
        return self.template.replace("{*}", every).format(*words)

    def text(self) -> str:
        return f"{self.name}({', '.join(trino_text(param) for param in self.params)})"


def signature(head: str, template: Template) -> Signature:
    """A Signature from `name(types) -> type` and its DuckDB text."""
    match = _HEAD.match(head)
    if match is None:
        raise ValueError(f"not a signature: {head}")
    words = split_types(match[2])
    repeats = bool(words) and words[-1].endswith("*")
    required = sum(1 for word in words if not word.endswith(("*", "?")))
    params = tuple(parse_type(word.rstrip("*?")) for word in words)
    return Signature(match[1], params, required, repeats, parse_type(match[3]), template)


def split_types(text: str) -> list[str]:
    """`a, map(k, v), b` in three parts."""
    parts, depth, current = [], 0, ""
    for letter in text:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append(current.strip())
            current = ""
        else:
            current += letter
    return [*parts, current.strip()] if current.strip() else parts


def is_variable(kind: Type) -> bool:
    return len(kind.name) == 1


def choose(forms: Sequence[Signature], args: Sequence[Typed]) -> tuple[Signature, list[Typed], Type] | None:
    """The first form that fits as it is, else the first that fits after coercion; None if none does."""
    # As Trino chooses: `abs(tinyint)` must not become `abs(double)` only since that stands first.
    for exact in (True, False):
        for form in forms:
            if form.arity(len(args)):
                fitted = _fit(form, args, exact)
                if fitted is not None:
                    return form, fitted[0], fitted[1]
    return None


def _fit(form: Signature, args: Sequence[Typed], exact: bool) -> tuple[list[Typed], Type] | None:
    bound: dict[str, Type] = {}
    expected = form.expected(len(args))
    for param, arg in zip(expected, args, strict=True):
        if not _bind(param, arg.type, bound):
            return None
    targets = [_substituted(param, arg.type, bound) for param, arg in zip(expected, args, strict=True)]
    for target, arg in zip(targets, args, strict=True):
        same = arg.type == target or (arg.type.name == target.name and not target.elements)
        if not (same if exact else coerces(arg.type, target)):
            return None
    fitted = [to_type(arg, target).at(arg.node) for arg, target in zip(args, targets, strict=True)]
    return fitted, _substituted(form.returns, form.returns, bound)


def _bind(param: Type, actual: Type, bound: dict[str, Type]) -> bool:
    if is_variable(param):
        return _bind_variable(param.name, actual, bound)
    if param.elements and actual.name == param.name and len(actual.elements) == len(param.elements):
        return all(
            _bind(inner, actual_inner, bound)
            for inner, actual_inner in zip(param.elements, actual.elements, strict=True)
        )
    return actual.name == "unknown" or not param.elements


def _bind_variable(name: str, actual: Type, bound: dict[str, Type]) -> bool:
    if name == "n" and actual.name not in (*NUMBERS, "unknown"):
        return False
    if name == "d" and actual.name not in ("date", "timestamp", "timestamp with time zone", "unknown"):
        return False
    merged = common_type([bound[name], actual]) if name in bound else actual
    if merged is None:
        return False
    bound[name] = merged
    return True


def _substituted(param: Type, actual: Type, bound: dict[str, Type]) -> Type:
    if is_variable(param):
        return bound.get(param.name, Type("unknown"))
    # A parameter written `decimal` takes any precision and scale, and its result keeps them.
    if param == _GENERIC_DECIMAL and actual.name == "decimal":
        return actual
    if param.name == actual.name and param.name.startswith("timestamp"):
        return actual if actual.numbers else Type(param.name, (3,))
    if param.name.startswith("timestamp") and not param.numbers:
        return Type(param.name, (3,))
    if not param.elements:
        return param
    elements = tuple(_substituted(item, Type("unknown"), bound) for item in param.elements)
    return Type(param.name, elements=elements, fields=param.fields)
