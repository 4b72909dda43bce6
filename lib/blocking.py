"""What keeps a date from being computed: an upstream date, or an upstream phase, that is not what it must be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise

from lib.calendar import Calendar
from lib.coverage import Judge, ask_holdings, ask_states
from lib.registry import DATE, Registry, Table
from lib.settings import Settings
from lib.states import FULL, DateState, Holding, TableCoverage
from lib.warehouse import Session

PUBLISHED = """
SELECT DISTINCT day
FROM runbook.receipts
WHERE table_name = @table AND kind = 'published' AND day BETWEEN @first AND @last
"""
FIRST_GATED_PHASE = 4  # phase 3 is computed from whatever raw data there is


@dataclass(frozen=True)
class Blocked:
    """What keeps dates from being computed; *emptied* are those whose rows are of raw data that went away."""

    why: Mapping[date, str]
    emptied: Mapping[date, str] = field(default_factory=dict)


def blocked_dates(
    session: Session, settings: Settings, tables: Registry, table: Table, calendar: Calendar, days: Iterable[date]
) -> Blocked:
    """The dates of *days* that must not be computed, each with ``blocked by <table> <date> <reason>``.

    Phase 3: every upstream table of the same date holds all that raw data suffice for. From phase 4 on each of them is
    full, and the gate of the phase below is not red from the start of the season to the date. Where what is lacking are
    raw data, and rows were published before they went away, the date is to be emptied.
    """
    days = sorted(days)
    blocked, lacking = _by_same_date(session, settings, tables, table, calendar, days)
    phase = settings.phase_of(table.name) or 0
    if phase < FIRST_GATED_PHASE:
        return Blocked(blocked)
    judge = Judge(session, settings, calendar, tables)
    covered = judge.cover([phase - 1], calendar.season_start(days[0]), days[-1]).values()
    red, shut = red_dates(judge, covered), red_dates(judge, covered, mended=True)
    blocked = {day: red[day] for day in days if day in red} | blocked
    raw = {*lacking, *shut} & set(days)
    emptied = _held(session, table, raw) & raw if raw else set()
    if shut_alone := emptied - set(lacking):  # what something else wrote there nobody could compute again
        emptied -= shut_alone - _published(session, table, shut_alone)
    known = lacking | blocked
    kept_back = {day: why for day, why in known.items() if day not in emptied}
    return Blocked(kept_back, {day: shut.get(day) or known[day] for day in emptied})


def ask_blocking(
    session: Session, settings: Settings, tables: Registry, table: Table, start: date, days: Iterable[date]
) -> None:
    """Asks early what ``blocked_dates`` will ask about *days*, whose first lies in the season that begins on *start*."""
    days = sorted(days)
    phase = settings.phase_of(table.name) or 0
    below = [t for t in tables.computed if (settings.phase_of(t.name) or 99) < phase]
    if phase >= FIRST_GATED_PHASE:
        ask_states(session, settings, below, start, days[-1])
    _ask_same_date(session, settings, tables, table, start, days)


def red_dates(judge: Judge, covered: Iterable[TableCoverage], mended: bool = False) -> dict[date, str]:
    """The dates to which, from the start of their season, the gate of *covered* is red; each with what makes it so.

    With *mended* as if everything had been computed that raw data suffice for: what stays red waits for raw data.
    """
    found: dict[date, str] = {}
    for coverage in covered:
        for season in by_season(coverage, judge.calendar):
            for day, why in _red_in_season(season, judge, mended).items():
                found.setdefault(day, f"blocked by {coverage.table} {why}")
    return found


def by_season(coverage: TableCoverage, calendar: Calendar) -> Iterator[TableCoverage]:
    """The same by season, bootstrap with it."""
    seasons = calendar.by_season([*coverage.due, *(state.day for state in coverage.bootstrap)])
    for start, following in pairwise([*seasons, date.max]):
        yield coverage.between(start, following)


def upstream_reason(table: Table, day: date, states: Mapping[str, Mapping[date, DateState]]) -> str | None:
    """``blocked by ...`` where a same-date upstream table of *table* is not full on *day*; None where all are."""
    for name in _same_date(table, states):
        state = states[name].get(day)
        lack = _lack(state.holding) or _raw_lack(state.holding) if state else None
        if lack:
            return f"blocked by {name} {day} {lack}"
    return None


def _by_same_date(
    session: Session, settings: Settings, tables: Registry, table: Table, calendar: Calendar, days: Sequence[date]
) -> tuple[dict[date, str], dict[date, str]]:
    """Dates that an upstream table keeps back: because it was not computed, and because raw data are missing."""
    blocked: dict[date, str] = {}
    lacking: dict[date, str] = {}
    asked = _ask_same_date(session, settings, tables, table, calendar.season_start(days[0]), days)
    for name, answer in asked.items():
        held = answer()
        for day in days:
            if day in held and (lack := _lack(held[day])):
                blocked.setdefault(day, f"blocked by {name} {day} {lack}")
            elif day in held and (lack := _raw_lack(held[day])):
                lacking.setdefault(day, f"blocked by {name} {day} {lack}")
    return blocked, lacking


def _ask_same_date(
    session: Session, settings: Settings, tables: Registry, table: Table, start: date, days: Sequence[date]
) -> dict[str, Callable[[], dict[date, Holding]]]:
    names = _same_date(table, settings.tables)
    # where the phase below is judged from the start of the season, too, each table is asked once
    first = days[0] if (settings.phase_of(table.name) or 0) < FIRST_GATED_PHASE else start
    return {name: ask_holdings(session, settings, tables.tables[name], name, first, days[-1], start) for name in names}


def _same_date(table: Table, known: Iterable[str]) -> list[str]:
    return sorted({source.table for source in table.sources if source.window == DATE} & set(known))


def _lack(held: Holding) -> str | None:
    if held.present >= held.computable:
        return None
    return "absent" if held.present == 0 else f"partial: {held.present} of {held.expected} keys"


def _raw_lack(held: Holding) -> str | None:
    return held.waiting_for if held.present < held.expected else None


def _held(session: Session, table: Table, days: Iterable[date]) -> set[date]:
    days = sorted(days)
    column = table.date_column
    sql = f"SELECT DISTINCT {column} FROM {table.name} WHERE {column} BETWEEN @first AND @last"
    return {day for (day,) in session.rows(sql, first=days[0], last=days[-1])}


def _published(session: Session, table: Table, days: Iterable[date]) -> set[date]:
    """The dates whose rows a run has published."""
    days = sorted(days)
    return {day for (day,) in session.rows(PUBLISHED, table=table.name, first=days[0], last=days[-1])}


def _red_in_season(season: TableCoverage, judge: Judge, mended: bool) -> dict[date, str]:
    threshold = judge.settings.coverage_pct(season.phase)
    fault = None if mended else _first_fault(season, judge)
    lacking = season.lacks_bootstrap(threshold, judge.calendar.season_length)
    states = {state.day: state for state in season.days}
    red: dict[date, str] = {}
    full = 0
    for number, day in enumerate(season.due, start=1):
        full += day in states and _counts_as_full(states[day], mended)
        if fault and fault.day <= day:
            red[day] = f"{fault.day} {fault.reason or 'extra or doubled keys'}"
        elif lacking:
            early = season.waiting_bootstrap
            red[day] = f"{early[0].day} gate red: {len(early)} bootstrap dates of the season wait for raw data"
        elif 100 * full < threshold * number:
            red[day] = f"{day} gate red: {full} of {number} dates of the season are full, needed {threshold:g} %"
    return red


def _first_fault(season: TableCoverage, judge: Judge) -> DateState | None:
    """The first date that makes the gate red whatever the percentage."""
    doubled = season.doubled(judge.calendar.unplayed)
    faults = [*season.torn, *season.outdated, *season.short_bootstrap, *doubled]
    return min(faults, key=lambda state: state.day, default=None)


def _counts_as_full(state: DateState, mended: bool) -> bool:
    return state.holding.waiting == 0 if mended else state.state == FULL
