"""Data sources about where we are and who is calling.

Reads STS and IAM. Make targets: deploy, plan.
Example: data "aws_caller_identity" "this" {}
"""

from localaws.terraform.aws import Aws
from localaws.terraform.values import Values


def caller_identity(aws: Aws, config: Values) -> Values:
    found = aws.identity
    account = found["Account"]
    return {"account_id": account, "id": account, "arn": found["Arn"], "user_id": found["UserId"]}


def partition(aws: Aws, config: Values) -> Values:
    return {"partition": "aws", "id": "aws", "dns_suffix": "amazonaws.com", "reverse_dns_prefix": "com.amazonaws"}


def region(aws: Aws, config: Values) -> Values:
    name = config.get("region") or config.get("name") or aws.region
    endpoint = f"ec2.{name}.amazonaws.com"
    return {"region": name, "name": name, "id": name, "description": name, "endpoint": endpoint}


def session_context(aws: Aws, config: Values) -> Values:
    """The role behind an assumed-role session; other principals are their own issuers."""
    arn = config["arn"]
    if ":assumed-role/" not in arn:
        return {"id": arn, "issuer_arn": arn, "issuer_id": "", "issuer_name": "", "session_name": ""}
    role, session = arn.split(":assumed-role/", 1)[1].split("/", 1)
    found = aws.client("iam").get_role(RoleName=role)["Role"]
    return {
        "id": arn,
        "issuer_arn": found["Arn"],
        "issuer_id": found["RoleId"],
        "issuer_name": role,
        "session_name": session,
    }


SOURCES = {
    "aws_caller_identity": caller_identity,
    "aws_partition": partition,
    "aws_region": region,
    "aws_iam_session_context": session_context,
}
