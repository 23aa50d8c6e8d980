"""The state folder: what moto and our services know, saved whole or not at all.

Reads and writes `<state>/state.pickle`, `<state>/objects/`, `<state>/lock`, `<state>/credentials.json`.
Behind every make target that talks to localaws. Example: `StateStore(Path(".trilake/local")).load()`.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import sys
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

from moto.s3.models import s3_backends

from localaws import backends, objects, pickling

FORMAT = 2
_WRITE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


class LocalAwsBusy(Exception):
    """Another process, or another LocalAws of this one, holds the state folder."""

    process: str | None = None
    """The other process, which may end; None when waiting is of no use."""


class LocalAwsStateError(Exception):
    """The state folder cannot be read or written by this program."""


class StateStore:
    """One state folder, held by this process between `lock` and `unlock`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self.services: dict[str, Any] = {}
        self._lock_file: IO[str] | None = None

    @property
    def file(self) -> Path:
        return self.folder / "state.pickle"

    def lock(self) -> None:
        """Take the folder; LocalAwsBusy when another process has it."""
        self._make_folder()
        handle = (self.folder / "lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.seek(0)
            owner = handle.read().strip() or "unknown"
            handle.close()
            busy = LocalAwsBusy(
                f"The local AWS in {self.folder} is in use by process {owner}. "
                "Wait for that command to end, stop it, or choose another folder with --state."
            )
            busy.process = owner
            raise busy from None
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        self._lock_file = handle

    def _make_folder(self) -> None:
        """The folder and the one around it; the outer of those that are new tells git to leave it alone."""
        new = [folder for folder in (self.folder.parent, self.folder) if not folder.exists()]
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        self.folder.mkdir(mode=0o700, exist_ok=True)
        if new:
            (new[0] / ".gitignore").write_text("*\n")

    def unlock(self) -> None:
        if self._lock_file is not None:
            self._lock_file.truncate(0)
            self._lock_file.close()
            self._lock_file = None

    def load(self) -> None:
        """Put the saved state in place of whatever moto holds; an empty folder is an empty AWS."""
        backends.forget_everything()
        objects.install()
        objects.store.open(self.folder / "objects")
        self.services = {}
        if self.file.exists():
            saved = self._read()
            backends.restore(saved["moto"])
            s3_backends.bucket_accounts.update(saved["bucket_accounts"])
            self.services = saved["services"]

    def _read(self) -> dict[str, Any]:
        stamp: object = None
        with self.file.open("rb") as file:
            try:
                stamp = pickle.load(file)
                if stamp == written_by():
                    saved: dict[str, Any] = pickling.load(file)
                    return saved
            except (pickle.UnpicklingError, EOFError, AttributeError, ImportError, TypeError) as error:
                raise LocalAwsStateError(f"{self.file} cannot be read ({error}). {self._mend()}") from error
        raise LocalAwsStateError(
            f"{self.file} was written by {_words(stamp)}; this is {_words(written_by())}. {self._mend()}"
        )

    def _mend(self) -> str:
        return f"Move {self.folder} away, or choose another folder with --state, and deploy again."

    def save(self) -> None:
        """Write the state beside the old one, put it in place, then remove the object files it does not know.

        LocalAwsStateError when it cannot be written; the last good state is then what the folder holds.
        """
        temporary = self.file.with_suffix(".new")
        try:
            with os.fdopen(os.open(temporary, _WRITE_FLAGS, 0o600), "wb") as file:
                pickle.dump(written_by(), file)
                pickling.dump(self._content(), file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self.file)
            _sync_folder(self.folder)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise LocalAwsStateError(
                f"The state of the local AWS could not be written to {self.folder}: {error.strerror}. "
                "What was saved before is still there. Make room and run the command again."
            ) from error
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        self._collect_garbage()

    def _content(self) -> dict[str, Any]:
        backends.forget_expired_sessions()
        return {
            "moto": backends.in_use(),
            "bucket_accounts": dict(s3_backends.bucket_accounts),
            "services": self.services,
        }

    def _collect_garbage(self) -> None:
        known = objects.referenced_ids()
        for file_id in list(objects.store.file_ids()):
            if file_id not in known:
                objects.store.path(file_id).unlink(missing_ok=True)

    def close(self) -> None:
        """Leave nothing of this state in the process."""
        backends.forget_everything()
        objects.store.close()
        self.services = {}


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def written_by() -> dict[str, str]:
    """What must be the same in two programs that share a state."""
    return {
        "localaws state format": str(FORMAT),
        "moto": version("moto"),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
    }


def _words(stamp: object) -> str:
    if not isinstance(stamp, dict):
        return "another program"
    return ", ".join(f"{name} {value}" for name, value in stamp.items())
