"""What an ingest gives back."""

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
