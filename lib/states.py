"""What a date and a table hold against what they must hold: full, partial, absent, outdated, blocked."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

FULL, PARTIAL, ABSENT, NOT_ELIGIBLE = "full", "partial", "absent", "not eligible"


@dataclass(frozen=True)
class Holding:
    """What a relation holds for one date, against the expected keys."""

    day: date
    expected: int
    waiting: int  # expected keys that cannot be computed: their raw data is not there
    present: int
    extra: int
    rows: int
    content: str
    example: str | None  # one expected, computable key that is not there
    waiting_for: str | None
    stray: str | None = None  # one key that is there and not expected

    @property
    def computable(self) -> int:
        """Expected keys that the raw data suffice for."""
        return self.expected - self.waiting

    @property
    def whole(self) -> bool:
        """Everything that can be computed is there, once."""
        return self.present == self.computable == self.rows


def nothing_on(day: date) -> Holding:
    """The holding of a date of which nothing is expected and nothing is there."""
    return Holding(day, 0, 0, 0, 0, 0, "0", None, None)


def too_many(early: int, threshold: float, season_length: int) -> bool:
    """Whether so many bootstrap dates are more than *threshold*, percent, leaves of a season's dates; one may be."""
    return early > 1 and 100 * (season_length - early) < threshold * season_length


@dataclass(frozen=True)
class Receipt:
    """What a publish left for one table and date."""

    kind: str
    key_count: int
    content: str
    sql_digest: str
    input_digest: str


@dataclass(frozen=True)
class DateState:
    """One table on one date. ``todo`` says why it must be computed, None where nothing is to be done."""

    holding: Holding
    bootstrap: bool
    excluded: bool
    found: bool
    todo: str | None
    outdated: bool
    stocked: bool = False  # found once, and taken stock of
    receipt: Receipt | None = None

    @property
    def foreign(self) -> bool:
        """Whether something else wrote the rows: full without a receipt, taken stock of, or where nothing is expected."""
        stray = self.holding.expected == 0 and self.holding.rows > 0 and self.todo is None
        return self.found or self.stocked or stray

    @property
    def day(self) -> date:
        """The date."""
        return self.holding.day

    @cached_property
    def state(self) -> str:
        """full, partial, absent, or not eligible."""
        held = self.holding
        if held.expected == 0:
            return NOT_ELIGIBLE
        if held.present == 0:
            return ABSENT
        return FULL if held.present == held.expected else PARTIAL

    @property
    def torn(self) -> bool:
        """Partial although the raw data would suffice for more."""
        return self.state == PARTIAL and self.holding.present < self.holding.computable

    @property
    def waits(self) -> bool:
        """Not full for nothing but raw data that is not there."""
        return self.holding.waiting > 0 and self.holding.present >= self.holding.computable

    @property
    def reason(self) -> str:
        """Why the date is not full, or what is wrong with it."""
        held = self.holding
        if self.waits:
            return f"{held.waiting_for}: {held.waiting} of {held.expected} keys cannot be computed"
        return self.todo or ""


@dataclass(frozen=True)
class TableCoverage:
    """A table over a range. Bootstrap and excluded dates are outside the denominator.

    ``due`` are the dates of the denominator: those of the calendar, whether or not the table can begin on them.
    """

    table: str
    phase: int
    days: tuple[DateState, ...]
    due: tuple[date, ...]

    @cached_property
    def judged(self) -> list[DateState]:
        """The eligible dates of the denominator: those with expected keys."""
        return [d for d in self.days if d.state != NOT_ELIGIBLE and not d.bootstrap and not d.excluded]

    @cached_property
    def bootstrap(self) -> list[DateState]:
        """The bootstrap dates."""
        return [d for d in self.days if d.bootstrap and d.state != NOT_ELIGIBLE and not d.excluded]

    @property
    def expected(self) -> int:
        """Dates in the denominator."""
        return len(self.due)

    @property
    def eligible(self) -> int:
        """Dates of the denominator that have expected keys."""
        return len(self.judged)

    @property
    def missing(self) -> int:
        """Eligible dates that are not full."""
        return self.eligible - self.covered

    @property
    def covered(self) -> int:
        """Full dates of the denominator."""
        return len(self.in_state(FULL))

    @property
    def coverage_pct(self) -> float | None:
        """Full dates of the denominator, percent; None where it is empty."""
        return 100 * self.covered / self.expected if self.expected else None

    def in_state(self, state: str) -> list[DateState]:
        """The dates of the denominator in *state*."""
        return [d for d in self.judged if d.state == state]

    @property
    def torn(self) -> list[DateState]:
        """Dates that hold less than the raw data suffice for."""
        return [d for d in self.days if d.torn and not d.excluded]

    @property
    def outdated(self) -> list[DateState]:
        """Dates whose receipt no longer fits."""
        return [d for d in self.days if d.outdated and not d.excluded]

    @property
    def short_bootstrap(self) -> list[DateState]:
        """Bootstrap dates that are not full and could be."""
        return [d for d in self.bootstrap if d.state != FULL and d.todo]

    @cached_property
    def waiting_bootstrap(self) -> list[DateState]:
        """Bootstrap dates that wait for raw data."""
        return [d for d in self.bootstrap if d.state != FULL and not d.todo]

    def lacks_bootstrap(self, threshold: float, season_length: int) -> bool:
        """Whether more bootstrap dates wait than *threshold*, percent, leaves of a season's dates; one may."""
        return too_many(len(self.waiting_bootstrap), threshold, season_length)

    def doubled(self, unplayed: Container[date]) -> list[DateState]:
        """Dates with extra or doubled keys; rows of *unplayed* dates are pending, not extra."""
        doubled = [d for d in self.days if d.holding.expected and d.holding.rows != d.holding.present and not d.torn]
        stray = [d for d in self.days if not d.holding.expected and d.holding.rows and d.day not in unplayed]
        return doubled + stray

    def of_eligible(self) -> TableCoverage:
        """The same with the eligible dates alone as denominator."""
        return replace(self, due=tuple(state.day for state in self.judged))

    def between(self, first: date, before: date) -> TableCoverage:
        """The same from *first* to the day before *before*."""
        days = tuple(d for d in self.days if first <= d.day < before)
        return replace(self, days=days, due=tuple(day for day in self.due if first <= day < before))
