"""The figures: one look, one place; titles say the finding, axes have units."""

from lib.charts.coverage import coverage_grid, row_counts
from lib.charts.gates import gate_chart
from lib.charts.model import calibration, defaults_by_season, importance, residuals
from lib.charts.picture import Picture
from lib.charts.timeline import Span, attempts_timeline, timeline

__all__ = [
    "Picture",
    "Span",
    "attempts_timeline",
    "calibration",
    "coverage_grid",
    "defaults_by_season",
    "gate_chart",
    "importance",
    "residuals",
    "row_counts",
    "timeline",
]
