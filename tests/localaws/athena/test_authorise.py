"""The rewriting of names: a query over internal names gives what the query over the tables gives.

A caller with full access: whatever the query, its rows must not change. DuckDB runs both.
Run: `python -m pytest tests/localaws/athena/test_authorise.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb
import pytest
from sqlglot import exp

from localaws import LocalAws
from localaws.athena.authorise import Authorised, authorise
from localaws.athena.catalog import CatalogView
from localaws.athena.errors import QueryError
from localaws.athena.parser import AthenaSql, parse_query
from localaws.caller import Caller
from localaws.world import World

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
TABLES = {
    ("clinical", "patient"): {"id": "int", "name": "string", "site": "string", "visit": "struct<code:string>"},
    ("clinical", "condition"): {"patient_id": "int", "code": "string"},
    ("genomic", "patient"): {"id": "int", "sample": "string"},
}
DATA = """
CREATE SCHEMA clinical; CREATE SCHEMA genomic;
CREATE TABLE clinical.patient AS SELECT * FROM (VALUES
    (1, 'Ada', 'north', {'code': 'a'}), (2, 'Bo', 'south', {'code': 'b'}), (3, 'Cy', 'north', {'code': 'c'})
) AS t(id, name, site, visit);
CREATE TABLE clinical.condition AS SELECT * FROM (VALUES (1, 'x'), (1, 'y'), (3, 'z')) AS t(patient_id, code);
CREATE TABLE genomic.patient AS SELECT * FROM (VALUES (1, 's1'), (2, 's2')) AS t(id, sample);
"""

SAME_ROWS = [
    "SELECT * FROM clinical.patient",
    "SELECT * FROM patient",
    'SELECT * FROM "Clinical"."PATIENT"',
    "SELECT p.* FROM clinical.patient p",
    "SELECT patient.* FROM clinical.patient",
    "SELECT patient.id, clinical.patient.name FROM clinical.patient",
    "SELECT clinical.patient.* FROM clinical.patient",
    "SELECT clinical.patient.visit.code FROM clinical.patient",
    "SELECT patient.visit.code, p2.visit.code FROM patient, patient AS p2",
    "SELECT x FROM clinical.patient AS t(x, y, z, w) WHERE z = 'north'",
    "SELECT a.id, b.id FROM clinical.patient a JOIN clinical.patient b ON a.site = b.site AND a.id < b.id",
    "SELECT * FROM clinical.patient JOIN clinical.condition ON clinical.patient.id = clinical.condition.patient_id",
    "SELECT clinical.patient.name, genomic.patient.sample FROM clinical.patient JOIN genomic.patient "
    "ON clinical.patient.id = genomic.patient.id",
    "WITH patient AS (SELECT 9 AS id) SELECT * FROM patient",
    "WITH patient AS (SELECT * FROM clinical.patient WHERE id > 1) SELECT * FROM patient",
    "WITH patient AS (SELECT 9 AS id) SELECT * FROM patient, clinical.patient AS p WHERE p.id = 1",
    "WITH Patient AS (SELECT 9 AS id) SELECT * FROM PATIENT",
    "WITH a AS (SELECT * FROM patient), b AS (SELECT * FROM a) SELECT count(*) FROM b",
    "WITH a AS (WITH patient AS (SELECT 7 AS id) SELECT * FROM patient) SELECT a.id, patient.id FROM a, patient",
    "SELECT * FROM (WITH patient AS (SELECT 7 AS id) SELECT * FROM patient) AS q, clinical.condition",
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i, name FROM n "
    "JOIN patient ON patient.id = n.i",
    "SELECT name FROM patient WHERE id IN (SELECT patient_id FROM condition)",
    "SELECT name FROM patient p WHERE EXISTS (SELECT 1 FROM condition c WHERE c.patient_id = p.id AND code = 'z')",
    "SELECT name, (SELECT count(*) FROM condition WHERE patient_id = patient.id) AS n FROM patient",
    "SELECT (SELECT max(code) FROM clinical.condition WHERE patient_id = clinical.patient.id) FROM clinical.patient",
    "SELECT id FROM patient UNION SELECT patient_id FROM condition",
    "SELECT id FROM patient EXCEPT SELECT patient_id FROM condition",
    "(SELECT id FROM patient) INTERSECT (SELECT patient_id FROM condition)",
    "TABLE patient",
    "SELECT * FROM (TABLE clinical.patient) AS t",
    "SELECT * FROM (patient JOIN condition ON patient.id = condition.patient_id)",
    "SELECT * FROM condition c JOIN (patient p JOIN genomic.patient g ON p.id = g.id) ON c.patient_id = p.id",
    "SELECT * FROM patient CROSS JOIN condition",
    "SELECT * FROM patient LEFT JOIN condition ON id = patient_id WHERE code IS NULL",
    "SELECT id FROM patient JOIN genomic.patient AS g USING (id)",
    "SELECT site, count(*) FROM patient GROUP BY site HAVING count(*) > (SELECT count(*) FROM genomic.patient) - 1",
    "SELECT name, row_number() OVER (PARTITION BY site ORDER BY id) FROM patient",
    "SELECT t.n FROM patient CROSS JOIN LATERAL (SELECT patient.id * 2 AS n) AS t",
    "SELECT (SELECT name FROM patient WHERE id = c.patient_id) FROM condition AS c ORDER BY (SELECT 1)",
    "SELECT * FROM (SELECT * FROM (SELECT * FROM patient) AS a) AS b",
    "SELECT * FROM (VALUES (1, 2)) AS t(a, b)",
    "SELECT 1 WHERE EXISTS (SELECT * FROM patient WHERE name = 'Ada')",
    'SELECT "__t0".id FROM patient AS "__t0"',
    'WITH "__t0" AS (SELECT 5 AS id) SELECT * FROM "__t0", patient AS p',
    "SELECT awsdatacatalog.clinical.patient.id FROM awsdatacatalog.clinical.patient",
    "SELECT patient.sample, patient.name FROM clinical.patient JOIN genomic.patient "
    "ON clinical.patient.id = genomic.patient.id",
]


@dataclass
class Full:
    """The catalog with full access for the caller, and the same tables in DuckDB."""

    world: World
    caller: Caller

    def authorise(self, sql: str) -> Authorised:
        return authorise(parse_query(sql), self.caller, CatalogView(self.world), self.world, "clinical")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Full]:
    with LocalAws(tmp_path_factory.mktemp("local")) as aws:
        world = aws.world
        world.client("iam").create_role(RoleName="reader", AssumeRolePolicyDocument="{}")
        everybody = {"DataLakePrincipalIdentifier": aws_arn()}
        world.client("lakeformation").put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": [everybody]})
        world.client("lakeformation").register_resource(ResourceArn="arn:aws:s3:::lake", UseServiceLinkedRole=True)
        glue = world.client("glue")
        for database in ("clinical", "genomic"):
            glue.create_database(DatabaseInput={"Name": database})
        for (database, name), columns in TABLES.items():
            items = [{"Name": column, "Type": kind} for column, kind in columns.items()]
            storage = {"Columns": items, "Location": "s3://lake/x"}
            glue.create_table(DatabaseName=database, TableInput={"Name": name, "StorageDescriptor": storage})
            world.client("lakeformation").grant_permissions(
                Principal={"DataLakePrincipalIdentifier": ROLE},
                Resource={"Table": {"DatabaseName": database, "Name": name}},
                Permissions=["SELECT"],
            )
        yield Full(world, Caller(ACCOUNT, ROLE, is_admin=False, session_name="test"))


def aws_arn() -> str:
    return f"arn:aws:iam::{ACCOUNT}:user/deployer"


def tables_of(tree: exp.Expression) -> set[str]:
    return {table.name for table in tree.find_all(exp.Table)}


def duck(tree: exp.Expression) -> str:
    return AthenaSql().generate(tree).replace("awsdatacatalog.", "")


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return sorted(connection.execute(sql).fetchall(), key=repr)


@pytest.mark.parametrize("sql", SAME_ROWS)
def test_full_access_changes_no_row(full: Full, sql: str) -> None:
    authorised = full.authorise(sql)
    connection = duckdb.connect()
    connection.execute(DATA)
    connection.execute("SET search_path = 'clinical'")
    expected = rows(connection, EXPECTED.get(sql, duck(parse_query(sql))))
    for internal, table in authorised.tables.items():
        connection.execute(f'CREATE TEMP TABLE "{internal}" AS SELECT * FROM {table.database}.{table.name}')
    connection.execute("DROP SCHEMA clinical CASCADE; DROP SCHEMA genomic CASCADE")
    assert rows(connection, duck(authorised.tree)) == expected


# DuckDB itself does not resolve these as Trino does.
EXPECTED = {
    "SELECT clinical.patient.* FROM clinical.patient": "SELECT * FROM clinical.patient",
    SAME_ROWS[-1]: "SELECT g.sample, p.name FROM clinical.patient AS p JOIN genomic.patient AS g ON p.id = g.id",
}


def test_internal_names_avoid_what_the_user_wrote(full: Full) -> None:
    authorised = full.authorise('WITH "__t0" AS (SELECT 5 AS id) SELECT * FROM "__t0", patient')
    assert set(authorised.tables) == {"__t1"}


def test_one_internal_name_per_table(full: Full) -> None:
    authorised = full.authorise("SELECT * FROM patient a, clinical.patient b, genomic.patient c")
    assert len(authorised.tables) == 2


def test_the_given_tree_is_left_alone(full: Full) -> None:
    tree = parse_query("SELECT * FROM patient")
    authorise(tree, full.caller, CatalogView(full.world), full.world, "clinical")
    assert tables_of(tree) == {"patient"}


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELECT * FROM nothing", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.clinical.nothing' does not exist"),
        ("SELECT * FROM other.patient", "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.other.patient'"),
        ("SELECT * FROM mine.clinical.patient", "TABLE_NOT_FOUND: line 1:15: Table 'mine.clinical.patient'"),
        ("SELECT * FROM a.b.c.d", "NOT_SUPPORTED"),
        ("SELECT * FROM 'patient.parquet'", "TABLE_NOT_FOUND"),
        ("SELECT * FROM read_parquet('x')", "NOT_SUPPORTED"),
        ("SELECT * FROM TABLE(sequence(1, 3))", "NOT_SUPPORTED"),
        ("SELECT * FROM patient PIVOT (sum(id) FOR site IN ('north'))", "NOT_SUPPORTED"),
        ("WITH x AS (DELETE FROM patient RETURNING *) SELECT * FROM x", "NOT_SUPPORTED"),
        ("SELECT * FROM (DESCRIBE patient)", "NOT_SUPPORTED"),
        ("SELECT * FROM patient@snapshot", "NOT_SUPPORTED"),
        ('SELECT * FROM "__t0"', "TABLE_NOT_FOUND"),
        ("SELECT patient.id FROM clinical.patient JOIN genomic.patient ON true", "AMBIGUOUS_NAME"),
        ("WITH q AS (SELECT 1 AS id) SELECT * FROM q FOR VERSION AS OF 3", "NOT_SUPPORTED"),
        ("SELECT * FROM q, (WITH q AS (SELECT 1 AS id) SELECT * FROM q) AS z", "TABLE_NOT_FOUND"),
        ("WITH a AS (SELECT * FROM b), b AS (SELECT 1 AS id) SELECT * FROM a", "TABLE_NOT_FOUND"),
        ("SELECT * FROM patient FOR VERSION AS OF (SELECT max(id) FROM patient)", ""),
    ],
)
def test_what_is_refused(full: Full, sql: str, error: str) -> None:
    with pytest.raises(QueryError) as caught:
        full.authorise(sql)
    assert caught.value.reason.startswith(error)


def test_no_schema_for_a_bare_name(full: Full) -> None:
    with pytest.raises(QueryError, match="MISSING_SCHEMA_NAME"):
        authorise(parse_query("SELECT * FROM patient"), full.caller, CatalogView(full.world), full.world, None)


def test_time_travel_moves_to_the_table(full: Full) -> None:
    authorised = full.authorise("SELECT * FROM patient FOR VERSION AS OF 7 AS a, patient AS b")
    assert sorted(table.version.sql() if table.version else "" for table in authorised.tables.values()) != ["", ""]
    assert len(authorised.tables) == 2 and not list(authorised.tree.find_all(exp.Version))
