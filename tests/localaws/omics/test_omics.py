"""HealthOmics answers in its own wire form, and says what it lacks.

Reads and writes nothing. Make target: `test`. Example: `pytest tests/localaws/omics`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize("operation", ["list_variant_stores", "list_annotation_stores", "list_reference_stores"])
def test_operations_say_that_they_are_not_there(client: Callable[..., Any], operation: str) -> None:
    omics = client("omics")
    with pytest.raises(omics.exceptions.ValidationException) as caught:
        getattr(omics, operation)()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert operation.replace("_", "") in caught.value.response["Error"]["Message"].lower()
