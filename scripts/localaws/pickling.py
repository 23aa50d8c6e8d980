"""How moto's backends and our services' state become bytes and come back.

Reads and writes the open file it is given. Behind every make target that talks to localaws.
Example: `pickling.dump(content, file)`.

Beyond plain pickle: locks (fresh ones come back), private keys (as PKCS8), weak dictionaries, and the small local
functions that moto keeps in defaultdicts (by their code: a state is only read by the Python and moto that wrote it).
"""

from __future__ import annotations

import importlib
import io
import marshal
import pickle
import threading
from collections import defaultdict
from types import CodeType, FunctionType
from typing import Any
from weakref import WeakValueDictionary

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

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
