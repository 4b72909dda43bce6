"""Fingerprints of tables as manifests and sign-offs keep them: by table and season, rows and SHA-256."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from typing import Any

from lib.calendar import Calendar, read_calendar
from lib.errors import RunbookError
from lib.fingerprint import Fingerprint, ask_fingerprints, fingerprints
from lib.plan import Plan
from lib.registry import Table, registry
from lib.settings import load_settings
from lib.warehouse import Session, Warehouse

Seasons = dict[str, dict[str, Any]]


def prints_of(session: Session, table: Table, calendar: Calendar, first: date, last: date) -> Seasons:
    """The fingerprints of one table from *first* to *last*, as JSON."""
    return _as_json(fingerprints(session, table, calendar, first, last))


def _as_json(found: dict[str, Fingerprint]) -> Seasons:
    return {season: {"rows": one.rows, "sha256": one.digest} for season, one in found.items()}


def touched_tables(plan: Plan) -> list[str]:
    """The tables that a run of *plan* may change: the others need no scan before and after."""
    return sorted({name for group in plan.groups for name in group})


def prints_over(warehouse: Warehouse, plan: Plan, names: Iterable[str]) -> dict[str, Seasons]:
    """The fingerprints of the tables *names* over the range of *plan*; one that cannot be read is left out."""
    tables = {table.name: table for table in registry().computed}
    found: dict[str, Seasons] = {}
    names = list(names)
    if names:
        with suppress(RunbookError), warehouse.reading() as session:
            calendar = read_calendar(session, load_settings())
            asked = {}
            for name in names:
                with suppress(RunbookError):
                    asked[name] = ask_fingerprints(session, tables[name], calendar, plan.first, plan.last)
            for name, prints in asked.items():
                with suppress(RunbookError):
                    found[name] = _as_json(prints())
    return found
