"""One HTTP request as localaws reads it off the wire: lines, headers, body, signature scope.

Reads the WSGI environ. Behind every make target that talks to localaws.
Example: `WireRequest(environ).signing_name` is `"athena"` for a signed Athena call.
"""

from __future__ import annotations

import io
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote


class WireRequest:
    """A view of a WSGI environ; reading the body leaves it readable for whoever answers next."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.environ = environ
        self.method: str = environ["REQUEST_METHOD"]

    @cached_property
    def raw_path(self) -> str:
        """The path with its percent-encoding."""
        target: str = self.environ.get("RAW_URI") or self.environ.get("PATH_INFO", "/")
        path = target.split("?", 1)[0]
        return path if path.startswith("/") else "/" + path.split("/", 3)[-1]

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.environ.get("QUERY_STRING", ""), keep_blank_values=True)

    @cached_property
    def args(self) -> dict[str, str]:
        """The query's parameters, the last value of each."""
        return dict(self.query)

    @cached_property
    def headers(self) -> dict[str, str]:
        """Header name in lower case -> value."""
        found = {
            name[5:].replace("_", "-").lower(): value
            for name, value in self.environ.items()
            if name.startswith("HTTP_")
        }
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if self.environ.get(name):
                found[name.replace("_", "-").lower()] = self.environ[name]
        return found

    @cached_property
    def body(self) -> bytes:
        stream = self.environ["wsgi.input"]
        length = self.environ.get("CONTENT_LENGTH")
        if length:
            content: bytes = stream.read(int(length))
        elif self.environ.get("wsgi.input_terminated"):
            content = stream.read()
        else:
            content = b""
        self.environ["wsgi.input"] = io.BytesIO(content)
        self.environ["CONTENT_LENGTH"] = str(len(content))
        return content

    @property
    def is_form(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")

    @cached_property
    def form(self) -> dict[str, str]:
        """Parameters of the query protocol: the query string, and the body when it is a form."""
        if not self.is_form:
            return self.args
        return {**self.args, **dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))}

    @cached_property
    def _scope(self) -> list[str]:
        """access key id, day, region, signing name: from the header, or a presigned query."""
        authorization = self.environ.get("HTTP_AUTHORIZATION", "")
        _, found, rest = authorization.partition("Credential=")
        credential = rest.split(",", 1)[0].strip() if found else unquote(self.args.get("X-Amz-Credential", ""))
        parts = credential.split("/")
        return parts if len(parts) >= 5 else []

    @property
    def access_key_id(self) -> str | None:
        """The key that signed the request; None for an unsigned one."""
        if self._scope:
            return self._scope[0]
        return self.args.get("AWSAccessKeyId")

    @property
    def region(self) -> str | None:
        return self._scope[2] if self._scope else None

    @property
    def signing_name(self) -> str | None:
        """The service of the credential scope; None for an unsigned request."""
        if self._scope:
            return self._scope[3].lower()
        return "s3" if "AWSAccessKeyId" in self.args else None
