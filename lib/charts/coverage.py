"""The coverage grid, a calendar for each table with a season a row; and rows held against rows expected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

from lib.charts.look import ALARM, INK, NAMES, SIGNS, STATES, Fill
from lib.charts.picture import Axis, Boxes, Note, Picture, floats
from lib.grid import AUTUMN, GRID_MIME, GridTable, Live, Run, grid_tables, grid_title, season_of
from lib.states import TableCoverage

MONTHS = ((10, "Oct"), (11, "Nov"), (12, "Dec"), (1, "Jan"), (2, "Feb"), (3, "Mar"), (4, "Apr"), (5, "May"), (6, "Jun"))
HEAD, GAP, ROW = 1.25, 0.5, 15  # rows for a table's name, rows between tables, pixels a row


def coverage_grid(covered: Mapping[str, TableCoverage], live: Live | None = None) -> Picture:
    """Every table as a calendar, a season a row: what is there and what is missing, at a glance.

    ``covered`` is ``Step.covered()`` or ``Judge.cover(...)``; ``live`` overrides single (table, date) by ``running`` or
    ``failed`` while work goes on.
    """
    return grid_picture(grid_tables(covered, live))


def grid_picture(tables: Sequence[GridTable]) -> Picture:
    """The grid of tables that were judged before, for instance as an archive holds them."""
    seasons = sorted({season_of(run.first) for table in tables for run in table.runs})
    per_table = HEAD + len(seasons) + GAP
    tops = {table.table: -index * per_table for index, table in enumerate(tables)}
    level = {season: -HEAD - row for row, season in enumerate(seasons)}
    placed = [(run, tops[table.table] + level[season_of(run.first)]) for table in tables for run in table.runs]
    low, high = _span(run for run, _ in placed)
    ticks = [(tops[t.table] + level[s] - 0.5, f"{s}-{(s + 1) % 100:02d}") for t in tables for s in seasons]
    heads = [Note(low, tops[t.table] - 0.7, _head(t), bold=True, colour=ALARM if t.short else INK) for t in tables]
    return Picture(
        title=grid_title(tables),
        x=Axis("game date, US/Eastern", low, high, _months(low, high)),
        y=Axis("", -per_table * len(tables) + GAP / 2, 0, ticks, grid=False),
        marks=[*_boxes(placed), *heads],
        height=round(110 + ROW * per_table * len(tables)),
        data={GRID_MIME: {"tables": [table.as_json() for table in tables]}},
    )


def row_counts(covered: Mapping[str, TableCoverage]) -> Picture:
    """Keys held, percent of the keys expected, by table; what waits for raw data counts as not held."""
    names = [name.rpartition(".")[2] for name in covered]
    held, wanted = ([_keys(c, what) for c in covered.values()] for what in ("present", "expected"))
    share = floats([100 * h / w if w else 0 for h, w in zip(held, wanted, strict=True)])
    places, zero = floats([-index for index in range(len(names))]), floats([0] * len(names))
    told = [f"{h:,} of {w:,} keys" for h, w in zip(held, wanted, strict=True)]
    return Picture(
        title=_rows_title(names, held, wanted),
        x=Axis("keys held, % of the expected keys", 0, 125, [(n, str(n)) for n in range(0, 101, 20)]),
        y=Axis("", -len(names) + 0.4, 0.6, [(-i, name) for i, name in enumerate(names)], grid=False),
        marks=[
            Boxes("expected, not held", Fill("#ffffff"), zero, zero + 100, places - 0.3, places + 0.3, outline=True),
            Boxes("held", STATES["full"], zero, share, places - 0.3, places + 0.3, told, outline=True),
            *(Note(101, -index, text) for index, text in enumerate(told)),
        ],
        height=110 + 28 * len(names),
    )


def _rows_title(names: Sequence[str], held: Sequence[int], wanted: Sequence[int]) -> str:
    if not names:
        return "No table was looked at"
    short = [f"{name} {h:,} of {w:,}" for name, h, w in zip(names, held, wanted, strict=True) if h < w]
    if not short:
        return f"All {sum(wanted):,} expected keys are there"
    return f"{len(short)} of {len(names)} tables hold too few keys: {', '.join(short[:3])}" + (
        " ..." if short[3:] else ""
    )


def _keys(coverage: TableCoverage, what: str) -> int:
    return sum(getattr(state.holding, what) for state in coverage.days if not state.excluded)


def _offset(day: date) -> int:
    """Days since 1 October of the season."""
    return (day - date(season_of(day), 10, 1)).days


def _span(runs: Iterable[Run]) -> tuple[float, float]:
    ends = [end for run in runs for end in (_offset(run.first), _offset(run.last) + 1)] or [0, 1]
    return min(ends) - 2, max(ends) + 2


def _months(low: float, high: float) -> list[tuple[float, str]]:
    firsts = [(float(_offset(date(2021 if number > AUTUMN else 2022, number, 1))), name) for number, name in MONTHS]
    return [(place, name) for place, name in firsts if low <= place <= high]


def _boxes(placed: Sequence[tuple[Run, float]]) -> Iterator[Boxes]:
    for state, fill in STATES.items():
        mine = [(run, top) for run, top in placed if run.state == state]
        if mine:
            tops = floats([top for _, top in mine])
            starts, ends = floats([_offset(r.first) for r, _ in mine]), floats([_offset(r.last) + 1 for r, _ in mine])
            yield Boxes(
                NAMES.get(state, state), fill, starts, ends, tops - 0.92, tops - 0.08, [run.told for run, _ in mine]
            )


def _head(table: GridTable) -> str:
    states = [
        f"{n} {state}" for state in ("absent", "partial", "outdated", "failed", "running") if (n := table.count(state))
    ]
    sign = SIGNS["red" if table.short else "green"]
    percent = f" ({100 * table.covered / table.expected:.1f} %)" if table.expected else ""
    said = f"{sign} {table.short_name}: {table.covered:,} of {table.expected:,} dates full{percent}"
    rest = table.expected - table.covered
    if not table.short and rest:
        return f"{said}; no key is expected on the other {rest}"
    return said + (f"; {', '.join(states)}" if states else "")
