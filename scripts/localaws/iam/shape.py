"""Requests that could mean one thing to the gate and another to whoever answers are not answered.

Reads a request; writes nothing. Behind every make target that talks to localaws.
Example: `check(request)` raises NotOffered for a signed glue call that also carries `?Action=...`.

moto finds the operation in several places and tries them in an order of its own; the gate must have seen the same one.
"""

from __future__ import annotations

import re

from localaws.request import WireRequest

_ACTION_FIELD = re.compile(rb"(?:^|&)Action=")
_MOTO_PATHS = ("/moto-api", "/latest/meta-data", "/latest/api")


class NotOffered(Exception):
    """Something that localaws does not offer to anyone."""


class Unreadable(Exception):
    """A request whose parameters are not of the types that say what it touches: nobody can tell whether it may be."""


def check(request: WireRequest) -> None:
    """Nothing for a request that has one meaning; NotOffered otherwise."""
    if request.raw_path.startswith(_MOTO_PATHS):
        raise NotOffered("localaws keeps moto's own pages closed.")
    if request.access_key_id is not None and request.signing_name != "s3":
        _check_signed_by_header(request)
        _check_one_operation(request)
    if any(name.startswith("PolicyArns.") for name in request.form):
        raise NotOffered("localaws does not have session policies by ARN; give Policy.")


def _check_signed_by_header(request: WireRequest) -> None:
    authorization = request.environ.get("HTTP_AUTHORIZATION", "")
    if not authorization.startswith("AWS4-HMAC-SHA256 Credential="):
        raise NotOffered("localaws takes Signature Version 4 in the Authorization header; presigned URLs are S3's.")


def _check_one_operation(request: WireRequest) -> None:
    has_target = "x-amz-target" in request.headers
    is_named_elsewhere = has_target or not request.is_form
    if is_named_elsewhere and (_ACTION_FIELD.search(request.body) or (has_target and "Action" in request.args)):
        raise NotOffered("The request names its operation twice.")
