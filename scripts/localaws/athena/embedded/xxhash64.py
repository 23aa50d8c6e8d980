"""The xxHash64 of some bytes (seed 0), after its specification.

Reads and writes nothing. Behind `make local-aws`.
Example: `f"{xxhash64(b''):016x}"` is `ef46db3751d8e999`.
"""

from __future__ import annotations

import struct

_MASK = 2**64 - 1
_P1, _P2, _P3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
_P4, _P5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
_STRIPE = 32


def _rotated(value: int, bits: int) -> int:
    return ((value << bits) | (value >> (64 - bits))) & _MASK


def _round(lane: int, word: int) -> int:
    return _rotated((lane + word * _P2) & _MASK, 31) * _P1 & _MASK


def xxhash64(data: bytes) -> int:
    """The 64-bit hash as an unsigned number."""
    place, size = 0, len(data)
    if size >= _STRIPE:
        lanes = [(_P1 + _P2) & _MASK, _P2, 0, (-_P1) & _MASK]
        while place <= size - _STRIPE:
            words = struct.unpack_from("<4Q", data, place)
            lanes = [_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
            place += _STRIPE
        found = sum(_rotated(lane, bits) for lane, bits in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
        for lane in lanes:
            found = ((found ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        found = _P5
    return _finished((found + size) & _MASK, data[place:])


def _finished(found: int, rest: bytes) -> int:
    place = 0
    while place + 8 <= len(rest):
        word = struct.unpack_from("<Q", rest, place)[0]
        found = (_rotated(found ^ _round(0, word), 27) * _P1 + _P4) & _MASK
        place += 8
    if place + 4 <= len(rest):
        word = struct.unpack_from("<I", rest, place)[0]
        found = (_rotated(found ^ (word * _P1 & _MASK), 23) * _P2 + _P3) & _MASK
        place += 4
    for byte in rest[place:]:
        found = _rotated(found ^ (byte * _P5 & _MASK), 11) * _P1 & _MASK
    found = (found ^ (found >> 33)) * _P2 & _MASK
    found = (found ^ (found >> 29)) * _P3 & _MASK
    return found ^ (found >> 32)
