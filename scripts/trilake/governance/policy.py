"""The access policy held against the contract: persona -> governed table -> columns and row rule.

The same rules as terraform/modules/governance; a test compares the two on a real plan.

Example: load_access()["radiologist"]["imaging.study"].columns
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from trilake.core.contract import GovernedTable, load_contract, load_row_keys, sensitivity_classes
from trilake.core.errors import InputError
from trilake.core.paths import ACCESS_POLICY, SQL

ROW_RULE = yaml.safe_load((SQL / "core/row_rule.yaml").read_text())
"""What a row rule may say; Terraform refuses by the same patterns."""


@dataclass(frozen=True)
class Grant:
    """One entry of a persona: tables (`room.table`, `room.*`), classes, row rule (None: all rows), its policy line."""

    tables: tuple[str, ...]
    classes: tuple[str, ...]
    rows: str | None
    line: int

    def matches(self, table: GovernedTable) -> bool:
        return table.path in self.tables or f"{table.room}.*" in self.tables


@dataclass(frozen=True)
class Persona:
    """One persona of the policy."""

    name: str
    description: str
    grants: tuple[Grant, ...]
    line: int


@dataclass(frozen=True)
class Access:
    """What one persona sees of one table. `rows` None means all rows."""

    persona: str
    table: str
    columns: tuple[str, ...]
    rows: str | None
    grant: Grant


Policy = dict[str, Persona]
AccessTable = dict[str, dict[str, Access]]


class LineLoader(yaml.SafeLoader):
    """YAML in which every mapping knows its line."""


def mapping_with_line(loader: LineLoader, node: yaml.MappingNode) -> dict[str, Any]:
    return {str(key): value for key, value in loader.construct_mapping(node, deep=True).items()} | {
        "__line__": node.start_mark.line + 1
    }


LineLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping_with_line)


@cache
def load_policy(path: Path = ACCESS_POLICY) -> Policy:
    """The policy as written. InputError when the file is not in the policy's form."""
    try:
        content = yaml.load(path.read_text(), Loader=LineLoader)
        personas = {name: entry for name, entry in content["personas"].items() if name != "__line__"}
        return {name: persona_from(name, entry) for name, entry in personas.items()}
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path.name} is not an access policy: {error}",
            next_step="see the comment on top of terraform/access_policy.yaml for its form",
        ) from None


def persona_from(name: str, entry: dict[str, Any]) -> Persona:
    return Persona(name, entry["description"], tuple(grant_from(item) for item in entry["grants"]), entry["__line__"])


def grant_from(item: dict[str, Any]) -> Grant:
    return Grant(tuple(item["tables"]), tuple(item["classes"]), item.get("rows"), item["__line__"])


def row_key_names() -> tuple[str, ...]:
    return tuple(key.name for key in load_row_keys())


@cache
def load_access(path: Path = ACCESS_POLICY) -> AccessTable:
    """Persona -> room.table -> Access. InputError lists all faults of the policy at once."""
    policy, contract = load_policy(path), load_contract()
    faults = faults_of(policy, contract, row_key_names())
    if faults:
        raise InputError(f"{path.name} does not hold:\n  " + "\n  ".join(faults), next_step=f"mend {path.name}")
    return access_of(policy, contract)


def access_of(policy: Policy, contract: dict[str, GovernedTable]) -> AccessTable:
    """Persona -> room.table -> Access of a policy without faults; tables with no visible column are left out."""
    return {
        name: {
            access.table: access
            for grant, table in matches(persona, contract)
            if (access := seen_through(name, grant, table)).columns
        }
        for name, persona in policy.items()
    }


def matches(persona: Persona, contract: dict[str, GovernedTable]) -> Iterator[tuple[Grant, GovernedTable]]:
    """Each grant of a persona with each table that it matches."""
    for grant in persona.grants:
        for table in contract.values():
            if grant.matches(table):
                yield grant, table


def seen_through(persona: str, grant: Grant, table: GovernedTable) -> Access:
    columns = tuple(column.name for column in table.columns if column.sensitivity in grant.classes)
    return Access(persona, table.path, columns, grant.rows if table.patient_level else None, grant)


def faults_of(policy: Policy, contract: dict[str, GovernedTable], row_keys: tuple[str, ...]) -> list[str]:
    """What the policy may not say, in words that name persona and line."""
    return [fault for persona in policy.values() for fault in persona_faults(persona, contract, row_keys)]


def persona_faults(persona: Persona, contract: dict[str, GovernedTable], row_keys: tuple[str, ...]) -> Iterator[str]:
    rooms = {table.room for table in contract.values()}
    for grant in persona.grants:
        where = f"line {grant.line}: {persona.name}"
        for name in grant.classes:
            if name not in sensitivity_classes():
                yield f"{where}: class {name} is none of {', '.join(sensitivity_classes())}"
        for pattern in grant.tables:
            if pattern not in contract and pattern not in {f"{room}.*" for room in rooms}:
                yield f"{where}: no contract has {pattern}; expected room.table or room.*"
            elif pattern in contract and not seen_through(persona.name, grant, contract[pattern]).columns:
                yield f"{where}: {pattern} has no column of class {', '.join(grant.classes)}"
        yield from (f"{where}: {fault}" for fault in row_rule_faults(grant.rows, row_keys))
    yield from doubled_tables(persona, contract)


def doubled_tables(persona: Persona, contract: dict[str, GovernedTable]) -> Iterator[str]:
    """Tables that more than one entry matches: the union would widen what each entry says."""
    for table in contract.values():
        mine = (table.path, f"{table.room}.*")
        hits = [grant.line for grant in persona.grants for pattern in grant.tables if pattern in mine]
        if len(hits) > 1:
            yield f"line {hits[-1]}: {persona.name}: {table.path} is matched twice, already on line {hits[0]}"


def row_rule_faults(rule: str | None, row_keys: tuple[str, ...]) -> Iterator[str]:
    """Why Lake Formation, or we, would refuse a row rule: only row keys, constants, comparisons, AND, OR, NOT."""
    if rule is None:
        return
    bare = re.sub(ROW_RULE["constant"], "", rule)
    if not re.fullmatch(ROW_RULE["characters"], bare):
        yield f"row rule {rule!r} holds more than comparisons with constants"
    if len(rule) >= ROW_RULE["shorter_than"]:
        yield f"row rule has {len(rule)} characters; expected fewer than {ROW_RULE['shorter_than']}"
    words = {word.lower() for word in re.findall(ROW_RULE["word"], bare)}
    for word in sorted(words - set(ROW_RULE["words"]) - set(row_keys)):
        yield f"row rule names {word}, which is no row key ({', '.join(row_keys)})"
