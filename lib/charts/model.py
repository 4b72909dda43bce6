"""Figures of the model: what it was told, how well it is calibrated, where it errs, what it looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

INK, ACCENT, QUIET = "#333333", "#0072b2", "#bbbbbb"
Lines = Sequence[Mapping[str, Any]]


def defaults_by_season(features: Lines) -> go.Figure:
    """Features by seasons: the share of rows that hold a default although the value could be known, percent."""
    import plotly.graph_objects as go

    names = list(dict.fromkeys(line["feature"] for line in features))
    seasons = sorted({line["season"] for line in features})
    share = {(line["feature"], line["season"]): line["avoidable_pct"] for line in features}
    rows = [[share[name, season] for season in seasons] for name in names]
    heat = go.Heatmap(
        z=rows, x=seasons, y=names, zmin=0, zmax=100, colorscale=[[0, "#ffffff"], [0.05, "#fde0c5"], [1, "#7f2704"]],
        text=[[f"{value:.1f}" for value in row] for row in rows], texttemplate="%{text}", xgap=2, ygap=2,
        colorbar={"title": "% of rows"},
    )  # fmt: skip
    worst = max(features, key=lambda line: line["avoidable_pct"])
    title = (
        f"{worst['feature']} is a default in {worst['avoidable_pct']:.0f} % of {worst['season']}, the most of all"
        if worst["avoidable_pct"] > 0
        else "Every feature is known wherever it can be"
    )
    figure = _figure(heat, title, "season", "", 120 + 24 * len(names))
    return figure.update_yaxes(autorange="reversed").update_xaxes(type="category")


def calibration(groups: Lines, kind: str) -> go.Figure:
    """Mean actual against mean predicted points of ten groups of test rows; the diagonal is perfect."""
    import plotly.graph_objects as go

    predicted, actual = ([line[name] for line in groups] for name in ("predicted", "actual"))
    ends = [min(predicted + actual), max(predicted + actual)]
    off = max(abs(a - p) for a, p in zip(actual, predicted, strict=True))
    figure = _figure(
        go.Scatter(x=predicted, y=actual, mode="lines+markers", marker={"size": 9}, line={"color": ACCENT}, name="model"),
        f"Predictions are off by at most {off:.1f} points in any tenth of the test rows ({kind})",
        "mean predicted points", "mean actual points", 420,
    )  # fmt: skip
    return figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": QUIET, "dash": "dash"}, name="perfect")


def residuals(seasons: Lines, kind: str) -> go.Figure:
    """Actual minus predicted points of the unseen rows by part and season: median, and the span of four rows in five."""
    import plotly.graph_objects as go

    names = [f"{line['part']} {line['season']}" for line in seasons]
    spans = {
        "array": [line["p90"] - line["median"] for line in seasons],
        "arrayminus": [line["median"] - line["p10"] for line in seasons],
    }
    drift = max(seasons, key=lambda line: abs(line["mean"]))
    title = f"The mean error is largest in {drift['part']} {drift['season']}: {drift['mean']:+.2f} points ({kind})"
    dots = go.Scatter(
        x=names, y=[line["median"] for line in seasons], error_y={"type": "data", **spans}, mode="markers",
        marker={"size": 10, "color": ACCENT}, name="median, 10 % to 90 %",
    )  # fmt: skip
    figure = _figure(dots, title, "part and season", "actual minus predicted, points", 380)
    return figure.add_hline(y=0, line_color=QUIET)


def importance(features: Lines, kind: str) -> go.Figure:
    """By how many points the error grows when a feature is shuffled."""
    import plotly.graph_objects as go

    ranked = list(reversed(features))
    bars = go.Bar(
        x=[line["mae_added"] for line in ranked], y=[line["feature"] for line in ranked], orientation="h",
        marker={"color": ACCENT}, error_x={"type": "data", "array": [line["std"] for line in ranked], "color": INK},
    )  # fmt: skip
    title = f"{features[0]['feature']} matters most: without it the error grows by {features[0]['mae_added']:.2f} points ({kind})"
    return _figure(bars, title, "mean absolute error added by shuffling, points", "", 120 + 22 * len(ranked))


def _figure(trace: Any, title: str, x: str, y: str, height: int) -> go.Figure:
    import plotly.graph_objects as go

    figure = go.Figure(trace)
    return figure.update_layout(title=title, xaxis_title=x, yaxis_title=y, height=height, template="plotly_white")
