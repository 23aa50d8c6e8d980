"""Contract, cohort, study and page files as typed objects; each fault with its line, its field and what was expected.

Example: load_model(Path("sql/cohort/cohorts/apoe_e4_carriers.yaml"), Definition)
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from trilake.core.errors import InputError

Key = str | int
Place = tuple[Key, ...]


class Strict(BaseModel):
    """Immutable, with no field that is not declared and no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Model = TypeVar("Model", bound=Strict)


def load_model(path: Path, model: type[Model]) -> Model:
    """The file as a `model`. InputError lists all faults: file, line, field, what was found, what was expected."""
    text = read(path)
    try:
        # libyaml's parser reads the contracts in 0.1 s; PyYAML's own takes 0.7 s of every command.
        content = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else "?"
        raise InputError(f"{path}, line {line}: not YAML: {error.problem}", next_step=f"mend {path}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: found {type(content).__name__}, expected fields: {', '.join(model.model_fields)}")
    try:
        return model.model_validate(content)
    except ValidationError as error:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        faults = [f"  line {line_of(node, fault['loc'])}: {in_words(fault)}" for fault in error.errors()]
        raise InputError(f"{path} does not hold:\n" + "\n".join(faults), next_step=f"mend {path}") from None


def read(path: Path) -> str:
    """The file's text. InputError when there is none, naming its neighbours."""
    try:
        return path.read_text()
    except FileNotFoundError:
        names = sorted(neighbour.name for neighbour in path.parent.glob("*.yaml"))
        holds = f"; {path.parent} holds {', '.join(names)}" if names else ""
        raise InputError(f"No such file: {path}{holds}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text: {type(error).__name__}") from None


def line_of(node: yaml.Node | None, place: Sequence[Key]) -> int:
    """The line of the innermost part of `place` that the file has."""
    line = node.start_mark.line + 1 if node else 1
    for key in place:
        part = child(node, key)
        if part is None:
            break
        line, node = part
    return line


def child(node: yaml.Node | None, key: Key) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if name.value == key:
                return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key].start_mark.line + 1, node.value[key]
    return None


def in_words(fault: Any) -> str:
    """One fault of pydantic's: field, what was found, what was expected."""
    field = ".".join(map(str, fault["loc"])) or "the file"
    kind, value = fault["type"], fault["input"]
    if kind == "missing":
        return f"{field}: not there, expected a value"
    if kind == "extra_forbidden":
        return f"{field}: no such field"
    if kind == "string_type" and isinstance(value, int):
        # YAML reads a code of digits alone as a number, and would lose its leading zeros.
        return f"{field}: found the number {value}, expected text in quotes: '{value}'"
    if kind == "value_error":
        return f"{field}: {fault['ctx']['error']}"
    return f"{field}: found {shown(value)}, expected: {fault['msg'].removeprefix('Input should be ')}"


def shown(value: Any) -> str:
    return "several fields" if isinstance(value, dict | list) else repr(value)


def find_file(name: str, folder: Path) -> Path:
    """The file meant: a path, or the bare name of one in `folder`."""
    named = folder / f"{name}.yaml"
    return named if named.exists() and not Path(name).exists() else Path(name)
