"""The figures: one look, one place; titles say the finding."""

from lib.charts.coverage import coverage_grid
from lib.charts.model import calibration, defaults_by_season, importance, residuals

__all__ = ["calibration", "coverage_grid", "defaults_by_season", "importance", "residuals"]
