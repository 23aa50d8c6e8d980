"""The one MERGE that brings a governed table up to date with its SELECT. Pure.

Rows that differ are updated, new ones inserted, and rows whose key the SELECT no longer has are deleted; equal rows
are left alone, so that a second run writes nothing. Comparisons are IS DISTINCT FROM: a NULL equals a NULL. With
`keys`, only rows whose first key is among them take part, and the SELECT must give those rows alone.

Example: merge_statement(table, '"trilake_local_clinical"."patient"', select)
"""

from trilake.core.contract import GovernedTable


def merge_statement(table: GovernedTable, target: str, select: str, *, keys: str | None = None) -> str:
    """Athena SQL; `target` and the names in `select` and `keys` are Glue names. The SELECT is read once."""
    names = [column.name for column in table.columns]
    others = [name for name in names if name not in table.key]
    first = quoted(table.key[0])
    same_key = " AND ".join(f"held.{quoted(key)} = fresh.{quoted(key)}" for key in table.key)
    columns = ", ".join(
        f"coalesce(fresh.{quoted(name)}, held.{quoted(name)}) AS {quoted(name)}"
        if name in table.key
        else f"fresh.{quoted(name)}"
        for name in names
    )
    held = f"SELECT {', '.join(map(quoted, table.key))} FROM {target}{where_among(table, keys)}"
    return "\n".join(
        [
            f"MERGE INTO {target} AS target",
            f"USING (SELECT {columns}, fresh.{first} IS NULL AS is_gone",
            f"FROM ({select}) AS fresh",
            f"FULL OUTER JOIN ({held}) AS held ON {same_key}) AS source",
            "ON " + " AND ".join(f"target.{quoted(key)} = source.{quoted(key)}" for key in table.key),
            "WHEN MATCHED AND source.is_gone THEN DELETE",
            *when_changed(others),
            f"WHEN NOT MATCHED THEN INSERT ({', '.join(map(quoted, names))})",
            f"VALUES ({', '.join(f'source.{quoted(name)}' for name in names)})",
        ]
    )


def when_changed(others: list[str]) -> list[str]:
    """The update of rows that differ; none for a table that is all key."""
    if not others:
        return []
    differs = " OR ".join(f"target.{quoted(name)} IS DISTINCT FROM source.{quoted(name)}" for name in others)
    values = ", ".join(f"{quoted(name)} = source.{quoted(name)}" for name in others)
    return [f"WHEN MATCHED AND ({differs}) THEN UPDATE SET {values}"]


def insert_statement(table: GovernedTable, target: str, select: str) -> str:
    """The same where the table holds none of the rows yet: it is not read."""
    return f"INSERT INTO {target} ({', '.join(quoted(column.name) for column in table.columns)})\n{select}"


def row_keys_statement(target: str, moved: str, row_keys: tuple[str, ...]) -> str:
    """Rows of patients whose row keys moved take the new ones. `moved` gives patient_id and the row keys."""
    differs = " OR ".join(f"target.{quoted(key)} IS DISTINCT FROM source.{quoted(key)}" for key in row_keys)
    values = ", ".join(f"{quoted(key)} = source.{quoted(key)}" for key in row_keys)
    return "\n".join(
        [
            f"MERGE INTO {target} AS target USING ({moved}) AS source ON target.patient_id = source.patient_id",
            f"WHEN MATCHED AND ({differs}) THEN UPDATE SET {values}",
        ]
    )


def where_among(table: GovernedTable, keys: str | None) -> str:
    return "" if keys is None else f" WHERE {quoted(table.key[0])} IN ({keys})"


def count_statement(table: GovernedTable, target: str, *, keys: str | None = None) -> str:
    """Rows, and keys that several rows share (a defect of the SELECT); with `keys`, shared among those."""
    key_columns = ", ".join(map(quoted, table.key))
    return (
        f"SELECT (SELECT count(*) FROM {target}) AS n_rows, count_if(n > 1) AS n_shared_keys "
        f"FROM (SELECT count(*) AS n FROM {target}{where_among(table, keys)} GROUP BY {key_columns}) AS keyed"
    )


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
