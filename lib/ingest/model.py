"""What an ingest and a correction give back."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa


@dataclass(frozen=True)
class SourceReport:
    """One file, read as one kind: ``read`` rows are ``loaded`` rows plus those ``dropped``, by reason.

    ``first_date``, ``last_date``, ``games`` and ``per_season`` (rows by season, such as 2021-22) are
    those of the loaded rows.
    """

    source: str
    read: int
    loaded: int
    dropped: Mapping[str, int]
    first_date: datetime.date | None
    last_date: datetime.date | None
    games: int
    per_season: Mapping[str, int]


@dataclass(frozen=True)
class Ingested:
    """The raw tables by contract name, the instant they speak for, and what a reader should know about them.

    Every raw table of the registry is there, with exactly its contract's columns in order; those without a
    source are empty.
    """

    tables: Mapping[str, pa.Table]
    as_of: datetime.date
    report: tuple[SourceReport, ...]
    findings: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """One raw table on one date: how many of its keys came, went, or hold other values."""

    table: str
    day: datetime.date
    added: int
    gone: int
    changed: int


@dataclass(frozen=True)
class Correction:
    """What a folder changes. ``same`` counts the (table, date) pairs of the folder that are as they were.

    ``as_of`` is that of the warehouse afterwards: a final game past the old one moves it.
    """

    changes: tuple[Change, ...]
    same: int
    as_of: datetime.date
    findings: tuple[str, ...]
