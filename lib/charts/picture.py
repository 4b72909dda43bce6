"""A picture as data: areas, points, spans, rules and notes on two axes. Drawn as SVG, and by Plotly where one looks live.

Whoever shows a picture shows both: JupyterLab takes Plotly's, which answers the mouse; an archive, nbconvert and the
report take the SVG, which needs neither script nor network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lib.charts.look import ACCENT, INK, WIDTH, Fill

Floats = NDArray[np.float64]
PLOTLY_MIME, SVG_MIME = "application/vnd.plotly.v1+json", "image/svg+xml"


def floats(values: ArrayLike) -> Floats:
    """Numbers as an array of 64-bit floats."""
    return np.asarray(values, dtype=np.float64)


@dataclass(frozen=True)
class Boxes:
    """Filled rectangles from (x0, y0) to (x1, y1), with a text for each that the mouse rests on."""

    name: str
    fill: Fill
    x0: Floats
    x1: Floats
    y0: Floats
    y1: Floats
    hover: Sequence[str] = ()
    outline: bool = False


@dataclass(frozen=True)
class Points:
    """Points with a symbol ('circle', 'square', 'diamond', or '' for none), joined by a line where ``dash`` says how."""

    name: str
    x: Floats
    y: Floats
    colour: str = ACCENT
    symbol: str = "circle"
    dash: str = ""  # '', 'solid' or 'dash'
    hover: Sequence[str] = ()


@dataclass(frozen=True)
class Spans:
    """Straight lines from (x0, y0) to (x1, y1), for instance the spread around a point."""

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    colour: str = INK


@dataclass(frozen=True)
class Rule:
    """A line across the whole picture, upright at ``x`` or level at ``y``."""

    x: float | None = None
    y: float | None = None
    dash: bool = True


@dataclass(frozen=True)
class Note:
    """Text at a point; ``anchor`` is start, middle or end."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    bold: bool = False
    colour: str = INK


Mark = Boxes | Points | Spans | Rule | Note


@dataclass(frozen=True)
class Axis:
    """An axis from ``low`` to ``high``; without ``ticks`` round numbers are chosen. ``title`` says what, and its unit."""

    title: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]] = ()
    grid: bool = True


@dataclass(frozen=True)
class Picture:
    """Marks on two axes under a title that says the finding. ``height`` in pixels, at a width of 960."""

    title: str
    x: Axis
    y: Axis
    marks: Sequence[Mark]
    height: int
    width: int = WIDTH
    data: Mapping[str, Any] = field(default_factory=dict)  # what it shows, by MIME type, for whoever reads an archive

    def svg(self) -> str:
        """The picture as a document of its own: no script, no style sheet, no address."""
        from lib.charts.svg import drawn

        return drawn(self)

    def plotly(self) -> dict[str, Any]:
        """The picture for Plotly, as its JSON: ``plotly.graph_objects.Figure(picture.plotly())`` takes it."""
        from lib.charts.interactive import figure

        return figure(self)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {PLOTLY_MIME: self.plotly(), SVG_MIME: self.svg(), "text/plain": self.title, **self.data}


def nice_ticks(low: float, high: float, count: int = 6) -> list[tuple[float, str]]:
    """Round numbers from *low* to *high*, about *count* of them, with their texts."""
    span = max(high - low, 1e-9)
    rough = span / count
    magnitude = 10.0 ** np.floor(np.log10(rough))
    step = float(magnitude * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * magnitude >= rough))
    first = int(np.ceil(low / step - 1e-9))
    last = int(np.floor(high / step + 1e-9))
    return [(number * step, f"{number * step:,.6g}") for number in range(first, last + 1)]
