"""What a gate measured, beside what it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lib.charts.look import VERDICTS
from lib.charts.picture import Axis, Boxes, Note, Picture, Rule, floats

ZOOM_PCT = 80  # from here on half a percent is worth seeing; below, a bar is as long as what it says
ROW = 28


def gate_chart(verdict: Mapping[str, Any]) -> Picture | None:
    """Coverage of each table against the threshold of its phase, percent. ``verdict`` is a gate's JSON.

    None where the gate measured no coverage.
    """
    lines = [line for line in verdict.get("tables", ()) if line.get("coverage_pct") is not None]
    threshold = verdict.get("threshold_pct")
    if not lines or threshold is None:
        return None
    low = _low([float(line["coverage_pct"]) for line in lines])
    names = [str(line["table"]).rpartition(".")[2] for line in lines]
    return Picture(
        title=_title(lines, float(threshold)),
        x=Axis(
            f"full dates, % of the expected dates (needed: {threshold:g} %)", low, 100 + (100 - low) * 0.22, _ticks(low)
        ),
        y=Axis("", -len(lines) + 0.4, 0.6, [(-index, name) for index, name in enumerate(names)], grid=False),
        marks=[*_bars(lines, low), Rule(x=float(threshold)), *_notes(lines, low)],
        height=110 + ROW * len(lines),
    )


def _low(percents: Sequence[float]) -> float:
    return float(ZOOM_PCT) if min(percents) >= ZOOM_PCT else 0.0


def _ticks(low: float) -> list[tuple[float, str]]:
    step = 5 if low else 20
    return [(float(tick), str(tick)) for tick in range(int(low), 101, step)]


def _bars(lines: Sequence[Mapping[str, Any]], low: float) -> list[Boxes]:
    bars = []
    for verdict, fill in VERDICTS.items():
        rows = [index for index, line in enumerate(lines) if line.get("verdict", "green") == verdict]
        if rows:
            ends, places = floats([float(lines[row]["coverage_pct"]) for row in rows]), floats([-row for row in rows])
            told = [_told(lines[row]) for row in rows]
            bars.append(Boxes(verdict, fill, ends * 0 + low, ends, places - 0.32, places + 0.32, told, outline=True))
    return bars


def _notes(lines: Sequence[Mapping[str, Any]], low: float) -> list[Note]:
    return [Note(100 + (100 - low) * 0.01, -index, _told(line)) for index, line in enumerate(lines)]


def _told(line: Mapping[str, Any]) -> str:
    return f"{line['coverage_pct']:.1f} %: {line['covered']:,} of {line['expected']:,}"


def _title(lines: Sequence[Mapping[str, Any]], threshold: float) -> str:
    below = [line for line in lines if line["coverage_pct"] < threshold]
    if below:
        worst = min(below, key=lambda line: float(line["coverage_pct"]))
        name = str(worst["table"]).rpartition(".")[2]
        return f"{len(below)} of {len(lines)} tables stay below {threshold:g} %, {name} the furthest: {worst['coverage_pct']:.1f} %"
    red = [str(line["table"]).rpartition(".")[2] for line in lines if line.get("verdict") == "red"]
    reached = f"All {len(lines)} tables reach {threshold:g} %"
    return (
        f"{reached}, but {', '.join(red)} {'is' if len(red) == 1 else 'are'} red for another reason" if red else reached
    )
