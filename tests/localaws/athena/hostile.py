"""The stage for hostile SQL: a persona with a column list and a row rule, secrets in all that it may not see.

Two copies of the same tables: `clinical`, behind filters, and `mirrored`, which physically holds only what the persona
may see. Whatever the persona asks of the first must read as the same question asked of the second - rows, error,
result files. And no secret may appear anywhere.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from botocore.exceptions import ClientError

from localaws.athena.catalog import View, glue_input
from localaws.connection import Credentials
from localaws.world import World, make_client

ACCOUNT = "123456789012"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:user/deployer"
VISIBLE = ("patient_id", "birth_year", "gender", "score", "codes")
RULE = "site_id = 'north' AND consent_research = true"
# In denied columns of visible rows, and in every column of hidden rows.
MARK = "SECRET"
HIDDEN_YEARS = (1888, 1899)

PATIENTS = pa.schema(
    [
        pa.field("patient_id", pa.string()),
        pa.field("family_name", pa.string()),
        pa.field("mrn", pa.string()),
        pa.field("birth_year", pa.int32()),
        pa.field("gender", pa.string()),
        pa.field("score", pa.float64()),
        pa.field("codes", pa.list_(pa.string())),
        pa.field("site_id", pa.string()),
        pa.field("consent_research", pa.bool_()),
    ]
)
CONDITIONS = pa.schema(
    [pa.field("patient_id", pa.string()), pa.field("code", pa.string()), pa.field("note", pa.string())]
)


def patients() -> list[dict[str, Any]]:
    """12 visible patients; hidden ones by site, by consent, and with an unknown site or consent."""
    rows = []
    for number in range(12):
        rows.append(_patient(f"p{number:02}", 1950 + number, "north", True, "f" if number % 2 else "m"))
    hidden = [("south", True), ("north", False), ("south", False), (None, True), ("north", None), ("NORTH", True)]
    for number, (site, consent) in enumerate(hidden):
        year = HIDDEN_YEARS[number % 2]
        rows.append(_patient(f"{MARK}-row-{number}", year, site, consent, f"{MARK}-gender"))
    return rows


def _patient(key: str, year: int, site: str | None, consent: bool | None, gender: str) -> dict[str, Any]:
    is_hidden = key.startswith(MARK)
    return {
        "patient_id": key,
        "family_name": f"{MARK}-family-{key}",
        "mrn": f"{MARK}-mrn-{key}",
        "birth_year": year,
        "gender": gender,
        "score": 987654.25 if is_hidden else float(year % 7),
        "codes": [f"{MARK}-code"] if is_hidden else ["a", "b"][: 1 + year % 2],
        "site_id": site,
        "consent_research": consent,
    }


def conditions() -> list[dict[str, Any]]:
    rows = []
    for number, patient in enumerate(patients()):
        for code in ("c1", "c2")[: 1 + number % 2]:
            rows.append({"patient_id": patient["patient_id"], "code": code, "note": f"{MARK}-note-{number}"})
    return [row for row in rows if not row["patient_id"].startswith(MARK)]


@dataclass(frozen=True)
class Answer:
    """What a caller could get hold of: the outcome, its rows, and every byte written about the query."""

    state: str
    reason: str
    rows: tuple[tuple[str | None, ...], ...]
    header: tuple[str, ...]
    everything: str

    @property
    def error(self) -> str:
        return self.reason.split(":")[0]

    def comparable(self, ordered: bool = False) -> tuple[Any, ...]:
        rows = self.rows if ordered else tuple(sorted(self.rows, key=repr))
        return self.state, _normal(self.reason), self.header, rows


def _normal(reason: str) -> str:
    return re.sub(r"mirrored", "clinical", re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "<id>", reason))


class Stage:
    """The tables, the persona and the mirror's reader."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.s3 = world.client("s3")
        for bucket in ("lake", "results"):
            self.s3.create_bucket(Bucket=bucket)
        admins = [{"DataLakePrincipalIdentifier": DEPLOYER}]
        world.client("lakeformation").put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": admins})
        world.client("lakeformation").register_resource(ResourceArn="arn:aws:s3:::lake", UseServiceLinkedRole=True)
        self.persona = self._role("persona")
        self.reader = self._role("reader")
        self._tables()
        self._grants()
        self.athena = {arn: self.client("athena", arn) for arn in (self.persona, self.reader)}

    def _role(self, name: str) -> str:
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        iam = self.world.client("iam")
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust))["Role"]["Arn"]
        allowed = {
            "Effect": "Allow",
            "Action": ["athena:*", "glue:*", "lakeformation:GetDataAccess", "s3:GetBucketLocation"],
            "Resource": "*",
        }
        results = {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::results/{name}/*"}
        listing = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::results"}
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(allowed, results, listing))
        return str(arn)

    def client(self, service: str, arn: str) -> Any:
        """A client of a service as a session of the role."""
        answer = self.world.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        keys = Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"])
        return make_client(service, self.world.endpoint, keys)

    def _tables(self) -> None:
        glue = self.world.client("glue")
        for database in ("clinical", "mirrored", "secret"):
            glue.create_database(DatabaseInput={"Name": database, "LocationUri": f"s3://lake/{database}"})
        everyone, may_see = patients(), [row for row in patients() if not row["patient_id"].startswith(MARK)]
        seen = pa.schema([PATIENTS.field(name) for name in VISIBLE])
        self.table("clinical", "patient", pa.Table.from_pylist(everyone, PATIENTS))
        self.table("mirrored", "patient", pa.Table.from_pylist([_only(row, VISIBLE) for row in may_see], seen))
        self.table("clinical", "condition", pa.Table.from_pylist(conditions(), CONDITIONS))
        columns = pa.schema([CONDITIONS.field(name) for name in ("patient_id", "code")])
        shown = [_only(row, columns.names) for row in conditions()]
        self.table("mirrored", "condition", pa.Table.from_pylist(shown, columns))
        for database in ("clinical", "mirrored"):
            self.table(database, "annotation", pa.table({"code": ["c1", "c2"], "name": ["one", "two"]}))
        self.table("secret", "forbidden", pa.table({"patient_id": [f"{MARK}-forbidden"], "secret_column": [1]}))

    def table(self, database: str, name: str, rows: pa.Table) -> None:
        """An Iceberg table with these rows in one file: unordered queries give one order."""
        catalog = self.world.iceberg_catalog()
        table = catalog.create_table((database, name), rows.schema, location=f"s3://lake/{database}/{name}")
        table.append(rows)

    def _grants(self) -> None:
        lf = self.world.client("lakeformation")
        for name, row_filter, columns in (
            ("patient", {"FilterExpression": RULE}, list(VISIBLE)),
            ("condition", {"AllRowsWildcard": {}}, ["patient_id", "code"]),
            ("annotation", {"AllRowsWildcard": {}}, ["code", "name"]),
        ):
            key = {"TableCatalogId": ACCOUNT, "DatabaseName": "clinical", "TableName": name, "Name": "persona"}
            lf.create_data_cells_filter(TableData={**key, "RowFilter": row_filter, "ColumnNames": columns})
            self.grant(self.persona, {"DataCellsFilter": key}, "SELECT")
        self.grant(self.persona, {"Database": {"Name": "clinical"}}, "DESCRIBE", "CREATE_TABLE")
        self.grant(self.reader, {"Database": {"Name": "mirrored"}}, "DESCRIBE", "CREATE_TABLE")
        self.grant(self.reader, {"Table": {"DatabaseName": "mirrored", "TableWildcard": {}}}, "SELECT")

    def grant(self, arn: str, resource: dict[str, Any], *permissions: str) -> None:
        principal = {"DataLakePrincipalIdentifier": arn}
        client = self.world.client("lakeformation")
        client.grant_permissions(Principal=principal, Resource=resource, Permissions=list(permissions))

    def views(self) -> None:
        """Views that the persona may select, over tables that it may not see whole; one over a table it may."""
        texts = {
            "closed_view": "SELECT * FROM clinical.patient",
            "column_view": "SELECT patient_id FROM condition",
            "nested_view": "SELECT * FROM clinical.closed_view",
            "blocked_view": "SELECT * FROM secret.forbidden",
            "unshared_view": "SELECT * FROM annotation",
            "open_view": "SELECT code, name FROM annotation",
        }
        columns = {"open_view": (("code", "varchar"), ("name", "varchar"))}
        for name, sql in texts.items():
            view = View(sql, "clinical", columns.get(name, (("patient_id", "varchar"),)))
            self.world.client("glue").create_table(DatabaseName="clinical", TableInput=glue_input(name, view))
            if name != "unshared_view":
                self.grant(self.persona, {"Table": {"DatabaseName": "clinical", "Name": name}}, "SELECT")

    def ask(self, sql: str, arn: str | None = None, database: str = "clinical") -> Answer:
        """The answer to a query and everything that the caller can read about it."""
        who = arn or self.persona
        athena, prefix = self.athena[who], who.rsplit("/", 1)[1] + "/"
        try:
            started = athena.start_query_execution(
                QueryString=sql,
                QueryExecutionContext={"Database": database, "Catalog": "AwsDataCatalog"},
                ResultConfiguration={"OutputLocation": f"s3://results/{prefix}"},
            )
        except ClientError as error:
            return Answer(
                "REFUSED", str(error.response["Error"]["Message"]), (), (), json.dumps(error.response, default=str)
            )
        query_id = started["QueryExecutionId"]
        execution = waited(athena, query_id)
        texts = [json.dumps(execution, default=str).replace(sql, ""), self._files(prefix, query_id)]
        status = execution["Status"]
        if status["State"] != "SUCCEEDED":
            return Answer(status["State"], status["StateChangeReason"], (), (), "\n".join(texts))
        header, rows, text = self._rows(athena, query_id)
        return Answer("SUCCEEDED", "", rows, header, "\n".join([*texts, text]))

    def mirrored(self, sql: str) -> Answer:
        """The same question of the tables that hold only what the persona may see."""
        return self.ask(re.sub(r"\bclinical\b", "mirrored", sql, flags=re.IGNORECASE), self.reader, "mirrored")

    def _rows(self, athena: Any, query_id: str) -> tuple[tuple[str, ...], tuple[tuple[str | None, ...], ...], str]:
        rows: list[tuple[str | None, ...]] = []
        pages = list(athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id))
        for page in pages:
            for row in page["ResultSet"]["Rows"]:
                rows.append(tuple(cell.get("VarCharValue") for cell in row["Data"]))
        text = json.dumps([page["ResultSet"] for page in pages], default=str)
        header = tuple(column["Name"] for column in pages[0]["ResultSet"]["ResultSetMetadata"]["ColumnInfo"])
        return header, tuple(rows), text

    def _files(self, prefix: str, query_id: str) -> str:
        listed = self.s3.list_objects_v2(Bucket="results", Prefix=prefix).get("Contents", [])
        keys = [item["Key"] for item in listed if query_id in item["Key"]]
        bodies = [self.s3.get_object(Bucket="results", Key=key)["Body"].read() for key in keys]
        return "\n".join([*keys, *(body.decode("utf-8", "replace") for body in bodies)])


def _only(row: dict[str, Any], names: Any) -> dict[str, Any]:
    return {name: row[name] for name in names}


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def waited(athena: Any, query_id: str) -> dict[str, Any]:
    for _ in range(600):
        execution: dict[str, Any] = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        if execution["Status"]["State"] in {"SUCCEEDED", "FAILED", "CANCELLED"}:
            return execution
        time.sleep(0.02)
    raise TimeoutError(query_id)
