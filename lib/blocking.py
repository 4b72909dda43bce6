"""What keeps a date from being computed: an upstream date that is not what it must be."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from lib.calendar import Calendar
from lib.coverage import Holding, holdings
from lib.registry import DATE, Registry, Table
from lib.settings import Settings
from lib.warehouse import Session


def blocked_dates(
    session: Session, settings: Settings, tables: Registry, table: Table, calendar: Calendar, days: Iterable[date]
) -> dict[date, str]:
    """The dates of *days* that must not be computed, each with ``blocked by <table> <date> <reason>``.

    A date is computed only when every upstream table of the same date holds all that raw data suffice for.
    """
    days = sorted(days)
    found: dict[date, str] = {}
    for name in sorted({s.table for s in table.sources if s.window == DATE and s.table in settings.tables}):
        start = calendar.season_start(days[0])
        held = holdings(session, settings, tables.tables[name], name, days[0], days[-1], start)
        for day in days:
            reason = _lack(held.get(day))
            if reason:
                found.setdefault(day, f"blocked by {name} {day} {reason}")
    return found


def _lack(held: Holding | None) -> str | None:
    if held is None or held.present >= held.computable:
        return None
    return "absent" if held.present == 0 else f"partial: {held.present} of {held.expected} keys"
