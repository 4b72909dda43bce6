"""Post-backfill rules that hold for every computed table: keys, in-season gaps, freshness, quality."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise

from lib.checks.model import POST_BACKFILL, SETTLED_DAYS, Check, Offenders, Scope
from lib.registry import Table
from lib.verdicts import AMBER, RED


def tables_of(scope: Scope) -> list[Table]:
    """The computed tables of the scope's phase, upstream first; those that are not in the warehouse included."""
    judge = scope.judge
    return [table for table in judge.registry.computed if judge.settings.phase_of(table.name) == scope.phase]


def _doubled_keys(scope: Scope) -> Offenders:
    tables = tables_of(scope)
    groups = [_groups(table) for table in tables]
    counts = scope.rows(
        " UNION ALL ".join(f"SELECT COUNT(*), COALESCE(COUNTIF(copies > 1), 0) FROM ({sql})" for sql in groups)
    )
    units, failed = (int(sum(column)) for column in zip(*counts, strict=True))
    doubled = [f"SELECT table_name, key_text, copies FROM ({sql}) WHERE copies > 1" for sql in groups] if failed else []
    rows = scope.rows(f"{' UNION ALL '.join(doubled)} ORDER BY 1, 2") if doubled else []
    return Offenders(units, ("table", "key", "copies"), rows)


def _groups(table: Table) -> str:
    key = table.contract.key
    text = ", ' ', ".join(f"CAST({name} AS STRING)" for name in key)
    return (
        f"SELECT '{table.name}' AS table_name, CONCAT({text}) AS key_text, COUNT(*) AS copies FROM {table.name}"
        f" WHERE {table.date_column} BETWEEN @first AND @last GROUP BY {', '.join(key)}"
    )


def _gaps(scope: Scope) -> Offenders:
    found, units = [], 0
    for table in tables_of(scope):
        held = [day for (day,) in scope.rows(_days(table))]
        units += len(held)
        found += [(table.name, before, after, absent) for before, after, absent in _gaps_of(scope, table, held)]
    return Offenders(units, ("table", "after", "before", "game_dates_between"), found)


def _days(table: Table) -> str:
    day = table.date_column
    return f"SELECT {day} FROM {table.name} WHERE {day} BETWEEN @first AND @last GROUP BY {day} ORDER BY {day}"


def _gaps_of(scope: Scope, table: Table, held: list[date]) -> Iterator[tuple[date, date, int]]:
    """Gaps inside a season that game dates lie in: the All-Star break and the summer hold none."""
    calendar, settings = scope.judge.calendar, scope.judge.settings
    for before, after in pairwise(held):
        same_season = calendar.season_start(before) == calendar.season_start(after)
        if not same_season or (after - before).days <= settings.checks.gap_days:
            continue
        between = [day for day in calendar.games if before < day < after]
        absent = [d for d in between if not any(r.covers(table.name, d, calendar.as_of) for r in settings.exclusions)]
        if absent:
            yield before, after, len(absent)


def _written_too_early(scope: Scope) -> Offenders:
    parts = [
        f"SELECT '{t.name}' AS table_name, {t.date_column} AS day, MIN(processed_at) AS first_written, COUNT(*) AS table_rows,"
        f" COALESCE(COUNTIF(processed_at < CAST({t.date_column} AS TIMESTAMP) OR processed_at > CURRENT_TIMESTAMP()), 0) AS too_early"
        f" FROM {t.name} WHERE {t.date_column} BETWEEN @first AND @last GROUP BY {t.date_column}"
        for t in tables_of(scope)
    ]
    days = " UNION ALL ".join(parts)
    units, failed = scope.rows(f"SELECT COUNT(*), COALESCE(COUNTIF(too_early > 0), 0) FROM ({days})")[0]
    sql = f"SELECT table_name, day, too_early, table_rows FROM ({days}) WHERE too_early > 0 ORDER BY table_name, day"
    return Offenders(units, ("table", "date", "rows_too_early", "rows"), scope.rows(sql) if failed else [])


def _poor_seasons(scope: Scope) -> Offenders:
    """A season begins with thin windows, by right: its first dates say nothing of the sources."""
    counts: dict[tuple[str, int], list[int]] = {}
    for name, season, day, rows, good in scope.rows(_graded(scope)):
        if (day - scope.judge.calendar.season_start(day)).days >= SETTLED_DAYS:
            total = counts.setdefault((name, season), [0, 0])
            total[0], total[1] = total[0] + rows, total[1] + good
    least = scope.judge.settings.checks.quality_pct
    poor = [
        (name, season, round(100 * good / rows, 1), rows)
        for (name, season), (rows, good) in sorted(counts.items())
        if 100 * good < least * rows
    ]
    return Offenders(len(counts), ("table", "season", "gold_or_silver_pct", "rows"), poor)


def _graded(scope: Scope) -> str:
    return " UNION ALL ".join(
        f"SELECT '{t.name}', season_year, {t.date_column}, COUNT(*), COUNTIF(quality_tier IN ('gold', 'silver'))"
        f" FROM {t.name} WHERE {t.date_column} BETWEEN @first AND @last GROUP BY season_year, {t.date_column}"
        for t in tables_of(scope)
        if "quality_tier" in t.contract.column_names
    )


CHECKS = (
    Check(
        "keys_are_unique", POST_BACKFILL, None, RED,
        "keys that more than one row bears",
        "an insert whose delete was refused, or a repair that ran twice",
        "runbook run replaces the dates whole; never delete doubled rows by their key, it takes every copy",
        look=_doubled_keys,
    ),
    Check(
        "no_gap_in_a_season", POST_BACKFILL, None, AMBER,
        "gaps of more than a week within a season, in which games were played",
        "a job stopped between two batches, and nobody started it again",
        "runbook run computes the dates between",
        look=_gaps,
    ),
    Check(
        "rows_are_written_after_their_day", POST_BACKFILL, None, AMBER,
        "dates with rows that say they were written before the day began, or in the future",
        "the clock of a machine was wrong, or rows of another date were copied",
        "set the clock, then runbook run --force --dates for the dates named",
        columns=("processed_at",), look=_written_too_early,
    ),
    Check(
        "quality_is_gold_or_silver", POST_BACKFILL, None, AMBER,
        "seasons in which too few rows are of quality gold or silver (checks.quality_pct)",
        "a primary source is missing and the fallback was used, or windows are thin",
        "look at quality_issues of the rows, load the raw data that is missing, then runbook run",
        columns=("quality_tier",), look=_poor_seasons,
    ),
)  # fmt: skip
