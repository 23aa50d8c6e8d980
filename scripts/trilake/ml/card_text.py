"""A report card as Markdown: for people, and for the pull request that brings a model. Pure.

Example: as_markdown(card).splitlines()[0]
"""

from typing import Any

from trilake.core.disclosure import minimum_cell

Card = dict[str, Any]


def as_markdown(card: Card) -> str:
    """The whole card."""
    parts = [
        f"# {card['study']}",
        f"**{card['sentence']}**",
        f"> {card['notice']}",
        card["description"],
        f"Made {card['made_at']} as {card['persona']}, from lock `{card['lock']['lock_id'][:12]}`, "
        f"code `{card['lock']['code_commit'][:12]}`, seed {card['evaluation']['seed']}.",
        "## Who",
        who(card),
        "## How well, on patients that the model was not fitted on",
        how_well(card),
        "## What it uses",
        uses(card),
        "## Leakage audit",
        table(
            ["question", "verdict", "found"],
            [[one["check"], "passed" if one["passed"] else "FAILED", one["found"]] for one in card["audit"]],
        ),
        "## Limits",
        "\n".join(f"- {line}" for line in limits(card)),
    ]
    return "\n\n".join(parts) + "\n"


def who(card: Card) -> str:
    time = card["time"]
    codes = "; ".join(f"{part['system']} {', '.join(part['codes'])}" for part in card["outcome"]["value_set"])
    lines = [
        f"Outcome: a {' or '.join(card['outcome']['verification'])} condition with {codes} "
        f"(value set of {card['outcome']['value_set_version']}), first dated from {risk_start(card)} "
        f"and before {time['at_risk_until']}.",
        f"Index date {time['index_date']}; years of features before it: {time['look_back_years']}; of blackout after "
        f"it: {time['blackout_years']}; into the time at risk that controls were seen: {time['follow_up_years']}.",
        table(
            ["step", "patients", "those who stay have"],
            [[one["name"], shown(one), one["description"]] for one in card["attrition"]],
        ),
        f"{card['n_patients']} patients, {card['n_cases']} cases "
        f"({card['n_cases'] / card['n_patients']:.0%}: what a model that knows nothing would say of everyone).",
    ]
    return "\n\n".join(lines)


def risk_start(card: Card) -> str:
    year = int(card["time"]["index_date"][:4]) + card["time"]["blackout_years"]
    return f"{year}-01-01"


def shown(step: dict[str, Any]) -> str:
    return str(step["suppressed"] if step["n"] is None else step["n"])


def how_well(card: Card) -> str:
    rows = [
        [name, range_of(one["auc"], 2), range_of(one["brier"], 3), f"{one['baseline_brier']:.3f}", one["verdict"]]
        for name, one in card["results"].items()
    ]
    calibration = card["calibration"]
    gains = "; ".join(f"over {name} alone {range_of(one, 2)}" for name, one in card["gain_over"].items())
    groups = [
        [one["group"], range_of(one["auc"], 2) if one["auc"] else f"fewer than {minimum_cell()} cases or others"]
        for one in card["subgroups"]
    ]
    return "\n\n".join(
        [
            table(["features", "AUC", "Brier score", "baseline", "verdict"], rows),
            f"Gain in AUC of all modalities: {gains}.",
            f"Calibration: {calibration['mean_predicted']:.1%} predicted on average, "
            f"{calibration['observed']:.1%} observed; slope {calibration['slope']:.2f} (1 is right, below 1 too bold).",
            table(["subgroup", "AUC"], groups),
        ]
    )


def uses(card: Card) -> str:
    rows = [
        [
            one["feature"],
            "" if one["share_measured"] is None else f"{one['share_measured']:.0%}",
            f"{one['weight']:+.2f}",
        ]
        for one in card["features"]
    ]
    return table(["feature", "measured in", "weight per SD"], rows)


def limits(card: Card) -> list[str]:
    settings = card["evaluation"]
    return [
        card["notice"],
        f"Logistic regression with a penalty (C = {settings['strength']:g}) chosen in the study file, "
        f"{settings['folds']} folds stratified by outcome, {settings['repeats']} times, by patient.",
        "Intervals come from drawing patients again, not from fitting again: they leave out the chance in the fit.",
        "Times are years. A germline allele counts from birth, a scan and a measurement from the year they were made.",
        "What was not measured is filled with the median, and a column says of whom a whole kind of data is missing.",
        "Tested on patients of the same lake only.",
    ]


def range_of(one: dict[str, float], digits: int) -> str:
    value, low, high = (f"{round(one[name], digits) + 0.0:.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *[[cell.replace("|", "\\|") for cell in row] for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
