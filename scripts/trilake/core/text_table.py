"""Rows as a table of text: numbers to the right, missing values as a dot, long values cut.

Example: text_table(["modality", "files"], [["clinical", 40]])
"""

from collections.abc import Sequence
from typing import Any

WIDEST = 60
MISSING = "·"


def text_table(
    columns: Sequence[str], rows: Sequence[Sequence[Any]], *, widest: int = WIDEST, has_separators: bool = True
) -> str:
    """Aligned lines under a ruled header. A column is a column of numbers when all its values are."""
    cells = [[cell(value, widest, has_separators) for value in row] for row in rows]
    widths = [
        max(len(name), *(len(row[index]) for row in cells)) if cells else len(name)
        for index, name in enumerate(columns)
    ]
    is_number = [
        all(isinstance(row[i], int | float | None) for row in rows) and bool(rows) for i in range(len(columns))
    ]
    lines = [list(columns), ["-" * width for width in widths], *cells]
    return "\n".join(
        "  ".join(
            text.rjust(width) if number else text.ljust(width)
            for text, width, number in zip(line, widths, is_number, strict=True)
        ).rstrip()
        for line in lines
    )


def is_numeric(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def cell(value: Any, widest: int, has_separators: bool) -> str:
    if value is None:
        return MISSING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}" if has_separators else str(value)
    text = f"{value:.6g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= widest else text[: widest - 1] + "…"
