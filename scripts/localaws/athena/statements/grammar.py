"""Athena's statements, read from their words: https://docs.aws.amazon.com/athena/latest/ug/ddl-reference.html

Word by word, since sqlglot knows Hive's DDL and Trino's queries but not the mixture that Athena takes.
Example: `read_statement("SHOW TABLES IN clinical LIKE 'pat*'")`
"""

from __future__ import annotations

from collections.abc import Callable

from sqlglot import exp

from localaws.athena.parser import Token, Words, parse_expression, parse_query, parse_statement
from localaws.athena.statements import model as st
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
    # `CREATE TABLE t WITH (…) AS`, `CREATE TABLE t AS`: what is left is DDL in Hive's words.
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
    # sqlglot would read the clause as the query's.
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
    listed = [column(words)]
    while words.accept(","):
        listed.append(column(words))
    words.expect(")")
    return listed


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
        # Commas and brackets inside of `struct<a:int,b:decimal(5,2)>` are the type's.
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
    arguments = []
    while not words.accept(")"):
        token = words.current
        if token is None:
            raise words.refusal("Expecting: ')'")
        arguments.append(token)
        words.place += 1
    return arguments


def _row_format(words: Words, parts: dict[str, object]) -> dict[str, object]:
    formats = dict(parts["format"])  # type: ignore[call-overload]
    serde: dict[str, str] = {}
    if words.accept("SERDE"):
        formats["serde"] = words.string()
        if words.accept("WITH", "SERDEPROPERTIES"):
            serde = words.properties()
        return {"format": formats, "serde": serde}
    words.expect("DELIMITED")
    names = {"FIELDS TERMINATED BY": "field.delim", "ESCAPED BY": "escape.delim", "LINES TERMINATED BY": "line.delim"}
    names |= {"COLLECTION ITEMS TERMINATED BY": "collection.delim", "MAP KEYS TERMINATED BY": "mapkey.delim"}
    names |= {"NULL DEFINED AS": "serialization.null.format"}
    while clause := next((clause for clause in names if words.accept(*clause.split())), None):
        serde[names[clause]] = words.string().replace("\\t", "\t").replace("\\n", "\n").replace("\\001", "\x01")
    return {"format": formats, "serde": serde}


def _stored(words: Words, parts: dict[str, object]) -> dict[str, object]:
    formats = dict(parts["format"])  # type: ignore[call-overload]
    if words.accept("INPUTFORMAT"):
        formats["input"] = words.string()
        words.expect("OUTPUTFORMAT")
        formats["output"] = words.string()
    else:
        formats["stored"] = words.take("word").upper()
    return {"format": formats}


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


def drop(words: Words) -> st.Statement:
    words.expect("DROP")
    what = words.take("word").upper()
    if what not in ("TABLE", "VIEW", "DATABASE", "SCHEMA"):
        words.place -= 1
        raise words.refusal("Expecting: 'TABLE', 'VIEW', 'DATABASE', 'SCHEMA'")
    when = words.accept("IF", "EXISTS")
    name = words.qualified()
    cascade = words.accept("CASCADE")
    words.accept("RESTRICT")
    words.finish()
    return st.Drop("DATABASE" if what == "SCHEMA" else what, name, when, cascade)


def alter(words: Words) -> st.Statement:
    words.expect("ALTER", "TABLE")
    table = words.qualified()
    if words.accept("ADD", "COLUMNS"):
        return st.AddColumns(table, columns(words))
    if words.accept("CHANGE"):
        words.accept("COLUMN")
        return st.ChangeColumn(table, words.identifier(), column(words))
    if words.accept("DROP", "COLUMN"):
        return st.DropColumn(table, words.identifier())
    if words.accept("SET", "TBLPROPERTIES"):
        return st.SetProperties(table, words.properties())
    if words.accept("ADD"):
        return _add_partitions(words, table)
    raise words.refusal("Expecting: 'ADD', 'CHANGE', 'DROP', 'SET'")


def _add_partitions(words: Words, table: list[str]) -> st.Statement:
    unless = words.accept("IF", "NOT", "EXISTS")
    partitions = []
    while words.accept("PARTITION"):
        values = words.properties()
        partitions.append((values, words.string() if words.accept("LOCATION") else ""))
    words.finish()
    return st.AddPartitions(table, partitions, unless)


def show(words: Words) -> st.Statement:
    words.expect("SHOW")
    for what in ("DATABASES", "SCHEMAS", "TABLES", "VIEWS"):
        if words.accept(what):
            name = words.qualified() if words.accept("IN") or words.accept("FROM") else []
            words.accept("LIKE")
            pattern = words.string() if words.current else ""
            return st.Show("DATABASES" if what == "SCHEMAS" else what, name, pattern)
    if words.accept("COLUMNS"):
        if not (words.accept("IN") or words.accept("FROM")):
            raise words.refusal("Expecting: 'FROM', 'IN'")
        name = words.qualified()
        if words.accept("IN") or words.accept("FROM"):
            name = [words.identifier(), *name]
        return st.Show("COLUMNS", name)
    for what in ("CREATE TABLE", "CREATE VIEW", "PARTITIONS", "TBLPROPERTIES"):
        if words.accept(*what.split()):
            return st.Show(what, words.qualified())
    raise words.refusal("Expecting: 'COLUMNS', 'CREATE', 'DATABASES', 'PARTITIONS', 'SCHEMAS', 'TABLES', 'VIEWS'")


def describe(words: Words) -> st.Statement:
    words.place += 1
    extended = words.accept("EXTENDED") or words.accept("FORMATTED")
    words.accept("VIEW") if words.peek("VIEW") else None
    return st.Describe(words.qualified(), extended)


def explain(words: Words) -> st.Statement:
    words.expect("EXPLAIN")
    analyze = words.accept("ANALYZE")
    # The options of EXPLAIN are taken and have no effect: there is one form of plan.
    if words.peek("(") and words.tokens[words.place + 1].upper in ("FORMAT", "TYPE"):
        words.parenthesised()
    return st.Explain(parse_query(words.rest()), analyze)


def maintain(words: Words) -> st.Statement:
    word = words.take("word").upper()
    table = words.qualified()
    where = None
    if word == "OPTIMIZE":
        words.expect("REWRITE", "DATA", "USING", "BIN_PACK")
        where = parse_expression(words.rest()) if words.accept("WHERE") else None
    words.finish()
    return st.Maintain(word, table, where)


def unload(words: Words) -> st.Statement:
    words.expect("UNLOAD")
    tree = parse_query(words.parenthesised())
    words.expect("TO")
    location = words.string()
    properties = words.properties() if words.accept("WITH") else {}
    words.finish()
    return st.Unload(tree, location, {key.lower(): value for key, value in properties.items()})


def prepare(words: Words) -> st.Statement:
    words.expect("PREPARE")
    name = words.take("word", "name")
    words.expect("FROM")
    return st.Prepare(name, words.rest().strip())


def execute(words: Words) -> st.Statement:
    words.expect("EXECUTE")
    name = words.take("word", "name")
    return st.Execute(name, split_values(words.rest()) if words.accept("USING") else [])


def split_values(sql: str) -> list[str]:
    """`'a', 1, DATE '2020-01-01'` as three texts."""
    words, parts, depth, start = Words(sql), [], 0, 0
    for token in words.tokens:
        if token.kind == "sign":
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(token.value, 0)
            if token.value == "," and depth == 0:
                parts.append(sql[start : token.start].strip())
                start = token.end
    return [*parts, sql[start:].strip()]


def deallocate(words: Words) -> st.Statement:
    words.expect("DEALLOCATE", "PREPARE")
    return st.Deallocate(words.take("word", "name"))


def repair(words: Words) -> st.Statement:
    words.expect("MSCK", "REPAIR", "TABLE")
    return st.Repair(words.qualified())


def read_statement(sql: str) -> st.Statement:
    """The statement in the text; QueryError SYNTAX_ERROR, or Unsupported."""
    words = Words(sql)
    if any(token.kind == "sign" and token.value == ";" for token in words.tokens):
        raise st.Unsupported("Only one sql statement is allowed. Got: several statements")
    first = words.current
    if first is None:
        raise words.refusal()
    reader = READERS.get(first.upper)
    if reader is None:
        raise st.Unsupported("Queries of this type are not supported")
    return reader(words)


def _select(words: Words) -> st.Statement:
    return st.Select(parse_query(words.rest()))


def _insert(words: Words) -> st.Statement:
    words.expect("INSERT", "INTO")
    table = words.qualified()
    names: list[str] = []
    if words.peek("(") and not _opens_query(words):
        words.expect("(")
        names.append(words.identifier())
        while words.accept(","):
            names.append(words.identifier())
        words.expect(")")
    return st.Insert(table, names, parse_query(words.rest()))


def _opens_query(words: Words) -> bool:
    """Whether the bracket that comes next holds the query and not the list of columns."""
    after = words.tokens[words.place + 1] if words.place + 1 < len(words.tokens) else None
    return after is not None and after.upper in ("SELECT", "WITH", "VALUES", "TABLE", "(")


def _change(words: Words) -> st.Statement:
    tree = parse_statement(words.rest())
    if not isinstance(tree, exp.Merge | exp.Update | exp.Delete):
        raise words.refusal()
    return st.Change(tree)


READERS: dict[str, Callable[[Words], st.Statement]] = {
    **dict.fromkeys(("(", "SELECT", "WITH", "VALUES", "TABLE"), _select),
    "INSERT": _insert,
    **dict.fromkeys(("MERGE", "UPDATE", "DELETE"), _change),
    "CREATE": create,
    "DROP": drop,
    "ALTER": alter,
    "SHOW": show,
    "DESCRIBE": describe,
    "DESC": describe,
    "EXPLAIN": explain,
    "OPTIMIZE": maintain,
    "VACUUM": maintain,
    "UNLOAD": unload,
    "PREPARE": prepare,
    "EXECUTE": execute,
    "DEALLOCATE": deallocate,
    "MSCK": repair,
}
