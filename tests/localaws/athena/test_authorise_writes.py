"""Athena under Lake Formation: writes, places, the catalog's own calls, other people's queries.

Run: `python -m pytest tests/localaws/athena/test_authorise_writes.py`
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from localaws import LocalAws

from .hostile import ACCOUNT, MARK, Stage, waited
from .room import Room

UNFILTERED = {"CatalogId": ACCOUNT, "SupportedPermissionTypes": ["COLUMN_PERMISSION"]}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with LocalAws(tmp_path_factory.mktemp("local")) as aws:
        yield Stage(aws.world)


@pytest.fixture
def room(stage: Stage) -> Room:
    return Room(stage)


class TestWrites:
    @pytest.mark.parametrize(
        ("sql", "needed"),
        [
            ("INSERT INTO t SELECT 'e', 'north', true, 'Ed', 'x'", ["INSERT"]),
            ("DELETE FROM t WHERE id = 'a'", ["SELECT", "DELETE"]),
            ("UPDATE t SET code = 'q' WHERE id = 'a'", ["SELECT", "INSERT", "DELETE"]),
            (
                "MERGE INTO t USING (SELECT 'a' AS id) s ON t.id = s.id WHEN MATCHED THEN DELETE",
                ["SELECT", "INSERT", "DELETE"],
            ),
            ("DROP TABLE t", ["DROP"]),
        ],
    )
    def test_a_write_needs_its_permissions(self, room: Room, stage: Stage, sql: str, needed: list[str]) -> None:
        for permission in needed:
            assert room.ask(sql).state == "FAILED"
            room.grant(permission)
        self.open_bucket(stage)
        answer = room.ask(sql)
        self.close_bucket(stage)
        assert answer.state == "SUCCEEDED", answer.reason

    def open_bucket(self, stage: Stage) -> None:
        allowed = '{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::lake*"}'
        document = f'{{"Version": "2012-10-17", "Statement": [{allowed}]}}'
        stage.world.client("iam").put_role_policy(RoleName="persona", PolicyName="lake", PolicyDocument=document)

    def close_bucket(self, stage: Stage) -> None:
        stage.world.client("iam").delete_role_policy(RoleName="persona", PolicyName="lake")

    def test_dml_is_closed_to_a_part_of_the_table(self, room: Room) -> None:
        room.filtered("north", "site = 'north'")
        room.grant("INSERT", "DELETE")
        for sql in ("DELETE FROM t WHERE id = 'a'", "UPDATE t SET name = 'x'"):
            assert room.ask(sql).error == "PERMISSION_DENIED"

    def test_a_subquery_of_a_write_is_read_as_the_caller(self, room: Room, stage: Stage) -> None:
        room.grant("SELECT", "INSERT", "DELETE")
        self.open_bucket(stage)
        try:
            for sql in (
                "DELETE FROM t WHERE id IN (SELECT patient_id FROM secret.forbidden)",
                "UPDATE t SET name = (SELECT max(patient_id) FROM secret.forbidden)",
                "INSERT INTO t SELECT patient_id, 'a', true, 'b', 'c' FROM secret.forbidden",
                "MERGE INTO t USING secret.forbidden f ON t.id = f.patient_id WHEN MATCHED THEN DELETE",
                "MERGE INTO t USING (SELECT 'a' AS id) s ON EXISTS (SELECT 1 FROM secret.forbidden) "
                "WHEN MATCHED THEN DELETE",
                "UPDATE t SET name = (SELECT max(family_name) FROM clinical.patient)",
            ):
                answer = room.ask(sql)
                assert answer.error in {"TABLE_NOT_FOUND", "COLUMN_NOT_FOUND"}, sql
                assert MARK not in answer.everything
        finally:
            self.close_bucket(stage)
        assert len(room.rows("SELECT * FROM t")) == 4

    def test_a_new_table_belongs_to_who_made_it(self, room: Room, stage: Stage) -> None:
        room.grant_database("CREATE_TABLE")
        room.filtered("north", "site = 'north'", ["id", "name"])
        answer = room.ask("CREATE TABLE mine WITH (format = 'PARQUET') AS SELECT * FROM t")
        assert answer.state == "SUCCEEDED", answer.reason
        assert room.rows("SELECT * FROM mine ORDER BY id") == [("a", "Ada"), ("b", "Bo")]
        assert room.ask("SELECT * FROM mine", stage.reader).error == "TABLE_NOT_FOUND"


class TestPlaces:
    """A table of one's own over somebody else's files opens nothing."""

    def test_an_external_table_over_registered_files(self, room: Room) -> None:
        room.grant_database("CREATE_TABLE")
        room.ask(
            "CREATE EXTERNAL TABLE thief (patient_id string, family_name string) STORED AS PARQUET "
            "LOCATION 's3://lake/clinical/patient/data/'"
        )
        answer = room.ask("SELECT * FROM thief")
        assert answer.state == "FAILED" and MARK not in answer.everything

    def test_a_partition_over_registered_files(self, room: Room) -> None:
        room.grant_database("CREATE_TABLE")
        room.ask(
            "CREATE EXTERNAL TABLE thief (patient_id string, family_name string) PARTITIONED BY (d string) "
            "STORED AS PARQUET LOCATION 's3://results/persona/mine/'"
        )
        room.ask("ALTER TABLE thief ADD PARTITION (d = 'x') LOCATION 's3://lake/clinical/patient/data/'")
        answer = room.ask("SELECT * FROM thief")
        assert MARK not in answer.everything and len(answer.rows) <= 1

    def test_properties_that_point_to_another_tables_metadata(self, room: Room, stage: Stage) -> None:
        room.grant_database("CREATE_TABLE")
        glue = stage.world.client("glue")
        metadata = glue.get_table(DatabaseName="clinical", Name="patient")["Table"]["Parameters"]["metadata_location"]
        room.ask(
            "CREATE EXTERNAL TABLE thief (patient_id string, family_name string) STORED AS PARQUET "
            "LOCATION 's3://results/persona/own/'"
        )
        room.ask(f"ALTER TABLE thief SET TBLPROPERTIES ('table_type' = 'ICEBERG', 'metadata_location' = '{metadata}')")
        answer = room.ask("SELECT * FROM thief")
        assert MARK not in answer.everything and len(answer.rows) <= 1

    def test_a_table_outside_registered_locations_is_read_on_ones_own_account(self, room: Room, stage: Stage) -> None:
        stage.s3.create_bucket(Bucket=room.database.replace("_", "-") + "-bucket")
        place = f"s3://{room.database.replace('_', '-')}-bucket/x"
        stage.world.client("glue").create_table(
            DatabaseName=room.database,
            TableInput={
                "Name": "apart",
                "StorageDescriptor": {
                    "Columns": [{"Name": "id", "Type": "string"}],
                    "Location": place,
                    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
                    "SerdeInfo": {
                        "SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
                    },
                },
            },
        )
        room.grant("SELECT", table="apart")
        assert room.ask("SELECT * FROM apart").error == "PERMISSION_DENIED"


class TestOtherPeoplesQueries:
    def test_results_and_text_of_another_workgroup_are_closed(self, stage: Stage) -> None:
        athena = stage.world.client("athena")
        started = athena.start_query_execution(
            QueryString="SELECT family_name FROM clinical.patient",
            ResultConfiguration={"OutputLocation": "s3://results/deployer/"},
        )
        query_id = started["QueryExecutionId"]
        waited(athena, query_id)
        narrow = '{"Effect": "Deny", "Action": "athena:*", "Resource": "arn:aws:athena:*:*:workgroup/primary"}'
        document = f'{{"Version": "2012-10-17", "Statement": [{narrow}]}}'
        iam = stage.world.client("iam")
        iam.put_role_policy(RoleName="persona", PolicyName="narrow", PolicyDocument=document)
        persona = stage.athena[stage.persona]
        try:
            for call in (persona.get_query_results, persona.get_query_execution):
                with pytest.raises(ClientError) as caught:
                    call(QueryExecutionId=query_id)
                assert "AccessDenied" in caught.value.response["Error"]["Code"]
        finally:
            iam.delete_role_policy(RoleName="persona", PolicyName="narrow")

    def test_results_go_only_where_the_caller_may_write(self, stage: Stage) -> None:
        persona = stage.athena[stage.persona]
        started = persona.start_query_execution(
            QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "s3://results/deployer/"}
        )
        query_id = started["QueryExecutionId"]
        assert waited(persona, query_id)["Status"]["State"] == "FAILED"


class TestCatalogCalls:
    def test_metadata_calls_show_what_may_be_described(self, stage: Stage) -> None:
        persona = stage.athena[stage.persona]
        names = {"CatalogName": "AwsDataCatalog", "DatabaseName": "clinical"}
        metadata = persona.get_table_metadata(**names, TableName="patient")["TableMetadata"]
        columns = [column["Name"] for column in metadata["Columns"]]
        assert columns == ["patient_id", "birth_year", "gender", "score", "codes"]
        tables = persona.list_table_metadata(**names)["TableMetadataList"]
        assert "patient" in {table["Name"] for table in tables}
        databases = persona.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"]
        assert "secret" not in {database["Name"] for database in databases}
        with pytest.raises(ClientError) as caught:
            persona.get_table_metadata(CatalogName="AwsDataCatalog", DatabaseName="secret", TableName="forbidden")
        assert "secret_column" not in str(caught.value)

    @pytest.mark.parametrize(
        ("operation", "question"),
        [
            ("get_table", {"Name": "patient"}),
            ("get_tables", {}),
            ("get_table_versions", {"TableName": "patient"}),
            ("get_table_version", {"TableName": "patient"}),
            ("get_partitions", {"TableName": "patient"}),
            ("search_tables", {}),
            (
                "get_unfiltered_table_metadata",
                {"Name": "patient", **UNFILTERED},
            ),
            ("get_column_statistics_for_table", {"TableName": "patient", "ColumnNames": ["family_name"]}),
        ],
    )
    def test_the_catalog_itself_names_no_denied_column(self, stage: Stage, operation: str, question: Any) -> None:
        glue = stage.client("glue", stage.persona)
        database = {} if operation == "search_tables" else {"DatabaseName": "clinical"}
        try:
            answer = str(getattr(glue, operation)(**database, **question))
        except ClientError as error:
            answer = str(error)
        for word in ("mrn", "note", "consent_research", "secret_column", MARK):
            assert word not in answer

    def test_the_files_themselves_are_closed(self, stage: Stage) -> None:
        s3 = stage.client("s3", stage.persona)
        with pytest.raises(ClientError):
            s3.list_objects_v2(Bucket="lake", Prefix="clinical/")
        key = stage.s3.list_objects_v2(Bucket="lake", Prefix="clinical/patient/data")["Contents"][0]["Key"]
        with pytest.raises(ClientError):
            s3.get_object(Bucket="lake", Key=key)
