"""Fingerprints: what a table holds over a closed range of dates, as one digest that any change changes.

A row is written as canonical text: a JSON array of its business columns, each cast to a string, in the order of the
contract. JSON quotes and escapes, and writes NULL as ``null``, so no two rows of a contract have the same text. The
text is hashed with SHA-256, whose first 120 bits are summed over the rows in two halves: sums, because equal rows would
cancel out under XOR.
Count, sums, and the names and types of the columns are combined per season. Compare on the same engine only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from lib.calendar import Calendar
from lib.contract import Column, Contract
from lib.registry import Table
from lib.warehouse import Session

DIGITS = 15  # hexadecimal digits that fit an INT64


@dataclass(frozen=True)
class Fingerprint:
    """What a table holds over a range: rows, and a SHA-256 over count, sums, columns and types."""

    rows: int
    digest: str


def fingerprints(session: Session, table: Table, calendar: Calendar, first: date, last: date) -> dict[str, Fingerprint]:
    """Fingerprint of *table* by season (its first regular-season date) from *first* to *last*, in one scan."""
    return ask_fingerprints(session, table, calendar, first, last)()


def ask_fingerprints(
    session: Session, table: Table, calendar: Calendar, first: date, last: date
) -> Callable[[], dict[str, Fingerprint]]:
    """The same once it is needed, so that several tables are scanned by one job."""
    day, texts = table.date_column, ", ".join(_text(column) for column in _business(table.contract))
    hashed = (
        f"SELECT {day} AS day, TO_HEX(SHA256(TO_JSON_STRING([{texts}]))) AS digest"
        f" FROM {table.name} WHERE {day} BETWEEN @first AND @last"
    )
    halves = ", ".join(f"SUM({_number(start)}) AS half_{start}" for start in (1, 1 + DIGITS))
    sql = f"SELECT day, COUNT(*) AS held, {halves} FROM ({hashed}) AS hashed GROUP BY day"
    asked = session.ask(sql, first=first, last=last)

    def found() -> dict[str, Fingerprint]:
        by_season: dict[str, list[tuple[int, int, int]]] = {}
        for at, count, left, right in asked():
            by_season.setdefault(str(calendar.season_start(at)), []).append((count, int(left), int(right)))
        return {season: _combined(table.contract, sums) for season, sums in sorted(by_season.items())}

    return found


def _business(contract: Contract) -> list[Column]:
    return [contract.column(name) for name in contract.business_columns]


def _text(column: Column) -> str:
    return f"TO_JSON_STRING({column.name})" if column.type.startswith("ARRAY") else f"CAST({column.name} AS STRING)"


def _number(start: int) -> str:
    """Digits of the hash from *start* on as a number wide enough to be summed."""
    return f"CAST(CAST(CONCAT('0x', SUBSTR(digest, {start}, {DIGITS})) AS INT64) AS NUMERIC)"


def _combined(contract: Contract, sums: Iterable[tuple[int, int, int]]) -> Fingerprint:
    count, left, right = (sum(values) for values in zip(*sums, strict=True))
    shape = ";".join(f"{column.name} {column.type}" for column in _business(contract))
    text = f"{contract.name}\n{shape}\n{count}\n{left}\n{right}"
    return Fingerprint(count, hashlib.sha256(text.encode()).hexdigest())
