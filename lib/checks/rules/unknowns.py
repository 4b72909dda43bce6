"""What nobody asked for: tables without a contract, rows outside the calendar, rows on excluded dates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from lib.calendar import EVER, SCHEDULE
from lib.checks.model import UNKNOWNS, Check, Offenders, Scope
from lib.checks.rules.tables import ask_days, days_of
from lib.verdicts import AMBER, RED

KINDS = f"SELECT game_date, kind, COUNT(*) AS games FROM {SCHEDULE} GROUP BY game_date, kind"
NAMES = {"001": "preseason", "003": "All-Star"}


def _tables(scope: Scope) -> Offenders:
    judge = scope.judge
    lowest = min(judge.settings.datasets.values(), default=scope.phase)
    managed = {"runbook": lowest, **judge.settings.datasets}
    phases = {scope.phase, *range(lowest, 3)} if scope.phase == 3 else {scope.phase}
    held = [name for name in judge.session.tables if managed.get(name.partition(".")[0]) in phases]
    unknown = [(name, len(judge.session.tables[name])) for name in sorted(held) if name not in judge.registry.tables]
    drops = "; ".join(f"DROP TABLE {name}" for name, _ in unknown)
    return Offenders(len(held), ("table", "columns"), unknown, mend=f"{drops}; or give it a contract in lib/tables")


def _outside(scope: Scope) -> Offenders:
    calendar, days = scope.judge.calendar, [entry for found in days_of(scope).values() for entry in found]
    known = {*calendar.games, *calendar.unplayed, *calendar.open}
    strays = [e for e in days if e.day not in known]
    kinds: dict[date, str] = {}
    for day, kind, _ in scope.judge.session.ask(KINDS, **EVER)() if strays else ():
        kinds[day] = NAMES.get(kind, kinds.get(day, ""))
    rows = [(e.table, e.day, _kind(scope, kinds, e.day), e.rows) for e in strays]
    return Offenders(len(days), ("table", "date", "kind", "rows"), rows)


def _kind(scope: Scope, kinds: Mapping[date, str], day: date) -> str:
    if kinds.get(day):
        return f"{kinds[day]} date"
    season = scope.judge.calendar.season_start(day)
    of_season = [d for d in scope.judge.calendar.games if scope.judge.calendar.season_start(d) == season]
    inside = of_season and of_season[0] <= day <= of_season[-1]
    return "no game was played that day" if inside else "off-season"


def _on_excluded(scope: Scope) -> Offenders:
    days = [entry for found in days_of(scope).values() for entry in found]
    held = [(e.table, e.day, e.rows) for e in days if scope.judge.is_excluded(e.table, e.day)]
    return Offenders(len(days), ("table", "date", "rows"), held)


CHECKS = (
    Check(
        "table_without_contract", UNKNOWNS, None, AMBER,
        "tables of a managed dataset that no contract names",
        "somebody made a copy or a trial there, or a table was renamed",
        "drop it, or give it a contract in lib/tables",
        look=_tables,
    ),
    Check(
        "row_outside_the_calendar", UNKNOWNS, None, RED,
        "dates with rows on which no counted game was played: All-Star, preseason, off-season",
        "exhibition games were computed, or a date was shifted",
        "no run wrote these rows: look at them, then delete them",
        look=_outside, asks=ask_days,
    ),
    Check(
        "row_on_an_excluded_date", UNKNOWNS, None, AMBER,
        "dates with rows that an exclusion of runbook.toml says do not count",
        "the dates were filled after they had been excluded, or the exclusion is too wide",
        "take the exclusion out of runbook.toml, then runbook run; or delete the rows",
        look=_on_excluded, asks=ask_days,
    ),
)  # fmt: skip
