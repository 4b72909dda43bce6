"""The figures: one look, one place; titles say the finding."""

from lib.charts.coverage import coverage_grid

__all__ = ["coverage_grid"]
