"""What a cell shows while its work goes on: an updating display where somebody looks, quiet lines where nobody does."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from html import escape
from typing import Any

from lib.live.progress import Progress
from lib.wording import counted

Seen = Callable[[Progress], None]
BAR = "#0072b2"
FAILURES_SHOWN = 5


def interactive() -> bool:
    """Whether a person sits before the notebook.

    JupyterLab and its like let a cell ask for input; Papermill, nbclient and nbval never do.
    """
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    return bool(kernel is not None and getattr(kernel, "_allow_stdin", False))


class Panel:
    """One output of a cell that is written again and again."""

    def __init__(self) -> None:
        self._id = ""

    def show(self, html: str, text: str = "") -> None:
        """Replaces what the panel shows."""
        from IPython.display import display, update_display

        bundle: dict[str, Any] = {"text/html": html, "text/plain": text or html}
        if self._id:
            update_display(bundle, display_id=self._id, raw=True)  # type: ignore[no-untyped-call]
        else:
            self._id = uuid.uuid4().hex
            display(bundle, display_id=self._id, raw=True)  # type: ignore[no-untyped-call]


def display_of(in_chain: bool) -> Seen:
    """What to do with the progress of a launch: show it, print it, or, in the chain, leave it to whoever watches."""
    if interactive():
        panel = Panel()
        return lambda progress: panel.show(progress_html(progress), progress_line(progress))
    return _silent if in_chain else _printed


def _silent(progress: Progress) -> None:
    pass


def _printed(progress: Progress) -> None:
    if progress.done:
        print(progress_line(progress), flush=True)


def progress_line(progress: Progress) -> str:
    """For instance ``upcoming_team_game_context: 320 of 848 dates, 12 s to go``."""
    seconds = progress.left(time.time())
    left = "" if seconds is None else f", {seconds:.0f} s to go"
    failed = f", {len(progress.failed)} failed" if progress.failed else ""
    return f"{_short(progress.table)}: {progress.done} of {progress.total} dates{failed}{left}"


def progress_html(progress: Progress) -> str:
    """A bar, what is being computed now, and what failed."""
    share = 100 * progress.done / progress.total if progress.total else 100
    bar = (
        f'<div style="background:#ddd;width:420px;height:14px;border-radius:3px">'
        f'<div style="background:{BAR};width:{share:.1f}%;height:14px;border-radius:3px"></div></div>'
    )
    days = progress.running
    now = (
        f"<p>computing now: {counted(len(days), 'date')}, {days[0]} to {days[-1]}</p>"
        if days and not progress.over
        else ""
    )
    failed = sorted(progress.failed.items())
    shown = "".join(f"<li>■ {day}: {escape(why)}</li>" for day, why in failed[:FAILURES_SHOWN])
    more = f"<li>and {len(failed) - FAILURES_SHOWN} more</li>" if len(failed) > FAILURES_SHOWN else ""
    return f"<p>{escape(progress_line(progress))}</p>{bar}{now}" + (f"<ul>{shown}{more}</ul>" if failed else "")


def _short(table: str) -> str:
    return table.rpartition(".")[2]
