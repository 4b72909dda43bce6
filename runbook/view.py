"""What a person sees while a chain runs: a line per finished step, a bar with what is left."""

from __future__ import annotations

import time
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from lib.live.progress import FILE, read_progress
from runbook.chain import Chain
from runbook.execute import Event

SIGNS = {"proven": ("●", "green"), "red": ("■", "bold red"), "not proven": ("✗", "bold red")}


class RunView:
    """Shows events of the runner; the dates done are read from the run folder, never from the warehouse."""

    def __init__(self, console: Console, chain: Chain, folder: Path) -> None:
        self._console, self._folder, self._dates = console, folder, chain.dates
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=console, transient=True)
        self._steps = self._progress.add_task("steps", total=len(chain.steps))
        self._table_dates = self._progress.add_task("table-dates", total=self._dates) if self._dates else None
        self._looked = 0.0

    def __enter__(self) -> RunView:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        """Takes one event of the runner."""
        if event.kind == "finished" and event.outcome is not None:
            outcome = event.outcome
            warned = f"  {outcome.stderr_warnings} warnings in the log" if outcome.stderr_warnings else ""
            line = f" {outcome.step:<42} {outcome.state:<10} {outcome.seconds:6.1f} s"
            reason = f"  {outcome.reason}" if outcome.reason else ""
            self._console.print(Text.assemble(SIGNS[outcome.state], line, (warned, "yellow"), reason))
            self._progress.advance(self._steps)
        if self._table_dates is not None and time.monotonic() - self._looked > 0.2:
            self._looked = time.monotonic()
            self._progress.update(self._table_dates, completed=dates_done(self._folder))


def dates_done(folder: Path) -> int:
    """Table-dates that the launches of a run have gone through, since it was resumed where it was."""
    return sum(progress.done for progress in read_progress(folder / FILE).values())
