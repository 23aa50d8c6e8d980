"""VCF to Parquet by programs that run alone: seconds, processor time and memory of ours and of peers on the same file.

Peers live in environments of their own, since their pins clash with ours: below `.engines/peers/` (or
`$LOCALAWS_ENGINES/peers/`), made by `python -m bench.alone`. A peer that is not there is left out, with a
note.

Example: measured("polars-bio", path, out)  ->  Measured(seconds=3.1, processor=3.0, megabytes=240)
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

from trilake.core.paths import SCRIPTS

FIVE = ["AC", "AF", "AN", "DP", "MQ"]
FRAME = """
import json, resource, sys, time
path, out = sys.argv[1:]
{imports}
started, before = time.perf_counter(), time.process_time()
{work}
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([time.perf_counter() - started, time.process_time() - before, used.ru_maxrss / 1024]))
"""
OURS = ("from pathlib import Path; from bench.genomic import to_parquet", "to_parquet(Path(path), Path(out))")
PEERS = {
    "polars-bio": (
        "polars-bio==0.36.2",
        "import polars_bio",
        f"polars_bio.scan_vcf(path, info_fields={FIVE}).sink_parquet(out)",
    ),
    "oxbow": (
        "oxbow==0.8.2",
        "import oxbow, pyarrow.parquet",
        f"""
source = oxbow.from_vcf(path, compression=None, info_fields={FIVE}, samples="*").dataset()
with pyarrow.parquet.ParquetWriter(out, source.schema, compression="zstd", compression_level=1) as writer:
    for batch in source.to_batches():
        writer.write_batch(batch)
""",
    ),
}


@dataclass(frozen=True)
class Measured:
    """What a program took: by the wall clock, of processors, and memory at its highest."""

    seconds: float
    processor: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.seconds:.3g} s ({self.processor:.3g} s of processor, {self.megabytes:,.0f} MB)"


def is_there(name: str) -> bool:
    """Whether a program can be measured; ours always can."""
    return python_of(name).exists()


def measured(name: str, path: Path, out: Path) -> Measured:
    """The program on the file: `ours`, or a peer that is there."""
    imports, work = OURS if name == "ours" else PEERS[name][1:]
    words = [str(python_of(name)), "-c", FRAME.format(imports=imports, work=work), str(path), str(out)]
    done = subprocess.run(words, cwd=SCRIPTS, capture_output=True, text=True, check=True)
    return Measured(*json.loads(done.stdout.splitlines()[-1]))


def python_of(name: str) -> Path:
    return Path(sys.executable) if name == "ours" else folder(name) / "bin" / "python"


def folder(name: str) -> Path:
    place = Path(os.environ.get("LOCALAWS_ENGINES") or SCRIPTS.parent / ".engines")
    return place.absolute() / "peers" / name


def install() -> int:
    """The peers that are not there yet, each in its own environment."""
    for name, (requirement, *_) in PEERS.items():
        if not is_there(name):
            venv.create(folder(name), with_pip=True)
        words = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
        subprocess.run([str(python_of(name)), *words], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(install())
