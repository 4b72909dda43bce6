"""Receipts against rows: is what a publish left still what the table holds? And, without a receipt, rows against themselves."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import date

from lib.checks.model import POST_BACKFILL, RECEIPTS, Check, Offenders, Scope
from lib.coverage import key_parts
from lib.registry import Table
from lib.states import DateState
from lib.verdicts import AMBER, RED

Row = tuple[date, int, int, str]  # a date, its rows, those that do not fit their hash, one of them


def _dates(scope: Scope, fails: Callable[[DateState], bool]) -> Offenders:
    covered = scope.judge.cover([scope.phase], scope.first, scope.last)
    states = [(name, state) for name, coverage in covered.items() for state in coverage.days if not state.excluded]
    rows = [(name, s.day, s.holding.rows, s.todo or "no receipt") for name, s in states if fails(s)]
    return Offenders(len(states), ("table", "date", "rows", "why"), rows)


def _misfits(scope: Scope) -> Offenders:
    """Rows that are not what their hash says. Where a receipt vouches for the rows of a date they need no second look."""
    covered = scope.judge.cover([scope.phase], scope.first, scope.last)
    alone = {name: [s.day for s in coverage.days if _stands_alone(s)] for name, coverage in covered.items()}
    tables = scope.judge.registry.tables
    looked = {name: _rehashed(scope, tables[name], days) for name, days in alone.items() if days}
    ours = {name: rows for name, rows in looked.items() if not _hashed_by_others(rows)}
    found = [
        (name, day, held, misfits, one) for name, rows in ours.items() for day, held, misfits, one in rows if misfits
    ]
    vouched = sum(s.holding.rows for coverage in covered.values() for s in coverage.days if not _stands_alone(s))
    units = vouched + sum(held for rows in looked.values() for _, held, *_ in rows)
    others = ", ".join(sorted(name for name in looked if name not in ours))
    note = f"data_hash is by another rule, and says nothing of the rows of {others}." if others else ""
    return Offenders(units, ("table", "date", "rows", "misfits", "for_instance"), found, note)


def _stands_alone(state: DateState) -> bool:
    return state.holding.rows > 0 and not state.excluded and (state.receipt is None or state.stocked)


def _hashed_by_others(rows: Collection[Row]) -> bool:
    """Whether data_hash was written by another rule: then it says nothing of any row."""
    return 2 * sum(misfits for _, _, misfits, _ in rows) > sum(held for _, held, *_ in rows)


def _rehashed(scope: Scope, table: Table, days: Collection[date]) -> list[Row]:
    contract, day, entity = table.contract, table.date_column, key_parts(table.contract)[1]
    columns = ", ".join(name for name in contract.business_columns if name != "data_hash")
    sql = f"""
SELECT day, COUNT(*) AS held, COUNTIF(own_hash != data_hash) AS misfits, MIN(IF(own_hash != data_hash, entity, NULL)) AS example
FROM (
  SELECT day, entity, data_hash, SUBSTR(TO_HEX(SHA256(TO_JSON_STRING(final))), 1, 16) AS own_hash
  FROM (
    SELECT {day} AS day, {entity} AS entity, data_hash, STRUCT({columns}) AS final
    FROM {table.name}
    WHERE {day} BETWEEN @first AND @last
  ) AS held_rows
) AS hashed_rows
GROUP BY day
"""
    name = f"rehashed_{contract.table}"
    scope.judge.session.view(name, sql, contract, first=min(days), last=max(days))
    return sorted(row for row in scope.judge.session.rows(f"SELECT * FROM {name}") if row[0] in {*days})


CHECKS = (
    Check(
        "rows_are_as_published", RECEIPTS, None, RED,
        "dates whose rows, SQL or input are not those of their receipt",
        "something else wrote to the table, raw data was loaded again, or the SELECT was changed",
        "runbook run computes them again",
        look=lambda scope: _dates(scope, lambda state: state.outdated),
    ),
    Check(
        "rows_have_a_receipt", RECEIPTS, None, AMBER,
        "full dates without a receipt: written by something else",
        "the rows are older than this runbook, or were copied",
        "runbook run takes stock of them; --recompute-found replaces them",
        look=lambda scope: _dates(scope, lambda state: state.found),
    ),
    Check(
        "rows_fit_their_hash", POST_BACKFILL, None, RED,
        "dates without a receipt that vouches for them, with rows whose data_hash is not that of their values",
        "a value was edited behind the program that wrote the row",
        "runbook run --recompute-found computes them again",
        columns=("data_hash",), look=_misfits,
    ),
)  # fmt: skip
