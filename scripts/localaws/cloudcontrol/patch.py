"""JSON Patch (RFC 6902), as UpdateResource takes it.

Pure. Make targets: deploy.
Example: apply_patch({"a": 1}, [{"op": "replace", "path": "/a", "value": 2}])  ->  {"a": 2}
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any


class PatchError(ValueError):
    """The patch is malformed, or does not fit the document."""


def apply_patch(document: Any, operations: Any) -> Any:
    """The document after all operations, or PatchError and no change."""
    if not isinstance(operations, list):
        raise PatchError("A patch document is an array of operations")
    changed = copy.deepcopy(document)
    for operation in operations:
        changed = _apply(changed, operation)
    return changed


def _apply(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict) or operation.get("op") not in OPERATIONS or "path" not in operation:
        raise PatchError(f"Not a patch operation: {operation}")
    needed = {"move": "from", "copy": "from", "remove": None}.get(operation["op"], "value")
    if needed and needed not in operation:
        raise PatchError(f"A patch operation lacks '{needed}': {operation}")
    return OPERATIONS[operation["op"]](document, operation)


def _steps(pointer: str) -> list[str]:
    if pointer and not pointer.startswith("/"):
        raise PatchError(f"Not a JSON pointer: {pointer}")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _position(array: list[Any], step: str, *, may_append: bool) -> int:
    if step == "-" and may_append:
        return len(array)
    if not step.isdigit() or int(step) > len(array) - (0 if may_append else 1):
        raise PatchError(f"No position {step} in an array of {len(array)}")
    return int(step)


def _find(document: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(document, list):
            document = document[_position(document, step, may_append=False)]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            raise PatchError(f"No such path: /{'/'.join(steps)}")
    return document


def _add(document: Any, operation: dict[str, Any]) -> Any:
    steps = _steps(operation["path"])
    if not steps:
        return operation["value"]
    holder = _find(document, steps[:-1])
    if isinstance(holder, list):
        holder.insert(_position(holder, steps[-1], may_append=True), operation["value"])
    elif isinstance(holder, dict):
        holder[steps[-1]] = operation["value"]
    else:
        raise PatchError(f"Nothing can be added at {operation['path']}")
    return document


def _remove(document: Any, operation: dict[str, Any]) -> Any:
    steps = _steps(operation["path"])
    if not steps:
        raise PatchError("The whole document cannot be removed")
    _find(document, steps)
    holder = _find(document, steps[:-1])
    del holder[int(steps[-1]) if isinstance(holder, list) else steps[-1]]
    return document


def _replace(document: Any, operation: dict[str, Any]) -> Any:
    steps = _steps(operation["path"])
    if not steps:
        return operation["value"]
    _find(document, steps)
    holder = _find(document, steps[:-1])
    holder[int(steps[-1]) if isinstance(holder, list) else steps[-1]] = operation["value"]
    return document


def _copy(document: Any, operation: dict[str, Any]) -> Any:
    value = copy.deepcopy(_find(document, _steps(operation["from"])))
    return _add(document, {"path": operation["path"], "value": value})


def _move(document: Any, operation: dict[str, Any]) -> Any:
    value = _find(document, _steps(operation["from"]))
    return _add(_remove(document, {"path": operation["from"]}), {"path": operation["path"], "value": value})


def _test(document: Any, operation: dict[str, Any]) -> Any:
    if _find(document, _steps(operation["path"])) != operation["value"]:
        raise PatchError(f"The test of {operation['path']} failed")
    return document


OPERATIONS: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "add": _add,
    "remove": _remove,
    "replace": _replace,
    "copy": _copy,
    "move": _move,
    "test": _test,
}
