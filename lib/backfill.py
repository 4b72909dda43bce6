"""The write path: compute a chunk into a stage, audit it by date, publish the clean dates with their receipts.

A date that fails the audit is named with key and value and left as it was; a reader never sees a hole; a crash leaves
old rows or new ones; running again is idempotent.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from lib.audit import Staged, keep_stage, refusals
from lib.blocking import ask_blocking, blocked_dates
from lib.calendar import read_calendar
from lib.coverage import holdings
from lib.digests import InputDigests, ask_inputs
from lib.errors import QueryFailed
from lib.lease import Fence, Fenced
from lib.moments import moment
from lib.plan import Chunk
from lib.registry import Registry, Table, registry
from lib.settings import Settings
from lib.stages import new_stage, owners
from lib.states import Holding, nothing_on
from lib.warehouse import Publication, Session, Warehouse

NOTED = "SELECT DISTINCT day FROM runbook.receipts WHERE table_name = @table AND day BETWEEN @first AND @last"
PUBLISHED, FAILED, BLOCKED, INTERRUPTED = "published", "failed", "blocked", "interrupted"


@dataclass
class Outcome:
    """What became of a chunk, date by date."""

    chunk: Chunk
    published: dict[date, int] = field(default_factory=dict)  # rows
    failed: dict[date, str] = field(default_factory=dict)
    blocked: dict[date, str] = field(default_factory=dict)
    emptied: dict[date, str] = field(default_factory=dict)  # of those published: their raw data went away
    seconds: float = 0.0

    def add(self, other: Outcome) -> None:
        """Takes in the outcome of a part of the chunk."""
        self.published |= other.published
        self.failed |= other.failed
        self.blocked |= other.blocked
        self.emptied |= other.emptied


@dataclass(frozen=True)
class Backfill:
    """Runs chunks on a warehouse. ``tables`` is the registry, another one in tests.

    ``fence`` is what every publish shows of the lease it works under; None where nobody else can be at work.
    """

    warehouse: Warehouse
    settings: Settings
    run: str | None = None
    tables: Registry = field(default_factory=registry)
    fence: Fence | None = None

    def run_chunks(
        self, chunks: Iterable[Chunk], on_done: Callable[[Outcome], None] = lambda outcome: None
    ) -> list[Outcome]:
        """Runs *chunks* one after the other; a failed date never stops what does not depend on it."""
        sweep_orphans(self.warehouse)
        outcomes = []
        for chunk in chunks:
            outcome = self.run_chunk(chunk)
            outcomes.append(outcome)
            on_done(outcome)
        return outcomes

    def run_chunk(self, chunk: Chunk) -> Outcome:
        """One chunk. What cannot be computed together is halved until the failing date stands alone."""
        started = datetime.now(UTC)
        try:
            outcome = self._attempt(chunk, started)
        except KeyboardInterrupt:
            with suppress(Fenced):  # whoever has the phase now keeps the ledger
                self._note(chunk, started, dict.fromkeys(chunk.days, (INTERRUPTED, "interrupted", 0)))
            raise
        outcome.seconds = (datetime.now(UTC) - started).total_seconds()
        return outcome

    def take_stock(self, found: Mapping[str, tuple[date, ...]]) -> None:
        """Leaves a receipt of kind ``found`` for full dates that something else wrote, so that changes are noticed."""
        for name, days in found.items():
            table = self.tables.tables[name]
            with self.warehouse.reading() as session:
                calendar = read_calendar(session, self.settings)
                # what has a receipt by now keeps it: it may tell of a change since
                noted = session.rows(NOTED, table=name, first=days[0], last=days[-1])
                days = tuple(sorted(set(days) - {day for (day,) in noted}))
                if not days:
                    continue
                digests = InputDigests(session, [table], calendar, days[0], days[-1])
                held = self._holdings(session, table, name, days, calendar.season_start(days[0]))
                receipts = [_receipt(table, held[day], digests, "found", "stock") for day in days]
            stock = Publication(name, table.date_column, tuple(days), None, tuple(receipts), fence=self.fence)
            self.warehouse.publish(stock)

    def _attempt(self, chunk: Chunk, started: datetime) -> Outcome:
        try:
            return self._compute_and_publish(chunk, started)
        except QueryFailed as error:
            if len(chunk.days) == 1:
                return self._give_up(chunk, started, str(error))
        outcome = Outcome(chunk)
        for part in _halves(chunk):
            outcome.add(self._attempt(part, started))
        return outcome

    def _give_up(self, chunk: Chunk, started: datetime, why: str) -> Outcome:
        self._note(chunk, started, dict.fromkeys(chunk.days, (FAILED, why, 0)))
        return Outcome(chunk, failed=dict.fromkeys(chunk.days, why))

    def _compute_and_publish(self, chunk: Chunk, started: datetime) -> Outcome:
        attempt = uuid.uuid4().hex
        table = self.tables.tables[chunk.table]
        stage = new_stage(self.warehouse.stages, attempt)
        phase = str(self.settings.phase_of(table.name) or "")
        with self.warehouse.labelled(run=self.run, table=table.name, phase=phase, attempt=attempt):
            try:
                with self.warehouse.aside() as session:
                    outcome, receipts = self._stage(session, table, chunk, attempt, stage)
                self._publish(table, outcome, receipts, attempt, stage, started)
            finally:
                self.warehouse.drop_stage(stage)
        return outcome

    def _stage(
        self, session: Session, table: Table, chunk: Chunk, attempt: str, path: Path
    ) -> tuple[Outcome, list[tuple[Any, ...]]]:
        if session.jobs_are_dear:
            ask_blocking(session, self.settings, self.tables, table, chunk.history_from, chunk.days)
            # answered before the rows are computed: where the input moves between, the date is outdated, and not stale
            ask_inputs(session, [table], chunk.history_from, chunk.days[-1])
        calendar = read_calendar(session, self.settings)
        blocked = blocked_dates(session, self.settings, self.tables, table, calendar, chunk.days)
        days = [day for day in chunk.days if day not in blocked.why]
        outcome = Outcome(chunk, blocked=dict(blocked.why), emptied=dict(blocked.emptied))
        outcome.published = dict.fromkeys(outcome.emptied, 0)
        if not days:
            return outcome, []
        staged = keep_stage(session, self.settings, table, calendar.by_season(days))
        digests = InputDigests(session, [table], calendar, chunk.days[0], chunk.days[-1])
        clean = self._audited(session, staged, outcome)
        receipts = [
            _receipt(table, held, digests, "published", attempt) for held in clean.values() if held.expected > 0
        ]
        moment("stage computed")
        staged.write(session, path, clean)
        moment("stage written")
        return outcome, receipts

    def _audited(self, session: Session, staged: Staged, outcome: Outcome) -> dict[date, Holding]:
        """What the stage holds on the dates that may be published; the outcome has them, and those that failed."""
        emptied = outcome.emptied
        held = self._holdings(session, staged.table, staged.relation, staged.days, outcome.chunk.history_from)
        refused = refusals(session, staged, held)
        outcome.failed = {day: why for day, why in refused.items() if day not in emptied}
        days = [day for day in staged.days if day not in refused and day not in emptied]
        clean = {day: held.get(day) or nothing_on(day) for day in days}
        outcome.published |= {day: holding.rows for day, holding in clean.items()}
        return clean

    def _holdings(
        self, session: Session, table: Table, relation: str, days: Iterable[date], history_from: date
    ) -> dict[date, Holding]:
        days = sorted(days)
        return holdings(session, self.settings, table, relation, days[0], days[-1], history_from)

    def _publish(
        self,
        table: Table,
        outcome: Outcome,
        receipts: list[tuple[Any, ...]],
        attempt: str,
        stage: Path,
        started: datetime,
    ) -> None:
        facts: dict[date, tuple[str, str | None, int]] = {
            day: (PUBLISHED, None, rows) for day, rows in outcome.published.items()
        }
        facts |= {day: (FAILED, why, 0) for day, why in outcome.failed.items()}
        facts |= {day: (BLOCKED, why, 0) for day, why in outcome.blocked.items()}
        attempts = _attempts(table.name, attempt, self.run, started, facts)
        clean = tuple(sorted(outcome.published))
        published = stage if clean else None
        self.warehouse.publish(
            Publication(table.name, table.date_column, clean, published, tuple(receipts), attempts, self.fence)
        )

    def _note(self, chunk: Chunk, started: datetime, facts: Mapping[date, tuple[str, str | None, int]]) -> None:
        table = self.tables.tables[chunk.table]
        attempts = _attempts(chunk.table, uuid.uuid4().hex, self.run, started, facts)
        self.warehouse.publish(Publication(chunk.table, table.date_column, (), None, (), attempts, self.fence))


def sweep_orphans(warehouse: Warehouse) -> list[Path]:
    """Removes the stages of processes of this host that are gone; returns what was removed."""
    gone = [stage for stage, owner in owners(warehouse.stages) if owner is None]
    for stage in gone:
        warehouse.drop_stage(stage)
    return gone


def _halves(chunk: Chunk) -> list[Chunk]:
    days, middle = chunk.days, len(chunk.days) // 2
    parts = (days[:middle], days[middle:])
    return [
        Chunk(chunk.table, chunk.history_from, {day: chunk.reasons[day] for day in part}, chunk.seconds / 2)
        for part in parts
    ]


def _receipt(table: Table, held: Holding, digests: InputDigests, kind: str, attempt: str) -> tuple[Any, ...]:
    input_digest = digests.of(table, held.day)
    return (table.name, held.day, kind, held.rows, held.content, table.digest, input_digest, attempt, datetime.now(UTC))


def _attempts(
    name: str, attempt: str, run: str | None, started: datetime, facts: Mapping[date, tuple[str, str | None, int]]
) -> tuple[tuple[Any, ...], ...]:
    owner, now = f"{socket.gethostname()}:{os.getpid()}", datetime.now(UTC)
    return tuple((attempt, run, name, day, *fact, owner, started, now) for day, fact in sorted(facts.items()))
