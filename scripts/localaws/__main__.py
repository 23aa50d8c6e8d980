"""A LocalAws in the foreground, for the AWS CLI and other tools, until it is interrupted.

Reads and writes the state folder; prints the lines that point a shell at it. Make target: `local-aws`.
Example: `python -m localaws .trilake/local --port 4566 --engine trino`.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from pathlib import Path

from localaws.athena.errors import QueryError
from localaws.installed import ENGINES, EnginesMissing
from localaws.saved_state import LocalAwsBusy, LocalAwsStateError
from localaws.server import LocalAws

AUTOSAVE_SECONDS = 5.0


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGINT or SIGTERM; 0 when the state was saved, 15 when it could not be read, held or written."""
    parser = argparse.ArgumentParser(prog="python -m localaws", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("state", nargs="?", type=Path, default=Path(".trilake/local"), help="folder of the state")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; a free one by default")
    parser.add_argument(
        "--engine", choices=ENGINES, default=ENGINES[0], help="what runs Athena's queries: embedded, or the real server"
    )
    parser.add_argument("--verbose", action="store_true", help="a line for every request, without values")
    asked = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, format="%(message)s", level=logging.WARNING)
    logging.getLogger("localaws.requests").setLevel(logging.INFO if asked.verbose else logging.WARNING)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    try:
        with LocalAws(asked.state, asked.port, autosave_seconds=AUTOSAVE_SECONDS, engine=asked.engine) as aws:
            sys.stdout.write(shell_lines(aws))
            sys.stdout.flush()
            if asked.engine == "trino":
                threading.Thread(target=_warm_up, args=[aws], name="localaws-warm-up", daemon=True).start()
            ended.wait()
    except (EnginesMissing, LocalAwsBusy, LocalAwsStateError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 15
    return 0


def _warm_up(aws: LocalAws) -> None:
    """Trino's ten seconds, before anybody asks; a query that comes earlier waits for it."""
    started = time.monotonic()
    sys.stderr.write("Trino is starting; queries wait for it\n")
    try:
        aws.warm_up()
    except QueryError as error:
        sys.stderr.write(f"{error}\n")
        return
    sys.stderr.write(f"Trino is ready after {time.monotonic() - started:.0f} s\n")


def shell_lines(aws: LocalAws) -> str:
    """What to paste into a shell so that the AWS CLI, boto3 and other SDKs talk to this LocalAws."""
    values = {
        "AWS_ENDPOINT_URL": aws.endpoint,
        "AWS_ACCESS_KEY_ID": aws.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": aws.credentials.secret_access_key,
        "AWS_REGION": aws.world.region,
        "AWS_DEFAULT_REGION": aws.world.region,
        "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
    }
    lines = ["# The laptop's AWS is running; Ctrl-C saves and ends it. Paste these lines into another shell:"]
    lines += [f"export {name}={value}" for name, value in values.items()]
    return "\n".join([*lines, "unset AWS_PROFILE AWS_SESSION_TOKEN", ""])


if __name__ == "__main__":
    sys.exit(main())
