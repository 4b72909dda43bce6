"""The history of attempts: what the ledger tells of the run that wrote last."""

from __future__ import annotations

from dataclasses import replace

from lib.charts import attempts_timeline
from lib.charts.picture import Note
from lib.charts.timeline import Span, timeline
from lib.history import Attempt, latest_attempts
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import PHASE_3, TEAM_OFFENSE, UPCOMING_TEAM, change, game_dates, run

GOOD = Attempt(
    UPCOMING_TEAM, *[None] * 2, dates=3, failed=0, blocked=0, interrupted=0, begun=10.0, ended=12.0  # type: ignore[arg-type]
)  # fmt: skip


def test_the_attempts_of_the_run_that_wrote_last_and_of_no_other(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    days = game_dates(warehouse, settings)
    for day in (days[5], days[60]):
        change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = $1", day)
        run(warehouse, settings)
    change(warehouse, "UPDATE runbook.attempts SET run = 'the last' WHERE finished_at = (SELECT MAX(finished_at) FROM runbook.attempts)")  # fmt: skip
    with warehouse.reading() as session:
        found = latest_attempts(session, PHASE_3)
        assert latest_attempts(session, [TEAM_OFFENSE]) == []
    assert [(a.table, a.first, a.dates, a.outcome) for a in found] == [(UPCOMING_TEAM, days[60], 1, "ended well")]
    assert 0 <= found[0].ended - found[0].begun < 60


def test_what_was_done_by_hand_weeks_ago_is_not_of_those_who_wrote_last(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    days = game_dates(warehouse, settings)
    for day in (days[5], days[60]):
        change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date = $1", day)
        run(warehouse, settings)
    change(warehouse, "UPDATE runbook.attempts SET owner = 'elsewhere:7', started_at = started_at - INTERVAL 21 DAY WHERE day = $1", days[5])  # fmt: skip
    with warehouse.reading() as session:
        assert [attempt.first for attempt in latest_attempts(session, [UPCOMING_TEAM])] == [days[60]]


def test_an_attempt_with_a_failed_date_did_not_end_well_whatever_else_it_published() -> None:
    assert replace(GOOD, failed=1, blocked=2).outcome == "failed"
    assert replace(GOOD, blocked=2).outcome == "blocked"
    assert replace(GOOD, interrupted=3).outcome == "interrupted"
    assert GOOD.outcome == "ended well"


def test_the_picture_says_how_many_failed_and_which() -> None:
    bad = replace(GOOD, failed=1, begun=12.0, ended=15.0)
    assert (
        attempts_timeline([GOOD, bad]).title
        == "1 of 2 attempts did not end well: upcoming_team_game_context None failed"
    )
    assert attempts_timeline([GOOD]).title == "3 dates in 1 attempt, 2 s; none failed"
    assert attempts_timeline([]).title == "No attempt yet"
    assert attempts_timeline([]).svg().startswith("<svg")


def test_the_title_tells_of_every_attempt_though_the_last_are_shown_alone() -> None:
    good = [replace(GOOD, begun=20.0 + number, ended=21.0 + number) for number in range(60)]
    picture = attempts_timeline([replace(GOOD, failed=1), *good])
    assert len(picture.y.ticks) == 60
    assert picture.title == (
        "1 of 61 attempts did not end well: upcoming_team_game_context None failed; the last 60 of 61 are shown"
    )
    assert "shown" not in attempts_timeline(good).title


def test_what_a_bar_says_stands_where_there_is_room() -> None:
    marks = timeline([Span("early", 0, 10), Span("late", 90, 10), Span("long", 0, 10, expected=90)], "t").marks
    assert [(mark.text, mark.anchor) for mark in marks if isinstance(mark, Note)] == [
        ("10.0 s", "start"),
        ("10.0 s", "end"),
        ("10.0 s, expected 90.0 s", "end"),
    ]
