"""The access matrix: which persona sees which tables, columns and rows.

It follows from the access policy and the contract alone; no deployment is asked.

Example: trilake access --out access.md
"""

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from trilake.core.contract import GovernedTable, load_contract, sensitivity_classes
from trilake.core.errors import InputError
from trilake.core.verb import Run, verb
from trilake.governance.policy import Access, AccessTable, Policy, load_access, load_policy

HEADINGS = ("Persona", "Table", "Rows", "Sees", "Does not see")


@click.command()
@verb
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="Write the matrix to a file: .md for Markdown, .html for a page. May be given twice.",
)
def access(run: Run, out: tuple[Path, ...]) -> None:
    """Who may see which tables, columns and rows, from the policy and the contract.

    Example: trilake access --out access.md --out access.html
    """
    policy, table = load_policy(), load_access()
    writers = [(path, writer_for(path)) for path in out]
    for path, write in writers:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(write(policy, table, load_contract()))
        run.say(f"Wrote {path}")
    run.emit(as_json(table), text=as_text(policy, table, load_contract()))


def writer_for(path: Path) -> Callable[[Policy, AccessTable, dict[str, GovernedTable]], str]:
    """The form that a file's ending asks for. InputError for any other ending."""
    forms = {".md": as_markdown, ".html": as_html}
    if path.suffix not in forms:
        raise InputError(f"{path.name}: expected a name that ends in .md or .html")
    return forms[path.suffix]


def as_json(table: AccessTable) -> dict[str, Any]:
    """Persona -> table -> columns and row rule (null: all rows)."""
    return {
        persona: {name: {"columns": list(entry.columns), "rows": entry.rows} for name, entry in tables.items()}
        for persona, tables in table.items()
    }


def hidden(entry: Access, contract: dict[str, GovernedTable]) -> list[str]:
    """The table's other columns, each with its class, in contract order."""
    return [
        f"{column.name} ({column.sensitivity})"
        for column in contract[entry.table].columns
        if column.name not in entry.columns
    ]


def rows_in_words(rows: str | None) -> str:
    return rows if rows else "all rows"


def as_text(policy: Policy, table: AccessTable, contract: dict[str, GovernedTable]) -> str:
    """One block a persona, one line a table."""
    lines: list[str] = []
    for name, persona in policy.items():
        lines += ["", f"{name}: {persona.description}"]
        if not table[name]:
            lines.append("  nothing")
        for entry in table[name].values():
            count = f"{len(entry.columns):>2} of {len(contract[entry.table].columns):>2} columns"
            lines.append(f"  {entry.table:<28} {count}   {rows_in_words(entry.rows)}")
            lines.append(f"    {', '.join(entry.columns)}")
    return "\n".join(lines[1:])


def matrix(policy: Policy, table: AccessTable, contract: dict[str, GovernedTable]) -> list[tuple[str, ...]]:
    """One row a persona and table, as in HEADINGS; a persona that sees nothing has a row that says so."""
    rows: list[tuple[str, ...]] = []
    for name in policy:
        for entry in table[name].values():
            unseen = ", ".join(hidden(entry, contract)) or "nothing hidden"
            rows.append((name, entry.table, rows_in_words(entry.rows), ", ".join(entry.columns), unseen))
        if not table[name]:
            rows.append((name, "none", "none", "nothing", "everything"))
    return rows


def as_markdown(policy: Policy, table: AccessTable, contract: dict[str, GovernedTable]) -> str:
    """The matrix as one Markdown table, with the classes below."""
    lines = ["# Who may see what", ""]
    lines += [f"- **{name}**: {persona.description}" for name, persona in policy.items()]
    lines += ["", f"| {' | '.join(HEADINGS)} |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in matrix(policy, table, contract)]
    lines += [
        "",
        "Classes: " + "; ".join(f"{name} {meaning}" for name, meaning in sensitivity_classes().items()) + ".",
        "",
    ]
    return "\n".join(lines)


def as_html(policy: Policy, table: AccessTable, contract: dict[str, GovernedTable]) -> str:
    """The matrix as one self-contained page."""
    rows = [[f"<td>{html.escape(cell)}</td>" for cell in row] for row in matrix(policy, table, contract)]
    cells = "\n".join("<tr>" + "".join(row) + "</tr>" for row in rows)
    people = "\n".join(
        f"<li><b>{html.escape(name)}</b>: {html.escape(persona.description)}</li>" for name, persona in policy.items()
    )
    heads = "".join(f"<th>{heading}</th>" for heading in HEADINGS)
    classes = "; ".join(f"<b>{name}</b> {meaning}" for name, meaning in sensitivity_classes().items())
    return PAGE.format(people=people, heads=heads, cells=cells, classes=classes)


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Who may see what</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: #1c2733; }}
table {{ border-collapse: collapse; width: 100%; font-size: 13px; }}
th, td {{ border: 1px solid #c9d3dc; padding: .35rem .5rem; text-align: left; vertical-align: top; }}
th {{ background: #eef3f7; position: sticky; top: 0; }}
td:nth-child(5) {{ color: #6b7785; }}
</style></head><body>
<h1>Who may see what</h1>
<ul>
{people}
</ul>
<table><thead><tr>{heads}</tr></thead><tbody>
{cells}
</tbody></table>
<p>Classes: {classes}.</p>
</body></html>
"""
