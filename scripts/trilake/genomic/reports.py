"""The report that a load leaves of a file: counts, each refused line with its reasons, warnings, a fault of the stream.

Pure. A file that several machines read in parts has one of each part, and `merged` makes one of them.

Example: merged([report(first), report(second)])["counts"]
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from trilake.core.ledger import Reason
from trilake.genomic.block import MOST_WARNINGS
from trilake.genomic.order import OrderWatch, Run
from trilake.genomic.reader import Reading

Report = dict[str, Any]


def report(reading: Reading) -> Report:
    """What became of a file's records, or of a part's: then with its lines, counted from its first, and runs."""
    told: Report = {
        "counts": asdict(reading.counts),
        "refused": [
            {"line": entry.line, "text": entry.text, "reasons": [asdict(reason) for reason in entry.reasons]}
            for entry in reading.refused
        ],
        "warnings": [asdict(reason) for reason in reading.warnings],
        "faults": [asdict(reason) for reason in reading.faults],
    }
    if reading.is_part:
        told |= {"n_lines": reading.n_lines, "runs": [asdict(run) for run in reading.runs]}
    return told


def merged(parts: list[Report]) -> Report:
    """The report of the file whose parts these are, in order. Lines are counted from the file's first again."""
    if len(parts) == 1:
        return parts[0]
    whole: Report = {"counts": {}, "refused": [], "warnings": [], "faults": []}
    n_lines, watch = 0, OrderWatch()
    for part in parts:
        for name, count in part["counts"].items():
            whole["counts"][name] = whole["counts"].get(name, 0) + count
        for refused in part["refused"]:
            reasons = [shifted(reason, n_lines) for reason in refused["reasons"]]
            whole["refused"].append({**refused, "line": refused["line"] + n_lines, "reasons": reasons})
        # What is wrong with the header or the end of the file every part tells, in lines of the file.
        own = [reason for reason in part["warnings"] if reason["code"] != "VCF_ORDER"]
        whole["warnings"] += [reason if is_of_file(reason) else shifted(reason, n_lines) for reason in own]
        whole["faults"] += part["faults"]
        runs = [Run(**run) for run in part["runs"]]
        line = watch.first_disorder(runs)
        if line is not None and not any(reason["code"] == "VCF_ORDER" for reason in whole["warnings"]):
            whole["warnings"].append(asdict(disorder(line + n_lines)))
        n_lines += part["n_lines"]
    whole["warnings"] = distinct(whole["warnings"])[:MOST_WARNINGS]
    return whole


def is_of_file(reason: dict[str, Any]) -> bool:
    return reason["code"] in ("VCF_HEADER", "VCF_BUILD", "VCF_BUILD_ASSUMED", "VCF_NO_NEWLINE", "VCF_NO_END_BLOCK")


def disorder(line: int) -> Reason:
    expected = "records sorted by position within contiguous contigs"
    return Reason("VCF_ORDER", expected=expected, line=line, path="POS", is_warning=True)


def shifted(reason: dict[str, Any], n_lines: int) -> dict[str, Any]:
    return {**reason, "line": None if reason["line"] is None else reason["line"] + n_lines}


def distinct(reasons: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The reasons but those that an earlier part told already; of an undeclared name, the first line counts."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for reason in reasons:
        line = None if reason["code"] == "VCF_UNDECLARED" else reason["line"]
        found.setdefault((reason["code"], reason["path"], reason["found"], line), reason)
    return list(found.values())
