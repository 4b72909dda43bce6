"""The coverage grid as data: each table's dates as runs of one state. Archives keep it, pictures draw it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from lib.states import FULL, NOT_ELIGIBLE, DateState, TableCoverage

GRID_MIME = "application/vnd.runbook.grid+json"
BREAK_DAYS = 4  # so many days without a game end a bar: the All-Star break is seen as one
AUTUMN = 9  # a season is named after the year in which its September lies
Live = Mapping[tuple[str, date], str]


@dataclass(frozen=True)
class Run:
    """Neighbouring game dates in one state, with the reason of the first."""

    state: str
    first: date
    last: date
    dates: int
    why: str = ""

    @property
    def told(self) -> str:
        """For instance ``2023-10-24 to 2023-11-02: absent, 9 game dates``."""
        span = str(self.first) if self.first == self.last else f"{self.first} to {self.last}"
        count = f"{self.dates} game date{'s' * (self.dates > 1)}"
        return f"{span}: {self.state}, {count}" + (f" ({self.why})" if self.why and self.why != self.state else "")


@dataclass(frozen=True)
class GridTable:
    """One table of the grid: its runs in order, and its full dates against the expected ones."""

    table: str
    covered: int
    expected: int
    runs: tuple[Run, ...]

    @property
    def short_name(self) -> str:
        """The name without its dataset."""
        return self.table.partition(".")[2] or self.table

    def count(self, state: str) -> int:
        """Dates in *state*."""
        return sum(run.dates for run in self.runs if run.state == state)

    @property
    def short(self) -> bool:
        """Whether a date of it is missing, outdated, has failed or is being computed."""
        return any(self.count(state) for state in ("absent", "partial", "outdated", "failed", "running"))

    def as_json(self) -> dict[str, Any]:
        """The table for archives; ``grid_table`` reads it."""
        runs = [asdict(run) | {"first": str(run.first), "last": str(run.last)} for run in self.runs]
        return {"table": self.table, "covered": self.covered, "expected": self.expected, "runs": runs}


def grid_table(raw: Mapping[str, Any]) -> GridTable:
    """A table of the grid from its JSON; KeyError, TypeError or ValueError where it is none."""
    runs = (
        Run(str(r["state"]), date.fromisoformat(r["first"]), date.fromisoformat(r["last"]), int(r["dates"]), str(r["why"]))
        for r in raw["runs"]
    )  # fmt: skip
    return GridTable(str(raw["table"]), int(raw["covered"]), int(raw["expected"]), tuple(runs))


def grid_tables(covered: Mapping[str, TableCoverage], live: Live | None = None) -> list[GridTable]:
    """The tables of the grid. ``live`` says which (table, date) is ``running``, ``failed`` or ``full`` by now."""
    return [
        GridTable(name, c.covered, c.expected, tuple(_runs(_looks(name, c, live or {})))) for name, c in covered.items()
    ]


def grid_title(tables: Sequence[GridTable]) -> str:
    """The finding: which tables are short, and by how much."""
    short = [table for table in tables if table.short]
    if not short:
        return f"All {len(tables)} tables are full on every date that can be" if tables else "No table was judged"
    named = ", ".join(_named(table) for table in sorted(short, key=_share)[:3])
    more = f" and {len(short) - 3} more" if len(short) > 3 else ""
    return f"{len(short)} of {len(tables)} tables {'is' if len(short) == 1 else 'are'} short: {named}{more}"


def look_of(state: DateState) -> str:
    """The state of a date as the grid shows it."""
    if state.excluded:
        return "excluded"
    if state.outdated:
        return "outdated"
    if state.state == FULL:
        return "bootstrap" if state.bootstrap else "full"
    return state.state


def _looks(name: str, coverage: TableCoverage, live: Live) -> Iterator[tuple[date, str, str]]:
    """Each date with its state and its reason; why it was in another state before is no reason."""
    for state in coverage.days:
        now = live.get((name, state.day))
        yield state.day, now or look_of(state), "" if now else state.reason


def _runs(days: Iterable[tuple[date, str, str]]) -> Iterator[Run]:
    """Neighbouring dates in one state as one run; what no key is expected for is left out."""
    run: Run | None = None
    for day, state, why in sorted(days):
        if run and run.state == state and _joins(run.last, day):
            run = Run(state, run.first, day, run.dates + 1, run.why)
            continue
        if run:
            yield run
        run = None if state == NOT_ELIGIBLE else Run(state, day, day, 1, why)
    if run:
        yield run


def _joins(last: date, day: date) -> bool:
    return (day - last).days <= BREAK_DAYS and season_of(last) == season_of(day)


def season_of(day: date) -> int:
    """The year in which the season of *day* began."""
    return day.year - (day.month < AUTUMN)


def _share(table: GridTable) -> float:
    return table.covered / table.expected if table.expected else 1.0


def _named(table: GridTable) -> str:
    """What is the matter with a short table: too few full dates, else dates that do not hold as they are."""
    running = table.count("running")
    if table.count("absent") or table.count("partial") or running:
        now = f", {running:,} running" if running else ""
        return f"{table.short_name} {table.covered:,} of {table.expected:,}{now}"
    return f"{table.short_name} {table.count('outdated') or table.count('failed'):,} dates outdated or failed"
