"""A lake whose variants lie in HealthOmics stores, as terraform/modules/healthomics makes them.

Example: build_hosted(stores)
"""

import json
import time
from collections.abc import Callable
from typing import Any

from tests.lake import NAMES
from trilake.core.session import SETTINGS_FILE, Session

REFERENCE = ">1\n" + "A" * 400 + "\n"


def build_hosted(session: Session, reference: str = REFERENCE) -> None:
    """Reference, variant and annotation store; settings that choose them."""
    omics, s3 = session.client("omics"), session.client("s3")
    role = a_role(session)
    s3.put_object(Bucket=NAMES["raw"], Key="genomic/reference/r.fa", Body=reference.encode())
    store = omics.create_reference_store(name="test")["id"]
    source = {"sourceFile": f"s3://{NAMES['raw']}/genomic/reference/r.fa", "name": "GRCh38"}
    job = omics.start_reference_import_job(referenceStoreId=store, roleArn=role, sources=[source])["id"]
    settled(lambda: omics.get_reference_import_job(referenceStoreId=store, id=job))
    arn = omics.list_references(referenceStoreId=store)["references"][0]["arn"]
    found = {"import_role_arn": role, "reference_store_id": store, "reference_arn": arn}
    for kind, options in (("variant", {}), ("annotation", {"storeFormat": "VCF"})):
        name = f"test_{kind}"
        getattr(omics, f"create_{kind}_store")(name=name, reference={"referenceArn": arn}, **options)
        made = settled(lambda kind=kind, name=name: getattr(omics, f"get_{kind}_store")(name=name))
        found |= {f"{kind}_store": name, f"{kind}_store_id": made["id"]}
    choose(session, backend="healthomics", healthomics=found)


def choose(session: Session, **genomic: Any) -> None:
    """Change the settings of the room genomic."""
    path = session.folder / SETTINGS_FILE
    values = json.loads(path.read_text())
    values["genomic"] |= genomic
    path.write_text(json.dumps(values))
    session.__dict__.pop("settings", None)


def a_role(session: Session) -> str:
    iam = session.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "omics.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName="test-omics", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))["Role"]
    place = [f"arn:aws:s3:::{NAMES['raw']}/genomic/{folder}/*" for folder in ("healthomics", "reference")]
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": place}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    iam.put_role_policy(RoleName="test-omics", PolicyName="read", PolicyDocument=policy)
    return str(role["Arn"])


def settled(look: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while (found := look())["status"] in {"SUBMITTED", "IN_PROGRESS", "CREATING"} and time.monotonic() < deadline:
        time.sleep(0.02)
    return found
