"""Values as Athena prints them in results: `[a, b]`, `{x=1, y=null}`, `2020-01-01 00:00:00.000`.

Reads and writes nothing. Behind `make local-aws`.
Example: `printer(Type("double"))(1e7)` is `1.0E7`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from localaws.athena.engine import ResultColumn
from localaws.athena.types import Type

Printer = Callable[[Any], str]
MILLISECONDS = 3


def column_texts(column: pa.Array, shown: ResultColumn) -> list[str | None]:
    """A column's values as texts, None for NULL."""
    if shown.type.name in ("varchar", "json", "uuid"):
        return column.to_pylist()
    if shown.type.name in ("tinyint", "smallint", "integer", "bigint", "boolean", "date"):
        return pc.cast(column, pa.string()).to_pylist()
    show = printer(shown.type, shown.zone)
    return [None if value is None else show(value) for value in column.to_pylist()]


def printer(found: Type, zone: str | None = None) -> Printer:
    """The function that prints values of a type."""
    if found.name == "row":
        return _row(found)
    if found.name == "array":
        return _array(_element(found.elements[0]))
    if found.name == "map":
        return _map(_element(found.elements[0]), _element(found.elements[1]))
    if found.name.startswith("timestamp"):
        return _moment(found, zone)
    if found.name == "char":
        width = found.numbers[0] if found.numbers else 1
        return lambda value: str(value).ljust(width)
    return _SCALARS.get(found.name, str)


def _element(found: Type) -> Printer:
    inner = printer(found)
    return lambda value: "null" if value is None else inner(value)


def _row(found: Type) -> Printer:
    names = [name or f"field{index}" for index, name in enumerate(found.fields)]
    shows = [_element(item) for item in found.elements]
    return lambda value: (
        "{"
        + ", ".join(f"{name}={show(item)}" for name, show, item in zip(names, shows, value.values(), strict=True))
        + "}"
    )


def _array(show: Printer) -> Printer:
    return lambda value: "[" + ", ".join(show(item) for item in value) + "]"


def _map(key: Printer, show: Printer) -> Printer:
    return lambda value: "{" + ", ".join(f"{key(name)}={show(item)}" for name, item in value) + "}"


def _moment(found: Type, zone: str | None) -> Printer:
    digits = max(MILLISECONDS, found.numbers[0] if found.numbers else MILLISECONDS)
    zoned = found.name.endswith("time zone")
    place = ZoneInfo(zone) if zoned and zone and not zone.startswith(("+", "-")) else None

    def show(value: datetime) -> str:
        if place is not None:
            value = value.astimezone(place)
        text = value.strftime("%Y-%m-%d %H:%M:%S") if value.year > 999 else str(value)[:19]
        text = f"{text}.{value.microsecond:06d}"[: 20 + digits]
        return f"{text} {zone or 'UTC'}" if zoned else text

    return show


def java_double(value: float) -> str:
    """A double as Java's Double.toString prints it."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return _java(repr(float(value)), abs(value))


def java_float(value: float) -> str:
    """A real as Java's Float.toString prints it."""
    if value != value or value in (float("inf"), float("-inf")):
        return java_double(value)
    for places in range(1, 10):
        text = f"{value:.{places}g}"
        if pa.scalar(float(text), pa.float32()).as_py() == value:
            return _java(repr(float(text)), abs(value))
    return _java(f"{value:.9g}", abs(value))


def _java(plain: str, size: float) -> str:
    """Plain between a thousandth and ten million, else with an exponent."""
    number, _, power = plain.lower().partition("e")
    if size == 0 or (1e-3 <= size < 1e7 and not power):
        return plain if "." in plain else f"{plain}.0"
    sign = "-" if number.startswith("-") else ""
    whole, _, fraction = number.lstrip("-").partition(".")
    digits = (whole + fraction).lstrip("0")
    exponent = int(power or 0) + len(whole) - 1 - (len(whole + fraction) - len(digits))
    if 1e-3 <= size < 1e7:
        return str(Decimal(plain))
    return f"{sign}{digits[0]}.{digits[1:].rstrip('0') or '0'}E{exponent}"


def _bytes(value: bytes) -> str:
    return " ".join(f"{byte:02x}" for byte in value)


def _days(value: timedelta | tuple[int, int, int]) -> str:
    """`1 02:03:04.000`."""
    if not isinstance(value, timedelta):
        value = timedelta(days=value[1], microseconds=value[2] // 1000)
    total = int(value.total_seconds() * 1000)
    sign, total = ("-", -total) if total < 0 else ("", total)
    days, rest = divmod(total, 86_400_000)
    hours, rest = divmod(rest, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{sign}{days} {hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _months(value: Sequence[int]) -> str:
    sign = "-" if value[0] < 0 else ""
    return f"{sign}{abs(value[0]) // 12}-{abs(value[0]) % 12}"


def _time(value: time) -> str:
    return value.strftime("%H:%M:%S.%f")[:12]


_SCALARS: dict[str, Printer] = {
    "boolean": lambda value: str(value).lower(),
    "double": java_double,
    "real": java_float,
    "decimal": lambda value: f"{value:f}",
    "varbinary": _bytes,
    "date": lambda value: value.isoformat() if isinstance(value, date) else str(value),
    "time": _time,
    "interval day to second": _days,
    "interval year to month": _months,
}
