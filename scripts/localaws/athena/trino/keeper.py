"""Run a command, end it and remove its folder when the process that asked is gone, however it went.

Standard input, which the asking process holds open, says so: it closes even after kill -9.
Example: `python keeper.py FOLDER java -cp … io.trino.server.TrinoServer` (imports the standard library only)
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys

TICK = 0.5
PATIENCE = 5.0
PR_SET_PDEATHSIG = 1


def main(folder: str, command: list[str]) -> int:
    """The command's exit code; it runs in FOLDER, in a process group of its own."""
    asking = os.getppid()
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=_tied)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while child.poll() is None:
        ready, _, _ = select.select([0], [], [], TICK)
        if (ready and not os.read(0, 1)) or os.getppid() != asking:
            _end(child)
    shutil.rmtree(folder, ignore_errors=True)
    return child.returncode


def _tied() -> None:
    """On Linux the kernel ends the child with this process, should somebody kill that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
