"""The audit of a stage: what must hold before a date may be published."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lib.contract import Column
from lib.registry import Table
from lib.settings import Settings
from lib.states import Holding
from lib.warehouse import Session
from lib.warehouse.interface import Row


@dataclass(frozen=True)
class Staged:
    """A computed chunk: ``computed`` as the SELECT gave it, ``relation`` in the contract's types."""

    table: Table
    computed: str
    relation: str
    days: tuple[date, ...]
    values: Mapping[str, Callable[[], list[Row]]]  # by relation: all rows, then values that are not NULL by column

    def write(self, session: Session, stage: Path, days: Iterable[date]) -> None:
        """Puts the rows of *days* into a stage."""
        wanted = ", ".join(f"DATE '{day}'" for day in days)
        session.write_stage(self.relation, stage, f"{self.table.date_column} IN ({wanted})" if wanted else "FALSE")


def keep_stage(
    session: Session, settings: Settings, table: Table, seasons: Mapping[date, Sequence[date]], trial: bool = False
) -> Staged:
    """Computes *table* for the dates of *seasons*, by the season's start, and casts it to the contract's types.

    A *trial* is never written.
    """
    days = tuple(sorted(day for dates in seasons.values() for day in dates))
    name, sql, contract, rules = "computed", table.select or "", table.contract, settings.eligibility(table.name)
    parts = [_bounds(start, dates) | rules for start, dates in seasons.items()]
    whole = _bounds(min(seasons), days) | rules
    if trial:
        session.view(name, sql, contract, **whole)
    else:
        session.keep_by_part(name, sql, contract, whole, parts)
    casts = ", ".join(f"{in_type(c)} AS {c.name}" for c in table.contract.columns)
    session.view("staged", f"SELECT {casts} FROM computed")
    counts = ", ".join(f"COUNT({name}) AS {name}" for name in table.contract.column_names)
    asked = {name: session.ask(f"SELECT COUNT(*) AS held, {counts} FROM {name}") for name in ("computed", "staged")}
    return Staged(table, "computed", "staged", days, asked)


def _bounds(history_from: date, days: Sequence[date]) -> dict[str, object]:
    return {"dates": sorted(days), "first": min(days), "last": max(days), "history_from": history_from}


def in_type(column: Column) -> str:
    """GoogleSQL for a value in the contract's type, NULL where it does not fit.

    BigQuery casts to no NUMERIC(p, s): the value is rounded to *s* decimals, as it is where it is written, and must be
    below 10 ** (p - s). The dialect knows the form and writes DuckDB's TRY_CAST.
    """
    sized = re.fullmatch(r"NUMERIC\((\d+), (\d+)\)", column.type)
    if sized is None:
        return f"SAFE_CAST({column.name} AS {column.type})"
    precision, scale = int(sized[1]), int(sized[2])
    rounded = f"ROUND(SAFE_CAST({column.name} AS NUMERIC), {scale})"
    return f"IF(ABS({rounded}) < {10 ** (precision - scale)}, {rounded}, NULL)"


def refusals(session: Session, staged: Staged, held: Mapping[date, Holding]) -> dict[date, str]:
    """Why dates of the stage may not be published: date -> what, with key and value. Empty where all are clean."""
    found: dict[date, str] = {}
    for day in staged.days:
        holding = held.get(day)
        if holding is not None and not holding.whole:
            found[day] = _keys_at_fault(session, staged, holding)
    # a value that does not fit is the first cause: it becomes NULL where it is cast
    return found | _missing_values(session, staged) | _out_of_type(session, staged)


def _keys_at_fault(session: Session, staged: Staged, held: Holding) -> str:
    if held.present < held.computable:
        return f"{held.computable - held.present} of {held.expected} expected keys were not computed, for instance {held.example}"
    if held.stray is not None:
        return f"{held.extra} keys that nothing expects, for instance {held.stray}"
    key = staged.table.contract.key
    columns = ", ".join(key)
    sql = f"SELECT {columns}, COUNT(*) AS copies FROM {staged.relation} WHERE {staged.table.date_column} = @day GROUP BY {columns} ORDER BY copies DESC, {columns} LIMIT 1"
    *values, copies = session.rows(sql, day=held.day)[0]
    named = ", ".join(f"{name}={value}" for name, value in zip(key, values, strict=True))
    return f"{named} occurs {copies} times" if copies > 1 else f"{held.rows} rows for {held.computable} expected keys"


def _out_of_type(session: Session, staged: Staged) -> dict[date, str]:
    """Values that do not fit the contract's type: date -> key, column and value."""
    faults: dict[date, str] = {}
    computed, cast = _values(staged, staged.computed), _values(staged, staged.relation)
    for column in staged.table.contract.columns:
        if computed[column.name] == cast[column.name]:
            continue
        misfit = f"{column.name} IS NOT NULL AND {in_type(column)} IS NULL"
        for day, key, value in _offenders(session, staged, staged.computed, misfit, column.name):
            faults.setdefault(day, f"{key}: {column.name} {value} does not fit {column.type}")
    return faults


def _missing_values(session: Session, staged: Staged) -> dict[date, str]:
    faults: dict[date, str] = {}
    values = _values(staged, staged.computed)
    for column in staged.table.contract.columns:
        if not column.required or values[column.name] == values[""]:
            continue
        for day, key, _ in _offenders(session, staged, staged.computed, f"{column.name} IS NULL", column.name):
            faults.setdefault(day, f"{key}: {column.name} is NULL, the contract requires a value")
    return faults


def _values(staged: Staged, relation: str) -> dict[str, int]:
    """Values that are not NULL by column, and all rows under ''."""
    names = staged.table.contract.column_names
    return dict(zip(("", *names), staged.values[relation]()[0], strict=True))


def _offenders(
    session: Session, staged: Staged, relation: str, condition: str, column: str
) -> list[tuple[date, str, str]]:
    key = staged.table.contract.key
    named = ", ' ', ".join(f"COALESCE(CAST({name} AS STRING), 'NULL')" for name in key)
    sql = f"SELECT {staged.table.date_column}, CONCAT({named}), CAST({column} AS STRING) FROM {relation} WHERE {condition}"
    return session.rows(sql)
