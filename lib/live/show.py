"""How a view looks: in a terminal, and the same in a notebook with the calendar below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from io import StringIO
from math import ceil

from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.table import Table
from rich.text import Text

from lib.charts.coverage import grid_picture
from lib.grid import grid_tables, season_of
from lib.live.view import SETTLED, TableView, View, outcome_of
from lib.live.work import RUN, Work
from lib.wording import counted

# a sign and a style for each state, worst first: told apart without colours, too
CELLS = {
    "failed": ("X", "bold white on red"),
    "running": (">", "bold cyan"),
    "absent": ("·", "bold red"),
    "partial": ("▒", "yellow"),
    "outdated": ("o", "magenta"),
    "excluded": ("-", "bright_black"),
    "full": ("█", "green"),
    "bootstrap": ("█", "green"),
}
RANK = {state: place for place, state in enumerate(CELLS)}
FAILURES_SHOWN = 6
NAME_WIDTH, COUNT_WIDTH = 38, 9
MIN_WIDTHS = {"table": 28, "expected": 8, "this work": 9, "dates/s": 7, "ETA": 6}
NOTEBOOK_WIDTH = 130
PRE = '<pre style="background:#fff;color:#222;line-height:1.2;font-size:12px;padding:8px;margin:0">{code}</pre>'


def view_text(view: View, width: int, height: int | None = None) -> RenderableType:
    """A view for a terminal of *width* columns; with *height* lines, the seasons fold where they do not fit."""
    parts = _words(view)
    used = 9 + len(view.works) + len(view.tables) + min(len(view.failures), FAILURES_SHOWN + 1)
    rows = [row for table in view.tables for row in _season_rows(table, width)]
    folded = [_strip(_short(t.table), "", list(t.states.values()), width) for t in view.tables]
    return Group(*parts, *(rows if height is None or used + len(rows) <= height else folded), Text(), _legend())


def view_html(view: View) -> str:
    """A view for a notebook: the terminal's words, and the calendar."""
    by_name = {table.table: table for table in view.tables}
    grid = [replace(t, covered=by_name[t.table].covered) for t in grid_tables(view.covered, view.live)]
    return words_html(view) + grid_picture(grid).svg()


def words_html(view: View) -> str:
    """The words of a view for a notebook, without the calendar."""
    console = Console(width=NOTEBOOK_WIDTH, record=True, file=StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Group(*_words(view)))
    return console.export_html(inline_styles=True, code_format=PRE)


def view_line(view: View) -> str:
    """A view in one line, for logs."""
    progress = [table.progress for table in view.tables if table.progress]
    done, total = sum(p.done for p in progress), sum(p.total for p in progress)
    who = sum(work.alive for work in view.works) + len({lease.owner for lease in view.leases})
    return f"{view.at:%H:%M:%S} {done} of {total} table-dates done, {len(view.failures)} failed, {who} at work"


def _words(view: View) -> list[RenderableType]:
    parts: list[RenderableType] = [_head(view), Text(), _works(view), Text(), _tables(view)]
    for (table, day), why in _first(view):
        said = f"■ {_short(table)} {day}: {why}"
        parts.append(Text(said, "bold red", no_wrap=True, overflow="ellipsis"))
    if len(view.failures) > FAILURES_SHOWN:
        parts.append(Text(f"  ... and {len(view.failures) - FAILURES_SHOWN} more", "red"))
    return [*parts, Text()]


def _head(view: View) -> Text:
    progress = [table.progress for table in view.tables if table.progress]
    done, total = sum(p.done for p in progress), sum(p.total for p in progress)
    said = "nobody is at work" if view.over else f"{done:,} of {total:,} table-dates done{_whole_eta(view)}"
    where = f"   {view.at.astimezone():%H:%M:%S}, as-of {view.as_of}, {view.place}"
    return Text.assemble((said, "bold"), where, no_wrap=True, overflow="ellipsis")


def _whole_eta(view: View) -> str:
    """For the whole of the work that goes on: what is left of it, at its speed since the first of them began."""
    alive = [work.since_when for work in view.works if work.alive]
    theirs = [(t.now, t.progress.total - t.progress.done) for t in view.tables if t.now is not None and t.progress]
    done, left = sum(now for now, _ in theirs), sum(rest for _, rest in theirs)
    if not alive or not done:
        return ""
    seconds = (view.at - min(alive)).total_seconds()
    return f", about {_span(seconds / done * left)} to go" if left else ", being judged"


def _works(view: View) -> Table:
    table = Table(box=None, header_style="bold underline", padding=(0, 2, 0, 0))
    for name in ("who", "does", "since", "for", "state"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for work in sorted(_told(view), key=lambda work: (not work.alive, work.since)):
        state = outcome_of(work)
        style = {"running": "cyan", "done": "green", "proven": "green"}.get(state, "bold red")
        end = view.at if work.alive else datetime.fromisoformat(work.ended) if work.ended else None
        took = _span((end - work.since_when).total_seconds()) if end else "-"
        table.add_row(
            f"{work.user}, PID {work.pid} on {work.host}", _does(work), f"{work.since_when.astimezone():%H:%M:%S}", took, Text(state, style)
        )  # fmt: skip
    for lease in view.leases:
        owner, took = lease.owner, _span((view.at - lease.since).total_seconds())
        who = f"{owner.user}, PID {owner.pid} on {owner.host}"
        table.add_row(who, owner.work, f"{lease.since.astimezone():%H:%M:%S}", took, Text("holds the lease", "cyan"))
    if not table.row_count:
        table.add_row("-", "nothing was noted yet: start 'runbook run' or a launch", "-", "-", "-")
    return table


def _told(view: View) -> list[Work]:
    """Launches of a run that ended well are told by their run."""
    runs = {work.run for work in view.works if work.kind == RUN}
    return [
        work for work in view.works if work.kind == RUN or work.alive or work.run not in runs or work.state != "done"
    ]


def _does(work: Work) -> str:
    return f"run {work.run}, {work.title}" if work.kind == RUN else f"launch {_short(work.title)}"


def _tables(view: View) -> Table:
    table = Table(box=None, header_style="bold underline", padding=(0, 2, 0, 0))
    for name in ("table", "full", "expected", "%", "this work", "dates/s", "ETA"):
        justify: JustifyMethod = "left" if name == "table" else "right"
        table.add_column(name, justify=justify, no_wrap=True, min_width=MIN_WIDTHS.get(name, 5))
    table.add_column("not full", no_wrap=True, overflow="ellipsis")
    for row in view.tables:
        share = f"{100 * row.covered / row.expected:.1f}" if row.expected else "-"
        rest = ", ".join(f"{count} {state}" for state, count in row.counts.items())
        style = "cyan" if row.running else "red" if row.counts else "green"
        table.add_row(
            Text(_short(row.table), style), f"{row.covered}", f"{row.expected}", share, *_speed(row, view.at), rest or "-"
        )  # fmt: skip
    return table


def _speed(row: TableView, at: datetime) -> tuple[str, str, str]:
    progress, running = row.progress, row.running
    if progress is None:
        return "-", "-", "-"
    rate = "-" if progress.rate is None else f"{progress.rate:.1f}"
    if progress.over or progress.done == progress.total:
        eta = "done"
    elif running and (left := progress.left(at.timestamp())) is not None:
        eta = _span(left)
    else:
        eta = "-" if running else "waits"
    return f"{progress.done}/{progress.total}", rate, eta


def _season_rows(table: TableView, width: int) -> Iterator[Text]:
    """A row for each season in which something is not settled; the others are told in one."""
    seasons: dict[int, list[str]] = {}
    for day, state in sorted(table.states.items()):
        if state in CELLS:
            seasons.setdefault(season_of(day), []).append(state)
    shown = {season: states for season, states in seasons.items() if not SETTLED.issuperset(states)}
    calm = [state for season, states in seasons.items() if season not in shown for state in states]
    rows = [(counted(len(seasons) - len(shown), "season"), calm)] if calm else []
    rows += [(f"{season}-{(season + 1) % 100:02d}", states) for season, states in shown.items()]
    for place, (label, states) in enumerate(rows):
        yield _strip(_short(table.table) if place == 0 else "", label, states, width)


def _strip(name: str, label: str, states: Sequence[str], width: int) -> Text:
    """Dates from left to right; where there are more than columns, neighbours share one and the worst is shown."""
    known = [state for state in states if state in CELLS]
    room = max(20, width - NAME_WIDTH - COUNT_WIDTH - 2)
    per_cell = max(1, ceil(len(known) / room))
    text = Text(f"{f'{name:<28} {label}':<{NAME_WIDTH}} ", no_wrap=True)
    for at in range(0, len(known), per_cell):
        sign, style = CELLS[min(known[at : at + per_cell], key=RANK.__getitem__)]
        text.append(sign, style)
    return text.append(f" {sum(s in ('full', 'bootstrap') for s in known)}/{len(known)}", "bright_black")


def _legend() -> Text:
    text = Text(no_wrap=True)
    for state, (sign, style) in CELLS.items():
        if state != "bootstrap":
            text.append(sign, style).append(f" {state}   ", "bright_black")
    return text


def _first(view: View) -> list[tuple[tuple[str, date], str]]:
    return sorted(view.failures.items())[:FAILURES_SHOWN]


def _span(seconds: float) -> str:
    """For instance ``45 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _short(table: str) -> str:
    return table.rpartition(".")[2]
