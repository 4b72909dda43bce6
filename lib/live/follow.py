"""Following work to its end: in a cell, until nobody is at work any more or whoever looks has seen enough."""

from __future__ import annotations

import time
from collections.abc import Iterator

from lib.live.cell import Panel, interactive
from lib.live.show import view_html, view_line, words_html
from lib.live.view import View, Watcher

LOOK_SECONDS, CELL_SECONDS = 1.0, 2.0


def views(watcher: Watcher, seconds: float = LOOK_SECONDS) -> Iterator[View]:
    """One look after the other while somebody is at work, the last one on a coverage that was judged anew."""
    view = watcher.look()
    worked = not view.over
    while not view.over:
        yield view
        time.sleep(seconds)
        view = watcher.look()
    if worked:
        watcher.judge()
        view = watcher.look()
    yield view


def watch_in_cell(watcher: Watcher) -> None:
    """The live view where somebody sits before the notebook; one look where nobody does.

    An interrupt ends the looking and nothing else: the next cells then ask what there is.
    """
    panel = Panel()
    if not interactive():
        view = watcher.look()
        return panel.show(words_html(view), view_line(view))
    try:
        for view in views(watcher, CELL_SECONDS):
            panel.show(view_html(view), view_line(view))
    except KeyboardInterrupt:
        print("The looking has ended; whatever runs goes on.")
    return None
