"""What a tier of `make verify` is: a name, a sentence, a function that says what it runs and raises when that fails.

Reads and writes nothing itself. Each tier's module gives one `TIER`; `verify/__main__.py` lists them in their order.

Example: `TIER = Tier("spark", "Glue jobs under Spark give the rows of the local run", run)`
"""

import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass


class NotRun(Exception):
    """The tier's parts cannot be had here; the text says which, and what brings them."""


class Failed(Exception):
    """What the tier set out to show does not hold; the text names each difference."""


@dataclass(frozen=True)
class Tier:
    """`run` says each thing it does and returns the sentence of what held; it raises NotRun or Failed."""

    name: str
    purpose: str
    run: Callable[[Callable[[str], None]], str]


@dataclass(frozen=True)
class Outcome:
    """How a tier ended: `holds`, `FAILS` or `not run`."""

    name: str
    verdict: str
    words: str
    seconds: float


def outcome(tier: Tier) -> Outcome:
    """The tier, run. A fault of its own fails it too, with its traceback; the others still run."""

    def say(text: str) -> None:
        sys.stderr.write(f"{tier.name}: {text}\n")

    say(tier.purpose)
    started = time.perf_counter()
    try:
        verdict, words = "holds", tier.run(say)
    except NotRun as lack:
        verdict, words = "not run", str(lack)
    except Failed as failure:
        verdict, words = "FAILS", str(failure)
    except Exception as fault:
        traceback.print_exc()
        verdict, words = "FAILS", f"{type(fault).__name__}: {fault}"
    ended = Outcome(tier.name, verdict, words, time.perf_counter() - started)
    say(f"{verdict}: {words} ({ended.seconds:.0f} s)")
    return ended
