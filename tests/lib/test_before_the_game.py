"""What was known before a game, against figures computed by hand, and that nothing later leaks in."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lib.dialect import to_duckdb
from lib.registry import registry
from tests.lib.hand import START, D, computed, january, one, season_of_games, star
from tests.lib.memory import Memory, bounds
from tests.lib.raw_rows import RawRows

# Before the game: rest and windows --------------------------------------------------------------------------------------


def test_january_1_and_2_are_a_back_to_back_with_no_rest() -> None:
    memory = computed(season_of_games((january(1), "BOS", "LAL", 20), (january(2), "BOS", "LAL", 20)))
    team = one(memory, "upcoming_team_game_context", team_abbr="LAL", game_date=january(2))
    assert (team["days_since_last_game"], team["team_days_rest"], team["team_back_to_back"]) == (1, 0, True)
    player = one(memory, "upcoming_player_game_context", player_lookup="star", game_date=january(2))
    assert (player["days_rest"], player["back_to_back"], player["opponent_days_rest"]) == (0, True, 0)
    first = one(memory, "upcoming_player_game_context", player_lookup="star", game_date=january(1))
    assert (first["days_rest"], first["back_to_back"]) == (None, False)


def test_rest_is_the_players_own_and_not_the_teams() -> None:
    rows = season_of_games((january(1), "BOS", "LAL", 20), (january(4), "BOS", "LAL", 20)).game(
        january(3), "UTA", "LAL"
    )
    player = one(computed(rows), "upcoming_player_game_context", player_lookup="star", game_date=january(4))
    assert (player["days_rest"], player["back_to_back"], player["opponent_days_rest"]) == (2, False, 2)


def test_january_1_3_5_and_7_are_four_games_in_the_seven_days_before_january_8() -> None:
    memory = computed(season_of_games(*((january(day), "BOS", "LAL", 20) for day in (1, 3, 5, 7, 8))))
    team = one(memory, "upcoming_team_game_context", team_abbr="LAL", game_date=january(8))
    player = one(memory, "upcoming_player_game_context", player_lookup="star", game_date=january(8))
    assert team["games_in_last_7_days"] == player["games_in_last_7_days"] == 4
    assert (player["minutes_in_last_7_days"], player["avg_minutes_per_game_last_7"]) == (144, 36)
    assert player["back_to_backs_last_14_days"] == 0


def test_windows_of_days_begin_n_days_before() -> None:
    memory = computed(season_of_games(*((january(day), "BOS", "LAL", 20) for day in (1, 2, 3, 10, 16, 17))))
    player = one(memory, "upcoming_player_game_context", player_lookup="star", game_date=january(17))
    assert (player["games_in_last_7_days"], player["games_in_last_14_days"]) == (2, 3)
    assert player["back_to_backs_last_14_days"] == 0
    earlier = one(memory, "upcoming_player_game_context", player_lookup="star", game_date=january(16))
    assert (earlier["games_in_last_14_days"], earlier["back_to_backs_last_14_days"]) == (3, 1)
    assert (player["days_rest_before_last_game"], player["days_since_2_plus_days_rest"]) == (5, 1)


def test_averages_take_the_last_five_and_ten_games_before_the_date() -> None:
    games = [(january(2 * number + 1), "BOS", "LAL", 10 + number) for number in range(12)]
    memory = computed(season_of_games(*games))
    last = one(memory, "upcoming_player_game_context", player_lookup="star", game_date=january(23))
    assert (last["points_avg_last_5"], last["points_avg_last_10"]) == (Decimal(18), Decimal("15.5"))
    assert (last["l5_games_used"], last["l10_games_used"], last["games_played_season"]) == (5, 10, 11)
    assert (last["l5_sample_quality"], last["l10_sample_quality"]) == ("excellent", "excellent")
    assert (last["quality_tier"], last["quality_score"]) == ("gold", 95)
    third = one(memory, "upcoming_player_game_context", player_lookup="star", game_date=january(5))
    assert (third["points_avg_last_5"], third["l5_sample_quality"]) == (Decimal("10.5"), "insufficient")
    assert "thin_sample:2/3" in third["quality_issues"]


@pytest.mark.parametrize(("line", "over", "under"), [(20.5, 2, 0), (22.0, 1, 0), (26.0, 0, 3)])
def test_streaks_against_the_current_line(line: float, over: int, under: int) -> None:
    points = (30, 18, 22, 25)  # oldest first
    games = [(january(2 * number + 1), "BOS", "LAL", scored) for number, scored in enumerate((*points, 0))]
    rows = season_of_games(*games).prop(january(9), "star", line)
    row = one(computed(rows), "upcoming_player_game_context", player_lookup="star", game_date=january(9))
    assert (row["prop_over_streak"], row["prop_under_streak"]) == (over, under)


def test_there_is_no_streak_without_a_line() -> None:
    rows = season_of_games((january(1), "BOS", "LAL", 20), (january(3), "BOS", "LAL", 20))
    row = one(computed(rows), "upcoming_player_game_context", player_lookup="star", game_date=january(3))
    assert (row["has_prop_line"], row["prop_over_streak"], row["prop_under_streak"]) == (False, None, None)


def test_games_are_numbered_over_the_true_season() -> None:
    days = [START + timedelta(days=30 * number) for number in range(4)]
    memory = computed(season_of_games(*((day, "BOS", "LAL", 20) for day in days)))
    numbers = {row["game_date"]: row["game_number_in_season"] for row in memory.rows("upcoming_team_game_context")}
    assert numbers == {day: number for number, day in enumerate(days, 1)}
    assert one(memory, "upcoming_player_game_context", game_date=days[-1])["games_played_season"] == 3


def test_the_last_season_does_not_count() -> None:
    rows = season_of_games((date(2023, 4, 9), "BOS", "LAL", 40), (date(2023, 10, 25), "BOS", "LAL", 20))
    memory = Memory(rows)
    memory.compute([date(2023, 4, 9), date(2023, 10, 25)], date(2022, 10, 18))
    row = one(memory, "upcoming_player_game_context", game_date=date(2023, 10, 25))
    assert (row["games_played_season"], row["days_rest"], row["points_avg_last_5"]) == (0, None, None)
    team = one(memory, "upcoming_team_game_context", team_abbr="LAL", game_date=date(2023, 10, 25))
    assert (team["game_number_in_season"], team["team_win_streak_entering"]) == (1, 0)


def test_win_and_loss_streaks_and_the_last_margin() -> None:
    rows = RawRows()
    for day, home_points in ((1, 90), (3, 120), (5, 121), (7, 100)):
        rows.game(january(day), "BOS", "LAL", home_team_score=home_points, away_team_score=105)
    memory = computed(rows)
    home, away = (
        one(memory, "upcoming_team_game_context", team_abbr=team, game_date=january(7)) for team in ("LAL", "BOS")
    )
    assert (home["team_win_streak_entering"], home["team_loss_streak_entering"]) == (2, 0)
    assert (away["team_win_streak_entering"], away["team_loss_streak_entering"]) == (0, 2)
    assert (home["last_game_margin"], home["last_game_result"], away["last_game_result"]) == (16, "W", "L")


def test_travel_starts_at_the_arena_of_the_last_game_also_on_the_way_home() -> None:
    rows = RawRows().distance("LAL", "BOS", 2600).distance("LAL", "UTA", 580).distance("BOS", "UTA", 2100)
    for day, away, home in ((1, "LAL", "BOS"), (3, "LAL", "UTA"), (5, "BOS", "LAL"), (7, "BOS", "LAL")):
        rows.game(january(day), away, home)
    memory = computed(rows)
    miles = {
        row["game_date"].day: row["travel_miles"]
        for row in memory.rows("upcoming_team_game_context")
        if row["team_abbr"] == "LAL"
    }
    assert miles == {1: 2600, 3: 2100, 5: 580, 7: 0}


def test_an_unknown_distance_is_unknown_and_not_zero() -> None:
    memory = computed(RawRows().game(D, "BOS", "LAL"))
    assert one(memory, "upcoming_team_game_context", team_abbr="BOS")["travel_miles"] is None
    assert one(memory, "upcoming_team_game_context", team_abbr="LAL")["travel_miles"] == 0


def test_injuries_are_those_of_the_latest_trusted_report() -> None:
    rows = star().injury(D, "star", "LAL", "out", 11).injury(D, "star", "LAL", "questionable", 17)
    rows.injury(D, "star", "LAL", "out", 19, confidence_score=0.5).injury(D, "other", "LAL", "out", 17)
    memory = computed(rows)
    team = one(memory, "upcoming_team_game_context", team_abbr="LAL")
    assert (team["starters_out_count"], team["questionable_players_count"]) == (1, 1)
    assert one(memory, "upcoming_player_game_context", player_lookup="star")["player_status"] == "questionable"


def test_a_report_of_the_days_before_the_season_counts_in_its_first_game() -> None:
    rows = RawRows().game(START, "BOS", "LAL").player(START, "star", "LAL")
    rows.injury(START, "star", "LAL", "doubtful", report_date=START - timedelta(days=1))
    memory = computed(rows)
    assert one(memory, "upcoming_player_game_context", player_lookup="star")["player_status"] == "doubtful"
    assert one(memory, "upcoming_team_game_context", team_abbr="LAL")["questionable_players_count"] == 1


@pytest.mark.parametrize(("games", "points", "stars"), [(5, 20, 1), (4, 30, 0), (5, 19, 0)])
def test_a_star_out_averages_20_points_over_five_games(games: int, points: int, stars: int) -> None:
    rows = season_of_games(*((january(day), "BOS", "LAL", points) for day in range(1, games + 1)))
    rows.game(D, "BOS", "LAL").player(D, "mate", "LAL").injury(D, "star", "LAL", "out")
    assert one(computed(rows), "upcoming_player_game_context", player_lookup="mate")["star_teammates_out"] == stars


def test_a_star_who_was_reported_out_and_plays_is_not_his_own_team_mate() -> None:
    rows = season_of_games(*((january(day), "BOS", "LAL", 20) for day in range(1, 6)))
    rows.game(D, "BOS", "LAL").player(D, "star", "LAL").player(D, "mate", "LAL").injury(D, "star", "LAL", "out")
    memory = computed(rows)
    assert one(memory, "upcoming_player_game_context", player_lookup="star", game_date=D)["star_teammates_out"] == 0
    assert one(memory, "upcoming_player_game_context", player_lookup="mate")["star_teammates_out"] == 1


@pytest.mark.parametrize("order", [("LAL", "BOS"), ("BOS", "LAL")])
def test_a_player_whom_two_teams_report_in_one_hour_is_counted_for_the_same_one_each_time(
    order: tuple[str, str],
) -> None:
    rows = star()
    for team in order:
        rows.injury(D, "traded", team, "out", 17)
    memory = computed(rows)
    out = {team: one(memory, "upcoming_team_game_context", team_abbr=team)["starters_out_count"] for team in order}
    assert out == {"BOS": 1, "LAL": 0}


# Point in time ----------------------------------------------------------------------------------------------------------


def before_the_game(memory: Memory) -> list[tuple[object, ...]]:
    """The upcoming rows of D without the time they were computed at."""
    rows = [
        row
        for table in ("upcoming_player_game_context", "upcoming_team_game_context")
        for row in memory.rows(table)
        if row["game_date"] == D
    ]
    return sorted((row["team_abbr"], row["game_id"], row["data_hash"]) for row in rows)


def three_games() -> RawRows:
    games = ((january(7), "BOS", "LAL", 20), (january(9), "BOS", "LAL", 24), (D, "BOS", "LAL", 31))
    rows = season_of_games(*games).prop(D, "star", 22.5).injury(D, "hurt", "LAL", "out")
    for day, away, home, _ in games:
        rows.shots(day, home, 85, f"{away}_{home}")
    return rows


def edited(day: date) -> RawRows:
    """Other points, minutes, shots and scores on *day*."""
    rows = three_games()
    changes: dict[str, dict[str, Any]] = {
        "nbac_gamebook_player_stats": {"points": 2, "minutes": "11:00", "field_goals_attempted": 3},
        "nbac_team_boxscore": {"points": 61, "fg_attempted": 60, "minutes": "290:00"},
        "nbac_schedule": {"home_team_score": 61, "away_team_score": 99},
        "bigdataball_play_by_play": {"shot_made": False, "shot_distance": 20.0},
    }
    for table, values in changes.items():
        for row in rows[f"nba_raw.{table}"]:
            row.update(values if row["game_date"] == day else {})
    return rows


def test_an_edit_on_the_date_changes_nothing_that_was_known_before_the_game() -> None:
    original, changed = computed(three_games()), computed(edited(D))
    assert before_the_game(changed) == before_the_game(original)
    of_players = [one(memory, "player_game_summary", game_date=D)["points"] for memory in (original, changed)]
    assert of_players == [31, 2]


@pytest.mark.parametrize(
    ("name", "strict", "leaky"),
    [
        ("upcoming_player_game_context", "AND 1 PRECEDING", "AND CURRENT ROW"),
        ("upcoming_player_game_context", "past.game_date < lined.game_date", "past.game_date <= lined.game_date"),
        ("upcoming_team_game_context", "AND 1 PRECEDING", "AND CURRENT ROW"),
    ],
)
def test_a_planted_look_at_the_date_itself_is_noticed(name: str, strict: str, leaky: str) -> None:
    table = registry().table(name)
    assert table.select is not None
    assert strict in table.select
    sql = to_duckdb(table.select.replace(strict, leaky), table.contract)
    seen = []
    for rows in (three_games(), edited(D)):
        memory = computed(rows)
        for source in table.upstream:
            memory.rows(source)
        seen.append(sorted(row["data_hash"] for row in memory.query(sql, bounds([D], START))))
    assert seen[0] != seen[1]


def test_an_edit_on_the_day_before_does_change_it() -> None:
    original, changed = before_the_game(computed(three_games())), before_the_game(computed(edited(january(9))))
    assert len(original) == len(changed) == 3
    assert not set(original) & set(changed)


def test_games_after_the_date_change_nothing() -> None:
    rows = three_games().game(january(12), "BOS", "LAL").player(january(12), "star", "LAL")
    assert before_the_game(computed(rows)) == before_the_game(computed(three_games()))


def test_a_date_computed_alone_gives_the_rows_of_the_whole_range() -> None:
    memory = computed(three_games())
    whole = [row for row in memory.rows("upcoming_player_game_context") if row["game_date"] == D]
    alone = memory.select("nba_analytics.upcoming_player_game_context", bounds([D], START))
    assert [row["data_hash"] for row in alone] == [row["data_hash"] for row in whole] != []
