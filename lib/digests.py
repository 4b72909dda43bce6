"""What a table's SELECT read for a date, as one digest.

Each source is hashed by date over just the columns the SELECT reads, in one scan per source. A ``date`` window is the
source's rows of D; a ``history`` window the season's rows strictly before D, as a difference of running sums.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import accumulate

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

    def between(self, first: date, before: date) -> Sums:
        low, high = (self.totals[bisect_left(self.days, day)] for day in (first, before))
        return high[0] - low[0], high[1] - low[1]


@cache
def _label(source: Source) -> str:
    return f"{source.table} {source.window} {source.columns}"


class InputDigests:
    """Input digests of several tables over a range, from one scan of each source."""

    def __init__(self, session: Session, tables: Iterable[Table], calendar: Calendar, first: date, last: date) -> None:
        self._calendar = calendar
        self._series: dict[Source, _Series] = {}
        sources = {source for table in tables for source in table.sources}
        for name, column in sorted({(s.table, s.date_column or "") for s in sources}):
            group = [s for s in sources if (s.table, s.date_column or "") == (name, column)]
            self._scan(session, name, column, group, calendar.season_start(first), last)

    def of(self, table: Table, day: date) -> str:
        """SHA-256 over everything *table* reads for *day*."""
        parts = [f"{_label(source)} {self._sums(source, day)}" for source in table.sources]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _sums(self, source: Source, day: date) -> Sums:
        series = self._series[source]
        if source.window == DATE:
            return series.at.get(day, (0, 0))
        if source.window == HISTORY:
            return series.between(self._calendar.season_start(day), day)
        return series.totals[-1]

    def _scan(self, session: Session, name: str, column: str, group: list[Source], first: date, last: date) -> None:
        hashes = ", ".join(row_hash(source.columns) for source in group)
        partition = registry().table(name).contract.partition
        # a report lies in the partition of its own day, before the game's: no bound may depend on the range asked for
        first = first if partition == column else EVER["first"]
        day = column if group[0].window != STATIC else "CAST('1970-01-01' AS DATE)"
        bounds = f"WHERE {partition} BETWEEN @first AND @last" if partition else ""
        found = session.rows(
            f"SELECT {day} AS day, COUNT(*), {hashes} FROM {name} {bounds} GROUP BY day ORDER BY day",
            first=first,
            last=last,
        )
        for index, source in enumerate(group, start=2):
            series = _Series()
            for row in found:
                if row[0] is not None:
                    series.days.append(row[0])
                    series.sums.append((row[1], int(row[index] or 0)))
            series.close()
            self._series[source] = series
