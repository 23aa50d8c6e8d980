"""The schemas of hashicorp/aws and hashicorp/awscc, cut down to the types in use, as `terraform providers schema`
prints them (names, types, flags, nesting; no descriptions).

Reads  aws.json, awscc.json beside this module; `python -m localaws.terraform.schemas` writes them.
Make targets: deploy, plan, destroy.
Example: load("aws")["resource_schemas"]["aws_s3_bucket"]["block"]["attributes"]["bucket"]
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PROVIDERS = ("aws", "awscc")
Spec = dict[str, Any]


@cache
def load(provider: str) -> Spec:
    """Everything known of one provider: version, provider, resource_schemas, data_source_schemas."""
    facts: Spec = json.loads((FOLDER / f"{provider}.json").read_text())
    return facts


def version(provider: str) -> str:
    """The release whose schemas these are."""
    return str(load(provider)["version"])
