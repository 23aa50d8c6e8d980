"""The reference genome of HealthOmics stores: imported once by `trilake deploy`, told to Terraform ever after.

A variant store cannot be made without a reference, and no resource type imports one. So a first deployment makes the
reference store, the reference is imported from `reference_fasta`, and a second apply makes the stores that refer to it.
An account that has a reference already names it (`healthomics.reference_arn`), and none of this happens.

Reads the environment's tfvars, HealthOmics and the FASTA; writes s3://<raw>/genomic/reference/, the reference store and
trilake.auto.tfvars.json beside the checkout's Terraform. Make targets: deploy, plan.
Example: tell_terraform(session, terraform, "prod")
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from trilake.core.errors import InputError, ServiceError, TrilakeError
from trilake.core.glue_job import Polling, bucket_and_key
from trilake.core.paths import TERRAFORM
from trilake.core.session import Session
from trilake.core.settings import Settings
from trilake.core.terraform import Plan, Terraform

HOSTED = "healthomics"
STORE_TYPE = "awscc_omics_reference_store"
VARIABLE = "TF_VAR_genomic_backend"
TOLD_FILE = "trilake.auto.tfvars.json"
RUNNING = {"SUBMITTED", "IN_PROGRESS"}
LARGEST = 15 * 10**9
BACK = 'set genomic_backend = "healthomics" again; terraform/README.md says how to leave the stores'
CHOSEN = re.compile(r'^\s*genomic_backend\s*=\s*"(\w+)"', re.MULTILINE)
LEAVING = re.compile(r"Instance cannot be destroyed.*awscc_omics_\w+_store", re.DOTALL)
CLOSED = re.compile(r"AWS::Omics::(Variant|Annotation)Store\b.*(AccessDenied|no longer open)", re.DOTALL)


def chosen_backend(environment: str) -> str:
    """The genomic backend that an environment's tfvars, or TF_VAR_genomic_backend, choose."""
    path = TERRAFORM / "environments" / f"{environment}.tfvars"
    found = CHOSEN.search(path.read_text()) if path.exists() else None
    return found[1] if found else os.environ.get(VARIABLE, "iceberg")


def tell_terraform(session: Session, terraform: Terraform, environment: str) -> None:
    """Hand Terraform the reference that an earlier deployment imported, wherever that one ran."""
    arn = None
    if chosen_backend(environment) == HOSTED:
        arn = imported_reference(session, f"trilake_{environment}_genomic")
    write_told(terraform, arn)


def write_told(terraform: Terraform, arn: str | None) -> None:
    path = terraform.tree / TOLD_FILE
    if arn is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(json.dumps({"healthomics": {"imported_reference_arn": arn}}) + "\n")


def imported_reference(session: Session, store_name: str) -> str | None:
    """The reference of a store that a deployment made; None while there is none."""
    found = held_reference(session, store_name)
    return str(found["arn"]) if found else None


def held_reference(session: Session, store_name: str) -> dict[str, Any] | None:
    omics = session.client("omics")
    stores = omics.list_reference_stores(filter={"name": store_name})["referenceStores"]
    references = omics.list_references(referenceStoreId=stores[0]["id"])["references"] if stores else []
    return references[0] if references else None


def release_reference(session: Session, plan: Plan, environment: str) -> None:
    """Delete the imported reference when a plan removes its store, which HealthOmics keeps until it is empty.

    ServiceError when something still uses the reference.
    """
    changes = plan.content.get("resource_changes", [])
    is_leaving = any(one["type"] == STORE_TYPE and one["change"]["actions"] == ["delete"] for one in changes)
    found = held_reference(session, f"trilake_{environment}_genomic") if is_leaving else None
    if found is None:
        return
    try:
        session.client("omics").delete_reference(referenceStoreId=found["referenceStoreId"], id=found["id"])
    except ClientError as error:
        told = error.response["Error"]["Message"]
        raise ServiceError(f"The reference {found['name']} cannot go: {told}", next_step=BACK) from None


def awaits_reference(settings: Settings) -> bool:
    """Whether a deployment has made a reference store that nothing is in yet."""
    stores = settings.genomic.healthomics
    return stores is not None and stores.reference_store_id is not None and stores.reference_arn is None


def import_reference(session: Session, settings: Settings, say: Callable[[str], None]) -> str:
    """Import `reference_fasta` as the reference of the stores to come; its ARN. A running import is waited for.

    InputError for a file that is not there or too large, ServiceError with HealthOmics' words when it refuses it.
    """
    genomic, omics = settings.genomic, session.client("omics")
    assert genomic.healthomics is not None and genomic.healthomics.reference_store_id is not None
    store = genomic.healthomics.reference_store_id
    jobs = omics.list_reference_import_jobs(referenceStoreId=store)["importJobs"]
    running = [job["id"] for job in jobs if job["status"] in RUNNING]
    if not running:
        source = {"sourceFile": staged(session, settings), "name": genomic.reference_genome}
        say(f"  HealthOmics imports the reference {genomic.reference_genome}")
        answer = omics.start_reference_import_job(
            referenceStoreId=store, roleArn=genomic.healthomics.import_role_arn, sources=[source]
        )
        running = [answer["id"]]
    job = ended(omics, store, running[0])
    (source,) = job["sources"]
    if job["status"] != "COMPLETED":
        told = source.get("statusMessage") or job.get("statusMessage", "no message")
        raise ServiceError(f"HealthOmics did not import the reference: {told}", next_step="mend reference_fasta")
    found = omics.get_reference_metadata(referenceStoreId=store, id=source["referenceId"])
    return str(found["arn"])


def ended(omics: Any, store: str, job_id: str) -> dict[str, Any]:
    polling = Polling()
    while True:
        job: dict[str, Any] = omics.get_reference_import_job(referenceStoreId=store, id=job_id)
        if job["status"] not in RUNNING:
            return job
        polling.pause()


def staged(session: Session, settings: Settings) -> str:
    """The FASTA at a place that the import role may read."""
    given, s3 = str(settings.genomic.reference_fasta), session.client("s3")
    target = {"Bucket": settings.core.raw_bucket, "Key": f"genomic/reference/{Path(given).name}"}
    if given.startswith("s3://"):
        bucket, key = bucket_and_key(given)
        try:
            n_bytes = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
        except ClientError as error:
            raise InputError(f"reference_fasta {given}: {error.response['Error']['Message']}") from None
        check_size(given, n_bytes)
        s3.copy({"Bucket": bucket, "Key": key}, target["Bucket"], target["Key"])
    else:
        path = Path(given).expanduser()
        if not path.is_file():
            raise InputError(f"reference_fasta {given} does not exist", next_step="name a FASTA file or s3:// address")
        check_size(given, path.stat().st_size)
        s3.upload_file(str(path), target["Bucket"], target["Key"])
    return f"s3://{target['Bucket']}/{target['Key']}"


def check_size(name: str, n_bytes: int) -> None:
    if n_bytes > LARGEST:
        raise InputError(f"{name} has {n_bytes:,} bytes; HealthOmics takes references of {LARGEST:,} at most")


def explained(error: TrilakeError) -> TrilakeError:
    """Terraform's words on HealthOmics' stores with what to do about them; any other error as it is."""
    if CLOSED.search(error.message):
        return ServiceError(
            f"{error.message}\n\nThis account may not open HealthOmics variant and annotation stores: they are closed "
            "to accounts that did not use them before 2025-11-07.",
            next_step='set genomic_backend = "iceberg" in the environment\'s tfvars (or TF_VAR_genomic_backend), then '
            "make deploy ARGS=--despite-review: the review names the reference store that goes again, which holds no "
            "patient's data",
        )
    if LEAVING.search(error.message):
        return ServiceError(
            f"{error.message}\n\nThe variants of this environment lie in HealthOmics stores, and genomic_backend no "
            "longer says so.",
            next_step=BACK,
        )
    return error
