"""CREATE statements, read word by word: databases, views, CTAS, tables of Iceberg and of plain files.

Reads and writes nothing. Behind `make local-aws`.
Example: `CREATE TABLE t (id string) PARTITIONED BY (bucket(8, id)) LOCATION 's3://b/t' TBLPROPERTIES (…)`
"""

from __future__ import annotations

from collections.abc import Callable

from localaws.athena import statements as st
from localaws.athena.parser import parse_query
from localaws.athena.tokens import Token, Words
from localaws.athena.types import TypeTextError, hive_text, parse_type


def create(words: Words) -> st.Statement:
    words.expect("CREATE")
    if words.accept("DATABASE") or words.accept("SCHEMA"):
        return _database(words)
    replaces = words.accept("OR", "REPLACE")
    if words.accept("VIEW"):
        return _view(words, replaces)
    external = words.accept("EXTERNAL")
    if replaces or not words.accept("TABLE"):
        raise words.refusal("Expecting: 'TABLE', 'VIEW', 'DATABASE', 'SCHEMA'")
    unless = words.accept("IF", "NOT", "EXISTS")
    name = words.qualified()
    if not external and (words.peek("WITH") or words.peek("AS") or words.peek("COMMENT")):
        return _table_as(words, name, unless)
    return _table(words, name, external, unless)


def _database(words: Words) -> st.Statement:
    unless = words.accept("IF", "NOT", "EXISTS")
    name, location, comment = words.identifier(), "", ""
    while not words.at_end:
        if words.accept("LOCATION"):
            location = words.string()
        elif words.accept("COMMENT"):
            comment = words.string()
        elif words.accept("WITH", "DBPROPERTIES"):
            words.properties()
        else:
            raise words.refusal("Expecting: 'LOCATION', 'COMMENT', 'WITH'")
    return st.CreateDatabase(name, unless, location, comment)


def _view(words: Words, replaces: bool) -> st.Statement:
    name = words.qualified()
    words.expect("AS")
    text = words.rest()
    return st.CreateView(name, text.strip(), parse_query(text), replaces)


def _table_as(words: Words, name: list[str], unless: bool) -> st.Statement:
    if words.accept("COMMENT"):
        words.string()
    properties = words.properties() if words.accept("WITH") else {}
    words.expect("AS")
    with_data = _data_clause(words)
    lower = {key.lower(): value for key, value in properties.items()}
    return st.CreateTableAs(name, lower, parse_query(words.rest()), unless, with_data)


def _data_clause(words: Words) -> bool:
    """`WITH [NO] DATA` at the end is not the query's."""
    tail = [token.upper for token in words.tokens[-3:]]
    if tail[-3:] == ["WITH", "NO", "DATA"]:
        del words.tokens[-3:]
        return False
    if tail[-2:] == ["WITH", "DATA"]:
        del words.tokens[-2:]
    return True


def columns(words: Words) -> list[st.ColumnText]:
    """`(name type [COMMENT 'x'], …)` with Hive types."""
    words.expect("(")
    found = [column(words)]
    while words.accept(","):
        found.append(column(words))
    words.expect(")")
    return found


def column(words: Words) -> st.ColumnText:
    name = words.identifier()
    kind = _type(words)
    return st.ColumnText(name, kind, words.string() if words.accept("COMMENT") else "")


def _type(words: Words) -> str:
    """A type up to the next comma, bracket or COMMENT at its own level."""
    depth, parts = 0, []
    while (token := words.current) is not None:
        if depth == 0 and (token.value in (",", ")") or token.upper == "COMMENT"):
            break
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(token.value, 0) if token.kind == "sign" else 0
        parts.append(_type_word(token))
        words.place += 1
    try:
        return hive_text(parse_type(" ".join(parts)))
    except (TypeTextError, ValueError):
        raise words.refusal("Expecting: <type>") from None


def _type_word(token: Token) -> str:
    return f"`{token.value}`" if token.kind == "name" else token.value


def _table(words: Words, name: list[str], external: bool, unless: bool) -> st.Statement:
    listed = columns(words) if words.peek("(") else []
    parts: dict[str, object] = {"partitions": [], "partition_columns": [], "properties": {}, "format": {}, "serde": {}}
    while not words.at_end:
        clause = next((clause for clause in _CLAUSES if words.accept(*clause.split())), None)
        if clause is None:
            raise words.refusal("Expecting: 'LOCATION', 'TBLPROPERTIES', 'PARTITIONED', 'STORED', 'ROW'")
        parts.update(_CLAUSES[clause](words, parts))
    return st.CreateTable(name, listed, external=external, if_not_exists=unless, **parts)  # type: ignore[arg-type]


def _partitioned(words: Words, _: dict[str, object]) -> dict[str, object]:
    """`(year int)` of Hive, `(day(ts), bucket(8, id), site)` of Iceberg."""
    words.expect("(")
    transforms: list[str] = []
    typed: list[st.ColumnText] = []
    while True:
        word = words.identifier()
        if words.peek("("):
            inner = [token.value for token in _arguments(words)]
            transforms.append(f"{word}({', '.join(item for item in inner if item != ',')})")
        elif words.peek(",") or words.peek(")"):
            transforms.append(word)
        else:
            typed.append(st.ColumnText(word, _type(words), words.string() if words.accept("COMMENT") else ""))
        if not words.accept(","):
            break
    words.expect(")")
    return {"partitions": transforms, "partition_columns": typed}


def _arguments(words: Words) -> list[Token]:
    words.expect("(")
    found = []
    while not words.accept(")"):
        token = words.current
        if token is None:
            raise words.refusal("Expecting: ')'")
        found.append(token)
        words.place += 1
    return found


def _row_format(words: Words, parts: dict[str, object]) -> dict[str, object]:
    found = dict(parts["format"])  # type: ignore[call-overload]
    serde: dict[str, str] = {}
    if words.accept("SERDE"):
        found["serde"] = words.string()
        if words.accept("WITH", "SERDEPROPERTIES"):
            serde = words.properties()
        return {"format": found, "serde": serde}
    words.expect("DELIMITED")
    names = {"FIELDS TERMINATED BY": "field.delim", "ESCAPED BY": "escape.delim", "LINES TERMINATED BY": "line.delim"}
    names |= {"COLLECTION ITEMS TERMINATED BY": "collection.delim", "MAP KEYS TERMINATED BY": "mapkey.delim"}
    names |= {"NULL DEFINED AS": "serialization.null.format"}
    while clause := next((clause for clause in names if words.accept(*clause.split())), None):
        serde[names[clause]] = words.string().replace("\\t", "\t").replace("\\n", "\n").replace("\\001", "\x01")
    return {"format": found, "serde": serde}


def _stored(words: Words, parts: dict[str, object]) -> dict[str, object]:
    found = dict(parts["format"])  # type: ignore[call-overload]
    if words.accept("INPUTFORMAT"):
        found["input"] = words.string()
        words.expect("OUTPUTFORMAT")
        found["output"] = words.string()
    else:
        found["stored"] = words.take("word").upper()
    return {"format": found}


def _clustered(words: Words, _: dict[str, object]) -> dict[str, object]:
    _arguments(words)
    words.expect("INTO")
    words.take("number")
    words.expect("BUCKETS")
    return {}


_CLAUSES: dict[str, Callable[[Words, dict[str, object]], dict[str, object]]] = {
    "COMMENT": lambda words, _: {"comment": words.string()},
    "PARTITIONED BY": _partitioned,
    "CLUSTERED BY": _clustered,
    "ROW FORMAT": _row_format,
    "STORED AS": _stored,
    "LOCATION": lambda words, _: {"location": words.string()},
    "TBLPROPERTIES": lambda words, _: {"properties": words.properties()},
    "WITH SERDEPROPERTIES": lambda words, _: {"serde": words.properties()},
}
