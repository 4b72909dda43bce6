"""The one look: colours, patterns and type. Told apart by lightness and pattern, too: in print and by the colour-blind."""

from __future__ import annotations

from dataclasses import dataclass

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', Arial, sans-serif"
INK, QUIET, HAIR, PAPER = "#1a1a1a", "#5f5f5f", "#d9d9d9", "#ffffff"
ACCENT, ALARM = "#0072b2", "#a01c2c"
WIDTH = 960  # pixels; pictures scale with the page


@dataclass(frozen=True)
class Fill:
    """How an area looks. ``pattern`` is one of '', '/', 'x', '.', '|', '-', drawn in ``ink``."""

    colour: str
    pattern: str = ""
    ink: str = INK


# hues of Okabe and Ito; what is in order is light, what is missing is dark
STATES = {
    "full": Fill("#8fd0b8"),
    "bootstrap": Fill("#d3ede4"),
    "partial": Fill("#f0b030", "/"),
    "absent": Fill("#a01c2c"),
    "outdated": Fill("#ecd3e2", "|", "#7a2f66"),
    "excluded": Fill("#e4e4e4", ".", "#777777"),
    "running": Fill("#56b4e9", "-", "#004c7a"),
    "failed": Fill("#1a1a1a", "x", "#ffffff"),
}
NAMES = {"bootstrap": "full, in bootstrap"}  # where a legend says more than the state's name
VERDICTS = {"green": Fill("#8fd0b8"), "amber": Fill("#f0b030", "/"), "red": Fill("#a01c2c")}
SIGNS = {"green": "●", "amber": "▲", "red": "■"}
SHADES = ("#ffffff", "#fde8cf", "#f5b878", "#d9762b", "#7f2704")  # little to much, light to dark
