"""What documents print is what the commands say: each ```console block is run on the demo's lake and compared.

A line `…` stands for any lines; seconds, bytes, hashes, dates and ids of runs are not compared.
REWRITE_DOCS=1 writes what the commands say now into the documents instead.
"""

import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.whole.conftest import Told
from trilake.core import reasons
from trilake.core.cli import trilake
from trilake.core.errors import TrilakeError
from trilake.core.paths import ROOT

PAGES = sorted(path for path in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")] if "```console" in path.read_text())
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"^```file (\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(
    r"\b[0-9a-f]{12,64}(?:-dirty)?\b|\b\d{8}T\d{6}-[0-9a-f.]+|\b\d{4}-\d\d-\d\dT?[\d:.]*Z?"
    r"|\b[\d.]+ s\b|\b\d[\d,.]* (?:bytes|[kMG]B)\b"
)
VCF_HEAD = (
    "##fileformat=VCFv4.3",
    "##contig=<ID=1>",
    '##FILTER=<ID=q10,Description="low">',
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="depth">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
)
COLUMNS = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]


@pytest.fixture(scope="module")
def lake(told: Told, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the demo's state in it, to work in: commands here change it."""
    folder = tmp_path_factory.mktemp("documents")
    shutil.copytree(told.state, folder / ".trilake")
    before = Path.cwd()
    os.chdir(folder)
    yield folder
    os.chdir(before)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_output_shown_is_the_output(page: Path, lake: Path) -> None:
    text = page.read_text()
    for name, content in FILE.findall(text):
        (lake / name).parent.mkdir(parents=True, exist_ok=True)
        (lake / name).write_text(content)
    shown = CONSOLE.findall(text)
    said = [run_block(block) for block in shown]
    if os.environ.get("REWRITE_DOCS"):
        blocks = iter([old if matches(old, new) else new for old, new in zip(shown, said, strict=True)])
        page.write_text(CONSOLE.sub(lambda _: f"```console\n{next(blocks)}```", text))
        return
    for block, output in zip(shown, said, strict=True):
        assert matches(block, output), f"{page.name} shows\n{block}\nthe commands say\n{output}"


def run_block(block: str) -> str:
    """The commands of a block, each followed by what it says now on standard output."""
    return "".join(f"{line}\n{output_of(line)}" for line in block.splitlines() if line.startswith("$ "))


def output_of(line: str) -> str:
    words = shlex.split(line.removeprefix("$ .venv/bin/trilake "))
    result = CliRunner().invoke(trilake, words, standalone_mode=False)
    text = result.stdout
    if isinstance(result.exception, TrilakeError):
        text += f"Error: {result.exception}\n"
    elif result.exception is not None:
        raise result.exception
    text = text.replace(f"{Path.cwd()}/", "").strip("\n")
    return "\n".join(line.rstrip() for line in text.split("\n")) + "\n"


def matches(shown: str, said: str) -> bool:
    parts = [re.escape(VARIABLE.sub("~", part)) for part in re.split(r"^…\n", shown, flags=re.MULTILINE)]
    return re.fullmatch("(?:.*\n)*?".join(parts), VARIABLE.sub("~", said)) is not None


def test_every_example_of_a_reason_code_draws_that_reason(lake: Path) -> None:
    folder = lake / "examples"
    folder.mkdir()
    expected = {}
    for code, reason in reasons.REASONS.items():
        if reason.example.startswith("{"):
            (folder / f"{code}.ndjson").write_text(reason.example + "\n")
            expected[f"{code}.ndjson"] = code
        elif "\t" in reason.example:
            columns = "\t".join([*COLUMNS, f"EXAMPLE_{code}"])
            (folder / f"{code}.vcf").write_text("\n".join([*VCF_HEAD, columns, reason.example, ""]))
            expected[f"{code}.vcf"] = code
    results: list[dict[str, object]] = []
    trilake.main(["ingest", str(folder)], standalone_mode=False, obj=results)
    trilake.main(["ledger"], standalone_mode=False, obj=results)
    rows = results[-1]["rows"]
    assert isinstance(rows, list)
    drawn = {Path(row["file"]).name: {reason["code"] for reason in row["reasons"]} for row in rows}
    assert {name: code for name, code in expected.items() if code not in drawn.get(name, set())} == {}
