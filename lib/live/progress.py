"""Progress lines: what a launch appends to a file for every chunk it begins and ends, and what they come to."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from lib.backfill import Outcome
from lib.moments import moment
from lib.plan import Chunk

FILE = "progress.jsonl"  # in the folder of a run
RUNNING, FULL, FAILED, BLOCKED, PLANNED = "running", "full", "failed", "blocked", "planned"


@dataclass
class Progress:
    """How far the launch of one table is. ``states`` and ``reasons`` are by date."""

    table: str
    done: int = 0  # dates
    total: int = 0
    seconds: float = 0.0  # since the launch began
    eta_seconds: float | None = None  # when the last line was written
    at: float | None = None  # when that was, seconds since 1970
    over: bool = False
    verdict: dict[str, Any] | None = None  # what the launch came to, where no archive says it
    states: dict[date, str] = field(default_factory=dict)
    reasons: dict[date, str] = field(default_factory=dict)

    @property
    def rate(self) -> float | None:
        """Dates a second; None where nothing is done yet."""
        return self.done / self.seconds if self.done and self.seconds > 0 else None

    def left(self, now: float) -> float | None:
        """Seconds to go at *now*, seconds since 1970: what was left with the last line, less what has passed since."""
        if self.eta_seconds is None or self.over:
            return None
        passed = now - self.at if self.at is not None else 0.0
        return max(0.0, self.eta_seconds - max(0.0, passed))

    @property
    def failed(self) -> dict[date, str]:
        """The dates that failed, each with its reason."""
        return {day: why for day, why in self.reasons.items() if self.states.get(day) == FAILED}

    @property
    def running(self) -> list[date]:
        """The dates that are being computed now."""
        return sorted(day for day, state in self.states.items() if state == RUNNING)

    def take(self, line: dict[str, Any]) -> None:
        """Takes in one line."""
        self.done, self.total = int(line["done"]), int(line["total"])
        self.seconds, self.eta_seconds = float(line.get("seconds", 0)), line.get("eta_seconds")
        self.at = line.get("at")
        self.over = bool(line.get("over")) or self.over
        self.verdict = line.get("verdict") or self.verdict
        for state in (PLANNED, RUNNING, FULL, FAILED, BLOCKED):
            self._note(state, line.get(state) or ())

    def _note(self, state: str, days: Any) -> None:
        for text in days:
            day = date.fromisoformat(text)
            self.states[day] = state
            if isinstance(days, dict):
                self.reasons[day] = str(days[text])


@dataclass
class Notes:
    """Writes the lines of one launch into *path*; ``seen`` is called after every line."""

    path: Path
    table: str
    chunks: Sequence[Chunk]
    seen: Callable[[Progress], None] = lambda progress: None
    _done: int = 0
    _started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.progress = Progress(self.table)
        self._total = sum(len(chunk.days) for chunk in self.chunks)
        self._append({PLANNED: [str(day) for chunk in self.chunks for day in chunk.days]})

    def begun(self) -> Iterator[Chunk]:
        """The chunks, each noted as running when it is asked for; the end is noted after the last."""
        for chunk in self.chunks:
            self._append({RUNNING: [str(day) for day in chunk.days]})
            yield chunk

    def ended(self, outcome: Outcome) -> None:
        """Notes what became of a chunk."""
        self._done += len(outcome.chunk.days)
        full = [str(day) for day in outcome.published]
        failed, blocked = ({str(d): why for d, why in days.items()} for days in (outcome.failed, outcome.blocked))
        over = self._done == self._total
        self._append({FULL: full, FAILED: failed, BLOCKED: blocked, "over": over})

    def came_to(self, verdict: dict[str, Any]) -> None:
        """Notes the verdict of the launch, for whoever follows it from another process."""
        self._append({"over": True, "verdict": verdict})

    def _left(self, seconds: float) -> float:
        """Seconds to the end at the rate so far; at the plan's estimate while nothing is done."""
        if self._done:
            return seconds / self._done * (self._total - self._done)
        return max(0.0, sum(chunk.seconds for chunk in self.chunks) - seconds)

    def _append(self, facts: dict[str, Any]) -> None:
        seconds = time.monotonic() - self._started
        line = {"table": self.table, "done": self._done, "total": self._total, "seconds": round(seconds, 2)}
        line |= {"eta_seconds": round(self._left(seconds), 1), "at": round(time.time(), 2)}
        line |= {k: v for k, v in facts.items() if v}
        _append(self.path, line)
        self.progress.take(line)
        self.seen(self.progress)


def all_lines(path: Path) -> list[Path]:
    """The file of progress lines at *path*, after those that a run has filled before it was resumed."""
    earlier = path.parent.glob("progress.*.jsonl") if path.name == FILE else ()
    return [*sorted(earlier, key=lambda one: (len(one.name), one.name)), path]


def read_progress(path: Path) -> dict[str, Progress]:
    """How far each table is, by the lines of *path*; a last line that is still being written is left for later."""
    found: dict[str, Progress] = {}
    try:
        text = path.read_text()
    except FileNotFoundError:
        return found
    for row in text.splitlines():
        try:
            line = json.loads(row)
        except ValueError:
            continue
        found.setdefault(line["table"], Progress(line["table"])).take(line)
    return found


def _append(path: Path, line: dict[str, Any]) -> None:
    """One write, so that the lines of several processes never mix; a line that cannot be written stops no work."""
    with suppress(OSError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(handle, (json.dumps(line) + "\n").encode())
            moment("progress noted")
        finally:
            os.close(handle)
