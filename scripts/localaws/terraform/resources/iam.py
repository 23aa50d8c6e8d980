"""IAM roles, managed policies, inline policies of roles, attachments.

Reads and writes IAM. Make targets: deploy, plan, destroy.
Example: resource "aws_iam_role" "job" { assume_role_policy = data.aws_iam_policy_document.trust.json }
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from localaws.terraform.aws import Aws
from localaws.terraform.resource import Resource
from localaws.terraform.resources.tags import as_list, as_map, observed_tags, retag, wanted_tags
from localaws.terraform.values import Problem, Values


def check_policy(config: Values, name: str) -> list[Problem]:
    """A JSON policy as far as it is known: JSON, with statements."""
    text = config.get(name)
    if not isinstance(text, str):
        return []
    try:
        policy = json.loads(text)
    except ValueError as error:
        return [Problem(f"{name} is no JSON", str(error), (name,))]
    if not isinstance(policy, dict) or "Statement" not in policy:
        return [Problem(f"{name} has no Statement", "A policy is an object with Version and Statement.", (name,))]
    return []


def as_text(document: Any) -> str:
    """A policy document as the text that was sent: boto3 hands it out parsed, or URL-encoded."""
    return unquote(document) if isinstance(document, str) else json.dumps(document)


def generated(wanted: Values) -> str:
    """The name that is given, or one that begins with the prefix that is given."""
    return str(wanted.get("name") or f"{wanted.get('name_prefix') or 'terraform-'}{uuid.uuid4().hex[:26]}")


class Role(Resource):
    """aws_iam_role. Inline and managed policies are resources of their own."""

    type_name = "aws_iam_role"
    replaces = frozenset({"name", "name_prefix", "path"})
    defaults = {"force_detach_policies": False, "max_session_duration": 3600, "path": "/"}
    json_arguments = frozenset({"assume_role_policy"})
    imported_as = ("name",)

    def check(self, config: Values) -> list[Problem]:
        problems = check_policy(config, "assume_role_policy")
        for name in ("inline_policy", "managed_policy_arns"):
            if config.get(name):
                detail = "Use aws_iam_role_policy or aws_iam_role_policy_attachment: the argument is deprecated."
                problems.append(Problem(f"{name} is not made on the laptop", detail, (name,)))
        return problems

    def create(self, aws: Aws, wanted: Values) -> str:
        options = {
            "Description": wanted.get("description"),
            "PermissionsBoundary": wanted.get("permissions_boundary"),
            "Tags": as_list(wanted_tags(wanted)),
        }
        created = aws.client("iam").create_role(
            RoleName=generated(wanted),
            Path=wanted["path"],
            AssumeRolePolicyDocument=wanted["assume_role_policy"],
            MaxSessionDuration=int(wanted["max_session_duration"]),
            **{name: value for name, value in options.items() if value},
        )
        return str(created["Role"]["RoleName"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        found = aws.client("iam").get_role(RoleName=state["id"])["Role"]
        return {
            "name": found["RoleName"],
            "name_prefix": state.get("name_prefix") or "",
            "arn": found["Arn"],
            "path": found["Path"],
            "unique_id": found["RoleId"],
            "create_date": found["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "description": found.get("Description", ""),
            "assume_role_policy": as_text(found["AssumeRolePolicyDocument"]),
            "max_session_duration": found.get("MaxSessionDuration", 3600),
            "permissions_boundary": found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            "managed_policy_arns": [],
            **observed_tags(as_map(found.get("Tags")), state),
        }

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        iam, role = aws.client("iam"), {"RoleName": wanted["id"]}
        if before.get("assume_role_policy") != wanted.get("assume_role_policy"):
            iam.update_assume_role_policy(**role, PolicyDocument=wanted["assume_role_policy"])
        if any(before.get(name) != wanted.get(name) for name in ("description", "max_session_duration")):
            duration = int(wanted["max_session_duration"])
            iam.update_role(**role, Description=wanted.get("description") or "", MaxSessionDuration=duration)
        if before.get("permissions_boundary") != wanted.get("permissions_boundary"):
            boundary = wanted.get("permissions_boundary")
            if boundary:
                iam.put_role_permissions_boundary(**role, PermissionsBoundary=boundary)
            else:
                iam.delete_role_permissions_boundary(**role)
        retag(
            before,
            wanted,
            add=lambda tags: iam.tag_role(**role, Tags=as_list(tags)),
            remove=lambda names: iam.untag_role(**role, TagKeys=names),
        )

    def delete(self, aws: Aws, state: Values) -> None:
        iam, role = aws.client("iam"), {"RoleName": state["id"]}
        if state.get("force_detach_policies"):
            for policy in iam.list_attached_role_policies(**role)["AttachedPolicies"]:
                iam.detach_role_policy(**role, PolicyArn=policy["PolicyArn"])
            for name in iam.list_role_policies(**role)["PolicyNames"]:
                iam.delete_role_policy(**role, PolicyName=name)
        iam.delete_role(**role)


class RolePolicy(Resource):
    """aws_iam_role_policy: id is role:name."""

    type_name = "aws_iam_role_policy"
    replaces = frozenset({"name", "name_prefix", "role"})
    json_arguments = frozenset({"policy"})
    imported_as = ("role", "name")
    import_separator = ":"

    def check(self, config: Values) -> list[Problem]:
        return check_policy(config, "policy")

    def create(self, aws: Aws, wanted: Values) -> str:
        wanted["name"] = generated(wanted)
        self.update(aws, wanted, wanted)
        return f"{wanted['role']}:{wanted['name']}"

    def read(self, aws: Aws, state: Values) -> Values | None:
        role, name = state["id"].split(":", 1)
        found = aws.client("iam").get_role_policy(RoleName=role, PolicyName=name)
        document = as_text(found["PolicyDocument"])
        return {"role": role, "name": name, "name_prefix": state.get("name_prefix") or "", "policy": document}

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        aws.client("iam").put_role_policy(
            RoleName=wanted["role"], PolicyName=wanted["name"], PolicyDocument=wanted["policy"]
        )

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("iam").delete_role_policy(RoleName=state["role"], PolicyName=state["name"])


class Policy(Resource):
    """aws_iam_policy: a change makes a new default version, and drops the oldest of five."""

    type_name = "aws_iam_policy"
    replaces = frozenset({"description", "name", "name_prefix", "path"})
    defaults = {"path": "/"}
    json_arguments = frozenset({"policy"})

    def check(self, config: Values) -> list[Problem]:
        return check_policy(config, "policy")

    def create(self, aws: Aws, wanted: Values) -> str:
        options = {"Description": wanted.get("description"), "Tags": as_list(wanted_tags(wanted))}
        created = aws.client("iam").create_policy(
            PolicyName=generated(wanted),
            Path=wanted["path"],
            PolicyDocument=wanted["policy"],
            **{name: value for name, value in options.items() if value},
        )
        return str(created["Policy"]["Arn"])

    def read(self, aws: Aws, state: Values) -> Values | None:
        iam, arn = aws.client("iam"), state["id"]
        found = iam.get_policy(PolicyArn=arn)["Policy"]
        version = iam.get_policy_version(PolicyArn=arn, VersionId=found["DefaultVersionId"])["PolicyVersion"]
        return {
            "arn": arn,
            "name": found["PolicyName"],
            "name_prefix": state.get("name_prefix") or "",
            "path": found["Path"],
            "policy_id": found["PolicyId"],
            "attachment_count": found["AttachmentCount"],
            "description": found.get("Description", ""),
            "policy": as_text(version["Document"]),
            **observed_tags(as_map(found.get("Tags")), state),
        }

    def update(self, aws: Aws, before: Values, wanted: Values) -> None:
        iam, arn = aws.client("iam"), wanted["id"]
        if before.get("policy") != wanted.get("policy"):
            old = [item for item in _versions(iam, arn) if not item["IsDefaultVersion"]]
            if len(old) >= 4:
                iam.delete_policy_version(PolicyArn=arn, VersionId=old[-1]["VersionId"])
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=wanted["policy"], SetAsDefault=True)
        retag(
            before,
            wanted,
            add=lambda tags: iam.tag_policy(PolicyArn=arn, Tags=as_list(tags)),
            remove=lambda names: iam.untag_policy(PolicyArn=arn, TagKeys=names),
        )

    def delete(self, aws: Aws, state: Values) -> None:
        iam, arn = aws.client("iam"), state["id"]
        for version in list(_versions(iam, arn)):
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=arn)


def _versions(iam: Any, arn: str) -> Iterator[dict[str, Any]]:
    for page in iam.get_paginator("list_policy_versions").paginate(PolicyArn=arn):
        yield from page["Versions"]


class Attachment(Resource):
    """aws_iam_role_policy_attachment: id is role/arn, as the real provider imports it."""

    type_name = "aws_iam_role_policy_attachment"
    replaces = frozenset({"policy_arn", "role"})
    imported_as = ("role", "policy_arn")
    import_separator = "/"

    def create(self, aws: Aws, wanted: Values) -> str:
        aws.client("iam").attach_role_policy(RoleName=wanted["role"], PolicyArn=wanted["policy_arn"])
        return f"{wanted['role']}/{wanted['policy_arn']}"

    def read(self, aws: Aws, state: Values) -> Values | None:
        pages = aws.client("iam").get_paginator("list_attached_role_policies").paginate(RoleName=state["role"])
        attached = {policy["PolicyArn"] for page in pages for policy in page["AttachedPolicies"]}
        return {"role": state["role"], "policy_arn": state["policy_arn"]} if state["policy_arn"] in attached else None

    def delete(self, aws: Aws, state: Values) -> None:
        aws.client("iam").detach_role_policy(RoleName=state["role"], PolicyArn=state["policy_arn"])


TYPES = {kind.type_name: kind for kind in (Role, RolePolicy, Policy, Attachment)}
