"""The state folder: what moto and our services know, saved whole or not at all.

`<state>/state.pickle` (moto's memory and our services'), `objects/` (the bytes), `lock`.
Example: `StateStore(Path("state")).load()`.

moto keeps its backends in process-wide dictionaries: they are emptied, filled from the file, and taken out to be saved.
Beyond plain pickle: locks (fresh ones come back), private keys (as PKCS8), weak dictionaries, and the small local
functions that moto keeps in defaultdicts (by their code: a state is only read by the Python and moto that wrote it).
"""

from __future__ import annotations

import fcntl
import importlib
import io
import marshal
import os
import pickle
import sys
import threading
from collections import defaultdict
from importlib.metadata import version
from pathlib import Path
from types import CodeType, FunctionType
from typing import IO, Any
from weakref import WeakValueDictionary

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.core.model_instances import reset_model_data
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.s3.models import s3_backends
from moto.sts.models import sts_backends

from localaws.s3 import object_files

Regions = dict[str, Any]


def forget_everything() -> None:
    """Reset moto's memory, so that one state never shows through in another."""
    BackendDict.reset()
    s3_backends.bucket_accounts.clear()
    reset_model_data()


def in_use() -> dict[str, dict[str, Regions]]:
    """service -> account -> region -> backend, of all services that somebody called.

    Without moto's own dictionaries around them: those carry caches and locks.
    """
    found: list[BackendDict[Any]] = [each for each in BackendDict._instances if _is_findable(each)]  # type: ignore[misc]
    return {
        backends.service_name: {account_id: dict(dict.items(regions)) for account_id, regions in dict.items(backends)}
        for backends in found
    }


def _is_findable(backends: BackendDict[Any]) -> bool:
    """Whether moto finds these backends under their own name; a few second faces of a service are not."""
    return get_backend(backends.service_name) is backends  # type: ignore[call-overload]


def restore(saved: dict[str, dict[str, Regions]]) -> None:
    """Put saved backends in the place of what moto holds."""
    for name, accounts in saved.items():
        backends = get_backend(name)  # type: ignore[call-overload]
        for account_id, regions in accounts.items():
            for region, backend in regions.items():
                dict.__setitem__(backends[account_id], region, backend)


def forget_expired_sessions() -> None:
    """Drop role sessions that are over, with their keys: every persona's query opens one."""
    now = utcnow()
    for account_id, partition, backend in list(sts_backends.iter_backends()):
        over = [session for session in backend.assumed_roles if session.expiration < now]  # type: ignore[attr-defined]
        keys = iam_backends[account_id][partition].access_keys
        for session in over:
            backend.assumed_roles.remove(session)  # type: ignore[attr-defined]
            keys.pop(session.access_key_id, None)


_LOCK_TYPES = {type(threading.Lock()): threading.Lock, type(threading.RLock()): threading.RLock}


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind in _LOCK_TYPES:
            return _LOCK_TYPES[kind], ()
        if kind is FunctionType and "<locals>" in obj.__qualname__ and obj.__closure__ is None:
            return _local_function, (marshal.dumps(obj.__code__), obj.__module__)
        if isinstance(obj, defaultdict) and kind is not defaultdict:
            return _default_dictionary, (kind, obj.default_factory), obj.__dict__, None, iter(obj.items())
        if kind is WeakValueDictionary:
            return WeakValueDictionary, (), None, None, iter(obj.items())
        if isinstance(obj, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            return _load_private_key, (_private_key_bytes(obj),)
        return NotImplemented


def _local_function(code: bytes, module: str) -> FunctionType:
    found: CodeType = marshal.loads(code)
    return FunctionType(found, vars(importlib.import_module(module)))


def _default_dictionary(kind: type[defaultdict[Any, Any]], factory: Any) -> defaultdict[Any, Any]:
    """An empty dictionary of a subclass, without its constructor, which may want more than a factory."""
    found = kind.__new__(kind)
    found.default_factory = factory
    return found


def _private_key_bytes(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load_private_key(content: bytes) -> Any:
    return serialization.load_der_private_key(content, password=None)


def dump(content: Any, file: Any) -> None:
    """Pickle all of it in memory first, so that what cannot be pickled never reaches the file."""
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(content)
    file.write(buffer.getbuffer())


def load(file: Any) -> Any:
    return pickle.load(file)


# Raised whenever a pickled class moves: an older state is then refused by name, not by an ImportError.
FORMAT = 3
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
        forget_everything()
        object_files.install()
        object_files.store.open(self.folder / "objects")
        self.services = {}
        if self.file.exists():
            saved = self._read()
            restore(saved["moto"])
            s3_backends.bucket_accounts.update(saved["bucket_accounts"])
            self.services = saved["services"]

    def _read(self) -> dict[str, Any]:
        stamp: object = None
        with self.file.open("rb") as file:
            try:
                stamp = pickle.load(file)
                if stamp == written_by():
                    saved: dict[str, Any] = load(file)
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
                dump(self._content(), file)
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
        forget_expired_sessions()
        return {
            "moto": in_use(),
            "bucket_accounts": dict(s3_backends.bucket_accounts),
            "services": self.services,
        }

    def _collect_garbage(self) -> None:
        known = object_files.referenced_ids()
        for file_id in list(object_files.store.file_ids()):
            if file_id not in known:
                object_files.store.path(file_id).unlink(missing_ok=True)

    def close(self) -> None:
        """Leave nothing of this state in the process."""
        forget_everything()
        object_files.store.close()
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
