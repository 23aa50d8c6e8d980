"""AWS HealthOmics: every operation of botocore's `omics` model is known, none is done yet.

Reads and writes nothing. Behind `make local-aws`.
Example: `boto3.client("omics").list_variant_stores()` raises ValidationException, status 501, naming the operation.
"""

from __future__ import annotations

from typing import ClassVar

from localaws.service import Service


class Omics(Service):
    """HealthOmics without operations: the dispatcher answers for each that localaws does not have it."""

    service_name: ClassVar[str] = "omics"
