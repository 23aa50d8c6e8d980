"""Athena's other DDL and utility statements, read word by word into statements.

Reads and writes nothing. Behind `make local-aws`.
Example: `SHOW TABLES IN clinical LIKE 'pat*'`
"""

from __future__ import annotations

from collections.abc import Callable

from localaws.athena import statements as st
from localaws.athena.create_grammar import column, columns, create
from localaws.athena.parser import parse_expression, parse_query
from localaws.athena.tokens import Words


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
    found = []
    while words.accept("PARTITION"):
        values = words.properties()
        found.append((values, words.string() if words.accept("LOCATION") else ""))
    words.finish()
    return st.AddPartitions(table, found, unless)


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


READERS: dict[str, Callable[[Words], st.Statement]] = {
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
