"""``runbook watch``: what runs on a warehouse, live, until it is done."""

from __future__ import annotations

import json
import os

import click
from rich.live import Live

from lib.live.follow import LOOK_SECONDS, views
from lib.live.show import view_text
from lib.live.view import View, Watcher
from runbook.options import Place, json_option, open_place, warehouse_option

INTERRUPTED = 130
POLITENESS = 10  # whoever works comes first
NARROW = 100  # columns where output is piped


@click.command()
@click.option("--once", is_flag=True, help="Look once, and end.")
@click.option(
    "--interval",
    type=click.FloatRange(0.2, 3600),
    default=LOOK_SECONDS,
    show_default=True,
    help="Seconds between looks.",
)
@json_option
@warehouse_option
def watch(once: bool, interval: float, as_json: bool, url: str | None) -> int:
    """Watch what runs on the warehouse, live, until it is done.

    Every table's dates, full, partial, absent, outdated, excluded, running or failed; throughput and ETA; what failed
    and why; who works since when. Reads the notes of the running work, so it never keeps it waiting. Ctrl-C ends the
    watching alone. With --json a line a look; where output is piped, the last look.

    \b
    Examples:
      runbook watch
      runbook watch --once --json
    """
    place = open_place(url)
    watcher = Watcher(place.warehouse, place.settings)
    if not once:
        os.nice(POLITENESS)
    try:
        if once or as_json:
            for view in [watcher.look()] if once else views(watcher, interval):
                click.echo(json.dumps(view.as_json())) if as_json else _print(place, view)
        else:
            _follow(place, watcher, interval)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _follow(place: Place, watcher: Watcher, interval: float) -> None:
    if not place.console.is_terminal:
        *_, last = views(watcher, interval)
        return _print(place, last)
    with Live(console=place.console, auto_refresh=False, vertical_overflow="crop") as live:
        for view in views(watcher, interval):
            live.update(view_text(view, place.console.width, place.console.height), refresh=True)
    return None


def _print(place: Place, view: View) -> None:
    width = place.console.width if place.console.is_terminal else max(NARROW, place.console.width)
    place.console.print(view_text(view, width))
