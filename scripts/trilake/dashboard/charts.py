"""A panel's rows as a plotly figure, data and layout as plain objects; fonts and grid colours are the page's own.

Example: figure(filled)["data"][0]["type"]  ->  "bar"
"""

from collections.abc import Callable, Iterable
from html import escape
from typing import Any

from trilake.core.disclosure import Row
from trilake.dashboard.answers import STATES, Filled

Figure = dict[str, Any]
BLUE, ORANGE, GREEN, VIOLET, ROSE, GREY = "#3b76e1", "#e58a3c", "#2a9d8f", "#8a63c9", "#cf4d7f", "#8793a3"
PALETTE = (BLUE, ORANGE, GREEN, VIOLET, ROSE, GREY)
STATE_COLOURS = {"measured": BLUE, "not measured": "#b7c0cc", "not loaded": ORANGE}
LONGEST_LABEL = 34
NO_BOX = "<extra></extra>"
"""Plotly puts the trace's name in a second box beside the hover text, unless the template has an empty one."""
# Plotly draws categories from the bottom up.
FROM_TOP = {"type": "category", "automargin": True, "autorange": "reversed", "showgrid": False, "ticksuffix": "  "}


def figure(filled: Filled) -> Figure:
    """Data and layout of a chart. Rows whose count is not shown are left out of it (`hidden_labels` names them)."""
    return MAKERS[filled.panel.kind](filled)


def shown(filled: Filled) -> list[Row]:
    return [row for row in filled.rows if all(row[name] is not None for name in filled.panel.people)]


def hidden_labels(filled: Filled) -> list[str]:
    """The groups that are there and not shown."""
    names = [name for name in ("label", "x", "series") if name in filled.columns]
    return [
        ", ".join(str(row[name]) for name in names)
        for row in filled.rows
        if any(row[name] is None for name in filled.panel.people)
    ]


def bars(filled: Filled) -> Figure:
    rows, panel = shown(filled), filled.panel
    is_flat = panel.orientation == "h"
    traces = []
    for number, series in enumerate(in_order(row.get("series") for row in rows)):
        part = [row for row in rows if row.get("series") == series]
        labels, counts = [short(row["label"]) for row in part], [row["n"] for row in part]
        hover = [
            f"{text(row['label'])}{f', {text(series)}' if series else ''}: {row['n']:,} {panel.unit}" for row in part
        ]
        traces.append(
            {
                "type": "bar",
                "name": text(series or ""),
                "orientation": panel.orientation,
                "x": counts if is_flat else labels,
                "y": labels if is_flat else counts,
                "marker": {"color": PALETTE[number % len(PALETTE)]},
                **hovering(hover),
            }
        )
    value = {"title": {"text": panel.unit}, "rangemode": "tozero"}
    label = {"type": "category", "automargin": True, "showgrid": False}
    if not is_flat:
        label |= {"categoryorder": "array", "categoryarray": list(in_order(short(row["label"]) for row in rows))}
    layout = {"xaxis": value, "yaxis": FROM_TOP} if is_flat else {"xaxis": label, "yaxis": value}
    return {"data": traces, "layout": layout | {"barmode": panel.mode, "showlegend": len(traces) > 1, "bargap": 0.25}}


def histogram(filled: Filled) -> Figure:
    rows, panel = shown(filled), filled.panel
    width = panel.bin or 1
    hover = [f"{row['x']:g} to {float(row['x']) + width:g} {panel.unit}: {row['n']:,} patients" for row in rows]
    layout: Figure = {
        "xaxis": {"title": {"text": panel.unit}, "showgrid": False},
        "yaxis": {"title": {"text": "patients"}, "rangemode": "tozero"},
        "showlegend": False,
    }
    if panel.threshold:
        line = {"type": "line", "x0": panel.threshold.at, "x1": panel.threshold.at, "y0": 0, "y1": 1, "yref": "paper"}
        layout["shapes"] = [line | {"line": {"dash": "dot", "width": 1.5, "color": ORANGE}}]
        note = {"x": panel.threshold.at, "y": 1, "yref": "paper", "text": text(panel.threshold.label)}
        layout["annotations"] = [
            note | {"showarrow": False, "xanchor": "left", "yanchor": "bottom", "font": {"color": ORANGE, "size": 11}}
        ]
    bar = {
        "type": "bar",
        "x": [float(row["x"]) + width / 2 for row in rows],
        "y": [row["n"] for row in rows],
        "width": [width * 0.94] * len(rows),
        "marker": {"color": BLUE},
    }
    return {"data": [bar | hovering(hover)], "layout": layout}


def dots(filled: Filled) -> Figure:
    """A dot at the end of a thin line from zero."""
    rows, panel = shown(filled), filled.panel
    labels, values = [short(row["label"]) for row in rows], [row["value"] for row in rows]
    extras = [name for name in filled.columns if name not in ("label", "value")]
    hover = [
        f"{text(row['label'])}: {row['value']}{panel.suffix}"
        + "".join(f"<br>{name.removeprefix('n_').replace('_', ' ')}: {row[name]}" for name in extras)
        for row in rows
    ]
    line = {"type": "bar", "orientation": "h", "x": values, "y": labels, "width": 0.08, "hoverinfo": "skip"}
    dot = {"type": "scatter", "mode": "markers", "x": values, "y": labels, "marker": {"color": BLUE, "size": 12}}
    layout = {"xaxis": {"ticksuffix": panel.suffix, "rangemode": "tozero"}, "yaxis": FROM_TOP, "showlegend": False}
    return {"data": [line | {"marker": {"color": BLUE}}, dot | hovering(hover)], "layout": layout}


def boxes(filled: Filled) -> Figure:
    rows = shown(filled)
    quantiles = {"lowerfence": "low", "q1": "q1", "median": "median", "q3": "q3", "upperfence": "high"}
    trace = {
        "type": "box",
        "x": [f"{short(row['label'])}<br>{row['n']} patients" for row in rows],
        **{mark: [row[name] for row in rows] for mark, name in quantiles.items()},
        "marker": {"color": BLUE},
        "line": {"width": 1.5},
        "width": 0.45,
        "name": "",
        "hoverinfo": "y",
        "yhoverformat": ".1f",
    }
    layout = {"xaxis": {"type": "category", "showgrid": False}, "yaxis": {"title": {"text": filled.panel.unit}}}
    return {"data": [trace], "layout": layout | {"showlegend": False}}


def coverage(filled: Filled) -> Figure:
    """One bar a modality, in states; a modality that is closed is hatched from end to end, and no number."""
    kinds, seen = list(filled.parts), [states for states in filled.parts.values() if states is not None]
    whole = max((sum(states.values()) for states in seen), default=0) or 1
    names = in_order([*STATES, *(state for states in seen for state in states)])
    traces = []
    for state in names:
        counts = [(states or {}).get(state, 0) for states in filled.parts.values()]
        hover = [f"{kind}, {state}: {n:,} patients" for kind, n in zip(kinds, counts, strict=True)]
        if any(counts):
            traces.append(flat(state, kinds, counts) | hovering(hover))
            traces[-1]["marker"] = {"color": STATE_COLOURS.get(state, "#d9a86c")}
    closed = [kind for kind, states in filled.parts.items() if states is None]
    if closed:
        hatch = {"color": "rgba(135,147,163,.12)", "pattern": {"shape": "/", "fgcolor": GREY, "size": 7}}
        words = [f"{kind}: not permitted" for kind in closed]
        traces.append(flat("not permitted", closed, [whole] * len(closed)) | hovering(words) | {"marker": hatch})
    axis = FROM_TOP | {"categoryorder": "array", "categoryarray": kinds}
    layout = {"barmode": "stack", "xaxis": {"title": {"text": "patients"}}, "yaxis": axis, "showlegend": True}
    return {"data": traces, "layout": layout | {"bargap": 0.35}}


def flat(name: str, labels: list[str], values: list[int]) -> Figure:
    return {"type": "bar", "orientation": "h", "name": name, "y": labels, "x": values}


def cards(filled: Filled) -> Figure:
    """AUC with its interval for each study and kind of data; blue beats guessing, grey does not."""
    entries = [
        (f"{text(str(card['study']).replace('_', ' '))}, {text(name)}", result)
        for card in filled.rows
        for name, result in card["results"].items()
    ]
    hover = [f"{label}: {text(result['sentence'])}" for label, result in entries]
    better = [result["verdict"] == "better than guessing" for _, result in entries]
    areas = [result["auc"] for _, result in entries]
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": [area["value"] for area in areas],
        "y": [label for label, _ in entries],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [area["high"] - area["value"] for area in areas],
            "arrayminus": [area["value"] - area["low"] for area in areas],
            "color": GREY,
            "thickness": 1.5,
        },
        "marker": {"size": 11, "color": [BLUE if is_better else GREY for is_better in better]},
    }
    half = {"type": "line", "x0": 0.5, "x1": 0.5, "y0": 0, "y1": 1, "yref": "paper"}
    layout = {"xaxis": {"range": [0, 1], "title": {"text": "AUC"}}, "yaxis": FROM_TOP, "showlegend": False}
    shapes = [half | {"line": {"dash": "dot", "width": 1.5, "color": ORANGE}}]
    return {"data": [trace | hovering(hover)], "layout": layout | {"shapes": shapes}}


MAKERS: dict[str, Callable[[Filled], Figure]] = {
    "bar": bars,
    "histogram": histogram,
    "dots": dots,
    "box": boxes,
    "coverage": coverage,
    "cards": cards,
}


def hovering(words: list[str]) -> Figure:
    """The words that a mark shows when pointed at, and nothing written on it."""
    return {"hovertext": words, "hovertemplate": "%{hovertext}" + NO_BOX, "textposition": "none"}


def text(value: Any) -> str:
    """Data as plotly writes it: it takes markup in labels, so marks of markup are escaped."""
    return escape(str(value), quote=False)


def short(label: Any) -> str:
    words = "not recorded" if label is None else str(label)
    return text(words if len(words) <= LONGEST_LABEL else words[: LONGEST_LABEL - 1] + "…")


def in_order(values: Iterable[Any]) -> list[Any]:
    """Each value once, as they come."""
    return list(dict.fromkeys(values))
