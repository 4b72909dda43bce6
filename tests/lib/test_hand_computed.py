"""Box score tables against figures computed by hand: a few raw rows through the real SELECTs."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.lib.hand import EARLIER, D, Row, computed, january, one, player_of, season_of_games, star
from tests.lib.raw_rows import RawRows

# Team offence and defence -----------------------------------------------------------------------------------------------


def test_possessions_rating_pace_and_true_shooting_of_a_team() -> None:
    row = one(computed(star()), "team_offense_game_summary", team_abbr="LAL")
    assert row["possessions"] == 100
    assert row["offensive_rating"] == Decimal("111.22")
    assert row["pace"] == Decimal("100.7")
    assert row["ts_pct"] == Decimal("0.573")
    assert row["overtime_periods"] == 0
    assert (row["win_flag"], row["margin_of_victory"], row["home_game"]) == (True, 7, True)


def test_265_minutes_are_one_overtime_and_a_pace_of_91_2() -> None:
    rows = RawRows().game(D, "BOS", "LAL", {"minutes": "265:00"}, {"minutes": "265:00"})
    row = one(computed(rows), "team_offense_game_summary", team_abbr="LAL")
    assert (row["overtime_periods"], row["pace"]) == (1, Decimal("91.2"))


@pytest.mark.parametrize(
    ("minutes", "overtimes"),
    [("240:00", 0), ("239:48", 0), ("264:59", 1), ("265", 1), ("290:00", 2), ("340:00", 4), (None, 0)],
)
def test_overtimes_are_read_off_the_minutes_of_the_team(minutes: str | None, overtimes: int) -> None:
    rows = RawRows().game(D, "BOS", "LAL", {"minutes": minutes}, {"minutes": minutes})
    assert one(computed(rows), "team_offense_game_summary", team_abbr="LAL")["overtime_periods"] == overtimes


def test_the_defence_of_a_team_is_the_offence_of_the_other_one() -> None:
    row = one(computed(star()), "team_defense_game_summary", defending_team_abbr="BOS")
    assert row["points_allowed"] == 112
    assert row["defensive_rating"] == Decimal("111.24")  # 11200 / 100.68: this one is not rounded on the way
    assert row["opponent_pace"] == Decimal("100.7")
    assert row["opponent_ts_pct"] == Decimal("0.573")
    assert row["three_pt_points_allowed"] == 36
    assert (row["win_flag"], row["margin_of_victory"]) == (False, -7)


def test_a_team_box_in_home_away_order_gets_the_canonical_game_id() -> None:
    rows = RawRows().scheduled(D, "BOS", "LAL")
    rows.team_box(D, "LAL", "BOS", "LAL", is_home=False).team_box(D, "LAL", "BOS", "BOS", points=105, is_home=True)
    memory = computed(rows)
    assert {row["game_id"] for row in memory.rows("team_offense_game_summary")} == {"20240110_BOS_LAL"}
    assert {row["game_id"] for row in memory.rows("team_defense_game_summary")} == {"20240110_BOS_LAL"}
    assert one(memory, "team_offense_game_summary", team_abbr="LAL")["home_game"] is True


def rebuilt_from(players: int) -> RawRows:
    rows = RawRows().scheduled(D, "BOS", "LAL").team_box(D, "BOS", "LAL", "BOS", points=105)
    for number in range(players):
        rows.player(D, f"player{number}", "LAL", minutes="48:00", points=20)
    return rows


def test_a_team_without_a_box_is_rebuilt_from_five_players() -> None:
    memory = computed(rebuilt_from(5))
    row = one(memory, "team_offense_game_summary", team_abbr="LAL")
    assert (row["points_scored"], row["fg_attempts"], row["overtime_periods"]) == (100, 100, 0)
    assert (row["primary_source_used"], row["quality_tier"]) == ("reconstructed_team_from_players", "silver")
    assert "reconstructed" in row["quality_issues"]
    assert one(memory, "team_offense_game_summary", team_abbr="BOS")["primary_source_used"] == "nbac_team_boxscore"
    assert one(memory, "team_defense_game_summary", defending_team_abbr="BOS")["points_allowed"] == 100


def test_four_players_do_not_make_a_team() -> None:
    memory = computed(rebuilt_from(4))
    assert memory.rows("team_offense_game_summary") == memory.rows("team_defense_game_summary") == []
    assert len(memory.rows("player_game_summary")) == 4


# Players ----------------------------------------------------------------------------------------------------------------


def test_usage_effective_and_true_shooting_of_a_player() -> None:
    row = player_of(star())
    assert row["usage_rate"] == Decimal("30.9")
    assert row["efg_pct"] == Decimal("0.525")
    assert row["ts_pct"] == Decimal("0.574")
    assert row["minutes_played"] == 36
    assert (row["starter_flag"], row["win_flag"], row["opponent_team_abbr"]) == (True, True, "BOS")


def test_a_tiny_stint_gives_a_large_usage_and_no_failure() -> None:
    tiny: dict[str, Any] = {"field_goals_attempted": 1, "free_throws_attempted": 0, "turnovers": 0}
    rows = star().player(D, "half", "LAL", minutes="00:30", **tiny).player(D, "second", "LAL", minutes="00:01", **tiny)
    memory = computed(rows)
    figures = {
        row["player_lookup"]: (row["usage_rate"], row["minutes_played"]) for row in memory.rows("player_game_summary")
    }
    assert figures["half"] == (Decimal("86.7"), Decimal("0.5"))
    assert figures["second"] == (Decimal("2602.1"), 0)
    assert figures["star"] == (Decimal("30.9"), 36)


def test_usage_is_cut_where_its_column_ends() -> None:
    rows = star(minutes="00:01", field_goals_attempted=40)
    assert player_of(rows)["usage_rate"] == Decimal("9999.9")


def test_usage_in_overtime_counts_a_fifth_of_the_team_minutes() -> None:
    rows = RawRows().game(D, "BOS", "LAL", {"minutes": "265:00"}, {"minutes": "265:00"}).player(D, "star", "LAL")
    assert player_of(rows)["usage_rate"] == Decimal("34.1")  # 100 * 25.64 * 53 / (36 * 110.68)


def test_nothing_used_is_a_usage_of_zero_and_no_shots_are_no_percentages() -> None:
    nothing = {
        "field_goals_attempted": 0,
        "free_throws_attempted": 0,
        "turnovers": 0,
        "field_goals_made": 0,
        "points": 0,
    }
    row = player_of(star(**nothing))
    assert row["usage_rate"] == 0
    assert row["efg_pct"] is None
    assert row["ts_pct"] is None


def rows_by_minutes(*shapes: str | None) -> dict[str | None, Row]:
    """A player's row for every shape of minutes, all of one team."""
    rows = RawRows().game(D, "BOS", "LAL")
    for number, minutes in enumerate(shapes):
        rows.player(D, f"player{number}", "LAL", minutes=minutes)
    found = {row["player_lookup"]: row for row in computed(rows).rows("player_game_summary")}
    return {minutes: found[f"player{number}"] for number, minutes in enumerate(shapes)}


def test_no_minutes_are_null_and_never_zero() -> None:
    for row in rows_by_minutes("0:00", "00:00", "0", "", "-", "DNP", "12:75", None).values():
        assert row["minutes_played"] is None
        assert row["usage_rate"] is None
        assert row["starter_flag"] is False
        assert "minutes_unknown" in row["quality_issues"]


def test_minutes_come_in_four_shapes() -> None:
    shapes = {"36:12": "36.2", "36": "36", "36.5": "36.5", "PT36M12.00S": "36.2", "PT5M3S": "5.1", "61:30": "61.5"}
    read = {minutes: row["minutes_played"] for minutes, row in rows_by_minutes(*shapes).items()}
    assert read == {minutes: Decimal(played) for minutes, played in shapes.items()}


def test_a_player_who_did_not_play_has_no_row() -> None:
    rows = star().player(D, "bench", "LAL", player_status="dnp").player(D, "hurt", "LAL", player_status="inactive")
    assert [row["player_lookup"] for row in computed(rows).rows("player_game_summary")] == ["star"]


def test_the_second_source_fills_a_game_that_the_gamebook_lacks_in_every_column() -> None:
    rows = RawRows().game(D, "BOS", "LAL").second_source(D, "star", "LAL")
    row = player_of(rows)
    first = player_of(star())
    told_apart = {
        "plus_minus",
        "primary_source_used",
        "quality_tier",
        "quality_score",
        "quality_issues",
        "data_hash",
        "processed_at",
    }
    assert {name: row[name] for name in row if name not in told_apart} == {
        name: first[name] for name in first if name not in told_apart
    }
    assert (row["usage_rate"], row["plus_minus"]) == (Decimal("30.9"), None)
    assert (row["primary_source_used"], row["quality_tier"], row["quality_score"]) == ("bdl_boxscores", "silver", 85)
    assert "backup_source_used" in row["quality_issues"]


def test_the_second_source_stays_out_of_a_game_that_the_gamebook_has() -> None:
    rows = star().second_source(D, "stranger", "BOS")
    assert [row["player_lookup"] for row in computed(rows).rows("player_game_summary")] == ["star"]


def test_the_second_source_also_gives_the_players_before_the_game() -> None:
    rows = RawRows().game(D, "BOS", "LAL").second_source(D, "star", "LAL")
    assert one(computed(rows), "upcoming_player_game_context", player_lookup="star")["home_game"] is True


def test_the_latest_load_of_a_doubled_row_holds() -> None:
    rows = star().player(D, "star", "LAL", points=99, processed_at=EARLIER)
    rows.team_box(D, "BOS", "LAL", "LAL", points=199, processed_at=EARLIER)
    rows.second_source(D, "star", "LAL", points=98, processed_at=EARLIER)
    memory = computed(rows)
    assert one(memory, "player_game_summary", player_lookup="star")["points"] == 26
    assert one(memory, "team_offense_game_summary", team_abbr="LAL")["points_scored"] == 112


def test_an_earlier_load_of_a_schedule_row_does_not_hold() -> None:
    rows = star()
    game_id = rows["nba_raw.nbac_schedule"][0]["game_id"]
    rows.scheduled(D, "BOS", "LAL", game_id=game_id, game_status=1, processed_at=EARLIER)
    assert len(computed(rows).rows("team_offense_game_summary")) == 2


@pytest.mark.parametrize("prefix", ["001", "003"])
def test_preseason_and_all_star_games_do_not_leak(prefix: str) -> None:
    rows = season_of_games((january(7), "BOS", "LAL", 50), (D, "BOS", "LAL", 20))
    exhibition = rows["nba_raw.nbac_schedule"][0]
    exhibition["game_id"] = prefix + exhibition["game_id"][3:]
    memory = computed(rows)
    tables = ("team_offense_game_summary", "team_defense_game_summary", "player_game_summary")
    assert {row["game_date"] for table in tables for row in memory.rows(table)} == {D}
    assert one(memory, "upcoming_team_game_context", team_abbr="LAL")["game_number_in_season"] == 1
    player = one(memory, "upcoming_player_game_context", player_lookup="star")
    assert (player["games_played_season"], player["points_avg_last_5"], player["days_rest"]) == (0, None, None)


@pytest.mark.parametrize("prefix", ["002", "004", "005", "006"])
def test_regular_season_play_in_play_offs_and_cup_final_count(prefix: str) -> None:
    rows = star()
    game = rows["nba_raw.nbac_schedule"][0]
    game["game_id"] = prefix + game["game_id"][3:]
    memory = computed(rows)
    assert len(memory.rows("team_offense_game_summary")) == 2
    phase = one(memory, "upcoming_player_game_context", player_lookup="star")["season_phase"]
    assert phase == ("playoffs" if prefix in ("004", "005") else "mid")


def test_the_old_row_of_a_postponed_game_is_ignored() -> None:
    rows = star()
    game_id = rows["nba_raw.nbac_schedule"][0]["game_id"]
    rows.scheduled(january(9), "BOS", "LAL", game_id=game_id, game_status=4, home_team_score=None, away_team_score=None)
    memory = computed(rows)
    for table in ("team_offense_game_summary", "player_game_summary", "upcoming_team_game_context"):
        assert {row["game_date"] for row in memory.rows(table)} == {D}
    context = one(memory, "upcoming_team_game_context", team_abbr="LAL")
    assert (context["game_number_in_season"], context["team_back_to_back"]) == (1, False)


# Lines ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "result", "margin"), [(25.5, "OVER", "0.5"), (26.0, "PUSH", "0"), (26.5, "UNDER", "-0.5")]
)
def test_points_against_the_line(line: float, result: str, margin: str) -> None:
    row = player_of(star().prop(D, "star", line))
    assert (row["over_under_result"], row["margin"]) == (result, Decimal(margin))


def test_the_line_is_the_last_snapshot_of_the_preferred_bookmaker() -> None:
    rows = star().prop(D, "star", 20.5, "betmgm", 20).prop(D, "star", 24.5, "fanduel", 20)
    rows.prop(D, "star", 23.5, "draftkings", 9).prop(D, "star", 25.5, "draftkings", 18)
    row = player_of(rows)
    assert (row["points_line"], row["opening_line"], row["line_movement"]) == (Decimal("25.5"), Decimal("23.5"), 2)
    assert row["points_line_source"] == "odds_api"


def test_the_second_source_of_lines_is_read_only_without_the_first() -> None:
    offer = {"game_date": D, "player_lookup": "star", "bookmaker": "x", "points_line": 22.5, "opening_line": 21.5}
    rows = star().add("bettingpros_player_points_props", **offer, is_active=True, is_best_line=False)
    rows.add("bettingpros_player_points_props", **{**offer, "points_line": 30.5}, is_active=False, is_best_line=True)
    row = player_of(rows)
    assert (row["points_line"], row["points_line_source"], row["line_movement"]) == (Decimal("22.5"), "bettingpros", 1)
    assert player_of(rows.prop(D, "star", 19.5))["points_line_source"] == "odds_api"


@pytest.mark.parametrize("openings", [(19.5, 20.5, None), (None, 20.5, 19.5)])
def test_of_two_offers_that_differ_in_their_opening_alone_the_same_one_counts_each_time(
    openings: tuple[float | None, ...],
) -> None:
    rows, offer = star(), {"game_date": D, "player_lookup": "star", "bookmaker": "x", "points_line": 22.5}
    for opening in openings:  # the side that is bet on stands in no column
        rows.add("bettingpros_player_points_props", **offer, opening_line=opening, is_active=True, is_best_line=True)
    memory = computed(rows)
    assert player_of(rows)["line_movement"] == 2
    assert one(memory, "upcoming_player_game_context", player_lookup="star")["opening_points_line"] == Decimal("20.5")


@pytest.mark.parametrize("other", ["dnp", "DNP", None])
@pytest.mark.parametrize("first", [True, False])
def test_of_two_copies_of_a_box_row_the_one_that_is_expected_is_computed(other: str | None, first: bool) -> None:
    status = ("active", other) if first else (other, "active")
    rows = star(player_status=status[0], points=26)
    rows.player(D, "star", "LAL", player_status=status[1], points=26 if status[1] == "active" else 30)
    assert len(computed(rows).rows("player_game_summary")) == 1


@pytest.mark.parametrize("column", ["turnovers", "assists", "steals", "field_goals_attempted"])
def test_of_two_copies_of_one_load_the_same_one_counts_each_time(column: str) -> None:
    """Whatever they differ in, and however they lie in the table."""
    found = []
    for counts in ((9, 12), (12, 9)):
        rows = RawRows().game(D, "BOS", "LAL", home_box={"turnovers": 13})
        for count in counts:
            rows.player(D, "star", "LAL", **{column: count})
            rows.team_box(D, "BOS", "LAL", "LAL", turnovers=count)
        memory = computed(rows)
        team = one(memory, "team_offense_game_summary", team_abbr="LAL")
        found.append((player_of(rows)["data_hash"], team["data_hash"]))
    assert found[0] == found[1]


def test_a_spread_has_the_sign_of_the_side() -> None:
    rows = star().player(D, "guest", "BOS")
    rows.game_line(D, "BOS", "LAL", "Los Angeles Lakers", -5.5).game_line(D, "BOS", "LAL", "Boston Celtics", 5.5)
    memory = computed(rows)
    for table in ("upcoming_team_game_context", "upcoming_player_game_context"):
        assert one(memory, table, team_abbr="LAL")["game_spread"] == Decimal("-5.5")
        assert one(memory, table, team_abbr="BOS")["game_spread"] == Decimal("5.5")


def test_spread_and_total_move_from_the_first_to_the_last_snapshot_of_one_bookmaker() -> None:
    early = {"snapshot_timestamp": datetime(2024, 1, 10, 8, tzinfo=UTC)}
    rows = (
        star()
        .game_line(D, "BOS", "LAL", "Los Angeles Lakers", -4.0, **early)
        .game_line(D, "BOS", "LAL", "Over", 228.0, **early)
    )
    rows.game_line(D, "BOS", "LAL", "Los Angeles Lakers", -5.5).game_line(D, "BOS", "LAL", "Over", 230.5)
    rows.game_line(D, "BOS", "LAL", "Los Angeles Lakers", -9.0, bookmaker_key="fanduel")
    memory = computed(rows)
    home, away = (one(memory, "upcoming_team_game_context", team_abbr=team) for team in ("LAL", "BOS"))
    assert (home["spread_movement"], away["spread_movement"]) == (Decimal("-1.5"), Decimal("1.5"))
    assert (home["game_total"], home["total_movement"]) == (Decimal("230.5"), Decimal("2.5"))
    assert home["game_spread_source"] == "draftkings"


# Shot zones -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shots", "available"), [(80, True), (79, False)])
def test_zones_are_there_only_with_nine_in_ten_shots(shots: int, available: bool) -> None:
    memory = computed(star().shots(D, "LAL", shots, player_1_lookup="star"))  # of 88: 79.2 are nine in ten
    team = one(memory, "team_offense_game_summary", team_abbr="LAL")
    assert team["shot_zones_available"] is available
    assert team["points_in_paint_scored"] == (2 * shots if available else None)
    player = one(memory, "player_game_summary", player_lookup="star")
    assert player["paint_attempts"] == (shots if available else None)
    assert (
        one(memory, "team_defense_game_summary", defending_team_abbr="BOS")["opp_paint_makes"]
        == team["team_paint_makes"]
    )


def test_a_doubled_event_counts_once() -> None:
    rows = star().shots(D, "LAL", 60, player_1_lookup="star")
    rows["nba_raw.bigdataball_play_by_play"] *= 2
    assert one(computed(rows), "team_offense_game_summary", team_abbr="LAL")["shot_zones_available"] is False


def test_shots_fall_into_paint_mid_range_and_three() -> None:
    rows = star().shots(D, "LAL", 80, player_1_lookup="star", shot_distance=8.0)
    rows.shots(D, "LAL", 3, player_1_lookup="star", shot_distance=8.1, shot_made=False)
    rows.shots(D, "LAL", 2, player_1_lookup="star", shot_distance=22.0, shot_type="3PT")
    rows.shots(D, "LAL", 1, player_1_lookup="star", shot_distance=23.75, shot_type=None)
    row = player_of(rows)
    assert (row["paint_attempts"], row["mid_range_attempts"], row["mid_range_makes"]) == (80, 3, 0)


def test_assists_and_blocks_are_unknown_where_no_second_player_is_ever_named() -> None:
    row = player_of(star().shots(D, "LAL", 88, player_1_lookup="star"))
    assert row["paint_makes"] == 88
    names = (
        "assisted_fg_makes",
        "unassisted_fg_makes",
        "and1_count",
        "paint_blocks",
        "mid_range_blocks",
        "three_pt_blocks",
    )
    assert {row[name] for name in names} == {None}


def test_named_second_players_give_assists_and_blocks_with_or_without_the_numeric_prefix() -> None:
    rows = star().player(D, "wall", "BOS").shots(D, "LAL", 86, player_1_lookup="1630552star")
    rows.shots(D, "LAL", 1, player_1_lookup="star", player_2_lookup="203mate", player_2_role="assist")
    rows.shots(D, "LAL", 2, player_1_lookup="star", shot_made=False, player_2_lookup="203wall", player_2_role="block")
    rows.shots(D, "BOS", 88, player_1_lookup="wall", shot_distance=12.0)
    memory = computed(rows)
    row = one(memory, "player_game_summary", player_lookup="star")
    assert (row["assisted_fg_makes"], row["unassisted_fg_makes"], row["paint_attempts"]) == (1, 86, 89)
    assert one(memory, "player_game_summary", player_lookup="wall")["paint_blocks"] == 2
    assert one(memory, "team_defense_game_summary", defending_team_abbr="BOS")["blocks_paint"] == 2
