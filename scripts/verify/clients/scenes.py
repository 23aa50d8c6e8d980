"""What the documentation's commands are run on, in an order in which they can work: one scene a service.

Each scene takes the CLI, boto3 clients of the same AWS and what is there, and runs documented examples with it.

Example: healthlake(cli, clients, there)
"""

import gzip
import json
import time
from collections.abc import Callable, Iterable
from typing import Any

from verify.clients.cli import Cast, Cli

Clients = Callable[[str], Any]
FINAL = {"SUCCEEDED", "FAILED", "CANCELLED", "COMPLETED", "ACTIVE", "DELETED"}
Commands = Iterable[str | tuple[str, int]]


def play(cli: Cli, service: str, cast: Cast, commands: Commands) -> None:
    """Commands in their order; one that has several examples is named with a number."""
    for item in commands:
        command, number = item if isinstance(item, tuple) else (item, 1)
        cli.documented(service, command, cast, number)


def until(ask: Callable[[], str], *wanted: str) -> None:
    """Wait for a status; RuntimeError when it does not come."""
    status = ""
    for _ in range(600):
        status = ask()
        if status in (wanted or FINAL):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{status} instead of {' or '.join(wanted)}")


def healthlake(cli: Cli, clients: Clients, there: Cast) -> None:
    client = clients("healthlake")
    cast = {**there, "s3uri": f"s3://{there['bucket']}/fhir/", "kmskeyid": there["key"]}
    made = cli.documented("healthlake", "create-fhir-datastore", cast)
    cast |= {"datastoreid": made["DatastoreId"], "resourcearn": made["DatastoreArn"]}
    until(
        lambda: client.describe_fhir_datastore(DatastoreId=made["DatastoreId"])["DatastoreProperties"][
            "DatastoreStatus"
        ]
    )
    cli.documented("healthlake", "describe-fhir-datastore", cast)
    cli.documented("healthlake", "list-fhir-datastores", {**cast, "datastorestatus": "ACTIVE"})
    job = cli.documented("healthlake", "start-fhir-import-job", cast)
    cast["jobid"] = job["JobId"]
    until(
        lambda: client.describe_fhir_import_job(DatastoreId=made["DatastoreId"], JobId=job["JobId"])[
            "ImportJobProperties"
        ]["JobStatus"]
    )
    cli.documented("healthlake", "describe-fhir-import-job", cast)
    # The documentation gives this one as a form with blanks.
    cli.call("healthlake", "list-fhir-import-jobs", "--datastore-id", made["DatastoreId"])
    play(cli, "healthlake", cast, ["tag-resource", "list-tags-for-resource", "untag-resource", "delete-fhir-datastore"])


def imaging(cli: Cli, clients: Clients, there: Cast) -> None:
    client = clients("medical-imaging")
    cast = {**there, "inputs3uri": f"s3://{there['bucket']}/dicom/", "outputs3uri": f"s3://{there['bucket']}/out/"}
    store = cli.documented("medical-imaging", "create-datastore", cast)["datastoreId"]
    cast["datastoreid"] = store
    until(lambda: client.get_datastore(datastoreId=store)["datastoreProperties"]["datastoreStatus"])
    play(cli, "medical-imaging", cast, ["get-datastore", "list-datastores"])
    job = cli.documented("medical-imaging", "start-dicom-import-job", cast)["jobId"]
    cast["jobid"] = job
    until(lambda: client.get_dicom_import_job(datastoreId=store, jobId=job)["jobProperties"]["jobStatus"])
    play(cli, "medical-imaging", cast, ["get-dicom-import-job", "list-dicom-import-jobs"])
    image_set = client.search_image_sets(datastoreId=store)["imageSetsMetadataSummaries"][0]
    cast |= {"imagesetid": image_set["imageSetId"], "sourceimagesetid": image_set["imageSetId"]}
    cast["latestversionid"] = lambda: client.get_image_set(datastoreId=store, imageSetId=cast["imagesetid"])[
        "versionId"
    ]
    cast["dicompatientid"] = image_set["DICOMTags"]["DICOMPatientId"]
    play(cli, "medical-imaging", cast, [("search-image-sets", number) for number in (1, 2, 3, 4)])
    cli.documented("medical-imaging", "get-image-set-metadata", cast)
    metadata = json.loads(gzip.decompress(cli.file("studymetadata.json.gz").read_bytes()))
    cast["imageframeid"] = first_frame(metadata)
    cli.documented("medical-imaging", "get-image-frame", cast)
    if not cli.file("imageframe.jph").read_bytes():
        cli.faults.append("aws medical-imaging get-image-frame: the file is empty")
    play(cli, "medical-imaging", cast, [("update-image-set-metadata", number) for number in (1, 2, 4)])
    cli.documented("medical-imaging", "copy-image-set", cast)
    play(cli, "medical-imaging", cast, ["get-image-set", "list-image-set-versions"])
    cast["resourcearn"] = client.get_datastore(datastoreId=store)["datastoreProperties"]["datastoreArn"]
    play(cli, "medical-imaging", cast, ["tag-resource", "list-tags-for-resource", "untag-resource"])
    cli.documented("medical-imaging", "delete-image-set", cast)


def first_frame(metadata: dict[str, Any]) -> str:
    series = next(iter(metadata["Study"]["Series"].values()))
    instance = next(iter(series["Instances"].values()))
    return str(instance["ImageFrames"][0]["ID"])


def athena(cli: Cli, clients: Clients, there: Cast) -> None:
    client = clients("athena")
    cast = {**there, "outputlocation": f"s3://{there['bucket']}/results/", "workgroup": "AthenaAdmin"}
    client.create_work_group(
        Name="AthenaAdmin", Configuration={"ResultConfiguration": {"OutputLocation": cast["outputlocation"]}}
    )
    updates = {"ResultConfigurationUpdates": {"OutputLocation": cast["outputlocation"]}}
    client.update_work_group(WorkGroup="primary", ConfigurationUpdates=updates)
    clients("glue").create_database(DatabaseInput={"Name": "cflogsdatabase"})
    run(client, CLOUDFRONT_LOGS.format(bucket=there["bucket"]))
    started = cli.documented("athena", "start-query-execution", cast)["QueryExecutionId"]
    until(lambda: state(client, started))
    cast["queryexecutionid"] = started
    cast["queryexecutionids"] = started
    play(cli, "athena", cast, [("start-query-execution", 2), ("start-query-execution", 3)])
    play(cli, "athena", cast, ["get-query-execution", "get-query-results", "batch-get-query-execution"])
    play(cli, "athena", cast, ["list-query-executions", "list-work-groups", "create-work-group", "get-work-group"])
    named = cli.documented("athena", "create-named-query", cast)["NamedQueryId"]
    cast |= {"namedqueryid": named, "namedqueryids": named}
    play(cli, "athena", cast, ["get-named-query", "list-named-queries", "batch-get-named-query"])
    cast |= {"databasename": "cflogsdatabase", "tablename": "cloudfront_logs", "catalogname": "AwsDataCatalog"}
    play(cli, "athena", cast, ["get-database", "list-databases", "get-table-metadata", "list-table-metadata"])
    play(cli, "athena", cast, ["list-data-catalogs", "update-work-group"])
    cast["resourcearn"] = f"arn:aws:athena:us-east-1:{there['catalogid']}:workgroup/AthenaAdmin"
    play(cli, "athena", cast, ["tag-resource", "list-tags-for-resource", "untag-resource", "delete-named-query"])
    saved = ["--statement-name", "by_status", "--work-group", "AthenaAdmin"]
    cli.call("athena", "create-prepared-statement", *saved, "--query-statement", "SELECT ? AS status")
    cli.call("athena", "get-prepared-statement", *saved)
    cli.call("athena", "list-prepared-statements", "--work-group", "AthenaAdmin")
    cli.call("athena", "delete-prepared-statement", *saved)


CLOUDFRONT_LOGS = """CREATE TABLE cflogsdatabase.cloudfront_logs WITH (format = 'PARQUET',
external_location = 's3://{bucket}/logs/') AS SELECT date '2014-07-05' AS date, 'SFO4' AS location, 'Lynx' AS browser,
'/test-image-3.jpeg' AS uri, 200 AS status, 'GET' AS method"""


def run(client: Any, statement: str) -> None:
    place = {"OutputLocation": statement.split("external_location = '")[1].split("'")[0].replace("logs", "results")}
    asked = client.start_query_execution(QueryString=statement, ResultConfiguration=place)["QueryExecutionId"]
    until(lambda: state(client, asked), "SUCCEEDED")


def state(client: Any, query: str) -> str:
    return str(client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]["State"])


def glue(cli: Cli, clients: Clients, there: Cast) -> None:
    client = clients("glue")
    cast = {
        **there,
        "scriptlocation": f"s3://{there['bucket']}/script.py",
        "location": f"s3://{there['bucket']}/tables/",
    }
    play(cli, "glue", cast, ["create-database", "get-databases", "create-table"])
    play(cli, "glue", {**cast, "databasename": "tempdb"}, ["get-tables"])
    play(cli, "glue", cast, ["create-job"])
    cast["jobname"] = "my-testing-job"
    client.update_job(JobName="my-testing-job", JobUpdate={"Role": there["role"], "Command": there["jobcommand"]})
    started = cli.documented("glue", "start-job-run", cast)["JobRunId"]
    until(lambda: client.get_job_run(JobName="my-testing-job", RunId=started)["JobRun"]["JobRunState"])
    play(cli, "glue", {**cast, "runid": started}, ["get-job-run", "get-job-runs", "get-job"])
    play(cli, "glue", {**cast, "jobrunids": started}, ["batch-stop-job-run", "delete-job"])


def lakeformation(cli: Cli, clients: Clients, there: Cast) -> None:
    arn = f"arn:aws:s3:::{there['bucket']}/governed"
    admins = [{"DataLakePrincipalIdentifier": clients("sts").get_caller_identity()["Arn"]}]
    cast = {**there, "datalakeprincipalidentifier": there["rolearn"], "resourcearn": arn, "datalakeadmins": admins}
    tables = {
        "dl_tpc_promotion": PROMOTION,
        "dl_tpc_customer": ["c_customer_id"],
        "dl_tpc_household_demographics": ["hd"],
    }
    clients("glue").create_database(DatabaseInput={"Name": "tpc"})
    for table, columns in tables.items():
        listed = [{"Name": column, "Type": "string"} for column in columns]
        storage = {"Columns": listed, "Location": f"s3://{there['bucket']}/tpc/{table}/"}
        clients("glue").create_table(DatabaseName="tpc", TableInput={"Name": table, "StorageDescriptor": storage})
    play(cli, "lakeformation", cast, ["put-data-lake-settings", "get-data-lake-settings"])
    play(cli, "lakeformation", {**cast, "usservicelinkedrole": True}, ["register-resource", "list-resources"])
    for key, values in (("usergroup", ["analyst", "developer", "campaign"]), ("category", ["private", "public"])):
        clients("lakeformation").create_lf_tag(TagKey=key, TagValues=values)
    clients("lakeformation").delete_lf_tag(TagKey="usergroup")
    play(
        cli,
        "lakeformation",
        cast,
        [
            "create-lf-tag",
            "get-lf-tag",
            "list-lf-tags",
            "update-lf-tag",
        ],
    )
    play(cli, "lakeformation", cast, ["add-lf-tags-to-resource", "remove-lf-tags-from-resource"])
    play(cli, "lakeformation", cast, [("grant-permissions", number) for number in (2, 3, 4, 5)])
    play(cli, "lakeformation", cast, [("create-data-cells-filter", number) for number in (1, 2, 3)])
    play(cli, "lakeformation", cast, ["list-data-cells-filter", "batch-grant-permissions"])
    play(cli, "lakeformation", cast, [("list-permissions", number) for number in (1, 2, 3)])
    cli.documented("lakeformation", "batch-revoke-permissions", cast)
    promotion = {"Table": {"DatabaseName": "tpc", "Name": "dl_tpc_promotion"}}
    principal = {"DataLakePrincipalIdentifier": there["rolearn"]}
    clients("lakeformation").grant_permissions(Principal=principal, Resource=promotion, Permissions=["ALL"])
    play(cli, "lakeformation", cast, ["revoke-permissions", "delete-data-cells-filter"])
    play(cli, "lakeformation", cast, ["delete-lf-tag", "deregister-resource"])


PROMOTION = ["p_channel_details", "p_start_date_sk", "p_end_date_sk", "p_promo_name", "p_promo_id"]


def omics(cli: Cli, clients: Clients, there: Cast) -> None:
    client, cast = clients("omics"), {**there, "sourcefile": f"s3://{there['bucket']}/omics/reference.fasta"}
    store = cli.documented("omics", "create-reference-store", cast)["id"]
    cast |= {"referencestoreid": store, "id": store}
    play(cli, "omics", cast, ["get-reference-store", "list-reference-stores"])
    job = cli.documented("omics", "start-reference-import-job", cast)["id"]
    until(lambda: client.get_reference_import_job(referenceStoreId=store, id=job)["status"])
    play(
        cli, "omics", {**cast, "id": job}, ["get-reference-import-job", "list-reference-import-jobs", "list-references"]
    )
    reference = client.list_references(referenceStoreId=store)["references"][0]
    cast |= {"id": reference["id"], "referencearn": reference["arn"], "source": f"s3://{there['bucket']}/omics/a.vcf"}
    cli.documented("omics", "get-reference-metadata", cast)
    del cast["id"]
    play(cli, "omics", cast, ["create-variant-store"])
    until(lambda: client.get_variant_store(name="my_var_store")["status"])
    play(cli, "omics", cast, ["get-variant-store", "list-variant-stores", "update-variant-store"])
    job = cli.documented("omics", "start-variant-import-job", cast)["jobId"]
    until(lambda: client.get_variant_import_job(jobId=job)["status"])
    play(cli, "omics", {**cast, "jobid": job}, ["get-variant-import-job", "list-variant-import-jobs"])
    play(cli, "omics", cast, ["create-annotation-store"])
    until(lambda: client.get_annotation_store(name="my_ann_store")["status"])
    play(cli, "omics", {**cast, "name": "my_ann_store"}, ["get-annotation-store", "list-annotation-stores"])
    job = cli.documented("omics", "start-annotation-import-job", {**cast, "destinationname": "my_ann_store"})["jobId"]
    until(lambda: client.get_annotation_import_job(jobId=job)["status"])
    play(cli, "omics", {**cast, "jobid": job}, ["get-annotation-import-job", "list-annotation-import-jobs"])
    cast["resourcearn"] = client.get_variant_store(name="my_var_store")["storeArn"]
    play(cli, "omics", cast, ["tag-resource", "list-tags-for-resource", "untag-resource", "delete-variant-store"])
    play(cli, "omics", {**cast, "name": "my_ann_store"}, ["delete-annotation-store"])


SCENES = {
    "healthlake": healthlake,
    "medical-imaging": imaging,
    "athena": athena,
    "glue": glue,
    "lakeformation": lakeformation,
    "omics": omics,
}
