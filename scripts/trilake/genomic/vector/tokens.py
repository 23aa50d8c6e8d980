"""Columns of text taken apart all at once: where each piece starts and ends, found on the bytes with numpy.

A separator is dropped from the bytes and the pieces lie end to end, as Arrow wants them, so nothing is copied
piece by piece.

Example: split(pa.array(["0/1:9", "0/0"]), b":").pieces  ->  ["0/1", "9", "0/0"]
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

EQUALS, SEMICOLON = ord("="), ord(";")


@dataclass(frozen=True)
class Pieces:
    """`pieces[starts[i]:starts[i + 1]]` are those of text i; `starts` is one longer than the texts."""

    pieces: pa.StringArray
    starts: np.ndarray

    @property
    def counts(self) -> np.ndarray:
        return np.diff(self.starts)


@dataclass(frozen=True)
class Entries:
    """key=value entries of many texts: `owners` says whose each is; a flag has the value `true` and `is_flag`."""

    keys: pa.StringArray
    values: pa.StringArray
    owners: np.ndarray
    is_flag: np.ndarray

    @cached_property
    def coded(self) -> tuple[np.ndarray, list[str]]:
        """(number of each entry's key, the distinct keys)."""
        return coded(self.keys)

    def of(self, key: str) -> np.ndarray:
        """Which entries have this key."""
        numbers, keys = self.coded
        return numbers == keys.index(key) if key in keys else np.zeros(len(numbers), bool)

    def filter(self, mask: np.ndarray, renumbered: np.ndarray) -> Entries:
        """The entries that `mask` keeps, of owners under their new numbers."""
        chosen = pa.array(mask)
        owners = renumbered[self.owners[mask]]
        return Entries(self.keys.filter(chosen), self.values.filter(chosen), owners, self.is_flag[mask])


def bytes_of(texts: pa.StringArray) -> tuple[np.ndarray, np.ndarray]:
    """(offsets from 0, bytes) of a string array without nulls."""
    _, offset_buffer, data_buffer = texts.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = np.frombuffer(data_buffer, np.uint8) if data_buffer else np.empty(0, np.uint8)
    return offsets - offsets[0], data[offsets[0] : offsets[-1]]


def strings(ends: np.ndarray, data: np.ndarray) -> pa.StringArray:
    """The string array whose text i ends at `ends[i]` of the bytes."""
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data)))


def split(texts: pa.StringArray, separator: bytes) -> Pieces:
    """Every text split at a separator of one byte."""
    offsets, data = bytes_of(texts)
    is_separator = data == separator[0]
    places = np.flatnonzero(is_separator)
    return split_at(offsets, data, is_separator, places, np.searchsorted(places, offsets))[0]


def split_at(
    offsets: np.ndarray, data: np.ndarray, is_separator: np.ndarray, places: np.ndarray, before: np.ndarray
) -> tuple[Pieces, np.ndarray]:
    """(the pieces between the separators at `places`, the number of the piece before each separator).

    `before` counts the separators that stand before each of the offsets.
    """
    starts = np.arange(len(offsets)) + before
    ends = np.empty(starts[-1], np.int32)
    last = starts[1:] - 1
    ends[last] = offsets[1:] - before[1:]
    numbers = np.arange(len(places)) + np.repeat(np.arange(len(before) - 1), np.diff(before))
    ends[numbers] = places - np.arange(len(places))
    return Pieces(strings(ends, data[~is_separator] if len(places) else data), starts), numbers


def entries_of(texts: pa.StringArray) -> Entries:
    """`a=1;b;c=x=y` as entries: split at semicolons, and each at its first equals sign."""
    offsets, data = bytes_of(texts)
    is_separator = (data == SEMICOLON) | (data == EQUALS)
    places = np.flatnonzero(is_separator)
    before = np.searchsorted(places, offsets)
    is_equals = data[places] == EQUALS
    # `c=x=y`: a second equals sign within an entry belongs to the value.
    if (is_equals[1:] & is_equals[:-1]).any():
        first = np.zeros(len(places) + 1, bool)
        first[before] = True
        is_repeated = np.append(False, is_equals[1:] & is_equals[:-1]) & ~first[:-1]
        is_separator[places[is_repeated]] = False
        places, is_equals = places[~is_repeated], is_equals[~is_repeated]
        before = np.searchsorted(places, offsets)
    pieces, numbers = split_at(offsets, data, is_separator, places, before)
    is_value = np.zeros(len(pieces.pieces) + 1, bool)
    is_value[numbers[is_equals] + 1] = True
    at = np.flatnonzero(~is_value[:-1])
    is_flag = ~is_value[at + 1]
    n_entries = pieces.counts - np.diff(np.append(0, np.cumsum(is_equals))[before])
    values = pieces.pieces.take(pa.array(at + ~is_flag))
    if is_flag.any():
        values = pc.if_else(pa.array(is_flag), "true", values)
    owners = np.repeat(np.arange(len(texts)), n_entries)
    return Entries(pieces.pieces.take(pa.array(at)), values, owners, is_flag)


def are_digits(texts: pa.StringArray, most: int) -> bool:
    """Whether all texts are 1 to `most` digits: told at a glance, where `matches` looks at each."""
    offsets, data = bytes_of(texts)
    lengths = np.diff(offsets)
    is_fit = not len(lengths) or (lengths.min() > 0 and lengths.max() <= most)
    return bool(is_fit and not data.tobytes().translate(None, b"0123456789"))


def matches(texts: pa.StringArray, pattern: str) -> np.ndarray:
    """Which texts match from end to end; of a pattern too large to compile, none."""
    if not len(texts):
        return np.zeros(0, bool)
    # RE2 looks at each text in time linear in its length, whatever the pattern; `$` does not match before a line end.
    try:
        is_match = pc.match_substring_regex(texts, f"^(?:{pattern})$")
    except pa.ArrowInvalid:
        return np.zeros(len(texts), bool)
    return np.asarray(is_match.to_numpy(zero_copy_only=False), bool)


def coded(texts: pa.StringArray) -> tuple[np.ndarray, list[str]]:
    """(number of each text's value, the distinct values)."""
    # What makes the fast way fast: a file has few distinct contigs, filters, keys and genotypes, so that `record`'s own
    # functions can judge each once.
    encoded = texts.dictionary_encode()
    return encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64), encoded.dictionary.to_pylist()
