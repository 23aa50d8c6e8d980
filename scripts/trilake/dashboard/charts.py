"""A panel's rows as a plotly figure (data and layout as plain objects); colours and fonts are the page's own. Pure.

Example: figure(filled)["data"][0]["type"]  ->  "bar"
"""

from collections.abc import Callable, Sequence
from typing import Any

from trilake.dashboard.answers import Filled
from trilake.dashboard.coverage import STATES
from trilake.dashboard.suppress import Row

Figure = dict[str, Any]
PALETTE = ("#2f6fde", "#e0803a", "#2a9d76", "#8a5cc7", "#c8447a", "#7a8699")
HIDDEN = "fewer than ten: not shown"
LONGEST_LABEL = 38


def figure(filled: Filled) -> Figure:
    """Data and layout of a chart. Rows whose count is not shown are left out of it (`n_hidden` counts them)."""
    return MAKERS[filled.panel.kind](filled)


def n_hidden(filled: Filled) -> int:
    """How many rows of the answer are there but not shown."""
    return sum(any(row[name] is None for name in filled.panel.people) for row in filled.rows)


def shown(filled: Filled) -> list[Row]:
    return [row for row in filled.rows if all(row[name] is not None for name in filled.panel.people)]


def bars(filled: Filled) -> Figure:
    rows, panel = shown(filled), filled.panel
    traces = []
    for number, series in enumerate(in_order(row.get("series") for row in rows)):
        part = [row for row in rows if row.get("series") == series]
        labels, counts = [short(row["label"]) for row in part], [row["n"] for row in part]
        is_flat = panel.orientation == "h"
        traces.append(
            {
                "type": "bar",
                "name": str(series or ""),
                "orientation": panel.orientation,
                "x": counts if is_flat else labels,
                "y": labels if is_flat else counts,
                "marker": {"color": colour(number)},
                "hovertemplate": f"%{{{'y' if is_flat else 'x'}}}: %{{{'x' if is_flat else 'y'}}} {panel.unit}"
                + (f"<extra>{series}</extra>" if series else "<extra></extra>"),
            }
        )
    value = {"title": {"text": panel.unit}, "rangemode": "tozero"}
    label = {"type": "category", "automargin": True}
    across = {"xaxis": value, "yaxis": label | {"autorange": "reversed"}}
    layout = across if panel.orientation == "h" else {"xaxis": label, "yaxis": value}
    mode = "stack" if panel.mode == "stack" else "group"
    return {"data": traces, "layout": layout | {"barmode": mode, "showlegend": len(traces) > 1}}


def histogram(filled: Filled) -> Figure:
    rows, panel = shown(filled), filled.panel
    width = panel.bin or 1
    middle = [float(row["x"]) + width / 2 for row in rows]
    hover = [f"{row['x']} to {float(row['x']) + width:g} {panel.unit}: {row['n']}" for row in rows]
    layout: Figure = {
        "xaxis": {"title": {"text": panel.unit}},
        "yaxis": {"title": {"text": "patients"}, "rangemode": "tozero"},
        "bargap": 0.06,
    }
    if panel.threshold:
        line = {"type": "line", "x0": panel.threshold.at, "x1": panel.threshold.at, "y0": 0, "y1": 1, "yref": "paper"}
        layout["shapes"] = [line | {"line": {"dash": "dot", "width": 1.5, "color": PALETTE[1]}}]
        note = {"x": panel.threshold.at, "y": 1, "yref": "paper", "text": panel.threshold.label, "showarrow": False}
        layout["annotations"] = [note | {"xanchor": "left", "yanchor": "top", "xshift": 4}]
    bar = {"type": "bar", "x": middle, "y": [row["n"] for row in rows], "width": [width * 0.94] * len(rows)}
    return {"data": [bar | {"marker": {"color": PALETTE[0]}, "text": hover, **HOVER_TEXT}], "layout": layout}


def dots(filled: Filled) -> Figure:
    rows, panel = shown(filled), filled.panel
    labels = [short(row["label"]) for row in rows]
    extras = [name for name in filled.columns if name not in ("label", "value")]
    hover = [
        f"{row['label']}: {row['value']}{panel.suffix}" + "".join(f"<br>{name}: {row[name]}" for name in extras)
        for row in rows
    ]
    trace = {"type": "scatter", "mode": "markers", "x": [row["value"] for row in rows], "y": labels, "text": hover}
    marker = {"marker": {"color": PALETTE[0], "size": 11}, "hovertemplate": "%{text}<extra></extra>"}
    value = {"title": {"text": panel.suffix}, "rangemode": "tozero"}
    layout = {"xaxis": value, "yaxis": {"type": "category", "automargin": True, "autorange": "reversed"}}
    return {"data": [trace | marker], "layout": layout | {"height": 60 + 24 * max(len(rows), 6)}}


def boxes(filled: Filled) -> Figure:
    rows = shown(filled)
    trace = {
        "type": "box",
        "x": [row["label"] for row in rows],
        "lowerfence": [row["low"] for row in rows],
        "q1": [row["q1"] for row in rows],
        "median": [row["median"] for row in rows],
        "q3": [row["q3"] for row in rows],
        "upperfence": [row["high"] for row in rows],
        "marker": {"color": PALETTE[0]},
        "name": "",
    }
    return {
        "data": [trace],
        "layout": {"xaxis": {"type": "category"}, "yaxis": {"title": {"text": filled.panel.unit}}, "showlegend": False},
    }


def coverage(filled: Filled) -> Figure:
    open_parts = {name: states for name, states in filled.parts.items() if states is not None}
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": state,
            "y": list(open_parts),
            "x": [states.get(state) or 0 for states in open_parts.values()],
            "marker": {"color": PALETTE[(0, 5, 1)[number]]},
            "hovertemplate": f"%{{y}}, {state}: %{{x}}<extra></extra>",
        }
        for number, state in enumerate(STATES)
    ]
    layout = {"barmode": "stack", "xaxis": {"title": {"text": "patients"}}, "yaxis": {"autorange": "reversed"}}
    return {"data": traces, "layout": layout | {"showlegend": True}}


HOVER_TEXT = {"hovertemplate": "%{text}<extra></extra>", "textposition": "none"}
MAKERS: dict[str, Callable[[Filled], Figure]] = {
    "bar": bars,
    "histogram": histogram,
    "dots": dots,
    "box": boxes,
    "coverage": coverage,
}


def colour(number: int) -> str:
    return PALETTE[number % len(PALETTE)]


def short(label: Any) -> str:
    text = "not recorded" if label is None else str(label)
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def in_order(values: Any) -> Sequence[Any]:
    """Each value once, as they come."""
    return list(dict.fromkeys(values))
