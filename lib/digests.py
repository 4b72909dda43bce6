"""What a table's SELECT read for a date, as one digest.

Each source is hashed by date over just the columns the SELECT reads, in one scan per source. A ``date`` window is the
source's rows of D; a ``history`` window the season's rows strictly before D, as a difference of running sums.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import accumulate
from typing import Any

from lib.calendar import EVER, Calendar
from lib.registry import DATE, HISTORY, STATIC, Source, Table, registry
from lib.warehouse import Session

Sums = tuple[int, int]  # rows, sum of their hashes


def row_hash(columns: Sequence[str]) -> str:
    """GoogleSQL for the sum of the rows' hashes over *columns*."""
    return f"SUM(CAST(FARM_FINGERPRINT(TO_JSON_STRING(STRUCT({', '.join(columns)}))) AS NUMERIC))"


@dataclass
class _Series:
    """Per-date sums of one reading, with running totals."""

    days: list[date] = field(default_factory=list)
    sums: list[Sums] = field(default_factory=list)

    def close(self) -> None:
        self.at = dict(zip(self.days, self.sums, strict=True))
        self.totals = [(0, 0), *accumulate(self.sums, lambda a, b: (a[0] + b[0], a[1] + b[1]))]

    def read(self, window: str, season_start: date, day: date) -> Sums:
        """What a window of the reading holds for *day*."""
        if window == DATE:
            return self.at.get(day, (0, 0))
        return self.between(season_start, day) if window == HISTORY else self.totals[-1]

    def between(self, first: date, before: date) -> Sums:
        low, high = (self.totals[bisect_left(self.days, day)] for day in (first, before))
        return high[0] - low[0], high[1] - low[1]


class InputDigests:
    """Input digests of several tables over a range, from one scan of each source."""

    def __init__(self, session: Session, tables: Iterable[Table], calendar: Calendar, first: date, last: date) -> None:
        self._calendar, self._tables = calendar, list(tables)
        self._asked = ask_inputs(session, self._tables, calendar.season_start(first), last)

    @cached_property
    def _readings(self) -> dict[str, list[tuple[Source, str, _Series]]]:
        series = {source: read for asked in self._asked for source, read in asked().items()}
        return {
            table.name: [(s, f"{s.table} {s.window} {s.columns}", series[s]) for s in table.sources]
            for table in self._tables
        }

    def of(self, table: Table, day: date, *, raw_only: bool = False) -> str:
        """SHA-256 over everything *table* reads for *day*, or over what it reads of tables that are not computed."""
        start, tables = self._calendar.season_start(day), registry().tables
        parts = [
            f"{label} {series.read(source.window, start, day)}"
            for source, label, series in self._readings[table.name]
            if not raw_only or tables[source.table].select is None
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def ask_inputs(
    session: Session, tables: Sequence[Table], start: date, last: date
) -> list[Callable[[], dict[Source, _Series]]]:
    """Asks for what *tables* read from *start*, the start of a season, to *last*."""
    sources = {source for table in tables for source in table.sources}
    asked = []
    for name, column in sorted({(s.table, s.date_column or "") for s in sources}):
        group = sorted((s for s in sources if (s.table, s.date_column or "") == (name, column)), key=repr)
        asked.append(_ask_scan(session, name, column, group, start, last))
    return asked


def _ask_scan(
    session: Session, name: str, column: str, group: list[Source], first: date, last: date
) -> Callable[[], dict[Source, _Series]]:
    hashes = ", ".join(f"{row_hash(source.columns)} AS hash_{at}" for at, source in enumerate(group))
    partition = registry().table(name).contract.partition
    # a report lies in the partition of its own day, before the game's: no bound may depend on the range asked for
    first = first if partition == column else EVER["first"]
    day = column if group[0].window != STATIC else "CAST('1970-01-01' AS DATE)"
    bounds = f"WHERE {partition} BETWEEN @first AND @last" if partition else ""
    sql = f"SELECT {day} AS day, COUNT(*) AS held, {hashes} FROM {name} {bounds} GROUP BY day"
    asked = session.ask(sql, first=first, last=last)
    return lambda: _read(group, sorted((row for row in asked() if row[0] is not None), key=lambda row: row[0]))


def _read(group: list[Source], found: list[tuple[Any, ...]]) -> dict[Source, _Series]:
    read: dict[Source, _Series] = {}
    for index, source in enumerate(group, start=2):
        series = read[source] = _Series()
        for row in found:
            series.days.append(row[0])
            series.sums.append((row[1], int(row[index] or 0)))
        series.close()
    return read
