"""What is translated ahead is, letter for letter, what is asked afterwards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from lib.ahead import AHEAD
from lib.checks import Scope, checks_of
from lib.checks.run import run_checks
from lib.coverage import Judge
from lib.dialect import translated
from lib.settings import Settings
from lib.translate_ahead import translate_ahead
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import UPCOMING_TEAM, carry_out, change, judging, planned


def test_a_question_that_wants_its_answer_at_once_stops_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hasty(judge: Judge, phase: int, first: date, last: date) -> object:
        return judge.session.ask("SELECT 1 AS one")()[0]

    translated.cache_clear()
    list(translate_ahead(settings))
    others = translated.cache_info().misses
    monkeypatch.setattr("lib.translate_ahead.AHEAD", {"10_own": (hasty,), **AHEAD})
    translated.cache_clear()
    list(translate_ahead(settings))
    assert translated.cache_info().misses == others + 1


def _translated_by(work: Callable[[], object]) -> int:
    before = translated.cache_info().misses
    work()
    return translated.cache_info().misses - before


def test_whoever_comes_after_has_nothing_left_to_translate_but_a_few_words(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM}")
    plan = planned(warehouse, settings)
    translated.cache_clear()
    pieces = translate_ahead(settings)
    at_once = _translated_by(lambda: next(pieces))  # what the first notebook asks; the rest in spare time
    assert _translated_by(lambda: list(pieces)) > at_once > 10

    def judge_all() -> None:
        with judging(warehouse, settings) as judge:
            judge.cover([3], settings.start_date, judge.calendar.as_of)

    def check_all() -> None:
        with judging(warehouse, settings) as judge:
            run_checks(Scope(judge, 3, settings.start_date, judge.calendar.as_of), checks_of(3))

    assert _translated_by(judge_all) <= 1  # what the warehouse notes of itself
    assert _translated_by(lambda: carry_out(warehouse, settings, plan)) <= 3
    assert _translated_by(check_all) <= 6
