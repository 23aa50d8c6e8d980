"""How moto's backends and our services' state become bytes and come back.

Reads and writes the open file it is given. Behind every make target that talks to localaws.
Example: `pickling.dump(content, file)`.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import threading
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.core.base_backend import BackendDict

_LOCK_TYPES = {type(threading.Lock()): threading.Lock, type(threading.RLock()): threading.RLock}


def plain_backends(backends: BackendDict[Any]) -> dict[str, dict[str, Any]]:
    """account -> region -> backend, without moto's own dictionaries (they carry caches and locks)."""
    return {account_id: dict(dict.items(regions)) for account_id, regions in dict.items(backends)}


class _Pickler(pickle.Pickler):
    """Locks are pickled as fresh ones, private keys as PKCS8."""

    dispatch_table = copyreg.dispatch_table.copy()

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) in _LOCK_TYPES:
            return _LOCK_TYPES[type(obj)], ()
        if isinstance(obj, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            return _load_private_key, (_private_key_bytes(obj),)
        return NotImplemented


def _private_key_bytes(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _load_private_key(content: bytes) -> Any:
    return serialization.load_der_private_key(content, password=None)


def dump(content: Any, file: Any) -> None:
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(content)
    file.write(buffer.getbuffer())


def load(file: Any) -> Any:
    return pickle.load(file)
