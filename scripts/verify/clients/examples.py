"""The commands that AWS's own documentation shows, as the AWS CLI's package brings them: command, files, output.

Reads `awscli/examples/<service>/<command>.rst`. Example: `examples(folder, "healthlake", "tag-resource")[0].words`.
"""

import json
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_COMMAND = re.compile(r"^    +aws .*(?:\n    .*)*", re.MULTILINE)
_FILE = re.compile(r"^Contents of ``([^`]+)``\s*:*\s*::\s*\n\n((?:    .*\n|\s*\n)+)", re.MULTILINE)
_OUTPUT = re.compile(r"^Output:?:*\s*\n\s*\n((?:[ \t]+.*\n|\s*\n)+)", re.MULTILINE)
_PLACEHOLDER = re.compile(r"\(([A-Z][A-Za-z ]+)\)")
# A place elsewhere and a way of printing are not what a command is about; the last is of version 2 alone.
_ELSEWHERE = {"--profile", "--endpoint", "--endpoint-url", "--region", "--output", "--cli-binary-format"}
# Members that depend on what is stored or on how much of it there is: they need not be there.
OF_THE_DATA = {
    "CreateTableDefaultPermissions",
    "DefaultArguments",
    "Description",
    "FineGrainedAuthorizationEnabled",
    "KmsKeyId",
    "LocationUri",
    "NextToken",
    "NumberOfWorkers",
    "PreloadDataConfig",
    "ResponseMetadata",
    "WorkerType",
    "statusMessage",
}
# Free maps, whose keys are the user's, and unions, of which an answer has another member than the one printed.
FREE_MAPS = {"Arguments", "DefaultArguments", "Parameters", "Resource", "Tags", "tags"}
# What localaws lacks and says so in scripts/localaws/COVERAGE.md.
GAPS = {(("omics", "get-reference-metadata"), ".files.index")}
# Printed by the documentation under a name that no version of the service's model has.
SLIPS = {("healthlake", "list-tags-for-resource")}


@dataclass(frozen=True)
class Documented:
    """One example: words after `aws`, files that it names, and the output that the documentation prints."""

    words: tuple[str, ...]
    files: dict[str, str]
    output: Any


def examples(folder: Path, service: str, command: str) -> list[Documented]:
    """The examples of one command, in their order."""
    text = (folder / service / f"{command}.rst").read_text().replace("\t", "    ") + "\n"
    starts = [example.start() for example in _COMMAND.finditer(text)]
    parts = [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    return [_read(part) for part in parts]


def _read(part: str) -> Documented:
    command = _COMMAND.match(part)
    line = re.sub(r"\\\s*\n", " ", command.group() if command else "")
    line = _PLACEHOLDER.sub(lambda place: place[1].replace(" ", "-"), line)
    files = {name: content for name, content in _FILE.findall(part)}
    words = tuple(_own(shlex.split(line)[1:]))
    output = _OUTPUT.search(part) if words[:2] not in SLIPS else None
    return Documented(words, files, _json(output.group(1)) if output else None)


def _own(words: list[str]) -> list[str]:
    kept, skip = [], False
    for word in words:
        if not skip and word not in _ELSEWHERE:
            kept.append(word)
        skip = word in _ELSEWHERE
    return kept


def _json(text: str) -> Any:
    """The printed output; None where it is no JSON, as some are not."""
    try:
        return json.JSONDecoder().raw_decode(text.strip())[0]
    except ValueError:
        return None


def lacking(shown: Any, output: Any, path: str = "") -> list[str]:
    """What the documentation prints and the answer lacks or has as another type; lists by their first items."""
    if isinstance(shown, dict):
        if not isinstance(output, dict):
            return [f"{path or 'the output'} is {type(output).__name__}"]
        if path.removesuffix("[]").rpartition(".")[2] in FREE_MAPS:
            return []
        missing = [f"{path}.{name} is missing" for name in shown if name not in output and name not in OF_THE_DATA]
        return missing + [
            fault for name in shown if name in output for fault in lacking(shown[name], output[name], f"{path}.{name}")
        ]
    if isinstance(shown, list):
        if not isinstance(output, list):
            return [f"{path} is {type(output).__name__}"]
        return lacking(shown[0], output[0], f"{path}[]") if shown and output else []
    numbers = (int, float)
    is_same = isinstance(output, type(shown)) or (isinstance(shown, numbers) and isinstance(output, numbers))
    # The CLI prints times as its settings say; the documentation has both numbers and texts.
    is_time = path.lower().endswith(("at", "time", "on", "date", "modified")) and isinstance(output, (str, *numbers))
    return [] if is_same or is_time or shown is None else [f"{path} is {type(output).__name__}"]
