"""Every operation of localaws' own services held against botocore's model, by generated requests, both ways.

Reads botocore's models; runs a localaws in a temporary folder. Answers must be of the model's shape, refusals of its
errors with its status; a request that the model does not allow must be refused; nothing may end in a 500, and no work
in the background may fail. `WIRE_SEED=N` repeats a run, `WIRE_ONLY=omics.` takes operations with that in their names.

Example: WIRE_SEED=7 python -m verify --only wire
"""

import logging
import os
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

from localaws import LocalAws
from verify.tier import Failed, Tier
from verify.wire.run import Run, full_name, operations

ROUNDS, EACH = 2, 1


def run(say: Callable[[str], None]) -> str:
    seed = int(os.environ.get("WIRE_SEED") or Random().randrange(10_000))
    chosen = os.environ.get("WIRE_ONLY", "")
    say(f"seed {seed} (WIRE_SEED={seed} repeats it)")
    asked = [operation for operation in operations() if chosen in full_name(operation)]
    with tempfile.TemporaryDirectory() as folder, failures() as logged, LocalAws(Path(folder)) as aws:
        with closing(Run(aws, seed)) as tier:
            for _ in range(ROUNDS):
                tier.round(asked, EACH)
        faults = [*tier.faults, *logged]
    for service, (n, requests) in sorted(tier.counts.items()):
        say(f"{service}: {n} operations, {requests:,} requests")
    if faults:
        raise Failed("\n".join([f"{len(faults)} faults, seed {seed}", *faults]))
    total = sum(requests for _, requests in tier.counts.values())
    return f"{total:,} requests to {len(asked)} operations, seed {seed}: answers and errors as modelled"


@contextmanager
def failures() -> Iterator[list[str]]:
    """What localaws logs as failed meanwhile, such as work in the background."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            cause = record.exc_info[1] if record.exc_info else None
            lines.append(f"logged: {record.getMessage()} {told(cause) if cause else ''}")

    keeper = Keep(logging.ERROR)
    logger = logging.getLogger("localaws")
    logger.addHandler(keeper)
    try:
        yield lines
    finally:
        logger.removeHandler(keeper)


def told(error: BaseException) -> str:
    """An exception with the place in localaws that it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "localaws" in frame.filename][-1:]
    place = "".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in own)
    return f"{place} {type(error).__name__}: {error}"


TIER = Tier("wire", "every operation of localaws' own services, held against botocore's model", run)
