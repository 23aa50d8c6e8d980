"""Speed of the governed tables: what it costs to take in one more patient, beside a rebuild, in a small and a big lake.

Deploys a lake of its own to a temporary folder. Example: python -m bench --only tables
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Data, Figure, beside, busy
from trilake.sample.generate import Plan, generate

N_PATIENTS = 400
NEW = {"resourceType": "Patient", "id": "one-more", "gender": "female", "birthDate": "1970"}


def tables(data: Data) -> Iterator[Figure]:
    """The change is one patient with two conditions; the table is N patients' charts, then twice as many."""
    for n in (data.size(N_PATIENTS // 2), data.size(N_PATIENTS // 2) * 2):
        yield tables_figure(data.folder / f"lake-{n}", n)


def tables_figure(folder: Path, n: int) -> Figure:
    generate(Plan(7, n, "tiny", folder / "data"), workers=1, say=lambda text: None)
    verb(folder, "deploy")
    verb(folder, "ingest", str(folder / "data/fhir"), "--only", "clinical")
    verb(folder, "views")
    idle = busy(lambda: verb(folder, "views"))
    rebuilt = busy(lambda: verb(folder, "views", "--full"))
    verb(folder, "ingest", str(one_more(folder)), "--only", "clinical")
    merged = busy(lambda: verb(folder, "views"))
    beside_it = f"{beside('nothing changed', idle)}; {beside('rebuild', rebuilt)}"
    return Figure(f"one more patient among {n:,}", 3, "resources", merged, beside_it)


def one_more(folder: Path) -> Path:
    """A file of three resources."""
    about = {"subject": {"reference": "Patient/one-more"}, "code": {"text": "a problem"}}
    conditions = [{"resourceType": "Condition", "id": f"one-more-{k}", **about} for k in range(2)]
    path = folder / "one_more.ndjson"
    path.write_text("".join(json.dumps(one) + "\n" for one in (NEW, *conditions)))
    return path


def verb(folder: Path, *words: str) -> None:
    """`trilake ...` on the lake's own state."""
    command = [str(Path(sys.executable).with_name("trilake")), *words, "--state", str(folder / "state")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


BENCHMARKS = {"tables": tables}
