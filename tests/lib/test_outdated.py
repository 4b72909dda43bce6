"""One changed box score makes exactly the dates outdated that read it, and a run mends exactly those."""

from __future__ import annotations

from datetime import date

import pytest

from lib.backfill import Backfill
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import (
    PLAYERS,
    TEAM_DEFENSE,
    TEAM_OFFENSE,
    UPCOMING_PLAYER,
    UPCOMING_TEAM,
    ask,
    change,
    contents,
    covered,
    game_dates,
    planned,
    run,
    state,
)


def outdated(warehouse: EmbeddedWarehouse, settings: Settings) -> dict[str, set[date]]:
    """The outdated dates by table; tables without any are left out."""
    found = {name: {s.day for s in table.outdated} for name, table in covered(warehouse, settings).items()}
    return {name: days for name, days in found.items() if days}


@pytest.fixture
def a_day(warehouse: EmbeddedWarehouse, settings: Settings) -> date:
    """A game date in the middle of the second season."""
    days = [day for day in game_dates(warehouse, settings) if day.year == 2024]
    return days[len(days) // 2]


def later_in_season(warehouse: EmbeddedWarehouse, settings: Settings, day: date) -> set[date]:
    return {d for d in game_dates(warehouse, settings) if d > day and d.year == day.year}


def test_nothing_is_outdated_after_a_build(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    assert outdated(warehouse, settings) == {}


def test_one_changed_player_box_makes_the_dates_outdated_that_read_it(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    sql = "UPDATE nba_raw.nbac_gamebook_player_stats SET points = points + 1 WHERE game_date = $1 AND player_status = 'active'"
    change(warehouse, sql, a_day)
    later = later_in_season(warehouse, settings, a_day)
    same = {a_day}
    assert outdated(warehouse, settings) == {
        TEAM_OFFENSE: same,
        TEAM_DEFENSE: same,
        PLAYERS: same,
        UPCOMING_PLAYER: later,
    }


def test_what_upstream_still_has_to_do_makes_its_readers_outdated(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    change(
        warehouse,
        "UPDATE runbook.receipts SET sql_digest = 'of an older SELECT' WHERE table_name = $1 AND day = $2",
        TEAM_OFFENSE,
        a_day,
    )
    later = later_in_season(warehouse, settings, a_day)
    assert outdated(warehouse, settings) == {TEAM_OFFENSE: {a_day}, PLAYERS: {a_day}, UPCOMING_PLAYER: later}
    found = covered(warehouse, settings)[PLAYERS].outdated
    assert found[0].todo == f"outdated: {TEAM_OFFENSE} has to be computed first, {a_day}"


def test_a_changed_score_reaches_the_later_dates_of_the_teams_alone(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    change(
        warehouse, "UPDATE nba_raw.nbac_schedule SET home_team_score = home_team_score + 1 WHERE game_date = $1", a_day
    )
    later = later_in_season(warehouse, settings, a_day)
    assert outdated(warehouse, settings) == {UPCOMING_TEAM: later, UPCOMING_PLAYER: later}


def test_a_changed_injury_report_touches_its_own_game_date(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    change(warehouse, "UPDATE nba_raw.nbac_injury_report SET injury_status = 'doubtful' WHERE game_date = $1", a_day)
    assert outdated(warehouse, settings) == {UPCOMING_TEAM: {a_day}, UPCOMING_PLAYER: {a_day}}


def test_a_column_that_nothing_reads_makes_nothing_outdated(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    change(warehouse, "UPDATE nba_raw.nbac_team_boxscore SET plus_minus = 99 WHERE game_date = $1", a_day)
    assert outdated(warehouse, settings) == {}


def test_when_a_row_was_computed_is_no_content(warehouse: EmbeddedWarehouse, settings: Settings, a_day: date) -> None:
    change(warehouse, f"UPDATE {TEAM_OFFENSE} SET processed_at = now() WHERE game_date = $1", a_day)
    assert outdated(warehouse, settings) == {}


def test_rows_edited_behind_the_runbooks_back_are_outdated(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    change(warehouse, f"UPDATE {TEAM_DEFENSE} SET steals = steals + 1 WHERE game_date = $1", a_day)
    found = covered(warehouse, settings)[TEAM_DEFENSE].outdated
    assert [s.day for s in found] == [a_day]
    assert "not those that were published" in str(found[0].todo)


def test_a_run_mends_what_is_outdated_and_nothing_else(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    before = contents(warehouse)
    change(warehouse, f"UPDATE {TEAM_DEFENSE} SET steals = steals + 1 WHERE game_date = $1", a_day)
    run(warehouse, settings)
    assert contents(warehouse) == before
    assert planned(warehouse, settings).chunks == ()


def test_a_game_that_is_moved_empties_its_old_date_and_fills_its_new_one(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    games = ask(
        warehouse, "SELECT game_id FROM nba_raw.nbac_schedule WHERE game_date = @d AND game_status = 3", d=a_day
    )
    change(warehouse, "DELETE FROM nba_raw.nbac_schedule WHERE game_status IN (1, 2)")  # nothing is open on the day
    free = date(2024, 12, 19)
    change(
        warehouse,
        "INSERT INTO nba_raw.nbac_schedule SELECT * REPLACE ($1 AS game_date) FROM nba_raw.nbac_schedule WHERE game_date = $2",
        free,
        a_day,
    )
    change(warehouse, "UPDATE nba_raw.nbac_schedule SET game_status = 4 WHERE game_date = $1", a_day)
    assert state(warehouse, settings, UPCOMING_TEAM, a_day).todo == "no longer expected"
    assert state(warehouse, settings, UPCOMING_TEAM, free).todo == "absent"
    run(warehouse, settings)
    held = ask(warehouse, f"SELECT game_date, COUNT(*) FROM {UPCOMING_TEAM} GROUP BY game_date")
    assert dict(held)[free] == 2 * len(games)
    assert a_day not in dict(held)
    assert ask(warehouse, "SELECT 1 FROM runbook.receipts WHERE day = @d", d=a_day) == []


def test_rows_we_published_go_when_their_game_turns_out_not_to_be_over(
    warehouse: EmbeddedWarehouse, settings: Settings, a_day: date
) -> None:
    change(warehouse, "UPDATE nba_raw.nbac_schedule SET game_status = 2 WHERE game_date = $1", a_day)
    run(warehouse, settings)
    assert ask(warehouse, f"SELECT 1 FROM {UPCOMING_TEAM} WHERE game_date = @d", d=a_day) == []
    assert planned(warehouse, settings).chunks == ()


def test_found_rows_are_taken_stock_of_once(warehouse: EmbeddedWarehouse, settings: Settings, a_day: date) -> None:
    change(warehouse, "DELETE FROM runbook.receipts WHERE table_name = $1 AND day = $2", TEAM_DEFENSE, a_day)
    assert planned(warehouse, settings).found == {TEAM_DEFENSE: (a_day,)}
    run(warehouse, settings)
    assert planned(warehouse, settings).found == {}
    change(warehouse, f"UPDATE {TEAM_DEFENSE} SET steals = steals + 1 WHERE game_date = $1", a_day)
    assert outdated(warehouse, settings) == {TEAM_DEFENSE: {a_day}}


def test_stock_is_taken_once_and_what_moved_since_stays_outdated(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    change(warehouse, f"DELETE FROM runbook.receipts WHERE table_name = '{TEAM_OFFENSE}'")
    plan = planned(warehouse, settings)
    assert plan.found[TEAM_OFFENSE]
    backfill = Backfill(warehouse, settings)
    backfill.take_stock(plan.found)
    day = plan.found[TEAM_OFFENSE][-1]
    change(warehouse, "UPDATE nba_raw.nbac_team_boxscore SET points = points + 1 WHERE game_date = $1", day)
    backfill.take_stock(plan.found)  # a run that is gone on with
    assert planned(warehouse, settings).chunks_of(TEAM_OFFENSE)[0].reasons == {day: "outdated: its input has changed"}
