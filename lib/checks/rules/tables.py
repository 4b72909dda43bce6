"""Post-backfill rules that hold for every computed table: keys, in-season gaps, freshness, quality."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any

from lib.checks.model import POST_BACKFILL, SETTLED_DAYS, Check, Offenders, Scope
from lib.registry import Table
from lib.verdicts import AMBER, RED


@dataclass(frozen=True)
class Day:
    """What a table holds on one date: rows, rows that say they were written too early, rows of gold or silver."""

    table: str
    season: int
    day: date
    rows: int
    too_early: int
    good: int


def tables_of(scope: Scope) -> list[Table]:
    """The computed tables of the scope's phase, upstream first."""
    judge = scope.judge
    return [table for table in judge.registry.computed if judge.settings.phase_of(table.name) == scope.phase]


def days_of(scope: Scope) -> dict[str, list[Day]]:
    """What each table of the phase holds, date by date, from one scan of each."""
    return scope.once(
        "days", lambda: {name: [Day(name, *row) for row in rows()] for name, rows in ask_days(scope).items()}
    )


def ask_days(scope: Scope) -> dict[str, Callable[[], list[tuple[Any, ...]]]]:
    """The same, asked."""
    return {table.name: scope.ask(_by_day(table)) for table in tables_of(scope)}


def _by_day(table: Table) -> str:
    day, graded = table.date_column, "quality_tier" in table.contract.column_names
    good = "COUNTIF(quality_tier IN ('gold', 'silver'))" if graded else "COUNT(*)"
    return (
        f"SELECT season_year, {day}, COUNT(*) AS held, COUNTIF(processed_at < CAST({day} AS TIMESTAMP)"
        f" OR processed_at > CURRENT_TIMESTAMP()) AS early, {good} AS good FROM {table.name}"
        f" WHERE {day} BETWEEN @first AND @last GROUP BY season_year, {day}"
    )


def _doubled_keys(scope: Scope) -> Offenders:
    units, failed = (int(sum(column)) for column in zip(*_ask_doubled(scope)(), strict=True))
    groups = [_groups(table) for table in tables_of(scope)]
    doubled = [f"SELECT table_name, key_text, copies FROM ({sql}) WHERE copies > 1" for sql in groups] if failed else []
    rows = sorted(scope.rows(" UNION ALL ".join(doubled))) if doubled else []
    return Offenders(units, ("table", "key", "copies"), rows)


def _ask_doubled(scope: Scope) -> Callable[[], list[tuple[Any, ...]]]:
    """Keys of each table, and how many of them are doubled."""
    counts = "SELECT COUNT(*) AS held, COALESCE(COUNTIF(copies > 1), 0) AS doubled FROM ({})"
    return scope.ask(" UNION ALL ".join(counts.format(_groups(table)) for table in tables_of(scope)))


def _groups(table: Table) -> str:
    key = table.contract.key
    text = ", ' ', ".join(f"CAST({name} AS STRING)" for name in key)
    return (
        f"SELECT '{table.name}' AS table_name, CONCAT({text}) AS key_text, COUNT(*) AS copies FROM {table.name}"
        f" WHERE {table.date_column} BETWEEN @first AND @last GROUP BY {', '.join(key)}"
    )


def _gaps(scope: Scope) -> Offenders:
    found, units = [], 0
    for table, days in days_of(scope).items():
        held = sorted({entry.day for entry in days})
        units += len(held)
        found += [(table, before, after, absent) for before, after, absent in _gaps_of(scope, table, held)]
    return Offenders(units, ("table", "after", "before", "game_dates_between"), found)


def _gaps_of(scope: Scope, table: str, held: list[date]) -> Iterator[tuple[date, date, int]]:
    """Gaps inside a season that game dates lie in: the All-Star break and the summer hold none."""
    calendar, longest = scope.judge.calendar, scope.judge.settings.checks.gap_days
    for before, after in pairwise(held):
        same_season = calendar.season_start(before) == calendar.season_start(after)
        if not same_season or (after - before).days <= longest:
            continue
        absent = [day for day in calendar.games if before < day < after and not scope.judge.is_excluded(table, day)]
        if absent:
            yield before, after, len(absent)


def _written_too_early(scope: Scope) -> Offenders:
    days = [entry for of_table in days_of(scope).values() for entry in of_table]
    early = [(entry.table, entry.day, entry.too_early, entry.rows) for entry in days if entry.too_early]
    return Offenders(len(days), ("table", "date", "rows_too_early", "rows"), early)


def _poor_seasons(scope: Scope) -> Offenders:
    """A season begins with thin windows, by right: its first dates say nothing of the sources."""
    counts: dict[tuple[str, int], list[int]] = {}
    for entry in (entry for of_table in days_of(scope).values() for entry in of_table):
        if (entry.day - scope.judge.calendar.season_start(entry.day)).days >= SETTLED_DAYS:
            total = counts.setdefault((entry.table, entry.season), [0, 0])
            total[0], total[1] = total[0] + entry.rows, total[1] + entry.good
    least = scope.judge.settings.checks.quality_pct
    poor = [
        (name, season, round(100 * good / rows, 1), rows)
        for (name, season), (rows, good) in sorted(counts.items())
        if 100 * good < least * rows
    ]
    units = len({(entry.table, entry.season) for of_table in days_of(scope).values() for entry in of_table})
    return Offenders(units, ("table", "season", "gold_or_silver_pct", "rows"), poor)


CHECKS = (
    Check(
        "keys_are_unique", POST_BACKFILL, None, RED,
        "keys that more than one row bears",
        "an insert whose delete was refused, or a repair that ran twice",
        "runbook run replaces the dates whole; never delete doubled rows by their key, it takes every copy",
        look=_doubled_keys, asks=_ask_doubled,
    ),
    Check(
        "no_gap_in_a_season", POST_BACKFILL, None, AMBER,
        "gaps of more than a week within a season, in which games were played",
        "a job stopped between two batches, and nobody started it again",
        "runbook run computes the dates between",
        look=_gaps, asks=ask_days,
    ),
    Check(
        "rows_are_written_after_their_day", POST_BACKFILL, None, AMBER,
        "dates with rows that say they were written before the day began, or in the future",
        "the clock of a machine was wrong, or rows of another date were copied",
        "set the clock, then runbook run --force --dates for the dates named",
        columns=("processed_at",), look=_written_too_early, asks=ask_days,
    ),
    Check(
        "quality_is_gold_or_silver", POST_BACKFILL, None, AMBER,
        "seasons in which too few rows are of quality gold or silver (checks.quality_pct)",
        "a primary source is missing and the fallback was used, or windows are thin",
        "look at quality_issues of the rows, load the raw data that is missing, then runbook run",
        columns=("quality_tier",), look=_poor_seasons, asks=ask_days,
    ),
)  # fmt: skip
