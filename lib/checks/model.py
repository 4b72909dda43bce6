"""What a check is, and what it says."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar

from lib.coverage import Judge

POST_BACKFILL, FEATURES, REGRESSION = "post-backfill", "features", "regression"
RECONCILIATION, UNKNOWNS, RECEIPTS = "reconciliation", "unknowns", "receipts"
SETS = (POST_BACKFILL, FEATURES, REGRESSION, RECONCILIATION, UNKNOWNS, RECEIPTS)

SETTLED_DAYS = 42  # of a season, after which windows of ten games are full
T = TypeVar("T")


@dataclass(frozen=True)
class Offenders:
    """The rows that fail a check, and how many were judged."""

    units: int
    columns: tuple[str, ...] = ()
    rows: Sequence[tuple[Any, ...]] = ()
    note: str = ""  # what else is worth saying, and is no finding
    mend: str = ""  # the repair of just these rows, where it can be said better than in general


@dataclass(frozen=True)
class Scope:
    """What a check looks at: one phase, from *first* to *last*."""

    judge: Judge
    phase: int
    first: date
    last: date
    _kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, name: str, look: Callable[[], T]) -> T:
        """What *look* gives, looked at once for all checks of this scope."""
        if name not in self._kept:
            self._kept[name] = look()
        found: T = self._kept[name]
        return found

    def ask(self, sql: str, **more: object) -> Callable[[], list[tuple[Any, ...]]]:
        """The rows of a query bound to the range, in no order, once they are needed: others may join it until then."""
        return self.judge.session.ask(sql, first=self.first, last=self.last, **more)

    def rows(self, sql: str, **more: object) -> list[tuple[Any, ...]]:
        """The same at once; CannotJudge where it fails."""
        return self.ask(sql, **more)()


@dataclass(frozen=True)
class Check:
    """One rule: a query that returns the offending rows, or a function that builds such queries from the registry."""

    name: str
    set: str
    phase: int | None  # None: every computed phase
    severity: str
    means: str
    cause: str
    do: str
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    sql: str = ""
    units: str = "COUNT(*)"  # how many units the check judges: an aggregate over its first table
    look: Callable[[Scope], Offenders] | None = field(default=None, compare=False)
    asks: Callable[[Scope], object] | None = field(default=None, compare=False)  # what *look* will ask, asked early

    @property
    def digest(self) -> str:
        """SHA-256 of what the check says and asks."""
        return hashlib.sha256(repr((self.severity, self.means, self.sql, self.units)).encode()).hexdigest()

    @property
    def doc(self) -> str:
        """Its entry in the reference."""
        return f"docs/checks.md#{self.name}"


NOTHING = "nothing to judge"  # no season before it to compare with, for instance


@dataclass(frozen=True)
class Result:
    """What one check found."""

    check: Check
    offenders: Offenders

    @property
    def failed(self) -> int:
        """Units that fail."""
        return len(self.offenders.rows)

    @property
    def verdict(self) -> str:
        """Its severity where a row offends, else green; what judged nothing is neither."""
        if self.failed:
            return self.check.severity
        return "green" if self.offenders.units else NOTHING
