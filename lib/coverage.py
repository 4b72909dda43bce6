"""Coverage: what the warehouse holds, date by date, against the keys it must hold.

The expected keys come from the schedule and raw data, never from the table under judgement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from lib.calendar import Calendar
from lib.contract import Contract
from lib.digests import InputDigests, ask_inputs, row_hash
from lib.errors import CannotJudge
from lib.exclusions import excluded_days
from lib.registry import DATE, STATIC, Registry, Table, registry
from lib.settings import EXPECTED, Settings
from lib.states import DateState, Holding, Receipt, TableCoverage, nothing_on
from lib.warehouse import Session


def key_parts(contract: Contract) -> tuple[str, str]:
    """The key as (game column or '', entity column), its date column left out.

    Raises CannotJudge for a key that names anything else than a date, a game and one entity.
    """
    game = "game_id" if "game_id" in contract.key else ""
    rest = [name for name in contract.key if name not in (game, contract.partition)]
    if len(rest) != 1:
        raise CannotJudge(f"{contract.name}: a key is a date or game and one entity, not ({', '.join(contract.key)})")
    return game, rest[0]


def expected_sql(rule: str) -> str:
    """The GoogleSQL of a rule of expected keys: game_date, game_id, entity, waiting, games_before.

    ``games_before`` are the entity's games of the season before the date, NULL where the rule asks for none.
    """
    return (EXPECTED / f"{rule}.sql").read_text()


def holdings(
    session: Session, settings: Settings, table: Table, relation: str, first: date, last: date, history_from: date
) -> dict[date, Holding]:
    """What *relation* (the table itself, or a stage of it) holds per date from *first* to *last*."""
    return ask_holdings(session, settings, table, relation, first, last, history_from)()


def ask_holdings(
    session: Session, settings: Settings, table: Table, relation: str, first: date, last: date, history_from: date
) -> Callable[[], dict[date, Holding]]:
    """The same once it is needed, so that several tables are looked at together."""
    game, entity = key_parts(table.contract)
    bounds = {"first": first, "last": last}
    facts = settings.tables[table.name]
    since = {"history_from": history_from, "bootstrap_days": settings.gates.bootstrap_days}
    wanted = session.keep_once(expected_sql(facts.expected), **bounds, **since)
    sql = f"""
WITH wanted_keys AS (
  SELECT game_date AS day, {"game_id" if game else "''"} AS game, entity, waiting
  FROM {wanted}
  WHERE entity IS NULL OR games_before IS NULL OR games_before >= @minimum_games
),
held_keys AS (
  SELECT {table.date_column} AS day, {game or "''"} AS game, {entity} AS entity, COUNT(*) AS copies,
    {row_hash(table.contract.business_columns)} AS content
  FROM {relation}
  WHERE {table.date_column} BETWEEN @first AND @last
  GROUP BY day, game, entity
)
SELECT
  COALESCE(wanted_keys.day, held_keys.day) AS day, COUNT(wanted_keys.day) AS expected,
  COUNTIF(wanted_keys.waiting IS NOT NULL AND held_keys.day IS NULL) AS waiting,
  COUNTIF(wanted_keys.day IS NOT NULL AND held_keys.day IS NOT NULL) AS present,
  COUNTIF(wanted_keys.day IS NULL) AS extra, COALESCE(SUM(held_keys.copies), 0) AS held, SUM(held_keys.content) AS content,
  MIN(IF(held_keys.day IS NULL AND wanted_keys.waiting IS NULL, wanted_keys.entity, NULL)) AS example,
  MIN(wanted_keys.waiting) AS waiting_for, MIN(IF(wanted_keys.day IS NULL, held_keys.entity, NULL)) AS stray
FROM wanted_keys
FULL JOIN held_keys ON held_keys.day = wanted_keys.day AND held_keys.game = wanted_keys.game AND held_keys.entity = wanted_keys.entity
GROUP BY 1
ORDER BY 1
"""
    asked = session.ask(sql, **bounds, minimum_games=facts.minimum_games)
    return lambda: {
        r[0]: Holding(r[0], r[1], r[2], r[3], r[4], int(r[5]), str(r[6] or 0), *r[7:])
        for r in sorted(asked(), key=_first)
    }


def _first(row: Sequence[Any]) -> Any:
    return row[0]


RECEIPTS = """
SELECT table_name, day, kind, key_count, content, sql_digest, input_digest
FROM runbook.receipts
WHERE day BETWEEN @first AND @last
"""


def ask_states(
    session: Session, settings: Settings, tables: Sequence[Table], start: date, last: date
) -> dict[str, Callable[[], dict[date, Holding]]]:
    """Asks all that *tables* are judged by from *start*, the start of a season: receipts, inputs, what they hold."""
    session.ask(RECEIPTS, first=start, last=last)
    ask_inputs(session, tables, start, last)
    return {t.name: ask_holdings(session, settings, t, t.name, start, last, start) for t in tables}


Known = dict[tuple[date, date], dict[str, dict[date, DateState]]]


class Judge:
    """Judges tables against a calendar; keeps what several tables need once.

    ``known`` is what another judge has seen of the same state of the warehouse.
    """

    def __init__(
        self,
        session: Session,
        settings: Settings,
        calendar: Calendar,
        tables: Registry | None = None,
        known: Known | None = None,
    ) -> None:
        self.session, self.settings, self.calendar = session, settings, calendar
        self.registry = tables or registry()
        self.known: Known = {} if known is None else known
        self._excluded: dict[str, frozenset[date]] = {}
        self._dues: dict[tuple[date, date], tuple[date, ...]] = {}
        self._inputs: dict[tuple[date, date], dict[str, InputDigests]] = {}  # of what this judge itself looked at

    def cover(self, phases: Iterable[int], first: date, last: date) -> dict[str, TableCoverage]:
        """Coverage of every computed table of *phases*, upstream first; CannotJudge where a table is missing."""
        wanted = set(phases)
        tables = self._up_to(max(wanted, default=0))
        self._refuse_missing(tables)
        states = self._judged(tables, self.calendar.season_start(first), last)
        return {
            table.name: self._covered(table, phase, states[table.name], first, last)
            for table in tables
            if (phase := self.settings.phase_of(table.name)) in wanted and phase is not None
        }

    def ask(self, phases: Iterable[int], first: date, last: date) -> None:
        """Asks early what ``cover`` will ask."""
        tables = self._up_to(max(phases, default=0))
        ask_states(self.session, self.settings, tables, self.calendar.season_start(first), last)

    def _up_to(self, phase: int) -> list[Table]:
        return [t for t in self.registry.computed if (self.settings.phase_of(t.name) or 99) <= phase]

    def _judged(self, tables: list[Table], start: date, last: date) -> dict[str, dict[date, DateState]]:
        """States of *tables*, upstream first; what this judge has seen already is not looked at again."""
        start = self._seen_from(start, last)
        states = self.known.setdefault((start, last), {})
        new = [table for table in tables if table.name not in states]
        asked = ask_states(self.session, self.settings, new, start, last)
        digests = InputDigests(self.session, new, self.calendar, start, last)
        self._inputs.setdefault((start, last), {}).update((table.name, digests) for table in new)
        receipts = self._receipts(start, last) if new else {}
        for table in new:
            held = asked[table.name]()
            states[table.name] = self._states(table, held, receipts.get(table.name, {}), digests, states)
        return states

    def _seen_from(self, start: date, last: date) -> date:
        """The start of the longest range up to *last* that was judged: what holds of it holds of its seasons."""
        return min([start, *(seen for seen, until in self.known if until == last)])

    def raw_digest(self, table: Table, day: date, last: date) -> str:
        """Digest of the raw data that *table* reads for *day*, which this judge itself has covered up to *last*."""
        start = self._seen_from(self.calendar.season_start(day), last)
        return self._inputs[start, last][table.name].of(table, day, raw_only=True)

    def _covered(
        self, table: Table, phase: int, states: Mapping[date, DateState], first: date, last: date
    ) -> TableCoverage:
        excluded = self._excluded_days(table.name)
        due = (
            tuple(day for day in self._due(first, last) if day not in excluded) if excluded else self._due(first, last)
        )
        return TableCoverage(table.name, phase, tuple(s for day, s in states.items() if day >= first), due)

    def _due(self, first: date, last: date) -> tuple[date, ...]:
        """The expected dates after bootstrap: the denominator of a table without exclusions."""
        if (first, last) not in self._dues:
            days = self.calendar.expected_dates(first, last)
            self._dues[first, last] = tuple(day for day in days if not self.calendar.is_bootstrap(day))
        return self._dues[first, last]

    def is_excluded(self, table: str, day: date) -> bool:
        """Whether an exclusion in force covers *table* on *day*."""
        return day in self._excluded_days(table)

    def _excluded_days(self, table: str) -> frozenset[date]:
        if table not in self._excluded:
            self._excluded[table] = excluded_days(self.settings, self.calendar, table)
        return self._excluded[table]

    def _refuse_missing(self, tables: list[Table]) -> None:
        for table in tables:
            for name in (table.name, *table.upstream):
                if name not in self.session.tables:
                    raise CannotJudge(
                        f"{name} is not in the warehouse: a missing table is never 0 %; create it with 'runbook run'"
                    )

    def _receipts(self, first: date, last: date) -> dict[str, dict[date, Receipt]]:
        found: dict[str, dict[date, Receipt]] = {}
        for name, day, *facts in self.session.ask(RECEIPTS, first=first, last=last)():
            found.setdefault(name, {})[day] = Receipt(*facts)
        return found

    def _states(
        self,
        table: Table,
        held: Mapping[date, Holding],
        receipts: Mapping[date, Receipt],
        digests: InputDigests,
        upstream: Mapping[str, Mapping[date, DateState]],
    ) -> dict[date, DateState]:
        unsettled = _Unsettled(table, upstream, self.calendar)
        states = {}
        for day in sorted((set(held) | set(receipts)) - self.calendar.open):
            holding = held.get(day) or nothing_on(day)
            state = self._state(table, holding, receipts.get(day), digests)
            states[day] = unsettled.passed_on(state)
        return states

    def _state(self, table: Table, held: Holding, receipt: Receipt | None, digests: InputDigests) -> DateState:
        excluded = self.is_excluded(table.name, held.day)
        todo = None if excluded else self._todo(table, held, receipt, digests)
        done = held.present == held.computable and held.present > 0
        return DateState(
            holding=held,
            bootstrap=self.calendar.is_bootstrap(held.day),
            excluded=excluded,
            found=receipt is None and done,
            todo=todo,
            outdated=done and todo is not None,
            stocked=receipt is not None and receipt.kind == "found",
            receipt=receipt,
        )

    def _todo(self, table: Table, held: Holding, receipt: Receipt | None, digests: InputDigests) -> str | None:
        if held.expected == 0:
            return "no longer expected" if receipt is not None else None
        if held.present < held.computable:
            return "absent" if held.present == 0 else f"partial: {held.present} of {held.expected} keys"
        if receipt is None:
            return "extra or doubled keys" if not held.whole else None
        return _misfit(table, held, receipt, digests)


def _misfit(table: Table, held: Holding, receipt: Receipt, digests: InputDigests) -> str | None:
    if (receipt.key_count, receipt.content) != (held.rows, held.content):
        return "outdated: its rows are not those that were published"
    if held.computable == 0 and held.rows == 0:
        return None
    if receipt.sql_digest != table.digest:
        return "outdated: its SQL has changed"
    if receipt.input_digest != digests.of(table, held.day):
        return "outdated: its input has changed"
    return None if held.whole else "outdated: it holds keys that nothing expects any more"


class _Unsettled:
    """Passes on what upstream still has to do: a date computed from it will not stay as it is."""

    def __init__(self, table: Table, upstream: Mapping[str, Mapping[date, DateState]], calendar: Calendar) -> None:
        self._calendar = calendar
        self._open = [
            (source.table, source.window, sorted(d for d, s in upstream[source.table].items() if s.todo))
            for source in table.sources
            if source.table in upstream and source.window != STATIC
        ]

    def passed_on(self, state: DateState) -> DateState:
        if state.todo or state.excluded or state.holding.present == 0:
            return state
        for name, window, days in self._open:
            start = state.day if window == DATE else self._calendar.season_start(state.day)
            reached = [d for d in days if start <= d and (d == state.day if window == DATE else d < state.day)]
            if reached:
                return replace(state, outdated=True, todo=f"outdated: {name} has to be computed first, {reached[0]}")
        return state
