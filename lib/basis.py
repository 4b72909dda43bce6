"""What a plan was made from: contracts, SQL, rules, exclusions, and what every table held, so that a move is noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from sqlglot.dialects import BigQuery

from lib.coverage import Judge
from lib.exclusions import told
from lib.registry import Registry, Table, registry
from lib.settings import EXPECTED, Settings
from lib.states import DateState, TableCoverage

CHECKS = Path(__file__).parent / "checks"
UNRULED = {"warehouse", "runs", "models", "backfill", "signing", "exclusions"}  # they change no plan and no verdict
LENGTH = 10  # hexadecimal digits of a digest that only has to show a change
HELD, RECEIPT, RAW = "rows", "receipts", "raw input"  # the parts of a state, in order


@dataclass(frozen=True)
class Basis:
    """What a plan was made from. ``states`` has a text per table and date: digests of rows, receipt and raw input."""

    made_at: str
    warehouse: str
    warehouse_id: str
    model: bool  # whether the chain goes on to the model
    contracts: Mapping[str, str]
    selects: Mapping[str, str]
    queries: Mapping[str, str]  # rules of expected keys, and checks
    rules: Mapping[str, Any]  # every setting that a plan or a verdict comes from, by dotted name
    exclusions: tuple[str, ...]  # in force
    states: Mapping[str, Mapping[str, str]]


def make_basis(judge: Judge, url: str, phases: Iterable[int], model: bool, first: date, last: date) -> Basis:
    """What is so now, for *phases* and all below, all where it is about the *model*, from the season of *first* to *last*."""
    tables = judge.registry
    return Basis(
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        warehouse=url,
        warehouse_id=warehouse_id(judge),
        model=model,
        contracts={name: _contract_digest(table) for name, table in tables.tables.items()},
        selects={table.name: _select_digest(table) for table in tables.computed},
        queries=_query_digests(),
        rules=rules_of(judge.settings),
        exclusions=tuple(sorted(_excluded(judge, first, last, in_force=True))),
        states=states_of(judge, phases, model, first, last),
    )


def read_basis(raw: Mapping[str, Any]) -> Basis:
    """A basis as it was written; TypeError or KeyError where it is none."""
    return Basis(**{**raw, "exclusions": tuple(raw["exclusions"])})


def rules_of(settings: Settings) -> dict[str, Any]:
    """Every setting that a plan or a verdict comes from, by dotted name."""
    return dict(_flat("", settings.model_dump(mode="json", exclude=UNRULED)))


def states_of(judge: Judge, phases: Iterable[int], model: bool, first: date, last: date) -> dict[str, dict[str, str]]:
    """By table and date: digests of what it holds, of its receipt, and of the raw data it reads."""
    tables = judge.registry.tables
    return {
        name: {str(state.day): _state_text(judge, tables[name], state, last) for state in coverage.days}
        for name, coverage in watched(judge, phases, model, first, last).items()
    }


def watched(judge: Judge, phases: Iterable[int], model: bool, first: date, last: date) -> dict[str, TableCoverage]:
    """Coverage of every table whose state a plan rests on, from the season of *first* to *last*."""
    known = {judge.settings.phase_of(table.name) for table in judge.registry.computed} - {None}
    upto = max((phase for phase in known if phase), default=0) if model else max(phases, default=0)
    return judge.cover(range(upto + 1), judge.calendar.season_start(first), last)


def warehouse_id(judge: Judge) -> str:
    """The id that is noted in the warehouse, empty where none is."""
    return judge.session.facts().get("id", "")


def changed_code(basis: Basis, tables: Registry | None = None) -> list[str]:
    """Contracts, SELECTs and rules that are others than the plan was made from, by name."""
    tables = tables or registry()
    now_contracts = {name: _contract_digest(table) for name, table in tables.tables.items()}
    now_selects = {table.name: _select_digest(table) for table in tables.computed}
    return [
        *_differences("contract of", basis.contracts, now_contracts),
        *_differences("SQL of", basis.selects, now_selects),
        *_differences("query", basis.queries, _query_digests()),
    ]


def changed_rules(basis: Basis, judge: Judge, first: date, last: date) -> list[str]:
    """Settings with what they were and are, and exclusions that came, went, expired or cover other dates."""
    now, was = rules_of(judge.settings), dict(basis.rules)
    moved = [
        f"{name} from {was.get(name, 'nothing')} to {now.get(name, 'nothing')}"
        for name in sorted({*now, *was})
        if now.get(name) != was.get(name)
    ]
    known, declared = set(basis.exclusions), set(_excluded(judge, first, last, in_force=False))
    in_force = set(_excluded(judge, first, last, in_force=True))
    moved += [f"exclusion added: {said}" for said in sorted(in_force - known)]
    gone = {True: "expired", False: "removed"}
    return moved + [f"exclusion {gone[said in declared]}: {said}" for said in sorted(known - in_force)]


def parts_moved(was: str, now: str) -> list[str]:
    """Which parts of a table's state on a date are others: rows, receipts, raw input."""
    pairs = zip((HELD, RECEIPT, RAW), was.split("."), now.split("."), strict=True)
    return [part for part, before, after in pairs if before != after]


def _excluded(judge: Judge, first: date, last: date, in_force: bool) -> Iterator[str]:
    """The exclusions, each as a sentence; a rule's with the dates that it covers from the season of *first* to *last*."""
    start = judge.calendar.season_start(first)
    for rule in judge.settings.exclusions:
        if not in_force or judge.calendar.as_of <= rule.expires:
            yield told(rule, judge.calendar, start, last)


def _state_text(judge: Judge, table: Table, state: DateState, last: date) -> str:
    held = state.holding
    holding = (held.expected, held.waiting, held.present, held.extra, held.rows, held.content)
    receipt = _short(repr(state.receipt)) if state.receipt else "-"
    raw = judge.raw_digest(table, state.day, last)
    return f"{_short(repr(holding))}.{receipt}.{raw[:LENGTH]}"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def _contract_digest(table: Table) -> str:
    contract = table.contract
    columns = [(column.name, column.type, column.required) for column in contract.columns]
    return _short(repr((columns, contract.key, contract.partition)))


def _select_digest(table: Table) -> str:
    return _short(" ".join(token.text for token in BigQuery().tokenize(table.select or "")))


def _query_digests() -> dict[str, str]:
    files = [*EXPECTED.glob("*.sql"), *CHECKS.rglob("*.sql")]
    return {str(path.relative_to(EXPECTED.parent)): _short(path.read_text()) for path in sorted(files)}


def _differences(kind: str, was: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [f"{kind} {name}" for name in sorted({*was, *now}) if was.get(name) != now.get(name)]


def _flat(prefix: str, values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        dotted = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _flat(f"{dotted}.", value)
        else:
            yield dotted, value
