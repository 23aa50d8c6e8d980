"""Changes of type written for DuckDB: CAST and TRY_CAST as Trino defines them, and its implicit coercions.

Where DuckDB is more lenient (texts as numbers or times) a pattern guards the cast; where it prints otherwise (doubles,
times) the printing is spelt out; where it cuts digits of times Trino rounds, half up. Rows change by place.
Example: `explicit_cast(Typed("2.5", DOUBLE), INTEGER).sql` rounds half away from zero, as Trino does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from localaws.athena.embedded.typed import Typed, cast, duck_type, fail, member, quoted, row_names, text
from localaws.athena.errors import QueryError
from localaws.athena.types import INTEGERS, NUMBERS, Type, trino_text

_MOST_DIGITS = 6
_UNITS = {0: "second", 3: "millisecond"}


def digits_of(kind: Type) -> int:
    """The digits behind the second that a type of times keeps."""
    return min(_MOST_DIGITS, kind.numbers[0] if kind.numbers else 3)


def rounded(sql: str, source: Type, target: Type) -> str:
    """DuckDB text for a timestamp (with or without a zone) brought to the target's digits."""
    digits = digits_of(target)
    if digits >= digits_of(source):
        return sql
    # Half a step up, then cut: half up, also before 1970, where cutting goes down.
    step = 10 ** (_MOST_DIGITS - digits)
    later = f"{sql} + to_microseconds({step // 2})"
    if digits in _UNITS:
        return f"date_trunc('{_UNITS[digits]}', {later})"
    cut = f"CAST(floor(epoch_us({later}) / {step}.0) AS BIGINT) * {step}"
    stamp = f"make_timestamp({cut})"
    return f"timezone('UTC', {stamp})" if target.name == "timestamp with time zone" else stamp


def in_milliseconds(sql: str, source: Type) -> str:
    """A moment as the functions see it that know milliseconds only (date_format, differences of times)."""
    if source.name not in ("timestamp", "timestamp with time zone"):
        return sql
    return rounded(sql, source, Type(source.name, (3,)))


Change = Callable[[str, Type, Type], str]


def to_type(item: Typed, target: Type) -> Typed:
    """The expression with its value turned into target by an implicit coercion (or nothing, if it is one already)."""
    return replace(item, sql=convert(item.sql, item.type, target), type=target)


def convert(sql: str, source: Type, target: Type) -> str:
    """DuckDB text for a lossless change of type; rows change by place, not by name."""
    if source.name == target.name and source.name.startswith("timestamp"):
        return rounded(sql, source, target)
    if duck_type(source) == duck_type(target) and not _has_times(source):
        return sql
    if source.elements and (differs_in_names(source, target) or (source != target and _has_times(source))):
        return rebuild(sql, source, target, convert)
    return sql if source == target else _moment_or_plain(sql, source, target)


def _moment_or_plain(sql: str, source: Type, target: Type) -> str:
    if source.name == "timestamp" and target.name == "timestamp with time zone":
        return f"timezone('UTC', {rounded(sql, source, target)})"
    if source.name == "date" and target.name == "timestamp with time zone":
        return f"timezone('UTC', CAST({sql} AS TIMESTAMP))"
    if source.name == "timestamp with time zone" and target.name in ("timestamp", "date"):
        shown = cast(f"timezone('UTC', {sql})", target)
        return rounded(shown, source, target) if target.name == "timestamp" else shown
    return cast(sql, target)


def _has_times(kind: Type) -> bool:
    return kind.name.startswith("timestamp") or any(_has_times(item) for item in kind.elements)


def differs_in_names(source: Type, target: Type) -> bool:
    """Whether DuckDB's own cast, which matches row fields by name, would lose values."""
    if source.name == "row" and target.name == "row" and row_names(source) != row_names(target):
        return True
    return any(differs_in_names(old, new) for old, new in zip(source.elements, target.elements, strict=False))


def rebuild(sql: str, source: Type, target: Type, change: Change) -> str:
    """A row, array or map with each element changed in turn; the value itself is written once."""
    if source.name == "row":
        # A list of one binds the value to a name: its text may be long, and is needed once for each field.
        once = f"list_transform([{sql}], lambda s: {_packed('s', source, target, change)})"
        return f"list_extract({once}, 1)"
    if source.name == "array":
        inner = change("e", source.elements[0], target.elements[0])
        return f"list_transform({sql}, lambda e: {inner})"
    key = change("e.key", source.elements[0], target.elements[0])
    value = change("e.value", source.elements[1], target.elements[1])
    return (
        f"map_from_entries(list_transform(map_entries({sql}), lambda e: struct_pack(key := {key}, value := {value})))"
    )


def _packed(sql: str, source: Type, target: Type, change: Change) -> str:
    parts = [
        f"{quoted(new)} := {change(member(sql, old), before, after)}"
        for old, new, before, after in zip(
            row_names(source), row_names(target), source.elements, target.elements, strict=True
        )
    ]
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE struct_pack({', '.join(parts)}) END"


# DuckDB takes more for a number than Trino: ' 12 ' and '1.6' become integers, 'yes' a boolean.
_INTEGER_TEXT = r"[+-]?[0-9]+"
_NUMBER_TEXT = r"\s*([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|[+-]?Infinity)\s*"
_DATE_TEXT = r"\s*[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}\s*"
_CLOCK = r"( [0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]+)?)?)?"
_TIME_TEXTS = {
    "date": _DATE_TEXT,
    "timestamp": r"[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}" + _CLOCK,
    "timestamp with time zone": r"[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}"
    + _CLOCK
    + r"( ?([+-][0-9:]+|[A-Za-z][A-Za-z0-9_/+-]*))?",
    "time": r"[0-9]{1,2}:[0-9]{1,2}(:[0-9]{1,2}(\.[0-9]+)?)?",
}
_FROM_TEXT = {"double": _NUMBER_TEXT, "real": _NUMBER_TEXT, "decimal": _NUMBER_TEXT, **_TIME_TEXTS}
_FROM_TEXT |= dict.fromkeys(INTEGERS, _INTEGER_TEXT)
_TRUE, _FALSE = "('true', 't', '1')", "('false', 'f', '0')"


def explicit_cast(item: Typed, target: Type, *, safe: bool = False) -> Typed:
    """CAST(item AS target), or TRY_CAST when safe; TYPE_MISMATCH where Trino has no such cast."""
    if not castable(item.type, target):
        raise QueryError("TYPE_MISMATCH", f"Cannot cast {trino_text(item.type)} to {trino_text(target)}", item.node)
    if item.zone and target.name in ("date", "time", "timestamp", "varchar"):
        return _shown_in_zone(item, target, safe)
    zone = item.zone if target.name == item.type.name else None
    value = item.value if isinstance(item.value, str) and target.name == "varchar" and not target.numbers else None
    return replace(item, sql=_Caster(safe).sql(item.sql, item.type, target), type=target, zone=zone, value=value)


def _shown_in_zone(item: Typed, target: Type, safe: bool) -> Typed:
    """A time of a zone is cast as its clock shows it there."""
    if target.name == "varchar":
        shown = to_text(item.sql, item.type, item.zone)
        return replace(item, sql=bounded(shown, item.type, target), type=target, zone=None, value=None)
    clock = f"timezone({text(item.zone or 'UTC')}, {item.sql})"
    clock_type = Type("timestamp", item.type.numbers)
    return replace(item, sql=_Caster(safe).sql(clock, clock_type, target), type=target, zone=None, value=None)


_TEXTS = ("varchar", "char")
_GROUPS = (
    (*NUMBERS, "boolean"),
    ("date", "timestamp", "timestamp with time zone"),
    ("time", "timestamp", "timestamp with time zone"),
)
_NOT_JSON = ("varbinary", "interval day to second", "interval year to month")


def castable(source: Type, target: Type) -> bool:
    """Whether Trino has a cast from source to target."""
    if source.name == "unknown" or source == target:
        return True
    if "json" in (source.name, target.name):
        return source.name not in _NOT_JSON and target.name not in _NOT_JSON
    if source.elements or target.elements:
        same = source.name == target.name and len(source.elements) == len(target.elements)
        return same and all(
            castable(element, wanted) for element, wanted in zip(source.elements, target.elements, strict=True)
        )
    if source.name in _TEXTS:
        return target.name in (*_TEXTS, *_FROM_TEXT, "boolean")
    as_text = target.name in _TEXTS and source.name != "varbinary"
    return as_text or any(source.name in group and target.name in group for group in _GROUPS)


class _Caster:
    def __init__(self, safe: bool) -> None:
        self.safe = safe

    def sql(self, sql: str, source: Type, target: Type) -> str:
        if source.name == "unknown" or (source == target and source.name not in _TEXTS):
            return self.cast(sql, target)
        if "json" in (source.name, target.name):
            return to_json(sql, source) if target.name == "json" else self.from_json(sql, target)
        if source.elements:
            return self.nested(sql, source, target)
        return self.scalar(sql, source, target)

    def scalar(self, sql: str, source: Type, target: Type) -> str:
        if target.name in _TEXTS:
            return bounded(to_text(sql, source), source, target)
        if source.name in _TEXTS:
            return self.from_text(sql, target)
        if target.name in INTEGERS and source.name in ("double", "real"):
            # DuckDB's cast rounds half to even, `round` half away from zero, as Trino does.
            return self.cast(f"round({sql})", target)
        if target.name == "time" and source.name in ("time", "timestamp", "timestamp with time zone"):
            return self.clock(sql, source, target)
        if target.name in ("timestamp", "timestamp with time zone", "date"):
            return convert(sql, source, target)
        return self.cast(sql, target)

    def clock(self, sql: str, source: Type, target: Type) -> str:
        """The time of day, rounded to the target's digits."""
        day = f"(DATE '1970-01-01' + {sql})" if source.name == "time" else sql
        stamp = Type("timestamp" if source.name == "time" else source.name, source.numbers)
        return self.cast(rounded(day, stamp, Type(stamp.name, target.numbers)), target)

    def cast(self, sql: str, target: Type) -> str:
        return f"TRY_CAST({sql} AS {duck_type(target)})" if self.safe else cast(sql, target)

    def nested(self, sql: str, source: Type, target: Type) -> str:
        return rebuild(sql, source, target, self.sql)

    def refuse(self, source: str, target: Type) -> str:
        if self.safe:
            return cast("NULL", target)
        return fail("INVALID_CAST_ARGUMENT", f"Cannot cast value of type {source} to {trino_text(target)}", target)

    def from_text(self, sql: str, target: Type) -> str:
        if target.name == "boolean":
            low = f"lower({sql})"
            refused = self.refuse("varchar", target)
            yes, no = f"WHEN {low} IN {_TRUE} THEN true", f"WHEN {low} IN {_FALSE} THEN false"
            return f"CASE {yes} {no} WHEN {sql} IS NOT NULL THEN {refused} END"
        pattern = text(_FROM_TEXT[target.name])
        refused = self.refuse("varchar", target)
        value = self.cast(self.zoned(sql, target), target)
        return f"CASE WHEN NOT regexp_full_match({sql}, {pattern}) THEN {refused} ELSE {value} END"

    def zoned(self, sql: str, target: Type) -> str:
        """DuckDB wants `10:00:00+01`, not `10:00:00 +01:00`."""
        return f"regexp_replace({sql}, ' ([+-])', '\\1')" if target.name == "timestamp with time zone" else sql

    def from_json(self, sql: str, target: Type) -> str:
        if target.name in ("varchar", "char"):
            kinds = "('OBJECT', 'ARRAY')"
            value = f"json_extract_string({sql}, '$')"
            return f"CASE WHEN json_type({sql}) IN {kinds} THEN {self.refuse('json', target)} ELSE {value} END"
        if target.elements:
            return self.cast(sql, target)
        return self.sql(f"json_extract_string({sql}, '$')", Type("varchar"), target)


def bounded(sql: str, source: Type, target: Type) -> str:
    """varchar(n) cuts, char(n) cuts and keeps its trailing blanks away."""
    if not target.numbers or source == target:
        return sql
    cut = f"left({sql}, {target.numbers[0]})"
    return f"rtrim({cut}, ' ')" if target.name == "char" else cut


def to_text(sql: str, source: Type, zone: str | None = None) -> str:
    """A value as Trino's cast to varchar prints it."""
    if source.name in ("double", "real"):
        return f"athena_number_text({cast(sql, Type('double'))}, {str(source.name == 'real').lower()})"
    if source.name == "timestamp":
        return _time_text(sql, source)
    if source.name == "timestamp with time zone":
        name = zone or "UTC"
        return f"{_time_text(f'timezone({text(name)}, {sql})', source)} || {text(' ' + name)}"
    return f"CAST({sql} AS VARCHAR)"


def _time_text(sql: str, source: Type) -> str:
    digits = source.numbers[0] if source.numbers else 3
    if digits == 0:
        return f"strftime({sql}, '%Y-%m-%d %H:%M:%S')"
    return f"left(strftime({sql}, '%Y-%m-%d %H:%M:%S.%f'), {20 + min(6, digits)})"


def to_json(sql: str, source: Type) -> str:
    """CAST(x AS JSON): rows become objects, times become Trino's texts."""
    if source.name == "json":
        return sql
    if source.name in ("timestamp", "timestamp with time zone"):
        return f"to_json({to_text(sql, source)})"
    if source.elements:
        return _nested_json(sql, source)
    # DuckDB's `to_json` makes a double of a decimal and loses its zeros: 1.10 would be 1.1.
    if source.name == "decimal":
        return f"CAST(CAST({sql} AS VARCHAR) AS JSON)"
    if source.name in ("double", "real"):
        return _number_json(sql, source)
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE to_json({sql}) END"


def _nested_json(sql: str, source: Type) -> str:
    if source.name == "row":
        pairs = ", ".join(
            f"{text(name)}, {to_json(member('s', name), item)}"
            for name, item in zip(row_names(source), source.elements, strict=True)
        )
        once = f"list_transform([{sql}], lambda s: CASE WHEN s IS NULL THEN NULL ELSE json_object({pairs}) END)"
        return f"list_extract({once}, 1)"
    if source.name == "array" and _needs_own_json(source):
        return f"to_json(list_transform({sql}, lambda e: {to_json('e', source.elements[0])}))"
    if source.name == "map" and _needs_own_json(source):
        entry = f"struct_pack(key := e.key, value := {to_json('e.value', source.elements[1])})"
        return f"to_json(map_from_entries(list_transform(map_entries({sql}), lambda e: {entry})))"
    return f"CASE WHEN {sql} IS NULL THEN NULL ELSE to_json({sql}) END"


def _number_json(sql: str, source: Type) -> str:
    """Numbers as Java prints them: plain from a thousandth to ten million, else with an exponent; NaN is a text."""
    exact = f"CAST({cast(sql, Type('double'))} AS VARCHAR)" if source.name == "double" else f"CAST({sql} AS VARCHAR)"
    shown = f"athena_number_text({cast(sql, Type('double'))}, {str(source.name == 'real').lower()})"
    plain = f"WHEN abs({sql}) >= 0.001 AND abs({sql}) < 10000000 THEN CAST({exact} AS JSON)"
    zero = f"WHEN {sql} = 0 THEN CAST(replace({shown}, '0E0', '0.0') AS JSON)"
    odd = f"WHEN NOT isfinite({sql}) THEN to_json({shown})"
    return f"CASE WHEN {sql} IS NULL THEN NULL {odd} {zero} {plain} ELSE CAST({shown} AS JSON) END"


def _needs_own_json(source: Type) -> bool:
    return (
        source.name.startswith("timestamp")
        or source.name in ("decimal", "double", "real")
        or any(_needs_own_json(item) for item in source.elements)
    )
