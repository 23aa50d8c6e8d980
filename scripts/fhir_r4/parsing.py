"""JSON to Python values with nothing lost: decimals keep their digits, names given twice are told.

Pure. A decimal becomes a `msgspec.Raw` with its own text, a whole number an int of any size; an object in which a name
stands twice becomes a `Repeated` that tells which. NaN and Infinity, which JSON does not have, are refused.

Example: parse(b'{"value": 1.10}')  ->  {"value": Raw(b"1.10")}
"""

import json
from typing import Any

import msgspec


class NotJson(ValueError):
    """What is wrong, and the column (from 1) where that is known."""


class Repeated(dict[str, Any]):
    """An object in which a name stands more than once; the last value counts."""

    names: list[str]


def parse(data: bytes) -> Any:
    """The value of a JSON text in UTF-8. NotJson when it is none."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"bytes that are not UTF-8 at column {error.start + 1}") from None
    try:
        value = DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise NotJson("objects in objects, deeper than is read") from None
    except ValueError as error:
        raise NotJson(str(error)) from None
    if b"\\u" in data and "\\ud" in text.lower():
        refuse_half_characters(value)
    return value


def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(given)
    if len(found) == len(given):
        return found
    repeated = Repeated(found)
    names = [name for name, _ in given]
    repeated.names = sorted({name for name in names if names.count(name) > 1})
    return repeated


def decimal(text: str) -> msgspec.Raw:
    return msgspec.Raw(text.encode())


def whole(text: str) -> Any:
    """An int; a number of more digits than Python reads stays a text."""
    return int(text) if len(text) < 1000 else decimal(text)


def constant(name: str) -> None:
    raise ValueError(f"{name}, which JSON does not have")


DECODER = json.JSONDecoder(
    object_pairs_hook=pairs, parse_float=decimal, parse_int=whole, parse_constant=constant, strict=True
)


def refuse_half_characters(value: Any) -> None:
    r"""NotJson for an escape such as \ud800 without its other half, which is no character."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise NotJson("half of a character, such as \\ud800") from None
