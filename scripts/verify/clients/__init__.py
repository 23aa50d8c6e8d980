"""Clients as they are, against a localaws of its own process: the AWS CLI, awswrangler, DuckDB and pyiceberg.

Starts `python -m localaws` as `make local-aws` does, in a temporary folder. The AWS CLI runs the commands that AWS's
documentation shows for each service, and prints what the documentation prints. `make setup-engines` brings the AWS CLI.

Example: python -m verify --only clients
"""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localaws.connection import Credentials
from localaws.installed import EnginesMissing, installed_engines
from localaws.world import make_client
from trilake.core.session import environment_variables
from verify.clients import outside, wrangler
from verify.clients.cli import Cast, Cli
from verify.clients.scenes import SCENES
from verify.tier import Failed, NotRun, Tier
from verify.wire.there import PATIENT, a_picture

Say = Callable[[str], None]


def run(say: Say) -> str:
    packages = cli_packages()
    with (
        tempfile.TemporaryDirectory() as name,
        foreground(Path(name) / "state") as variables,
        environment_variables(**variables),
    ):
        clients = client_maker(variables)
        there = furnished(clients)
        n_commands, faults = commands(packages, variables, clients, there, Path(name), say)
        faults += outside.read(variables, clients, there["bucket"], Path(name))
        say("pyiceberg and DuckDB read and wrote from outside")
        n_groups, more = wrangler.calls(there["bucket"])
        say(f"awswrangler: {n_groups} groups of calls")
    faults += more
    if faults:
        raise Failed("\n".join([f"{len(faults)} differences", *faults]))
    return f"{n_commands} commands of the AWS CLI as documented; awswrangler, pyiceberg and DuckDB agree with Athena"


def cli_packages() -> Path:
    """Where `make setup-engines` put the AWS CLI; NotRun when it has not."""
    try:
        return installed_engines().awscli_path
    except EnginesMissing as error:
        raise NotRun(str(error)) from error


@contextmanager
def foreground(state: Path) -> Iterator[dict[str, str]]:
    """A localaws as `make local-aws` starts it, and the variables that it prints."""
    command = [sys.executable, "-m", "localaws", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        variables = {}
        for line in process.stdout:
            if line.startswith("export "):
                name, _, value = line.removeprefix("export ").strip().partition("=")
                variables[name] = value
            if line.startswith("unset"):
                break
        try:
            yield variables
        finally:
            process.terminate()
            process.wait(60)


def client_maker(variables: dict[str, str]) -> Callable[[str], Any]:
    """boto3 clients of that AWS, one a service."""
    keys = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    made: dict[str, Any] = {}
    lock = threading.Lock()

    def client(service: str) -> Any:
        with lock:
            if service not in made:
                made[service] = make_client(service, variables["AWS_ENDPOINT_URL"], keys)
            return made[service]

    return client


def furnished(clients: Callable[[str], Any]) -> Cast:
    """A bucket with files, a role that services may take, a key: what documented commands name."""
    bucket, account = "amzn-s3-demo-bucket", clients("sts").get_caller_identity()["Account"]
    s3 = clients("s3")
    s3.create_bucket(Bucket=bucket)
    blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(blocked, True))
    s3.put_object(Bucket=bucket, Key="fhir/Patient.ndjson", Body=json.dumps(PATIENT).encode())
    s3.put_object(Bucket=bucket, Key="dicom/a.dcm", Body=a_picture())
    s3.put_object(Bucket=bucket, Key="script.py", Body=b"")
    s3.put_object(Bucket=bucket, Key="omics/reference.fasta", Body=b">chr1\n" + b"ACGT" * 10 + b"\n")
    s3.put_object(Bucket=bucket, Key="omics/a.vcf", Body=VCF)
    role = clients("iam").create_role(RoleName="service-role", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"][
        "Arn"
    ]
    clients("iam").put_role_policy(RoleName="service-role", PolicyName="all", PolicyDocument=json.dumps(RIGHTS))
    key = clients("kms").create_key()["KeyMetadata"]["Arn"]
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{bucket}/script.py", "PythonVersion": "3.9"}
    return {
        "bucket": bucket,
        "dataaccessrolearn": role,
        "rolearn": role,
        "role": role,
        "key": key,
        "catalogid": account,
        "tablecatalogid": account,
        "jobcommand": command,
    }


VCF = (
    b'##fileformat=VCFv4.3\n##contig=<ID=chr1>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="x">\n'
    b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\nchr1\t2\t.\tC\tT\t50\tPASS\t.\tGT\t0/1\n"
)
SERVICES = ("glue", "healthlake", "medical-imaging", "omics", "lakeformation")
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": [f"{name}.amazonaws.com" for name in SERVICES]},
        }
    ],
}
RIGHTS = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def commands(
    packages: Path, variables: dict[str, str], clients: Callable[[str], Any], there: Cast, folder: Path, say: Say
) -> tuple[int, list[str]]:
    """Every scene, two at a time: commands run, and what is not as documented."""

    def play(service: str) -> Cli:
        place = folder / service
        place.mkdir()
        cli = Cli(packages, variables, place)
        try:
            SCENES[service](cli, clients, dict(there))
        except (ClientError, KeyError, RuntimeError) as stopped:
            cli.faults.append(f"aws {service}: the scene ends early: {type(stopped).__name__} {stopped}")
        say(f"aws {service}: {cli.n_run} commands")
        return cli

    with ThreadPoolExecutor(2) as pool:
        played = list(pool.map(play, SCENES))
    return sum(cli.n_run for cli in played), [fault for cli in played for fault in cli.faults]


TIER = Tier(
    "clients", "the AWS CLI, awswrangler, DuckDB and pyiceberg find the AWS that their documentation shows", run
)
