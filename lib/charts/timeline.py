"""When something ran, how long it was expected to take, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lib.charts.look import ALARM, INK, STATES, Fill
from lib.charts.picture import Axis, Boxes, Note, Picture, floats
from lib.history import Attempt
from lib.wording import counted

ROW = 22
ATTEMPTS_SHOWN = 60
LOOKS = {
    "ended well": STATES["full"],
    "red": STATES["absent"],
    "failed": STATES["absent"],
    "not proven": STATES["failed"],
    "blocked": STATES["partial"],
    "interrupted": STATES["outdated"],
}


@dataclass(frozen=True)
class Span:
    """One thing that ran: seconds after the beginning, seconds it took, seconds it was expected to take (if known)."""

    name: str
    start: float
    seconds: float
    outcome: str = "ended well"  # one of LOOKS
    expected: float | None = None

    @property
    def told(self) -> str:
        """For instance ``12.0 s, expected 10.5 s``."""
        expected = "" if self.expected is None else f", expected {self.expected:.1f} s"
        return f"{self.seconds:.1f} s{expected}" + ("" if self.outcome == "ended well" else f": {self.outcome}")


def timeline(spans: Sequence[Span], title: str) -> Picture:
    """A bar for each span in the order given, with a thin bar beneath for what was expected."""
    end = max((span.start + max(span.seconds, span.expected or 0) for span in spans), default=1.0) or 1.0
    notes = [_note(span, -index, end) for index, span in enumerate(spans)]
    return Picture(
        title=title,
        x=Axis("seconds since the beginning", 0, end * 1.02),
        y=Axis("", -len(spans) + 0.4, 0.6, [(-index, span.name) for index, span in enumerate(spans)], grid=False),
        marks=[*_actual(spans), *_expected(spans), *notes],
        height=110 + ROW * max(len(spans), 1),
    )


def attempts_timeline(attempts: Sequence[Attempt]) -> Picture:
    """The latest attempts at chunks of the run that wrote last: when, how long, how they ended. The title tells of all."""
    shown = attempts[-ATTEMPTS_SHOWN:]
    begun = min((attempt.begun for attempt in shown), default=0.0)
    spans = [
        Span(f"{a.table.rpartition('.')[2]} {a.first}", a.begun - begun, a.ended - a.begun, a.outcome) for a in shown
    ]
    hidden = f"; the last {len(shown)} of {len(attempts)} are shown" if len(shown) < len(attempts) else ""
    return timeline(spans, _attempts_title(attempts) + hidden)


def _attempts_title(attempts: Sequence[Attempt]) -> str:
    if not attempts:
        return "No attempt yet"
    spent = max(a.ended for a in attempts) - min(a.begun for a in attempts)
    bad = [a for a in attempts if a.outcome != "ended well"]
    told = f"{counted(sum(a.dates for a in attempts), 'date')} in {counted(len(attempts), 'attempt')}, {spent:.0f} s"
    if not bad:
        return f"{told}; none failed"
    named = ", ".join(f"{a.table.rpartition('.')[2]} {a.first} {a.outcome}" for a in bad[:3])
    return f"{len(bad)} of {counted(len(attempts), 'attempt')} did not end well: {named}" + (" ..." if bad[3:] else "")


def _actual(spans: Sequence[Span]) -> list[Boxes]:
    found = []
    for outcome, fill in LOOKS.items():
        rows = [row for row, span in enumerate(spans) if span.outcome == outcome]
        if rows:
            starts, places = floats([spans[row].start for row in rows]), floats([-row for row in rows])
            ends = starts + floats([spans[row].seconds for row in rows])
            told = [f"{spans[row].name}: {spans[row].told}" for row in rows]
            found.append(Boxes(outcome, fill, starts, ends, places - 0.12, places + 0.36, told, outline=True))
    return found


def _expected(spans: Sequence[Span]) -> list[Boxes]:
    rows = [row for row, span in enumerate(spans) if span.expected is not None]
    starts, places = floats([spans[row].start for row in rows]), floats([-row for row in rows])
    ends = starts + floats([spans[row].expected or 0 for row in rows])
    look = Fill("#7d7d7d")
    return [Boxes("expected", look, starts, ends, places - 0.34, places - 0.18)] if rows else []


def _note(span: Span, place: float, end: float) -> Note:
    """Beside the bar, on the side where there is room."""
    longest = max(span.seconds, span.expected or 0)
    colour = INK if span.outcome == "ended well" else ALARM
    if span.start + longest < end * 0.72:
        return Note(span.start + longest + end * 0.008, place, span.told, colour=colour)
    return Note(span.start - end * 0.008, place, span.told, anchor="end", colour=colour)
