"""The requests of one operation, each with what may come back: allowed ones, and ones broken in one place.

Pure over a seeded `random.Random`. Example: `for case in cases(operation, random, known, n=3): ...`
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from botocore.model import OperationModel

from verify.wire.known import Known
from verify.wire.sending import BODIES, Written, mistyped, written
from verify.wire.values import Broken, Params, Values, Want, broken

NOTHING_KNOWN = Known({})
WANTS = (
    ("least", Want(optional=0)),
    ("all", Want(optional=1)),
    ("some", Want(optional=0.4)),
    ("odd", Want(optional=0.5, odd=True, known=0.4)),
)
TOKENS = {"nexttoken", "startingtoken", "pagetoken"}


@dataclass(frozen=True)
class Case:
    """One request. `must_refuse`: the model does not allow it, so an answer other than an error is a fault."""

    kind: str
    request: Written = field(repr=False)
    params: Params
    must_refuse: bool = False


def cases(operation: OperationModel, random: Random, known: Known, n: int) -> Iterator[Case]:
    """Allowed requests `n` times over, then at most `n` of each way of being broken."""
    for (kind, want), _ in itertools.product(WANTS, range(n)):
        yield _case(operation, kind, Values(operation, random, known).params(want))
    yield _case(operation, "unknown", Values(operation, random, NOTHING_KNOWN).params(Want(optional=0)))
    whole = Values(operation, random, known).params(Want(optional=1))
    for fault in _sampled(broken(operation, whole), random, n):
        yield _case(operation, f"{fault.kind}: {fault.where}", fault.params, must_refuse=True)
    yield from _wrong_pages(operation, Values(operation, random, known).params(Want(optional=0)))
    yield from _wrong_bodies(operation, whole, random, n)


def _case(operation: OperationModel, kind: str, params: Params, *, must_refuse: bool = False) -> Case:
    return Case(kind, written(operation, params), params, must_refuse)


def _sampled(broken: Iterable[Broken], random: Random, n: int) -> Iterator[Broken]:
    """At most `n` of each kind."""
    by_kind: dict[str, list[Broken]] = defaultdict(list)
    for fault in broken:
        by_kind[fault.kind].append(fault)
    for faults in by_kind.values():
        yield from random.sample(faults, min(n, len(faults)))


def _wrong_pages(operation: OperationModel, least: Params) -> Iterator[Case]:
    members = operation.input_shape.members if operation.input_shape is not None else {}
    for name in members:
        if name.lower() in TOKENS:
            yield _case(operation, f"a page token that nobody gave: {name}", {**least, name: "bm8="}, must_refuse=True)


def _wrong_bodies(operation: OperationModel, params: Params, random: Random, n: int) -> Iterator[Case]:
    request = written(operation, params)
    mistakes = list(mistyped(operation, request))
    for kind, where, wrong in random.sample(mistakes, min(4 * n, len(mistakes))):
        yield Case(f"{kind}: {where}", wrong, params, must_refuse=True)
    if request.body.startswith(b"{"):
        for name, body in BODIES.items():
            changed = Written(request.method, request.path, request.headers, body)
            is_empty_object = name == "large numbers"
            yield Case(f"a body that is {name}", changed, params, must_refuse=not is_empty_object)


def telling(params: Any) -> str:
    """The parameters in short, for a line that says what was sent."""
    text = repr(params)
    return text if len(text) <= 300 else f"{text[:297]}..."
