"""The gate of the raw data: a schedule that is closed and whole, and a box score for every game."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from lib.calendar import closed_range
from lib.errors import CannotJudge
from lib.raw_gate import raw_gate
from lib.settings import Exclusion, Settings
from lib.verdicts import Verdict
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import ask, change, game_dates, judging, line, said

AS_OF = date(2024, 12, 20)
BOXES = ("nbac_gamebook_player_stats", "bdl_player_boxscores", "nbac_team_boxscore")


def _gate_2(
    warehouse: EmbeddedWarehouse, settings: Settings, first: date | None = None, last: date | None = None
) -> Verdict:
    with judging(warehouse, settings) as judge:
        return raw_gate(judge.session, settings, judge.calendar, *closed_range(judge.calendar, settings, first, last))


def _set_status(warehouse: EmbeddedWarehouse, day: date, status: int) -> None:
    change(
        warehouse,
        "UPDATE nba_raw.nbac_schedule SET game_status = ? WHERE game_id = (SELECT max(game_id) FROM nba_raw.nbac_schedule"
        " WHERE game_date = ? AND game_status = 3)",
        status,
        day,
    )


def _drop_boxes(warehouse: EmbeddedWarehouse, *days: date) -> None:
    for source in BOXES:
        for day in days:
            change(warehouse, f"DELETE FROM nba_raw.{source} WHERE game_date = ?", day)


def test_the_pocket_leagues_raw_data_hold(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    verdict = _gate_2(raw_only, settings)
    assert (verdict.verdict, verdict.findings) == ("green", ())
    assert [(r["table"], r["covered"], r["expected"], r["bootstrap"]) for r in verdict.table] == [
        ("game_schedule", 72, 72, "24/24"),
        ("player_boxscores", 72, 72, "24/24"),
        ("team_boxscores", 72, 72, "24/24"),
    ]


def test_every_source_is_reported_by_season(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    sources = _gate_2(raw_only, settings).about["sources"]
    assert [row["season_year"] for row in sources] == [2023, 2024]
    assert all(row["games"] >= row["gamebook"] > 0 for row in sources)
    assert all(row["play_by_play"] > 0 and row["game_lines"] > 0 for row in sources)


@pytest.mark.parametrize("status", [1, 2])
def test_a_game_that_stays_open_for_more_than_two_days_is_red(
    raw_only: EmbeddedWarehouse, settings: Settings, status: int
) -> None:
    _set_status(raw_only, game_dates(raw_only, settings)[50], status)
    assert "schedule not closed: 1 games" in said(_gate_2(raw_only, settings), "red")


@pytest.mark.parametrize("status", [4, 5])
def test_a_postponed_or_cancelled_game_does_not_keep_the_schedule_open(
    raw_only: EmbeddedWarehouse, settings: Settings, status: int
) -> None:
    _set_status(raw_only, game_dates(raw_only, settings)[-1], status)
    assert "schedule not closed" not in said(_gate_2(raw_only, settings))


@pytest.mark.parametrize(("days_before", "red"), [(2, False), (3, True)])
def test_two_days_of_grace(raw_only: EmbeddedWarehouse, settings: Settings, days_before: int, red: bool) -> None:
    opened = AS_OF - timedelta(days=days_before)
    change(
        raw_only,
        "INSERT INTO nba_raw.nbac_schedule SELECT * REPLACE ('0022499999' AS game_id, ?::DATE AS game_date, 1 AS game_status)"
        " FROM nba_raw.nbac_schedule LIMIT 1",
        opened,
    )
    assert ("schedule not closed" in said(_gate_2(raw_only, settings), "red")) is red


def test_an_open_exhibition_is_nobodys_business(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    change(
        raw_only,
        "UPDATE nba_raw.nbac_schedule SET game_status = 1 WHERE substr(game_id, 1, 3) IN ('001', '003')",
    )
    assert _gate_2(raw_only, settings).verdict == "green"


def test_an_older_copy_of_a_schedule_row_does_not_matter(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    change(
        raw_only,
        "INSERT INTO nba_raw.nbac_schedule SELECT * REPLACE (1 AS game_status, processed_at - INTERVAL 1 DAY AS processed_at)"
        " FROM nba_raw.nbac_schedule",
    )
    verdict = _gate_2(raw_only, settings)
    assert (verdict.verdict, line(verdict, "game_schedule")["expected"]) == ("green", 72)


@pytest.mark.parametrize(
    ("kind", "name"), [("002", "regular-season"), ("005", "play-in"), ("004", "playoff"), ("006", "Cup final")]
)
def test_a_closed_season_with_a_game_too_few_is_red(
    raw_only: EmbeddedWarehouse, settings: Settings, kind: str, name: str
) -> None:
    change(
        raw_only,
        "DELETE FROM nba_raw.nbac_schedule WHERE game_id = (SELECT max(game_id) FROM nba_raw.nbac_schedule"
        " WHERE season_year = 2023 AND substr(game_id, 1, 3) = ?)",
        kind,
    )
    text = said(_gate_2(raw_only, settings), "red")
    assert "season 2023 holds" in text
    assert f"{name} games, a closed season holds" in text


def test_a_season_of_which_nothing_is_there_between_two_others_is_red(
    raw_only: EmbeddedWarehouse, settings: Settings
) -> None:
    earlier = "game_date - INTERVAL 730 DAY AS game_date, season_year - 2 AS season_year"
    rows = f"SELECT * REPLACE ({earlier}) FROM nba_raw.nbac_schedule WHERE season_year = 2023"
    change(raw_only, f"INSERT INTO nba_raw.nbac_schedule BY NAME {rows}")
    text = said(_gate_2(raw_only, settings), "red")
    assert "season 2022 holds 0 regular-season games, a closed season holds" in text


def test_games_whose_ids_lost_their_zeros_are_red(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    change(raw_only, "UPDATE nba_raw.nbac_schedule SET game_id = ltrim(game_id, '0') WHERE game_date = '2024-12-03'")
    text = said(_gate_2(raw_only, settings), "red")
    assert "of the kind '224', which is none: a game id begins with 001 to 006, and may have lost its zeros" in text


def test_a_season_that_is_not_over_may_hold_fewer_games(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    for table in ("nbac_schedule", *BOXES):
        change(raw_only, f"DELETE FROM nba_raw.{table} WHERE game_date > '2024-12-01'")
    assert _gate_2(raw_only, settings).verdict == "green"


def test_boxes_of_a_game_that_the_schedule_does_not_count_are_red(
    raw_only: EmbeddedWarehouse, settings: Settings
) -> None:
    day = game_dates(raw_only, settings)[-5]
    _set_status(raw_only, day, 4)
    verdict = _gate_2(raw_only, settings)
    assert verdict.verdict == "red"
    assert "box scores of 2 teams on dates on which the schedule counts no final game of theirs" in said(verdict, "red")
    assert f" on {day}" in said(verdict, "red")


def test_a_schedule_that_ends_before_the_boxes_do_is_red(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    change(raw_only, "DELETE FROM nba_raw.nbac_schedule WHERE game_date > '2024-12-01'")
    assert "the schedule counts no final game of theirs" in said(_gate_2(raw_only, settings), "red")


@pytest.mark.parametrize("day", ["2024-02-18", "2024-07-12"])
def test_boxes_of_a_show_or_a_summer_league_are_nobodys_business(
    raw_only: EmbeddedWarehouse, settings: Settings, day: str
) -> None:
    """An All-Star game is in the schedule, as one that does not count; a summer league is after the season's end."""
    show = (
        "SELECT * REPLACE (DATE '2024-02-18' AS game_date, '0032300001' AS game_id) FROM nba_raw.nbac_schedule LIMIT 1"
    )
    change(raw_only, f"INSERT INTO nba_raw.nbac_schedule BY NAME {show}")
    box = f"SELECT * REPLACE (DATE '{day}' AS game_date, 'EAST' AS team_abbr) FROM nba_raw.nbac_team_boxscore LIMIT 1"
    change(raw_only, f"INSERT INTO nba_raw.nbac_team_boxscore BY NAME {box}")
    assert _gate_2(raw_only, settings).verdict == "green"


def test_the_first_weeks_of_a_season_without_box_scores_are_red(
    raw_only: EmbeddedWarehouse, settings: Settings
) -> None:
    """They are outside the percentage, and every window of the season begins with them."""
    early = game_dates(raw_only, settings)[:12]
    _drop_boxes(raw_only, *early)
    verdict = _gate_2(raw_only, settings)
    assert (line(verdict, "player_boxscores")["covered"], verdict.verdict) == (72, "red")
    assert "no box score for" in said(verdict, "red")
    rule = {
        "reason": "lost for good",
        "owner": "ann",
        "added": AS_OF,
        "expires": AS_OF,
        "first": early[0],
        "last": early[-1],
    }
    tables = [name for name in settings.tables if settings.phase_of(name) == 3]
    excluded = settings.model_copy(update={"exclusions": (Exclusion(tables=tables, **rule),)})
    assert _gate_2(raw_only, excluded).verdict == "amber"


def test_a_play_in_game_without_a_box_score_is_amber_by_name(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    ((day,),) = ask(raw_only, "SELECT game_date FROM nba_raw.nbac_schedule WHERE SUBSTR(game_id, 1, 3) = '005'")
    _drop_boxes(raw_only, day)
    verdict = _gate_2(raw_only, settings)
    assert verdict.verdict == "amber"
    assert f"no box score for 1 game on 1 date: {day}" in said(verdict, "amber")
    assert line(verdict, "player_boxscores")["covered"] == 71


def test_too_many_games_without_a_box_score_are_red(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    _drop_boxes(raw_only, *game_dates(raw_only, settings)[-5:])
    verdict = _gate_2(raw_only, settings)
    assert (verdict.verdict, line(verdict, "team_boxscores")["covered"]) == ("red", 67)


def test_a_bootstrap_game_without_a_box_score_is_named(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    day = game_dates(raw_only, settings)[0]
    _drop_boxes(raw_only, day)
    verdict = _gate_2(raw_only, settings)
    assert line(verdict, "player_boxscores")["bootstrap"] == "23/24"
    assert str(day) in said(verdict, "amber")


def test_a_range_without_games_cannot_be_judged(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    with pytest.raises(CannotJudge, match="no final game from 2024-08-01"):
        _gate_2(raw_only, settings, date(2024, 8, 1), date(2024, 8, 31))


def test_a_raw_table_that_is_gone_cannot_be_judged(raw_only: EmbeddedWarehouse, settings: Settings) -> None:
    change(raw_only, "DROP TABLE nba_raw.nbac_team_boxscore")
    with pytest.raises(CannotJudge, match="nbac_team_boxscore"):
        _gate_2(raw_only, settings)
