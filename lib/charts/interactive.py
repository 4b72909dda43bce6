"""A picture for Plotly, which JupyterLab draws and which answers the mouse. Written as its JSON: Plotly is not imported."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from lib.charts.look import FONT, HAIR, INK, PAPER, QUIET
from lib.charts.picture import Axis, Boxes, Floats, Mark, Note, Picture, Points, Rule, Spans, nice_ticks
from lib.charts.svg import wrapped

NARROW = 760  # pixels of a notebook beside JupyterLab's file browser: Plotly cuts a title that is longer
ANCHORS = {"start": "left", "middle": "center", "end": "right"}


def figure(picture: Picture) -> dict[str, Any]:
    """Data and layout as Plotly 3 and later (plotly.js) read them."""
    traces = [trace for mark in picture.marks for trace in _traces(mark)]
    lines = wrapped(picture.title, NARROW)
    layout = {
        "title": {
            "text": "<br>".join(map(_escaped, lines)),
            "font": {"size": 15},
            "x": 0,
            "xanchor": "left",
            "xref": "container",
            "pad": {"l": 12},
        },
        "font": {"family": FONT, "size": 12, "color": INK},
        "paper_bgcolor": PAPER,
        "plot_bgcolor": PAPER,
        "height": picture.height + 60,
        "barmode": "overlay",
        "bargap": 0,
        "hovermode": "closest",
        "legend": {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        "margin": {"t": 70 + 20 * len(lines), "b": 50, "r": 30},
        "xaxis": _axis(picture.x),
        "yaxis": _axis(picture.y),
        "shapes": [_rule(mark) for mark in picture.marks if isinstance(mark, Rule)],
        "annotations": [_note(mark) for mark in picture.marks if isinstance(mark, Note)],
    }
    return {"data": traces, "layout": layout}


def _traces(mark: Mark) -> list[dict[str, Any]]:
    if isinstance(mark, Boxes):
        return [_boxes(mark)]
    if isinstance(mark, Points):
        return [_points(mark)]
    return [_spans(mark)] if isinstance(mark, Spans) else []


def _boxes(mark: Boxes) -> dict[str, Any]:
    line = {"width": 1 if mark.outline else 0, "color": INK}
    pattern = {"shape": mark.fill.pattern, "fgcolor": mark.fill.ink, "bgcolor": mark.fill.colour, "size": 5}
    marker = {"color": mark.fill.colour, "line": line} | ({"pattern": pattern} if mark.fill.pattern else {})
    return _common(mark.name, mark.hover) | {
        "type": "bar",
        "orientation": "h",
        "base": _typed(mark.x0),
        "x": _typed(mark.x1 - mark.x0),
        "y": _typed((mark.y0 + mark.y1) / 2),
        "width": _typed(np.abs(mark.y1 - mark.y0)),
        "marker": marker,
    }


def _points(mark: Points) -> dict[str, Any]:
    modes = [name for name, wanted in (("lines", mark.dash), ("markers", mark.symbol)) if wanted]
    style = {"marker": {"symbol": mark.symbol, "size": 9, "color": mark.colour}} if mark.symbol else {}
    style |= {"line": {"color": mark.colour, "dash": mark.dash, "width": 2}} if mark.dash else {}
    place = {"x": _typed(mark.x), "y": _typed(mark.y)}
    return _common(mark.name, mark.hover) | {"type": "scatter", "mode": "+".join(modes)} | place | style


def _spans(mark: Spans) -> dict[str, Any]:
    gap = np.full(len(mark.x0), np.nan)
    along = {name: np.column_stack(ends).ravel() for name, ends in _ends(mark, gap).items()}
    line = {"color": mark.colour, "width": 1.5}
    place = {name: _typed(values) for name, values in along.items()}
    return _common("", ()) | {"type": "scatter", "mode": "lines", "line": line} | place


def _ends(mark: Spans, gap: Floats) -> dict[str, tuple[Floats, Floats, Floats]]:
    return {"x": (mark.x0, mark.x1, gap), "y": (mark.y0, mark.y1, gap)}


def _common(name: str, hover: Any) -> dict[str, Any]:
    about: dict[str, Any] = {"name": name, "showlegend": bool(name)}
    if len(hover):
        return about | {"hovertext": list(hover), "hovertemplate": "%{hovertext}<extra></extra>"}
    return about | ({} if name else {"hoverinfo": "skip"})


def _axis(axis: Axis) -> dict[str, Any]:
    ticks = axis.ticks or nice_ticks(axis.low, axis.high)
    return {
        "title": {"text": axis.title},
        "range": [axis.low, axis.high],
        "tickmode": "array",
        "tickvals": [place for place, _ in ticks],
        "ticktext": [text for _, text in ticks],
        "showgrid": axis.grid,
        "gridcolor": HAIR,
        "zeroline": False,
        "automargin": True,
        "linecolor": QUIET,
    }


def _rule(rule: Rule) -> dict[str, Any]:
    line = {"color": INK, "width": 1.5, "dash": "dash" if rule.dash else "solid"}
    if rule.x is not None:
        return {
            "type": "line",
            "xref": "x",
            "yref": "paper",
            "x0": rule.x,
            "x1": rule.x,
            "y0": 0,
            "y1": 1,
            "line": line,
        }
    return {"type": "line", "xref": "paper", "yref": "y", "x0": 0, "x1": 1, "y0": rule.y, "y1": rule.y, "line": line}


def _note(note: Note) -> dict[str, Any]:
    text = f"<b>{_escaped(note.text)}</b>" if note.bold else _escaped(note.text)
    place = {"x": note.x, "y": note.y, "xanchor": ANCHORS[note.anchor], "yanchor": "middle"}
    return place | {"text": text, "showarrow": False, "font": {"color": note.colour, "size": 11}}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _typed(values: Floats) -> dict[str, str]:
    """Bytes instead of a list of numbers: a third of the size, and read at once."""
    return {"dtype": "f8", "bdata": base64.b64encode(values.astype("<f8").tobytes()).decode()}
