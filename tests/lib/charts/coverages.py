"""Coverages made by hand, without a warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from lib.states import DateState, Holding, TableCoverage

FIRST = date(2023, 10, 24)


def dates(count: int, first: date = FIRST) -> list[date]:
    """*count* days in a row."""
    return [first + timedelta(days=number) for number in range(count)]


def coverage(
    table: str, present: Mapping[date, int], expected: int = 10, todo: str | None = None, **flags: bool
) -> TableCoverage:
    """A table that holds so many of *expected* keys on each date."""
    facts = {"bootstrap": False, "excluded": False, "found": False, "outdated": False} | flags
    days = tuple(
        DateState(Holding(day, expected, 0, held, 0, held, "0", None, None), todo=todo, **facts)
        for day, held in present.items()
    )
    return TableCoverage(f"nba_analytics.{table}", 3, days, tuple(present))


def full(table: str, count: int = 20) -> TableCoverage:
    """A table that is full on every date."""
    return coverage(table, dict.fromkeys(dates(count), 10))
