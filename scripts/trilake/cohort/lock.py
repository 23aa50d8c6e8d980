"""What a cohort or a model was made from: enough to say later whether it could be made again.

Example: take_lock(session, definition.model_dump(), ["clinical.patient"]).lock_id
"""

import subprocess
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from trilake.core.athena import run
from trilake.core.catalog import database_name
from trilake.core.lakehouse.iceberg import open_catalog
from trilake.core.paths import ACCESS_POLICY, ROOT, SQL
from trilake.core.session import Session


@dataclass(frozen=True)
class Lock:
    """`snapshots` by room.table; None for a table that nothing was written to."""

    definition_sha256: str
    code_commit: str
    snapshots: dict[str, int | None]
    annotation_release: dict[str, str]
    policy_sha256: str
    contract_sha256: str

    @property
    def lock_id(self) -> str:
        """One hash over everything above."""
        return hash_of(asdict(self))

    @property
    def in_words(self) -> str:
        """`3dee17212524: 8 tables, code 0fdbb6e84512`."""
        commit, *dirty = self.code_commit.split("-")
        code = "-".join([commit[:12], *dirty])
        return f"{self.lock_id[:12]}: {len(self.snapshots)} tables, code {code}"

    def as_dict(self) -> dict[str, Any]:
        return {"lock_id": self.lock_id, **asdict(self)}


def take_lock(session: Session, definition: dict[str, Any], tables: list[str]) -> Lock:
    """The lock of `definition` on the tables as they are now. `session` is the deployer's."""
    return Lock(
        definition_sha256=hash_of(definition),
        code_commit=code_commit(),
        snapshots=snapshots_of(session, tables),
        annotation_release=annotation_release(session) if any(name.startswith("genomic.") for name in tables) else {},
        policy_sha256=hash_of_files([ACCESS_POLICY]),
        contract_sha256=hash_of_files([*sorted(SQL.glob("*/contract.yaml")), *sorted(SQL.glob("core/*.yaml"))]),
    )


def snapshots_of(session: Session, tables: list[str]) -> dict[str, int | None]:
    """The current Iceberg snapshot of each `room.table`."""
    catalog = open_catalog(session)
    snapshots: dict[str, int | None] = {}
    for name in tables:
        room, table = name.split(".")
        snapshot = catalog.load_table((database_name(session, room) or room, table)).current_snapshot()
        snapshots[name] = snapshot.snapshot_id if snapshot else None
    return snapshots


def annotation_release(session: Session) -> dict[str, str]:
    """Reference genome -> newest annotation release."""
    newest = "SELECT reference_genome, max(release) AS release FROM genomic.annotation GROUP BY reference_genome"
    return {row["reference_genome"]: row["release"] for row in run(session, newest).records()}


def code_commit(folder: Path = ROOT) -> str:
    """The checkout's commit, with `-dirty` when files differ from it; `unknown` where there is no git."""
    try:
        commit = git(folder, "rev-parse", "HEAD")
        return f"{commit}-dirty" if git(folder, "status", "--porcelain", "--untracked-files=no") else commit
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def hash_of(content: dict[str, Any]) -> str:
    """sha256 of the content as JSON with sorted keys."""
    return sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)).hexdigest()


def hash_of_files(paths: list[Path]) -> str:
    total = sha256()
    for path in paths:
        total.update(sha256(path.read_bytes()).digest())
    return total.hexdigest()
