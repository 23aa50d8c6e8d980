"""What the wire tier finds in its AWS: a role, a bucket with files, a database, queries, stores, an image set.

Writes to the AWS it is given. Example: `seeds = furnish(world)` gives names and ids by service.
"""

import io
import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from localaws.world import World

BUCKET, DATABASE, TABLE, GROUP, JOB, ROLE = "wire-data", "wire", "facts", "wire", "wire-job", "wire-role"
SERVICES = ("glue", "healthlake", "medical-imaging", "omics", "lakeformation")
QUERIES = (
    f"SELECT * FROM {DATABASE}.{TABLE}",
    "SELECT 1",
    "SELEC",
    f"CREATE TABLE {DATABASE}.copy AS SELECT 1 AS a",
    "SHOW TABLES IN wire",
    "EXECUTE wire",
)
PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female"}
Seeds = dict[str, dict[str, list[str]]]


def furnish(world: World) -> Seeds:
    """Names and ids that requests may use, by boto3 name of the service and member name."""
    role = _role(world)
    _files(world)
    _catalog(world, role)
    shared = {
        "roleArn": [role],
        "dataAccessRoleArn": [role],
        "role": [role],
        "S3Uri": [f"s3://{BUCKET}/fhir/", f"s3://{BUCKET}/out/"],
        "inputS3Uri": [f"s3://{BUCKET}/dicom/"],
        "outputS3Uri": [f"s3://{BUCKET}/out/"],
        "OutputLocation": [f"s3://{BUCKET}/results/"],
        "Location": [f"s3://{BUCKET}/facts/"],
        "LocationUri": [f"s3://{BUCKET}/db/"],
        "CatalogId": [world.account_id],
        "ResourceArn": [f"arn:aws:s3:::{BUCKET}"],
    }
    of_catalog = {
        "Database": [DATABASE],
        "DatabaseName": [DATABASE],
        "TableName": [TABLE],
        "TablesToDelete": [TABLE],
        "Name": [DATABASE, TABLE, GROUP, JOB],
        "JobName": [JOB],
        "Expression": ["kind = 'a'", "kind IN ('a', 'b')", "kind LIKE"],
        "Values": ["a"],
        "PartitionValues": ["a"],
        "Type": ["string", "bigint", "array<struct<a:int,b:string>>", "no type"],
        "ScriptLocation": [f"s3://{BUCKET}/script.py"],
        "DataLakePrincipalIdentifier": [role, "IAM_ALLOWED_PRINCIPALS"],
        "FilterExpression": ["kind = 'a'", "kind ="],
        "ColumnName": ["kind", "value"],
        "TableCatalogId": [world.account_id],
        "TagKey": ["wire"],
        "TagValue": ["a", "b"],
    }
    return {
        "athena": {**shared, **of_catalog, **_athena(world)},
        "glue": {**shared, **of_catalog},
        "lakeformation": {**shared, **of_catalog},
        "healthlake": {**shared, **_healthlake(world)},
        "medical-imaging": {**shared, **_imaging(world, role)},
        "cloudcontrol": _cloudcontrol(world),
        "omics": {**shared, "source": [f"s3://{BUCKET}/a.vcf.gz"], "sourceFile1": [f"s3://{BUCKET}/a.fastq.gz"]},
    }


def _role(world: World) -> str:
    trusted = {"Service": [f"{name}.amazonaws.com" for name in SERVICES]}
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}],
    }
    rights = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam = world.client("iam")
    arn: str = iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.put_role_policy(RoleName=ROLE, PolicyName="all", PolicyDocument=json.dumps(rights))
    return arn


def _files(world: World) -> None:
    s3 = world.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_public_access_block(
        Bucket=BUCKET,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    s3.put_object(Bucket=BUCKET, Key="fhir/Patient.ndjson", Body=json.dumps(PATIENT).encode())
    s3.put_object(Bucket=BUCKET, Key="dicom/a.dcm", Body=a_picture())
    s3.put_object(Bucket=BUCKET, Key="script.py", Body=b"")


def a_picture() -> bytes:
    """A DICOM instance of 8 by 8 pixels."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    data = Dataset()
    data.file_meta = meta
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.StudyInstanceUID, data.SeriesInstanceUID = generate_uid(), generate_uid()
    data.PatientID, data.PatientName, data.Modality = "p1", "WIRE^TIER", "OT"
    data.PatientSex, data.PatientBirthDate, data.StudyID, data.StudyDescription = "F", "19700101", "1", "WIRE"
    data.StudyDate, data.StudyTime, data.AccessionNumber = "20260102", "030405", "1"
    data.Rows = data.Columns = 8
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.PixelData = np.arange(64, dtype="uint16").tobytes()
    file = io.BytesIO()
    data.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _catalog(world: World, role: str) -> None:
    glue, lake = world.client("glue"), world.client("lakeformation")
    glue.create_database(DatabaseInput={"Name": DATABASE})
    columns = [{"Name": "value", "Type": "bigint"}]
    serde = {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"}
    place = {"Columns": columns, "Location": f"s3://{BUCKET}/facts/", "SerdeInfo": serde}
    table = {"Name": TABLE, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": place}
    keys = [{"Name": "kind", "Type": "string"}]
    glue.create_table(DatabaseName=DATABASE, TableInput={**table, "PartitionKeys": keys})
    partition = {"Values": ["a"], "StorageDescriptor": place}
    glue.create_partition(DatabaseName=DATABASE, TableName=TABLE, PartitionInput=partition)
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{BUCKET}/script.py", "PythonVersion": "3.9"}
    glue.create_job(Name=JOB, Role=role, Command=command)
    admins = [{"DataLakePrincipalIdentifier": world.client("sts").get_caller_identity()["Arn"]}]
    lake.put_data_lake_settings(DataLakeSettings={"DataLakeAdmins": admins})
    lake.create_lf_tag(TagKey="wire", TagValues=["a", "b"])


def _athena(world: World) -> dict[str, list[str]]:
    athena = world.client("athena")
    place = {"OutputLocation": f"s3://{BUCKET}/results/"}
    athena.create_work_group(Name=GROUP, Configuration={"ResultConfiguration": place})
    athena.create_prepared_statement(StatementName="wire", WorkGroup=GROUP, QueryStatement="SELECT 1")
    named = athena.create_named_query(Name="wire", Database=DATABASE, QueryString="SELECT 1", WorkGroup=GROUP)
    started = athena.start_query_execution(QueryString=QUERIES[0], WorkGroup=GROUP)["QueryExecutionId"]
    _until(
        lambda: athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]["State"], "SUCCEEDED"
    )
    arn = f"arn:aws:athena:{world.region}:{world.account_id}:workgroup/{GROUP}"
    return {
        "WorkGroup": [GROUP],
        "StatementName": ["wire"],
        "NamedQueryId": [named["NamedQueryId"]],
        "QueryExecutionId": [started],
        "QueryString": list(QUERIES),
        "QueryStatement": list(QUERIES),
        "CatalogName": ["AwsDataCatalog"],
        "Catalog": ["AwsDataCatalog"],
        "ResourceARN": [arn],
    }


def _healthlake(world: World) -> dict[str, list[str]]:
    client = world.client("healthlake")
    store = client.create_fhir_datastore(DatastoreName="wire", DatastoreTypeVersion="R4")
    store_id = store["DatastoreId"]
    _until(
        lambda: client.describe_fhir_datastore(DatastoreId=store_id)["DatastoreProperties"]["DatastoreStatus"], "ACTIVE"
    )
    return {"DatastoreId": [store_id], "ResourceARN": [store["DatastoreArn"]]}


def _imaging(world: World, role: str) -> dict[str, list[str]]:
    client = world.client("medical-imaging")
    store = client.create_datastore(datastoreName="wire")["datastoreId"]
    _until(lambda: client.get_datastore(datastoreId=store)["datastoreProperties"]["datastoreStatus"], "ACTIVE")
    job = client.start_dicom_import_job(
        datastoreId=store,
        dataAccessRoleArn=role,
        inputS3Uri=f"s3://{BUCKET}/dicom/",
        outputS3Uri=f"s3://{BUCKET}/out/",
        clientToken="wire",
    )["jobId"]
    _until(lambda: client.get_dicom_import_job(datastoreId=store, jobId=job)["jobProperties"]["jobStatus"], "COMPLETED")
    found = client.search_image_sets(datastoreId=store)["imageSetsMetadataSummaries"][0]["imageSetId"]
    arn = client.get_datastore(datastoreId=store)["datastoreProperties"]["datastoreArn"]
    return {
        "datastoreId": [store],
        "jobId": [job],
        "imageSetId": [found],
        "resourceArn": [arn],
        "latestVersionId": ["1"],
    }


def _cloudcontrol(world: World) -> dict[str, list[str]]:
    return {
        "TypeName": ["AWS::HealthImaging::Datastore", "AWS::HealthLake::FHIRDatastore", "AWS::No::Such"],
        "DesiredState": ["{}", '{"DatastoreName": "cc"}', "[]", "no JSON"],
        "PatchDocument": ["[]", '[{"op": "replace", "path": "/DatastoreName", "value": "x"}]', "{}", '[{"op": 1}]'],
    }


def _until(ask: Callable[[], Any], wanted: str) -> None:
    """Wait for a status; RuntimeError when it does not come."""
    for _ in range(600):
        found = ask()
        if found == wanted:
            return
        time.sleep(0.05)
    raise RuntimeError(f"{found} instead of {wanted}")
