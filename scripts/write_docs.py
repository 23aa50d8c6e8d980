"""The parts of docs/ that follow from the code: reason codes, and the tables and views of each room.

A page keeps its own words; between a pair of marker comments stands what is written here. `--check` writes nothing and
fails where a page is not what the code says.

Example: python scripts/write_docs.py --check
"""

import argparse
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml
from sqlglot import exp

from trilake.core import reasons
from trilake.core.contract import GovernedTable, load_contract
from trilake.core.paths import ROOT, SQL
from trilake.core.sql import Relation, load_relations, parse

DOCS = ROOT / "docs"
MARKED = re.compile(r"(<!-- written by make docs -->\n).*?(<!-- end -->)", re.DOTALL)
ROW_KEYS = {column["name"] for column in yaml.safe_load((SQL / "core/row_keys.yaml").read_text())}
GROUPS = {
    "Any file": reasons.CORE,
    "Clinical (FHIR)": reasons.CLINICAL,
    "Genomic (VCF, DNA csv)": reasons.GENOMIC,
    "Imaging (DICOM)": reasons.IMAGING,
}


def reason_codes() -> str:
    """Every code with its meaning, an example and the mend, by modality."""
    lines: list[str] = []
    for title, codes in GROUPS.items():
        lines += [f"## {title}", ""]
        for code, reason in codes.items():
            lines += [f"### {code}", reason.meaning, "", *example_lines(reason.example), f"**Mend:** {reason.mend}", ""]
    return "\n".join(lines)


def example_lines(example: str) -> list[str]:
    """A resource or a record as a block of its own (tabs as they are); a sentence as a sentence."""
    if example.startswith("{") or "\t" in example:
        return ["```", example, "```", ""]
    return [f"Example: {example}", ""]


def room_guide(room: str) -> str:
    """The room's governed tables with their columns, then its views."""
    relations = [relation for relation in load_relations().values() if relation.name.split(".")[0] == room]
    tables = [table for table in load_contract().values() if table.room == room]
    headers = {relation.name: relation.header for relation in relations}
    lines = ["## Tables", ""] if tables else []
    for table in tables:
        header = headers.get(table.path) or [f"{table.grain.capitalize()}; filled by a job."]
        lines += [f"### {table.path}", *purpose(header)]
        lines += [*column_table(table), ""]
    views = [relation for relation in relations if relation.kind == "view"]
    lines += ["## Views", ""] if views else []
    for view in views:
        lines += [f"### {view.name}", *purpose(view.header), f"Columns: {', '.join(view_columns(view))}.", ""]
    return "\n".join(lines)


def purpose(header: Iterable[str]) -> list[str]:
    """The comment lines on top of the SQL file, as a paragraph."""
    text = " ".join(header)
    return [text, ""] if text else []


def column_table(table: GovernedTable) -> list[str]:
    rows = ["| Column | Type | Class | Source | NULL means |", "|---|---|---|---|---|"]
    for column in table.columns:
        if table.patient_level and column.name in ROW_KEYS:
            continue
        unit = f" ({column.unit})" if column.unit else ""
        cells = [f"`{column.name}`", f"`{column.type}`", column.sensitivity, f"{column.source}{unit}", column.missing]
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return [*rows, *(["", "And the row keys."] if table.patient_level else [])]


def view_columns(view: Relation) -> list[str]:
    tree = parse(view.text, source=str(view.path))
    select = tree if isinstance(tree, exp.Select) else tree.find(exp.Select)
    return [f"`{name}`" for name in (select.named_selects if select else [])]


def pages() -> dict[Path, Callable[[], str]]:
    """Each page with a written part, and what writes it."""
    rooms = sorted({table.room for table in load_contract().values()} | {n.split(".")[0] for n in load_relations()})
    by_room = {DOCS / f"sql/{room}.md": (lambda room=room: room_guide(room)) for room in rooms}
    return {DOCS / "reason-codes.md": reason_codes, **by_room}


def rewritten(path: Path, text: str) -> str:
    page = path.read_text() if path.exists() else f"# {path.stem}\n\n<!-- written by make docs -->\n<!-- end -->\n"
    return MARKED.sub(lambda match: f"{match.group(1)}{text}\n{match.group(2)}", page)


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the parts of docs/ that follow from the code.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a page is out of date")
    is_check = parser.parse_args().check
    stale = []
    for path, write in pages().items():
        page = rewritten(path, write())
        if not path.exists() or path.read_text() != page:
            stale.append(path.relative_to(ROOT))
            if not is_check:
                path.write_text(page)
    if stale and is_check:
        sys.stderr.write(f"Out of date: {', '.join(map(str, stale))}\n  Next: make docs\n")
        return 1
    sys.stderr.write(f"{len(stale)} pages written\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
