"""Trino's JSON rows as Arrow arrays of their Trino types.

Example: `array_of(["1.50", None], Type("decimal", (3, 2)))` is a decimal128 array.

Trino sends numbers as JSON has them, everything else as text: decimals, times, NaN; binary as base64; maps as objects
whose keys are texts whatever their type; rows as lists. Fractions of a second past microseconds are cut.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from localaws.athena.types import Type, arrow_type

# Arrow's timestamps here hold microseconds, Trino's up to picoseconds.
_FRACTION = re.compile(r"(\.\d{6})\d+")
_INTERVAL = re.compile(r"(-?)(\d+) (\d+):(\d+):(\d+)\.(\d+)")
_DAYS, _MONTHS = "interval day to second", "interval year to month"
_ZONED = "timestamp with time zone"
_EPOCH = datetime(1970, 1, 1)


def batch_type(kind: Type) -> pa.DataType:
    """The Arrow type of a result's column; a type that Arrow has not comes as Trino's text."""
    # The only one of Arrow's intervals that Python can read and write.
    return pa.month_day_nano_interval() if kind.name in (_DAYS, _MONTHS) else arrow_type(kind)


def array_of(values: Sequence[Any], kind: Type) -> pa.Array:
    """The values as an array of the type."""
    if kind.name == "array":
        return _list(values, kind)
    if kind.name == "map":
        return _map(values, kind)
    if kind.name == "row":
        return _row(values, kind)
    read = _READERS.get(kind.name)
    if read is not None:
        values = [None if value is None else read(value) for value in values]
    return pa.array(values, batch_type(kind), from_pandas=False)


def zone_of(values: Sequence[Any], kind: Type) -> str | None:
    """The one time zone that all values show; None for UTC, for none, and for several."""
    if kind.name != _ZONED:
        return None
    zones = {value.rpartition(" ")[2] for value in values if value is not None}
    return next(iter(zones - {"UTC"})) if len(zones) == 1 and zones != {"UTC"} else None


def _list(values: Sequence[Any], kind: Type) -> pa.Array:
    items = array_of([item for value in values if value is not None for item in value], kind.elements[0])
    return pa.ListArray.from_arrays(_offsets(values), items, type=arrow_type_of(kind), mask=_mask(values))


def _map(values: Sequence[Any], kind: Type) -> pa.Array:
    present = [value for value in values if value is not None]
    keys = array_of([_key(key, kind.elements[0]) for value in present for key in value], _key_type(kind))
    items = array_of([item for value in present for item in value.values()], kind.elements[1])
    return pa.MapArray.from_arrays(_offsets(values), keys, items, type=arrow_type_of(kind), mask=_mask(values))


def _row(values: Sequence[Any], kind: Type) -> pa.Array:
    children = [
        array_of([None if value is None else value[place] for value in values], element)
        for place, element in enumerate(kind.elements)
    ]
    return pa.StructArray.from_arrays(children, fields=list(arrow_type_of(kind)), mask=_mask(values))


def arrow_type_of(kind: Type) -> pa.DataType:
    """As `batch_type`, for types that hold others."""
    if kind.name == "array":
        return pa.list_(arrow_type_of(kind.elements[0]))
    if kind.name == "map":
        return pa.map_(arrow_type_of(_key_type(kind)), arrow_type_of(kind.elements[1]))
    if kind.name == "row":
        pairs = zip(_names(kind.fields), kind.elements, strict=True)
        return pa.struct([pa.field(name, arrow_type_of(element)) for name, element in pairs])
    return batch_type(kind)


def _key_type(kind: Type) -> Type:
    """Arrow has no keys of type null, and `MAP()` has no keys."""
    return Type("varchar") if kind.elements[0].name == "unknown" else kind.elements[0]


def _names(fields: Sequence[str]) -> Sequence[str]:
    """Arrow wants different names; a row's fields may have none."""
    return fields if len(set(fields)) == len(fields) else [f"field{place}" for place in range(len(fields))]


def _offsets(values: Sequence[Any]) -> pa.Array:
    return pa.array(accumulate((0 if value is None else len(value) for value in values), initial=0), pa.int32())


def _mask(values: Sequence[Any]) -> pa.Array:
    return pa.array([value is None for value in values], pa.bool_())


def _key(text: str, kind: Type) -> Any:
    """A map's key as a value of its type would have come."""
    if kind.name in ("tinyint", "smallint", "integer", "bigint"):
        return int(text)
    return text == "true" if kind.name == "boolean" else text


def _moment(text: str) -> datetime:
    """OverflowError for a year that has not four digits."""
    if text[4] != "-" or text[0] in "+-":
        raise OverflowError
    return datetime.fromisoformat(_FRACTION.sub(r"\1", text))


def _zoned(text: str) -> datetime:
    moment, _, zone = text.rpartition(" ")
    naive = _moment(moment)
    if zone == "UTC":
        return naive.replace(tzinfo=UTC)
    if zone[0] not in "+-":
        return naive.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    return naive.replace(tzinfo=timezone(offset)).astimezone(UTC)


def _interval(text: str) -> pa.MonthDayNano:
    match = _INTERVAL.fullmatch(text)
    if match is None:
        raise ValueError("not an interval")
    sign = -1 if match[1] else 1
    days, hours, minutes, seconds, millis = (int(match[place]) for place in range(2, 7))
    milliseconds = ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis
    return pa.MonthDayNano([0, sign * days, sign * milliseconds * 1_000_000])


def _months(text: str) -> pa.MonthDayNano:
    sign = -1 if text.startswith("-") else 1
    years, _, months = text.lstrip("-").partition("-")
    return pa.MonthDayNano([sign * (int(years) * 12 + int(months)), 0, 0])


_READERS: dict[str, Callable[[Any], Any]] = {
    "real": float,
    "double": float,
    "decimal": Decimal,
    "varbinary": base64.b64decode,
    "date": lambda text: int(np.datetime64(text.lstrip("+"), "D").astype(np.int64)),
    "time": lambda text: datetime.fromisoformat(f"1970-01-01 {_FRACTION.sub(chr(92) + '1', text)}").time(),
    "timestamp": _moment,
    _ZONED: _zoned,
    _DAYS: _interval,
    _MONTHS: _months,
}
