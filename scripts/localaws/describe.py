"""What is real, imitated, inert or not there, service by service, written into COVERAGE.md from the code and the tests.

Reads botocore's models, our services' classes, moto's backends, the local provider's tables and, where there are any,
the tests; writes the part of scripts/localaws/COVERAGE.md between its two marks. `make check` runs it with `--check`.

Example: python -m localaws.describe

An operation is real unless its class says otherwise in `imitated` or `inert`, each with a few words of how.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from inspect import getmembers
from pathlib import Path

from botocore import xform_name

from localaws.service import TABLE, Service
from localaws.terraform import schemas
from localaws.terraform.registry import DATA_SOURCES, RESOURCES
from localaws.wire import service_model

FOLDER = Path(__file__).parent
COVERAGE = FOLDER / "COVERAGE.md"
TESTS = FOLDER.parents[1] / "tests"
LONGEST = 20
BEGIN, END = "<!-- written by python -m localaws.describe -->", "<!-- end of what it writes -->"
# Services that are moto's alone, as far as `make deploy` and EventBridge's targets use them: boto3 name -> what fires.
MOTOS = {
    "iam": "policies are asked on every request (`iam/`)",
    "sts": "sessions are asked on every request",
    "kms": "encrypts and signs with real keys; key policies are asked; rotation and grants do nothing",
    "events": "events of our services, S3 and Glue jobs reach queues, topics, state machines, log groups and buses",
    "sns": "delivers to queues",
    "sqs": "",
    "stepfunctions": "machines of events run their Glue jobs (`step_functions.py`); other steps are not taken",
    "logs": "",
    "cloudwatch": "alarms are kept and never fire",
    "cloudtrail": "trails are kept, nothing is recorded",
    "budgets": "kept, never fire",
    "scheduler": "schedules are kept and never fire",
    "sagemaker": "kept; nothing trains",
    "quicksight": "kept",
}


def main(arguments: list[str] | None = None) -> int:
    """0 when COVERAGE.md says what is so, after writing it or (with `--check`) as it stands."""
    parser = argparse.ArgumentParser(prog="python -m localaws.describe", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail when COVERAGE.md is out of date")
    is_check = parser.parse_args(arguments).check
    text = COVERAGE.read_text()
    fresh = renewed(text)
    if text == fresh:
        return 0
    if is_check:
        sys.stderr.write(f"{COVERAGE} is out of date.\n  Next: python -m localaws.describe\n")
        return 1
    COVERAGE.write_text(fresh)
    return 0


def renewed(text: str) -> str:
    """The page with its written part anew; ValueError when it has not both marks."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"COVERAGE.md has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{described()}\n{END}{after}"


def described() -> str:
    """The three tables."""
    return "\n\n".join(["\n".join(_own()), "\n".join(_motos()), "\n".join(_terraform())])


def _own() -> Iterator[str]:
    yield "### Services of our own"
    yield ""
    yield "| Service | Operations | Real | Imitated | Inert | Not there | Asked by `make verify` alone |"
    yield "|---|---|---|---|---|---|---|"
    named = _named_in_tests()
    for boto_name, module, class_name in TABLE.values():
        yield _row(boto_name, getattr(import_module(module), class_name), named)


def _row(boto_name: str, service: type[Service], named: set[str]) -> str:
    methods = {name: xform_name(name) for name in sorted(service_model(boto_name).operation_names)}
    blank = service.__new__(service)
    have = {name: method for name, method in methods.items() if blank.operation(name) is not None}
    unknown = (service.imitated.keys() | service.inert.keys()) - set(have.values())
    if unknown:
        raise ValueError(f"{service.__name__} describes what it has not: {', '.join(sorted(unknown))}")
    real = [method for method in have.values() if method not in service.imitated and method not in service.inert]
    motos = _of_moto(boto_name) if service.overlay else set()
    lacking = [method for name, method in methods.items() if name not in have and method not in motos]
    unnamed = [method for method in have.values() if method not in named]
    others = f"; moto's: {len(motos - set(have.values()))}" if motos else ""
    words = [_worded(service.imitated), _worded(service.inert), _some(lacking), _listed(unnamed)]
    return f"| {boto_name} | {len(have)} of {len(methods)}{others} | {_listed(real)} | {' | '.join(words)} |"


def _some(names: list[str]) -> str:
    """The names, or how many there are and the first of them."""
    return _listed(names) if len(names) <= LONGEST else f"{len(names)}: {_listed(names[:5])} and others"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _worded(words: dict[str, str]) -> str:
    return "; ".join(f"`{name}`: {text}" for name, text in sorted(words.items()))


def _of_moto(boto_name: str) -> set[str]:
    """The operations of a service that moto's class for it has a method for."""
    responses = import_module(f"moto.{boto_name.replace('-', '')}.responses")
    classes = [member for _, member in getmembers(responses, lambda item: isinstance(item, type))]
    # Classes that moto imports there for its own use describe other services.
    own = [cls for cls in classes if cls.__module__ == responses.__name__]
    methods = {xform_name(name) for name in service_model(boto_name).operation_names}
    return {method for method in methods if any(method in vars(cls) for cls in own)}


def _motos() -> Iterator[str]:
    yield "### Services that are moto's"
    yield ""
    yield "| Service | Operations of its model | What happens |"
    yield "|---|---|---|"
    for boto_name, words in MOTOS.items():
        n = len(service_model(boto_name).operation_names)
        yield f"| {boto_name} | {len(_of_moto(boto_name))} of {n} | {words or 'as far as moto goes'} |"


def _terraform() -> Iterator[str]:
    types = [name for provider in schemas.PROVIDERS for name in schemas.load(provider)["resource_schemas"]]
    yield "### Terraform types of the local provider"
    yield ""
    yield f"Made in localaws ({len(RESOURCES)}): {_listed(sorted(RESOURCES))}."
    yield ""
    yield f"Inert, kept in Terraform's state alone: {_listed(sorted(set(types) - RESOURCES.keys())) or 'none'}."
    yield ""
    yield f"Data sources: {_listed(sorted(DATA_SOURCES))}. Any other is refused by name."


def _named_in_tests() -> set[str]:
    """Every word before a bracket in the tests; none where there are no tests."""
    words: set[str] = set()
    for path in sorted(TESTS.rglob("*.py")):
        words.update(re.findall(r"\b([a-z][a-z0-9_]+)\(", path.read_text()))
    return words


if __name__ == "__main__":
    sys.exit(main())
