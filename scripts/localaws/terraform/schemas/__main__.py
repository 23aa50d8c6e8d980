"""Cut a full set of provider schemas down to the types in use and keep them beside this module.

Reads  the output of `terraform providers schema -json`, or one provider's full set ({version, provider,
       resource_schemas, data_source_schemas}, .json or .json.gz); *.tf under the given folders; the registry.
Writes schemas/aws.json, schemas/awscc.json.
Run it when a module uses a type for the first time, or to move to a newer provider.
Example: python -m localaws.terraform.schemas --terraform terraform --terraform tests/core/core_module full-aws.json.gz
"""

import argparse
import gzip
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from localaws.terraform.registry import DATA_SOURCES, RESOURCES
from localaws.terraform.schemas import FOLDER, PROVIDERS, Spec, load

USED = re.compile(r'^\s*(resource|data|ephemeral)\s+"(aws(?:cc)?_\w+)"', re.MULTILINE)
KEPT = ("resource_schemas", "data_source_schemas")
KIND = {"resource": "resource_schemas", "data": "data_source_schemas"}
PROSE = ("description", "description_kind", "deprecation_message")


def types_in_use(folders: Iterable[Path]) -> dict[str, set[str]]:
    """Type names by kind: those in the folders' .tf files, and those that the local provider can make."""
    used = {"resource_schemas": set(RESOURCES), "data_source_schemas": set(DATA_SOURCES)}
    for folder in folders:
        for path in folder.rglob("*.tf"):
            for kind, name in USED.findall(path.read_text()):
                if kind in KIND:
                    used[KIND[kind]].add(name)
    return used


def read_full(path: Path) -> dict[str, Spec]:
    """Full schemas by provider name, from either form of input."""
    raw = path.read_bytes()
    content: Spec = json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)
    if "provider_schemas" not in content:
        return {str(content["provider"]): content}
    return {source.rsplit("/", 1)[-1]: schemas for source, schemas in content["provider_schemas"].items()}


def trim(full: Spec, used: dict[str, set[str]], known: Spec) -> Spec:
    """The part of a full set that is in use. The provider block stays as known when the set leaves it out."""
    trimmed: Spec = {kind: {} for kind in KEPT}
    for kind in KEPT:
        for name in sorted(used[kind] & set(full.get(kind, {}))):
            trimmed[kind][name] = without_prose(full[kind][name])
    block = full.get("provider")
    trimmed["provider"] = without_prose(block) if isinstance(block, dict) else known["provider"]
    trimmed["version"] = full.get("version", known["version"])
    return trimmed


def without_prose(value: Any) -> Any:
    """The same without descriptions and without flags that are false."""
    if isinstance(value, list):
        return [without_prose(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: without_prose(item) for key, item in value.items() if not (is_prose(key, item) or item is False)}


def is_prose(key: str, item: Any) -> bool:
    return key in PROSE and isinstance(item, str)


def main() -> None:
    """Regenerate; name what is in use and in no given schema."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("full", type=Path, nargs="+", help="full schemas, .json or .json.gz")
    parser.add_argument("--terraform", type=Path, action="append", default=[], help="folder with .tf files in use")
    arguments = parser.parse_args()
    used = types_in_use(arguments.terraform)
    full = {name: spec for path in arguments.full for name, spec in read_full(path).items() if name in PROVIDERS}
    for name, spec in full.items():
        trimmed = trim(spec, used, load(name))
        (FOLDER / f"{name}.json").write_text(json.dumps(trimmed, indent=1, sort_keys=True) + "\n")
        sys.stdout.write(f"{name} {trimmed['version']}: {len(trimmed['resource_schemas'])} resources\n")
    for kind in KEPT:
        have = {name for spec in full.values() for name in spec.get(kind, {})}
        for name in sorted(used[kind] - have):
            sys.stdout.write(f"in use and in no given schema: {name}\n")


if __name__ == "__main__":
    main()
