"""A picture as SVG: static, without script, style sheet or address, so that it may stand in any page and be printed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

from lib.charts.look import FONT, HAIR, INK, PAPER, QUIET, Fill
from lib.charts.picture import Axis, Boxes, Mark, Note, Picture, Points, Rule, Spans, nice_ticks

CHARACTER = 6.4  # pixels of a letter of 11 pixels, a little on the wide side
TITLE_CHARACTER, TITLE_LINE, LEGEND_LINE = 9.0, 20, 20
RIGHT, BOTTOM = 24, 44


@dataclass(frozen=True)
class _Canvas:
    """A picture with its margins, and the way from its numbers to pixels."""

    picture: Picture

    @cached_property
    def title(self) -> list[str]:
        return wrapped(self.picture.title, self.picture.width)

    @cached_property
    def legend(self) -> list[tuple[str, Mark, float, int]]:
        """Name, mark, place from the left, line: each name once."""
        place, line = 0.0, 0
        seen: list[tuple[str, Mark, float, int]] = []
        named = {m.name: m for m in reversed(self.picture.marks) if isinstance(m, (Boxes, Points)) and m.name}
        for name, mark in reversed(named.items()):
            width = 34 + CHARACTER * len(name)
            if place + width > self.picture.width - self.left - RIGHT and place:
                place, line = 0.0, line + 1
            seen.append((name, mark, place, line))
            place += width
        return seen

    @cached_property
    def left(self) -> float:
        longest = max((len(text) for _, text in ticks_of(self.picture.y)), default=0)
        return 14 + CHARACTER * longest + (18 if self.picture.y.title else 0)

    @cached_property
    def top(self) -> float:
        lines = self.legend[-1][3] + 1 if self.legend else 0
        return 14 + TITLE_LINE * len(self.title) + LEGEND_LINE * lines

    @property
    def bottom(self) -> float:
        return self.picture.height - BOTTOM

    def x(self, value: float) -> float:
        axis = self.picture.x
        return self.left + (value - axis.low) / (axis.high - axis.low) * (self.picture.width - RIGHT - self.left)

    def y(self, value: float) -> float:
        axis = self.picture.y
        return self.bottom - (value - axis.low) / (axis.high - axis.low) * (self.bottom - self.top)


def drawn(picture: Picture) -> str:
    """The SVG document of *picture*."""
    canvas = _Canvas(picture)
    parts = [*_patterns(picture.marks), *_heading(canvas), *_axes(canvas)]
    parts += [piece for mark in picture.marks for piece in _PAINTERS[type(mark)](canvas, mark)]
    size = f'viewBox="0 0 {picture.width} {picture.height}" width="{picture.width}" height="{picture.height}"'
    name = f'role="img" aria-label="{escape(picture.title)}" font-family="{FONT}" font-size="11" fill="{INK}"'
    paper = f'<rect width="{picture.width}" height="{picture.height}" fill="{PAPER}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {name}>{paper}{"".join(parts)}</svg>'


def ticks_of(axis: Axis) -> Sequence[tuple[float, str]]:
    """The ticks of an axis: those it names, else round numbers."""
    return axis.ticks or nice_ticks(axis.low, axis.high)


def _heading(canvas: _Canvas) -> Iterator[str]:
    for number, words in enumerate(canvas.title):
        yield f'<text x="10" y="{20 + TITLE_LINE * number}" font-size="15" font-weight="600">{escape(words)}</text>'
    for name, mark, place, line in canvas.legend:
        x, y = canvas.left + place, 20 + TITLE_LINE * len(canvas.title) + LEGEND_LINE * line - 6
        yield _sample(mark, x, y)
        yield f'<text x="{_n(x + 20)}" y="{_n(y + 4)}">{escape(name)}</text>'


def _sample(mark: Mark, x: float, y: float) -> str:
    if isinstance(mark, Points):
        line = _line(x, y, x + 14, y, mark.colour, mark.dash == "dash") if mark.dash else ""
        return line + (_symbol(mark.symbol, x + 7, y, mark.colour) if mark.symbol else "")
    assert isinstance(mark, Boxes)
    edge = f' stroke="{INK}" stroke-width="0.7"'
    return f'<rect x="{_n(x)}" y="{_n(y - 6)}" width="14" height="12" fill="{_paint(mark.fill)}"{edge}/>'


def _axes(canvas: _Canvas) -> Iterator[str]:
    picture, right = canvas.picture, canvas.picture.width - RIGHT
    for value, text in ticks_of(picture.x):
        x = canvas.x(value)
        yield _line(x, canvas.top, x, canvas.bottom, HAIR) if picture.x.grid else ""
        yield f'<text x="{_n(x)}" y="{_n(canvas.bottom + 15)}" text-anchor="middle">{escape(text)}</text>'
    for value, text in ticks_of(picture.y):
        y = canvas.y(value)
        yield _line(canvas.left, y, right, y, HAIR) if picture.y.grid else ""
        yield f'<text x="{_n(canvas.left - 6)}" y="{_n(y + 4)}" text-anchor="end">{escape(text)}</text>'
    yield _line(canvas.left, canvas.bottom, right, canvas.bottom, QUIET)
    middle = (canvas.left + right) / 2
    yield f'<text x="{_n(middle)}" y="{picture.height - 10}" text-anchor="middle" fill="{QUIET}">{escape(picture.x.title)}</text>'
    if picture.y.title:
        at = f"{12} {_n((canvas.top + canvas.bottom) / 2)}"
        turned = f'transform="translate({at}) rotate(-90)" text-anchor="middle" fill="{QUIET}"'
        yield f"<text {turned}>{escape(picture.y.title)}</text>"


def _paint_boxes(canvas: _Canvas, mark: Boxes) -> Iterator[str]:
    edge = f' stroke="{INK}" stroke-width="0.7"' if mark.outline else ""
    yield f'<g fill="{_paint(mark.fill)}"{edge}>'
    hover = mark.hover or [""] * len(mark.x0)
    for x0, x1, y0, y1, text in zip(mark.x0, mark.x1, mark.y0, mark.y1, hover, strict=True):
        left, right = canvas.x(min(x0, x1)), canvas.x(max(x0, x1))
        top, bottom = canvas.y(max(y0, y1)), canvas.y(min(y0, y1))
        size = f'width="{_n(right - left)}" height="{_n(bottom - top)}"'
        told = f"><title>{escape(text)}</title></rect>" if text else "/>"
        yield f'<rect x="{_n(left)}" y="{_n(top)}" {size}{told}'
    yield "</g>"


def _paint_points(canvas: _Canvas, mark: Points) -> Iterator[str]:
    places = [(canvas.x(x), canvas.y(y)) for x, y in zip(mark.x, mark.y, strict=True)]
    if mark.dash:
        path = " ".join(f"{_n(x)},{_n(y)}" for x, y in places)
        dashes = ' stroke-dasharray="6 4"' if mark.dash == "dash" else ""
        yield f'<polyline points="{path}" fill="none" stroke="{mark.colour}" stroke-width="2"{dashes}/>'
    for (x, y), text in zip(places, mark.hover or [""] * len(places), strict=True):
        shape = _symbol(mark.symbol, x, y, mark.colour) if mark.symbol else ""
        yield f"<g><title>{escape(text)}</title>{shape}</g>" if text else shape


def _paint_spans(canvas: _Canvas, mark: Spans) -> Iterator[str]:
    for x0, y0, x1, y1 in zip(mark.x0, mark.y0, mark.x1, mark.y1, strict=True):
        yield _line(canvas.x(x0), canvas.y(y0), canvas.x(x1), canvas.y(y1), mark.colour, width=1.5)


def _paint_rule(canvas: _Canvas, rule: Rule) -> Iterator[str]:
    if rule.x is not None:
        yield _line(canvas.x(rule.x), canvas.top, canvas.x(rule.x), canvas.bottom, INK, rule.dash, 1.5)
    if rule.y is not None:
        right = canvas.picture.width - RIGHT
        yield _line(canvas.left, canvas.y(rule.y), right, canvas.y(rule.y), INK, rule.dash, 1.5)


def _paint_note(canvas: _Canvas, note: Note) -> Iterator[str]:
    place = f'x="{_n(canvas.x(note.x))}" y="{_n(canvas.y(note.y) + 4)}" text-anchor="{note.anchor}"'
    weight = ' font-weight="600"' if note.bold else ""
    yield f'<text {place} fill="{note.colour}"{weight}>{escape(note.text)}</text>'


_PAINTERS: dict[type, Callable[..., Iterator[str]]] = {
    Boxes: _paint_boxes,
    Points: _paint_points,
    Spans: _paint_spans,
    Rule: _paint_rule,
    Note: _paint_note,
}

_STROKES = {
    "/": "M-1,1 l2,-2 M0,5 l5,-5 M4,6 l2,-2",
    "x": "M0,0 l5,5 M0,5 l5,-5",
    "|": "M1,0 v5 M3.5,0 v5",
    "-": "M0,1 h5 M0,3.5 h5",
    ".": "M1,1 h1 M3.5,3.5 h1",
}


def _patterns(marks: Sequence[Mark]) -> Iterator[str]:
    fills = {mark.fill for mark in marks if isinstance(mark, Boxes) and mark.fill.pattern}
    if fills:
        yield "<defs>" + "".join(_pattern(fill) for fill in sorted(fills, key=_pattern_id)) + "</defs>"


def _pattern(fill: Fill) -> str:
    ground = f'<rect width="5" height="5" fill="{fill.colour}"/>'
    strokes = f'<path d="{_STROKES[fill.pattern]}" stroke="{fill.ink}" stroke-width="1.1" fill="none"/>'
    size = 'width="5" height="5" patternUnits="userSpaceOnUse"'
    return f'<pattern id="{_pattern_id(fill)}" {size}>{ground}{strokes}</pattern>'


def _pattern_id(fill: Fill) -> str:
    return f"p{list(_STROKES).index(fill.pattern)}{fill.colour[1:]}"


def _paint(fill: Fill) -> str:
    return f"url(#{_pattern_id(fill)})" if fill.pattern else fill.colour


def _symbol(kind: str, x: float, y: float, colour: str) -> str:
    if kind == "circle":
        return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="4.5" fill="{colour}"/>'
    turn = f' transform="rotate(45 {_n(x)} {_n(y)})"' if kind == "diamond" else ""
    return f'<rect x="{_n(x - 4)}" y="{_n(y - 4)}" width="8" height="8" fill="{colour}"{turn}/>'


def _line(x0: float, y0: float, x1: float, y1: float, colour: str, dash: bool = False, width: float = 1) -> str:
    dashes = ' stroke-dasharray="6 4"' if dash else ""
    ends = f'x1="{_n(x0)}" y1="{_n(y0)}" x2="{_n(x1)}" y2="{_n(y1)}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"{dashes}/>'


def wrapped(title: str, width: int) -> list[str]:
    """The lines of a title that fit a picture of *width* pixels."""
    lines = [""]
    for word in title.split():
        fits = TITLE_CHARACTER * (len(lines[-1]) + 1 + len(word)) < width - 24
        lines = [*lines[:-1], f"{lines[-1]} {word}".strip()] if fits else [*lines, word]
    return lines


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")
