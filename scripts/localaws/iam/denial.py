"""Refusals in the wire form of the service that was called.

Reads and writes nothing. Behind every make target that talks to localaws.
Example: `denial(request, "AccessDenied", "User: ... is not authorized ...")`.
"""

from __future__ import annotations

import json
import uuid
from xml.sax.saxutils import escape

from localaws.request import WireRequest
from localaws.wire import WireResponse

# what went wrong -> (code of XML services, code of JSON services)
DENIED = ("AccessDenied", "AccessDeniedException")
UNKNOWN_KEY = ("InvalidClientTokenId", "UnrecognizedClientException")
EXPIRED = ("ExpiredToken", "ExpiredTokenException")
NOT_OFFERED = ("AccessDenied", "UnsupportedOperationException")
NOT_HERE = ("NotImplemented", "UnsupportedOperationException")
BAD_DIGEST = ("BadDigest", "InvalidRequestException")
UNREADABLE = ("MalformedInput", "ValidationException")
FAILED = ("InternalFailure", "InternalServerException")


def denial(request: WireRequest, codes: tuple[str, str], message: str, status: int = 403) -> WireResponse:
    """An error answer as S3, a query service or a JSON service would give it."""
    xml_code, json_code = codes
    request_id = str(uuid.uuid4())
    if request.signing_name == "s3" or request.signing_name is None:
        code = "InvalidAccessKeyId" if codes is UNKNOWN_KEY else xml_code
        body = (
            f"<Error><Code>{code}</Code><Message>{escape(message)}</Message><RequestId>{request_id}</RequestId></Error>"
        )
        return _xml(status, body)
    if "x-amz-target" not in request.headers and "Action" in request.form:
        error = f"<Error><Type>Sender</Type><Code>{xml_code}</Code><Message>{escape(message)}</Message></Error>"
        return _xml(status, f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>")
    content = {"__type": json_code, "message": message, "Message": message}
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": json_code, "x-amzn-RequestId": request_id}
    is_json = "x-amz-target" in request.headers
    return WireResponse(400 if is_json and status == 403 else status, json.dumps(content).encode(), headers)


def _xml(status: int, body: str) -> WireResponse:
    content = f'<?xml version="1.0" encoding="UTF-8"?>\n{body}'.encode()
    return WireResponse(status, content, {"Content-Type": "application/xml"})
