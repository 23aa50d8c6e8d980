"""References across the files of a load, settled as the records are staged.

`urn:uuid:` finds the record of that id, `Practitioner?identifier=system|value` the one record of the type with that
identifier. A reference to nothing in the load, nor in what earlier loads left in the store, is a warning.

Example: Links(session, register, work_dir).settle(seq, line, is_pending=True)
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fhir_r4.parsing import parse
from trilake.clinical.bundles import conditional_target, identifiers, is_open, references, rewrite_all
from trilake.clinical.held import held_ids
from trilake.clinical.register import Register
from trilake.core.session import Session

TOLD = 1000
"""Records of a load of which an unresolved reference is told one by one; of the others, how many."""
EXPECTED = "a resource of the same load or in the store"


class Links:
    """The targets of one load."""

    def __init__(self, session: Session, register: Register, work_dir: Path) -> None:
        self.register = register
        self.found: dict[bytes, bytes] = {}
        self.by_token = by_token(register)
        self.absent = register.absent_targets()
        for kind, ids in by_type(self.absent).items():
            self.absent -= {f"{kind}/{one}".encode() for one in held_ids(session, kind, ids, work_dir)}
        self.n_unresolved: Counter[int] = Counter()

    def settle(self, seq: int, line: bytes, *, is_pending: bool) -> bytes:
        """The line with its references to other records of the load put as `Type/id`."""
        if is_pending:
            line = rewrite_all(line, self.target)
        if is_pending or self.absent:
            left = [one for one in references(line) if is_open(one) or one in self.absent]
            if left:
                self.unresolved(seq, left, line)
        return line

    def unresolved(self, seq: int, left: list[bytes], line: bytes) -> None:
        file = self.register.file_of(seq)
        self.n_unresolved[file] += 1
        if self.n_unresolved[file] <= TOLD:
            path = path_of(parse(line), left[0].decode("utf-8", "replace"))
            self.register.warn(seq, "FHIR_REFERENCE_UNRESOLVED", f"{len(left)} of them", EXPECTED, path=path)
        self.last = seq

    def finish(self) -> None:
        """Say how many more records there are than were told."""
        for n in self.n_unresolved.values():
            if n > TOLD:
                self.register.warn(self.last, "FHIR_REFERENCE_UNRESOLVED", f"in {n - TOLD:,} more resources", EXPECTED)

    def target(self, reference: bytes) -> bytes:
        if not is_open(reference):
            return reference
        if reference not in self.found:
            self.found[reference] = self.search(reference.decode("utf-8", "replace")) or reference
        return self.found[reference]

    def search(self, reference: str) -> bytes | None:
        if reference.startswith("urn:uuid:"):
            name = self.register.by_id(reference.removeprefix("urn:uuid:"))
            return name.encode() if name else None
        conditional = conditional_target(reference)
        ids = self.by_token.get(conditional, set()) if conditional else set()
        return f"{conditional[0]}/{next(iter(ids))}".encode() if conditional and len(ids) == 1 else None


def by_token(register: Register) -> dict[tuple[str, str], set[str]]:
    """(type, `system|value`) of each search in the load -> the ids that it finds."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for reference in register.open_targets():
        if conditional := conditional_target(reference):
            wanted[conditional[0]].add(conditional[1])
    found: dict[tuple[str, str], set[str]] = defaultdict(set)
    for kind, tokens in wanted.items():
        for line in register.sound(kind):
            for token, resource_id in identifiers(line):
                if token in tokens:
                    found[(kind, token)].add(resource_id)
    return found


def path_of(resource: Any, reference: str) -> str:
    """Where a resource refers so for the first time; its name alone when that cannot be told."""

    def walk(value: Any, path: str) -> Iterator[str]:
        for name, item in value.items() if isinstance(value, dict) else ():
            if name == "reference" and item == reference:
                yield f"{path}.{name}"
            for place, one in enumerate(item if isinstance(item, list) else [item]):
                yield from walk(one, f"{path}.{name}[{place}]" if isinstance(item, list) else f"{path}.{name}")

    return next(walk(resource, resource["resourceType"]), resource["resourceType"])


def by_type(targets: set[bytes]) -> dict[str, set[str]]:
    """`Type/id` texts -> type -> ids; addresses of servers are left out."""
    found: dict[str, set[str]] = defaultdict(set)
    for target in targets:
        kind, _, resource_id = target.decode("utf-8", "replace").partition("/")
        if kind.isalpha() and "/" not in resource_id:
            found[kind].add(resource_id)
    return found
