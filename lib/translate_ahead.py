"""Translates ahead what the steps of a runbook ask of a DuckDB file, so that a process that is forked afterwards need not.

Nothing is asked: the questions are put to a session that only turns their GoogleSQL into DuckDB's, which is remembered
by its text. A question that is forgotten here is translated when it is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from lib.ahead import AHEAD
from lib.audit import keep_stage
from lib.blocking import ask_blocking
from lib.calendar import Calendar, ask_calendar
from lib.contract import Contract
from lib.coverage import Judge, ask_holdings
from lib.dialect import to_duckdb
from lib.digests import ask_inputs
from lib.registry import Table, registry
from lib.settings import Settings
from lib.warehouse.interface import Row
from lib.warehouse.kept import KeptNames

FIRST, LAST = date(2000, 10, 1), date(2001, 6, 1)  # any range does: a text holds no date
ANY = Calendar(LAST, {2000: FIRST}, {FIRST: 1}, frozenset(), 14)


@dataclass
class Translating:
    """Stands where a session would, and answers nothing."""

    jobs_are_dear: bool = False
    _names: KeptNames = field(default_factory=KeptNames)

    def ask(self, sql: str, **parameters: object) -> Callable[[], list[Row]]:
        """Translates a question."""
        to_duckdb(sql)
        return list

    def keep_once(self, sql: str, **parameters: object) -> str:
        """Translates what would be kept, and names it as a session does."""
        to_duckdb(sql)
        return self._names.of(sql, parameters)[0]

    def keep(self, name: str, sql: str, contract: Contract | None = None, **parameters: object) -> None:
        """Translates what a chunk is computed by."""
        to_duckdb(sql, contract)

    view = keep

    def keep_by_part(self, name: str, sql: str, contract: Contract, whole: object, parts: object) -> None:
        """Translates the same."""
        self.keep(name, sql, contract)


def translate_ahead(settings: Settings) -> Iterator[None]:
    """Everything that hangs on tables, rules and checks alone, piece by piece in the order in which a run asks.

    What cannot be asked here, for instance by a check that wants an answer at once, is said by the step that needs it.
    """
    ask_calendar(_session())
    for phase, tables in sorted(_by_phase(settings).items()):
        first, *later = AHEAD.values()
        _step(settings, phase, first)
        yield
        for table in tables:
            _launch(settings, table)
            yield
        for asks in later:
            _step(settings, phase, asks)
            yield


def _by_phase(settings: Settings) -> dict[int, list[Table]]:
    found: dict[int, list[Table]] = {}
    for table in registry().computed:
        phase = settings.phase_of(table.name)
        if phase is not None:
            found.setdefault(phase, []).append(table)
    return found


def _session() -> Any:
    return Translating()


def _step(settings: Settings, phase: int, asks: Iterable[Callable[[Judge, int, date, date], object]]) -> None:
    judge = Judge(_session(), settings, ANY)
    for ask in asks:
        with suppress(Exception):
            ask(judge, phase, FIRST, LAST)


def _launch(settings: Settings, table: Table) -> None:
    session = _session()
    with suppress(Exception):
        ask_blocking(session, settings, registry(), table, FIRST, [FIRST, LAST])
        staged = keep_stage(session, settings, table, {FIRST: [FIRST, LAST]})
        ask_inputs(session, [table], FIRST, LAST)
        ask_holdings(session, settings, table, staged.relation, FIRST, LAST, FIRST)
