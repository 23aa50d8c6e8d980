"""Where things lie: the checkout's folders and the folder that holds local state.

Reads nothing but its own location.

Example: State(Path(".trilake")).local
"""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SQL = ROOT / "sql"
TERRAFORM = ROOT / "terraform"
GLUE_JOBS = ROOT / "glue_jobs"
SCRIPTS = ROOT / "scripts"
ACCESS_POLICY = TERRAFORM / "access_policy.yaml"


@dataclass(frozen=True)
class State:
    """The folder given by --state: one sub-folder per environment, and the sample beside them."""

    folder: Path

    def environment(self, name: str) -> Path:
        return self.folder / name

    def make(self) -> None:
        """The folder; a new one tells git to leave it alone, wherever it lies."""
        if not self.folder.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / ".gitignore").write_text("*\n")

    @property
    def sample(self) -> Path:
        return self.folder / "sample"
