"""Fingerprints: what a table holds over a closed range of dates, as one digest that any change changes.

A row is written as canonical text: its business columns as JSON by BigQuery's rules, in the order of the contract. JSON
quotes and escapes, and writes NULL as ``null``, so no two rows of a contract have the same text. The text is hashed with
SHA-256, whose first 120 bits are summed over the rows in two halves: sums, because equal rows would cancel out under XOR.
Count, sums, and the names and types of the columns are combined per season. Compare on the same engine only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from lib.calendar import Calendar
from lib.contract import Contract
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
    columns, day = ", ".join(table.contract.business_columns), table.date_column
    hashed = (
        f"SELECT final.{day} AS day, TO_HEX(SHA256(TO_JSON_STRING(final))) AS digest"
        f" FROM (SELECT {columns} FROM {table.name} WHERE {day} BETWEEN @first AND @last) AS final"
    )
    name = f"fingerprinted_{table.contract.table}"
    session.view(name, hashed, table.contract, first=first, last=last)
    halves = ", ".join(f"SUM({_number(start)}) AS half_{start}" for start in (1, 1 + DIGITS))
    asked = session.ask(f"SELECT day, COUNT(*) AS held, {halves} FROM {name} GROUP BY day")

    def found() -> dict[str, Fingerprint]:
        by_season: dict[str, list[tuple[int, int, int]]] = {}
        for at, count, left, right in asked():
            by_season.setdefault(str(calendar.season_start(at)), []).append((count, int(left), int(right)))
        return {season: _combined(table.contract, sums) for season, sums in sorted(by_season.items())}

    return found


def _number(start: int) -> str:
    """Digits of the hash from *start* on as a number wide enough to be summed."""
    return f"CAST(CAST(CONCAT('0x', SUBSTR(digest, {start}, {DIGITS})) AS INT64) AS NUMERIC)"


def _combined(contract: Contract, sums: Iterable[tuple[int, int, int]]) -> Fingerprint:
    count, left, right = (sum(values) for values in zip(*sums, strict=True))
    business = set(contract.business_columns)
    shape = ";".join(f"{column.name} {column.type}" for column in contract.columns if column.name in business)
    text = f"{contract.name}\n{shape}\n{count}\n{left}\n{right}"
    return Fingerprint(count, hashlib.sha256(text.encode()).hexdigest())
