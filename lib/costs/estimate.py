"""What a chunk will cost, by dry runs of the very statements that will be sent.

A dry run counts what is there. Tables that are filled only later in the same plan are counted by a model of their size:
as many rows a date as raw data give reason to expect, and the widths of the columns that are read. What is billed is at
least ten megabytes for each table that a query names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from lib.blocking import ask_blocking
from lib.calendar import ask_calendar
from lib.contract import Contract
from lib.costs.figures import TableCost
from lib.coverage import expected_sql
from lib.digests import ask_inputs
from lib.plan import Chunk
from lib.registry import Table, registry
from lib.settings import Settings
from lib.warehouse.bigquery.jobs import Jobs
from lib.warehouse.bigquery.session import BigQuerySession
from lib.warehouse.bigquery.statements import QUESTIONS_PER_JOB, Query

CHANGES_PER_DATE = 2  # a partition is emptied and filled
LEAST_BILLED = 10 * 2**20  # bytes for each table that a query names
PUBLISHED_TABLES = 5  # the lease, the stage, the table, receipts, attempts
AUDIT_READS = 3  # of the stage: as it was computed, in the contract's types, against the expected keys
WIDTHS = {"STRING": 10, "NUMERIC": 16, "BOOL": 1}  # bytes of a value; any other 8
ARRAY_VALUES = 25  # the feature arrays
BOXES, GAMES = "nba_raw.nbac_gamebook_player_stats", "nba_raw.nbac_schedule"
GAMES_A_DATE = 7.5
PLAYED = 0.75  # of the players that a box score lists
RAW_TABLES_OF_KEYS = 4  # the schedule and three kinds of boxes


@dataclass
class Estimator:
    """Estimates chunks; what it looks up of tables it keeps."""

    jobs: Jobs
    settings: Settings
    facts: Callable[[], dict[str, str]]
    absent: Mapping[str, Collection[date]] = field(default_factory=dict)  # by table, dates that the plan fills
    _rows: dict[str, int] = field(default_factory=dict)

    def cost_of(self, chunk: Chunk) -> TableCost:
        """Bytes of the chunk's jobs, read and billed; jobs and changed partitions are counted."""
        table, days = registry().tables[chunk.table], chunk.days
        sources = {source.table for source in table.sources}
        own = self._size(table.contract, table.contract.column_names, len(days))
        look, questions = self._look(table, chunk)
        select = self._select(table, chunk)
        audit = self._audit(table, chunk) + AUDIT_READS * own
        read = (look, select, audit, own)
        named = (len(sources) + RAW_TABLES_OF_KEYS, len(sources), len(sources) + RAW_TABLES_OF_KEYS, PUBLISHED_TABLES)
        billed = sum(max(size, LEAST_BILLED * tables) for size, tables in zip(read, named, strict=True))
        jobs = 3 + -(-questions // QUESTIONS_PER_JOB)
        return TableCost(table.name, sum(read), jobs, CHANGES_PER_DATE * len(days), billed)

    def _look(self, table: Table, chunk: Chunk) -> tuple[int, int]:
        """Bytes and questions of the look at the calendar and at what keeps dates back."""
        session = BigQuerySession(self.jobs, self.facts)
        ask_blocking(session, self.settings, registry(), table, chunk.history_from, chunk.days)
        ask_calendar(session)
        return session.bytes_waiting()

    def _select(self, table: Table, chunk: Chunk) -> int:
        days = chunk.days
        bounds = {"dates": list(days), "first": days[0], "last": days[-1], "history_from": chunk.history_from}
        query = Query(table.select or "", bounds | self.settings.eligibility(table.name))
        return BigQuerySession(self.jobs, self.facts).bytes_of(query) + self._to_come(table, chunk)

    def _audit(self, table: Table, chunk: Chunk) -> int:
        session = BigQuerySession(self.jobs, self.facts)
        ask_inputs(session, [table], chunk.history_from, chunk.days[-1])
        kept = self.settings.tables[table.name].expected
        session.ask(f"SELECT COUNT(*) AS held FROM {self._keys(session, kept, chunk)}")
        return session.bytes_waiting()[0] + self._to_come(table, chunk)

    def _keys(self, session: BigQuerySession, rule: str, chunk: Chunk) -> str:
        bounds = {"first": chunk.days[0], "last": chunk.days[-1], "history_from": chunk.history_from}
        return session.keep_once(expected_sql(rule), **bounds, bootstrap_days=self.settings.gates.bootstrap_days)

    def _to_come(self, table: Table, chunk: Chunk) -> int:
        """Bytes of what the computed sources do not hold yet, and the same plan fills before."""
        known = registry().tables
        computed = [(known[s.table], s.columns) for s in table.sources if known[s.table].select]
        return sum(
            self._size(source.contract, columns, self._dates_to_come(source.name, chunk))
            for source, columns in computed
        )

    def _dates_to_come(self, source: str, chunk: Chunk) -> int:
        if not self._held(source):
            return len(chunk.days)
        return sum(chunk.history_from <= day <= chunk.days[-1] for day in self.absent.get(source, ()))

    def _size(self, contract: Contract, columns: Iterable[str], dates: int) -> int:
        """Bytes of *columns* over as many dates, for the rows that raw data give reason to expect."""
        games = max(self._held(GAMES), 1)
        rows = PLAYED * self._held(BOXES) if "player_lookup" in contract.key else 2 * games
        share = min(dates * GAMES_A_DATE / games, 1.0)
        return int(rows * share * sum(_width(contract.column(name).type) for name in columns))

    def _held(self, name: str) -> int:
        """Rows of a table, from its metadata: no job."""
        if name not in self._rows:
            table = self.jobs.found(self.jobs.client.get_table, self.jobs.address.table(name))
            self._rows[name] = int(table.num_rows or 0) if table else 0
        return self._rows[name]


def _width(kind: str) -> int:
    element = re.fullmatch(r"ARRAY<(\w+)>", kind)
    base = element[1] if element else kind.partition("(")[0]
    return WIDTHS.get(base, 8) * (ARRAY_VALUES if element else 1)
