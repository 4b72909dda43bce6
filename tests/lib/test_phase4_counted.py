"""The gate of phase 4, counted by hand: 848 dates, each in a state."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import ValidationError

from lib.calendar import Calendar
from lib.coverage import Judge
from lib.gates import _nothing_due, coverage_gate
from lib.registry import registry
from lib.settings import FeatureFacts, Settings, load_settings
from lib.states import DateState, Holding, TableCoverage
from lib.verdicts import AMBER, GREEN, RED, Verdict

SETTINGS = load_settings()
CACHE = "nba_precompute.player_daily_cache"


@dataclass
class Counted:
    """A judge that knows one table of phase 4 on 848 dates; the first 14 of its 862 are bootstrap."""

    states: dict[date, DateState]
    defaults: dict[str, int] = field(default_factory=dict)
    rows: int = 1000
    settings: Settings = SETTINGS
    first: date = date(2021, 10, 19)
    below: dict[date, DateState] = field(default_factory=dict)  # dates of the phase below that are not full

    def __post_init__(self) -> None:
        self.days = [self.first + timedelta(days=n) for n in range(862)]
        self.registry = registry()
        self.calendar = Calendar(self.days[-1], {2021: self.first}, dict.fromkeys(self.days, 5), frozenset(), 14)
        answers = {True: [(self.rows,)], False: list(self.defaults.items())}
        self.session = SimpleNamespace(ask=lambda sql, **_: lambda: answers["UNNEST" not in sql])

    def cover(self, phases: set[int], first: date, last: date) -> dict[str, TableCoverage]:
        due = tuple(self.days[14:])
        above = self._full("nba_analytics.player_game_summary", 3, due)
        return {above.table: above, CACHE: TableCoverage(CACHE, 4, tuple(self.states.values()), due)}

    def _full(self, table: str, phase: int, due: tuple[date, ...]) -> TableCoverage:
        return TableCoverage(table, phase, tuple(self.below.get(day, state(day)) for day in due), due)

    def verdict(self) -> Verdict:
        return coverage_gate(cast(Judge, self), 4, self.days[0], self.days[-1])


def state(day: date, present: int = 10, waiting: int = 0) -> DateState:
    held = Holding(day, 10, waiting, present, 0, present, "0", "star", "no box score" if waiting else None)
    return DateState(held, False, False, False, None if present + waiting == 10 else "absent", False)


def counted(full: int, absent: int = 0, waiting: int = 0, **facts: Any) -> Counted:
    """The latest dates of the 848: *waiting* for raw data, before them *absent*, before them *full*."""
    days = [date(2021, 10, 19) + timedelta(days=n) for n in range(14, 862)]
    kinds = [state(day) for day in days]
    kinds = kinds[: len(days) - absent - waiting]
    missing = days[len(kinds) :]
    kinds += [state(day, present=0) for day in missing[:absent]]
    kinds += [state(day, present=0, waiting=10) for day in missing[absent:]]
    return Counted({s.day: s for s in kinds[-(full + absent + waiting) :]}, **facts)


@pytest.mark.parametrize(("full", "verdict"), [(747, GREEN), (746, RED)])
def test_gate_needs_747_of_848_full_dates(full: int, verdict: str) -> None:
    judged = counted(full).verdict()
    assert judged.verdict == verdict
    line = judged.table[0]
    assert (line["covered"], line["expected"], line["eligible"], line["missing"]) == (full, 848, full, 0)


def test_a_range_that_ends_a_date_early_is_held_to_the_same_percentage() -> None:
    """It may become COMPLETE: only a range that begins later is judged by what is eligible."""
    short = counted(746)
    assert coverage_gate(cast(Judge, short), 4, short.days[0], short.days[-2]).verdict == RED


def test_804_of_848_dates_are_94_8_percent_and_green() -> None:
    judged = counted(804).verdict()
    assert (judged.verdict, judged.table[0]["coverage_pct"]) == (GREEN, 94.81)


def test_one_eligible_date_that_is_absent_is_red_at_any_percentage() -> None:
    judged = counted(847, absent=1).verdict()
    assert judged.verdict == RED
    assert "absent or partial on 1 eligible dates: 2024-02-27" in judged.findings[0].what


def test_a_date_that_waits_for_raw_data_is_amber_and_counted() -> None:
    judged = counted(847, waiting=1).verdict()
    assert judged.verdict == AMBER
    assert (judged.table[0]["blocked"], judged.table[0]["missing"]) == (1, 1)
    assert "no box score" in judged.findings[0].what


@pytest.mark.parametrize(("present", "waiting", "verdict", "blocked"), [(9, 1, AMBER, 19), (9, 0, RED, 0)])
def test_dates_that_wait_for_a_raw_hole_of_the_phase_below_are_blocked_and_not_absent(
    present: int, waiting: int, verdict: str, blocked: int
) -> None:
    """Phase 3 lacks the first of the season's dates, and is red to the 19th: 18 of 19 are 94.7 %."""
    judged = counted(829)  # the first 19 dates are not there at all
    due = judged.days[14:]
    judged.states = {day: state(day, present=0) for day in due[:19]} | judged.states
    judged.below = {due[0]: state(due[0], present, waiting)}
    found = judged.verdict()
    assert (found.verdict, found.table[0]["blocked"], found.table[0]["missing"]) == (verdict, blocked, 19)
    assert f"blocked by nba_analytics.player_game_summary {due[0]}" in found.findings[0].what


def test_too_many_waiting_dates_are_red() -> None:
    assert counted(746, waiting=102).verdict().verdict == RED


@pytest.mark.parametrize(("rows", "verdict"), [(100, GREEN), (101, RED)])
def test_a_feature_may_be_a_default_in_one_row_of_ten(rows: int, verdict: str) -> None:
    judged = counted(848, defaults={"points_avg_last_5": rows}).verdict()
    assert judged.verdict == verdict
    rate = next(line for line in judged.about["features"] if line["feature"] == "points_avg_last_5")
    assert (rate["default_pct"], rate["limit_pct"], rate["verdict"]) == (rows / 10, 10, verdict)


def test_a_feature_with_a_limit_of_its_own_is_judged_by_it() -> None:
    assert counted(848, defaults={"shot_zone_mismatch_score": 250}).verdict().verdict == GREEN
    judged = counted(848, defaults={"shot_zone_mismatch_score": 251}).verdict()
    assert "at most 25 % may be" in judged.findings[0].what


def test_a_limit_for_a_feature_that_is_none_is_refused() -> None:
    with pytest.raises(ValidationError, match="no feature is called points_avg"):
        FeatureFacts(exceptions={"points_avg": 5})


def test_why_a_range_has_no_date_to_judge_is_said_as_it_is() -> None:
    day = date(2024, 1, 1)
    excluded = replace(state(day), excluded=True)
    assert "is excluded" in _nothing_due([TableCoverage(CACHE, 4, (excluded,), ())])
    assert "eligible yet" in _nothing_due([TableCoverage(CACHE, 4, (), (day,))])
    assert "inside bootstrap" in _nothing_due([TableCoverage(CACHE, 4, (), ())])
