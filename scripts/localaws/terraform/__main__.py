"""What Terraform runs as its plugin: `python -m localaws.terraform aws` or `... awscc`.

Reads and writes as `plugin`. Make targets: deploy, plan, destroy.
Example: python -m localaws.terraform aws
"""

import sys

from localaws.terraform.plugin import serve
from localaws.terraform.schemas import PROVIDERS

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PROVIDERS:
        sys.exit(f"Give one of {', '.join(PROVIDERS)}.")
    serve(sys.argv[1])
