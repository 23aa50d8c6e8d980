"""What the Glue catalog holds, read in memory and with no rights asked: for services that decide those rights.

Example: named(databases("123456789012"), "lake")
"""

from collections.abc import Mapping
from typing import Any

from moto.glue.models import glue_backends

from localaws.caller import REGION


def databases(catalog_id: str) -> Mapping[str, Any]:
    """An account's databases by name, as moto has them."""
    found: Mapping[str, Any] = glue_backends[catalog_id][REGION].databases
    return found


def named(items: Mapping[str, Any], name: str) -> Any:
    """The item of this name in any case (the catalog keeps names in lower case); None when there is none."""
    if name in items:
        return items[name]
    return next((item for key, item in list(items.items()) if key.lower() == name.lower()), None)
