"""Where the real engines stand on this machine: Java, Trino, Spark and the Iceberg jars.

`engines.json` in the folder that `make setup-engines` filled (`.engines/` beside the project, or `$LOCALAWS_ENGINES`)
says what is there.

Example: `installed_engines().trino_home / "bin"`; `sys.path.insert(0, str(installed_engines().spark_path))`
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

ENGINES = ("duckdb", "trino")
"""What can run Athena's queries; the first is embedded and always there."""
FOLDER = ".engines"
LIST = "engines.json"


class EnginesMissing(Exception):
    """A part of a real engine is not on this machine; the text says which, and what brings it."""


@dataclass(frozen=True)
class InstalledEngines:
    """The parts that are there; asking for one that is not raises EnginesMissing."""

    folder: Path
    parts: dict[str, str | list[str]]

    def need_trino(self) -> None:
        """EnginesMissing unless Trino and its Java are there."""
        for path in (self.trino_home / "lib", self.trino_java / "bin" / "java"):
            if not path.exists():
                raise _missing(self.folder, "trino")

    @property
    def trino_java(self) -> Path:
        """JAVA_HOME for Trino."""
        return self._path("trino_java", "trino")

    @property
    def trino_home(self) -> Path:
        """Trino's server: `bin`, `lib`, `plugin`."""
        return self._path("trino_home", "trino")

    @property
    def spark_java(self) -> Path:
        """JAVA_HOME for Spark."""
        return self._path("spark_java", "spark")

    @property
    def spark_path(self) -> Path:
        """The folder for `sys.path` that holds pyspark and py4j."""
        return self._path("spark_path", "spark")

    @property
    def awscli_path(self) -> Path:
        """The folder for `PYTHONPATH` that holds awscli, with the documentation's examples."""
        return self._path("awscli_path", "awscli")

    @property
    def spark_jars(self) -> list[Path]:
        """Iceberg's runtime and its AWS bundle, for `spark.jars`."""
        jars = self.parts.get("spark_jars")
        if not isinstance(jars, list):
            raise _missing(self.folder, "spark")
        return [self.folder / jar for jar in jars]

    def _path(self, key: str, part: str) -> Path:
        path = self.parts.get(key)
        if not isinstance(path, str):
            raise _missing(self.folder, part)
        return self.folder / path


def installed_engines(folder: Path | None = None) -> InstalledEngines:
    """The engines of a folder (default: `$LOCALAWS_ENGINES`, else `.engines` of this project)."""
    place = (folder or Path(os.environ.get("LOCALAWS_ENGINES") or _beside_the_project())).absolute()
    try:
        return InstalledEngines(place, json.loads((place / LIST).read_text()))
    except FileNotFoundError:
        return InstalledEngines(place, {})


def _beside_the_project() -> Path:
    return Path(__file__).resolve().parents[2] / FOLDER


def _missing(folder: Path, part: str) -> EnginesMissing:
    name = part.capitalize()
    return EnginesMissing(f"{name} is not in {folder}; `make setup-engines ARGS={part}` brings it")
