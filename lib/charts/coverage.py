"""Figures, in one look: readable in black and white and by the colour-blind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from lib.coverage import FULL, DateState, TableCoverage

if TYPE_CHECKING:
    import plotly.graph_objects as go

# dark to light in print; distinct for the colour-blind (Okabe and Ito)
STATES = {
    "full": "#009e73",
    "outdated": "#cc79a7",
    "partial": "#e69f00",
    "absent": "#b2182b",
    "excluded": "#bbbbbb",
    "bootstrap": "#56b4e9",
}


def coverage_grid(covered: Mapping[str, TableCoverage]) -> go.Figure:
    """Dates by tables, one colour a state: what is there and what is missing, at a glance."""
    import numpy as np
    import plotly.graph_objects as go

    names = list(covered)
    days = sorted({state.day for coverage in covered.values() for state in coverage.days})
    codes = np.full((len(names), len(days)), np.nan, dtype=np.float32)
    place = {day: index for index, day in enumerate(days)}
    order = list(STATES)
    for row, coverage in enumerate(covered.values()):
        for state in coverage.days:
            codes[row, place[state.day]] = order.index(_colour_of(state))
    steps = [(edge / len(order), STATES[name]) for index, name in enumerate(order) for edge in (index, index + 1)]
    heat = go.Heatmap(
        z=codes, x=_game_days(days), y=[n.partition(".")[2] for n in names], zmin=-0.5, zmax=len(order) - 0.5, colorscale=steps, xgap=0, ygap=3,
        colorbar={"tickvals": list(range(len(order))), "ticktext": order, "title": "state"},
    )  # fmt: skip
    figure = go.Figure(heat)
    figure.update_layout(
        title=_title(covered),
        xaxis_title="game date, US/Eastern",
        height=120 + 45 * len(names),
        template="plotly_white",
    )
    figure.update_xaxes(type="category", nticks=12)
    figure.update_yaxes(autorange="reversed")
    return figure


def _colour_of(state: DateState) -> str:
    if state.excluded:
        return "excluded"
    if state.outdated:
        return "outdated"
    if state.state == FULL:
        return "bootstrap" if state.bootstrap else "full"
    return state.state if state.state in STATES else "excluded"


def _game_days(days: Sequence[date]) -> list[str]:
    return [str(day) for day in days]


def _title(covered: Mapping[str, TableCoverage]) -> str:
    missing = sum(c.missing for c in covered.values())
    if not missing:
        return f"All {len(covered)} tables are full on every expected date"
    short = sum(c.missing > 0 for c in covered.values())
    return f"{missing} table-dates are missing, in {short} of {len(covered)} tables"
