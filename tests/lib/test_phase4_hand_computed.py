"""Phase 4 against figures computed by hand: a few rows of Phase 3 through the real SELECTs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from lib.features import BASELINE_25, TRAINING_21
from lib.registry import registry
from tests.lib.computed_rows import START, ComputedRows, D

FACTORS, STORE = "player_composite_factors", "ml_feature_store_v2"


def before(days: int) -> date:
    return D - timedelta(days=days)


def factors(**upcoming: Any) -> dict[str, Any]:
    return ComputedRows().upcoming(**upcoming).shot_zones().defence().one(FACTORS)


def store(points: Sequence[int], **upcoming: Any) -> dict[str, Any]:
    """The store's row of a player with these points in his last games, oldest first, and no row of Phase 4."""
    rows = ComputedRows().upcoming(**upcoming)
    for age, scored in enumerate(reversed(points), start=1):
        rows.played(before(2 * age), scored, minutes_played=30, ft_makes=4)
    return rows.one(STORE)


def feature(row: dict[str, Any], name: str) -> float:
    return float(row["features"][BASELINE_25.index(name)])


# --- fatigue


def test_a_worn_out_player_loses_15_10_8_and_12_points() -> None:
    # appendix B says 50 with 5 more for his 31 years; no source tells an age
    row = factors(
        back_to_back=True, days_rest=0, games_in_last_7_days=4, minutes_in_last_7_days=150,
        avg_minutes_per_game_last_7=37.5, back_to_backs_last_14_days=2,
    )  # fmt: skip
    assert row["fatigue_score"] == 55
    assert row["total_composite_adjustment"] == Decimal("-2.25")


def test_three_days_of_rest_do_not_lift_the_score_above_100() -> None:
    row = factors(days_rest=3)
    assert (row["fatigue_score"], row["total_composite_adjustment"]) == (100, 0)


@pytest.mark.parametrize(
    ("upcoming", "score"),
    [
        ({"minutes_in_last_7_days": 240}, 100),
        ({"minutes_in_last_7_days": 240.1}, 90),
        ({"games_in_last_7_days": 3}, 100),
        ({"avg_minutes_per_game_last_7": 35}, 100),
        ({"avg_minutes_per_game_last_7": 35.1}, 92),
        ({"back_to_backs_last_14_days": 1}, 95),
        ({"back_to_backs_last_14_days": 1, "days_rest": 3}, 100),
        ({"days_rest": None}, 100),
    ],
)
def test_fatigue_begins_beyond_its_thresholds(upcoming: dict[str, Any], score: int) -> None:
    assert factors(**upcoming)["fatigue_score"] == score


# --- shot zone mismatch


@pytest.mark.parametrize(
    ("rate", "weakness", "score"),
    [(40, 6, "4.8"), (40, 8, "7.7"), (70, 4, "4.0"), (50, -6, "-7.2"), (60, 12, "10.0"), (60, -12, "-10.0")],
)
def test_mismatch_weighs_the_defence_by_the_players_share(rate: float, weakness: float, score: str) -> None:
    rows = ComputedRows().upcoming().shot_zones(paint_rate_last_10=rate).defence(paint_defense_vs_league_avg=weakness)
    assert rows.one(FACTORS)["shot_zone_mismatch_score"] == Decimal(score)


def test_mismatch_looks_at_the_players_own_zone() -> None:
    rows = ComputedRows().upcoming().shot_zones(primary_scoring_zone="perimeter", three_pt_rate_last_10=50)
    row = rows.defence(three_pt_defense_vs_league_avg=3, paint_defense_vs_league_avg=-9).one(FACTORS)
    assert (row["player_zone"], row["shot_zone_mismatch_score"]) == ("perimeter", 3)


@pytest.mark.parametrize("missing", ["player_shot_zone", "team_defense_zone"])
def test_mismatch_is_0_and_marked_where_one_side_is_unknown(missing: str) -> None:
    rows = ComputedRows().upcoming()
    row = (rows.defence() if missing == "player_shot_zone" else rows.shot_zones()).one(FACTORS)
    assert row["shot_zone_mismatch_score"] == 0
    assert (row["missing_data_fields"], row["data_completeness_pct"]) == ([missing], 80)


# --- pace, usage, total


@pytest.mark.parametrize(
    ("differential", "score"), [(4.4, "2.2"), (0.3, "0.2"), (9, "3.0"), (-9, "-3.0"), (None, "0.0")]
)
def test_pace_is_half_the_differential_and_at_most_3(differential: float | None, score: str) -> None:
    assert factors(pace_differential=differential)["pace_score"] == Decimal(score)


@pytest.mark.parametrize(
    ("projected", "recent", "stars", "score"),
    [
        (28, 22, 0, "1.8"),
        (28, 22, 1, "2.1"),
        (28, 22, 2, "2.3"),
        (22, 28, 2, "-1.8"),
        (40, 20, 0, "3.0"),
        (28, 0, 0, "0.0"),
        (None, None, 0, "0.0"),
    ],
)
def test_usage_spike_grows_with_star_teammates_out(
    projected: float | None, recent: float | None, stars: int, score: str
) -> None:
    row = factors(projected_usage_rate=projected, avg_usage_rate_last_7_games=recent, star_teammates_out=stars)
    assert row["usage_spike_score"] == Decimal(score)


def test_the_total_is_the_sum_of_its_four_parts() -> None:
    rows = ComputedRows().upcoming(
        back_to_back=True, days_rest=0, pace_differential=3, projected_usage_rate=28, avg_usage_rate_last_7_games=22
    )
    row = rows.shot_zones().defence(paint_defense_vs_league_avg=6).one(FACTORS)
    assert row["total_composite_adjustment"] == Decimal("-0.75") + Decimal("4.8") + Decimal("1.5") + Decimal("1.8")
    assert not row["has_warnings"]


# --- shot zones


def test_zone_rates_count_only_games_that_have_zones() -> None:
    rows = ComputedRows().upcoming()
    zones = {"shot_zones_available": True, "paint_attempts": 4, "paint_makes": 3, "mid_range_attempts": 1}
    rows.played(before(2), three_pt_attempts=5, three_pt_makes=2, mid_range_makes=0, **zones)
    rows.played(before(4), three_pt_attempts=10, three_pt_makes=0)
    row = rows.one("player_shot_zone_analysis")
    assert [row[f"{zone}_rate_last_10"] for zone in ("paint", "mid_range", "three_pt")] == [40, 10, 50]
    assert (row["three_pt_pct_last_10"], row["total_shots_last_10"]) == (Decimal("0.4"), 10)
    assert (row["games_in_sample_10"], row["primary_scoring_zone"]) == (1, "paint")


def test_assisted_and_unassisted_add_up_to_100_percent() -> None:
    zones = {"shot_zones_available": True, "paint_attempts": 4, "paint_makes": 3, "mid_range_attempts": 1}
    rows = ComputedRows().upcoming().played(before(2), assisted_fg_makes=2, unassisted_fg_makes=1, **zones)
    row = rows.one("player_shot_zone_analysis")
    assert (row["assisted_rate_last_10"], row["unassisted_rate_last_10"]) == (Decimal("66.67"), Decimal("33.33"))


def test_only_the_last_10_games_of_the_season_count() -> None:
    rows = ComputedRows().upcoming().played(before(200), season_year=2022)
    for age in range(1, 13):
        zones = {"shot_zones_available": True, "mid_range_attempts": 0, "mid_range_makes": 0, "three_pt_attempts": 1}
        rows.played(before(2 * age), paint_attempts=1 if age <= 10 else 9, paint_makes=1, **zones)
    row = rows.one("player_shot_zone_analysis")
    assert (row["paint_rate_last_10"], row["total_shots_last_10"], row["games_in_sample_20"]) == (50, 20, 12)
    assert row["paint_rate_last_20"] is None


# --- team defence


def test_defence_is_its_last_15_games_before_the_date() -> None:
    rows = ComputedRows().defended(D, points_allowed=999, defensive_rating=200)
    for age in range(1, 18):
        points = 100 + age if age <= 15 else 500
        rows.defended(before(2 * age), points_allowed=points, defensive_rating=110, opponent_pace=100)
    row = next(r for r in rows.select("team_defense_zone_analysis", minimum_games=15) if r["team_abbr"] == "BOS")
    assert (row["opponent_points_per_game"], row["games_in_sample"]) == (108, 15)
    assert (row["defensive_rating_last_15"], row["opponent_pace"]) == (110, 100)


def test_defence_is_compared_with_a_fixed_league_where_fewer_than_10_teams_are_known() -> None:
    zones = {
        "shot_zones_available": True, "opp_paint_attempts": 50, "opp_paint_makes": 32, "opp_mid_range_attempts": 20,
        "opp_mid_range_makes": 7, "opp_three_pt_attempts": 40, "opp_three_pt_makes": 15, "points_in_paint_allowed": 64,
    }  # fmt: skip
    rows = (
        ComputedRows().defended(before(2), **zones).defended(before(4), opp_three_pt_attempts=40, opp_three_pt_makes=40)
    )
    row = next(r for r in rows.select("team_defense_zone_analysis", minimum_games=2) if r["team_abbr"] == "BOS")
    assert row["paint_pct_allowed_last_15"] == Decimal("0.64")
    assert row["paint_defense_vs_league_avg"] == 6
    assert row["mid_range_defense_vs_league_avg"] == -6
    assert row["three_pt_defense_vs_league_avg"] == 2
    assert (row["strongest_zone"], row["weakest_zone"]) == ("mid_range", "paint")
    assert (row["games_with_zones"], row["paint_points_allowed_per_game"]) == (1, 64)


def test_a_team_has_no_row_before_its_15th_game() -> None:
    rows = ComputedRows()
    for age in range(1, 15):
        rows.defended(before(2 * age))
    assert rows.select("team_defense_zone_analysis", minimum_games=15) == []


# --- daily cache


def test_form_is_the_mean_and_the_sample_deviation_of_the_last_games() -> None:
    rows = ComputedRows().upcoming(games_played_season=6).played(D, 99)
    for age, points in enumerate((18, 16, 14, 12, 10, 40), start=1):
        rows.played(before(2 * age), points, minutes_played=30 + age, usage_rate=20 + age, ts_pct=0.5)
    row = rows.one("player_daily_cache")
    assert (row["points_avg_last_5"], row["points_avg_last_10"]) == (14, Decimal("18.3"))
    assert row["points_std_last_10"] == Decimal("10.98")  # the root of (6 x 2620 - 110 x 110) / 30
    assert (row["minutes_avg_last_10"], row["usage_rate_last_10"]) == (Decimal("33.5"), Decimal("23.5"))
    assert row["early_season_flag"]


def test_team_form_does_not_reach_into_the_last_season() -> None:
    rows = ComputedRows().upcoming().played(before(2)).team_game(D, pace=200, offensive_rating=200)
    rows.team_game(before(2), pace=98, offensive_rating=110).team_game(before(4), pace=99, offensive_rating=113)
    row = rows.team_game(before(220), pace=150, season_year=2022).one("player_daily_cache")
    assert (row["team_pace_last_10"], row["team_off_rating_last_10"]) == (Decimal("98.5"), Decimal("111.5"))


def test_assisted_rate_is_percent_in_both_tables() -> None:
    row = ComputedRows().upcoming().played(before(2)).shot_zones(assisted_rate_last_10=55).one("player_daily_cache")
    assert row["assisted_rate_last_10"] == 55
    assert row["shot_zone_data_available"]


# --- feature store


def complete() -> ComputedRows:
    """A player of whom everything is known."""
    rows = ComputedRows().upcoming().shot_zones().defence()
    rows.add(
        "player_daily_cache", player_lookup="star", cache_date=D, points_avg_last_5=21.4, points_avg_last_10=20.1,
        points_avg_season=19.8, points_std_last_10=6.25, minutes_avg_last_10=33.3, usage_rate_last_10=27.5,
        games_in_last_7_days=3, team_pace_last_10=101.2, team_off_rating_last_10=114.25,
    )  # fmt: skip
    scores = {"fatigue_score": 85, "shot_zone_mismatch_score": 1.5, "pace_score": 0.5, "usage_spike_score": -0.3}
    context = {"player_zone": "paint", "opponent_zone_defense": 2, "pace_differential": 1, "projected_usage_rate": 24}
    rows.add(FACTORS, player_lookup="star", avg_usage_rate_last_7_games=25, **scores, **context)
    for age in range(1, 7):
        rows.played(before(2 * age), 20, minutes_played=30, ft_makes=5).team_game(before(2 * age), won=age <= 4)
    return rows


def test_quality_is_97_where_everything_is_known() -> None:
    row = complete().one(STORE)
    assert row["feature_quality_score"] == 97
    assert (row["default_features"], row["data_source"]) == ([], "phase4")


def test_quality_is_58_6_where_phase_4_knows_nothing() -> None:
    rows = ComputedRows().upcoming()
    for age in range(1, 7):
        rows.played(before(2 * age), 20, minutes_played=30, ft_makes=5).team_game(before(2 * age))
    row = rows.one(STORE)
    assert row["feature_quality_score"] == Decimal("58.6")
    assert (row["data_source"], row["quality_tier"]) == ("mixed", "bronze")


def test_features_stand_in_the_order_of_their_names() -> None:
    row = complete().one(STORE)
    assert tuple(row["feature_names"]) == BASELINE_25
    assert row["features"] == [
        21.4, 20.1, 19.8, 6.25, 3, 85, 1.5, 0.5, -0.3, 0, 0, 0, 0, 110.5, 99.5, 1, 0, 0,
        0.4, 0.25, 0.35, 0.25, 101.2, 114.25, 0.666666667,
    ]  # fmt: skip


def test_the_21_training_features_are_columns_that_always_hold_a_value() -> None:
    contract = registry().table(STORE).contract
    assert [name for name in contract.column_names if name in TRAINING_21] == list(TRAINING_21)
    assert all(contract.column(name).required for name in TRAINING_21)


def test_a_name_of_both_lists_is_one_value() -> None:
    row = complete().one(STORE)
    both = [name for name in BASELINE_25 if name in TRAINING_21]
    assert [feature(row, name) for name in both] == [float(row[name]) for name in both]


@pytest.mark.parametrize(
    ("points", "trend"),
    [
        ((10, 10, 10, 15, 15), 2),
        ((15, 15, 15, 10, 10), -2),
        ((10, 10, 10, 12, 12), 1),
        ((12, 12, 12, 10, 10), -1),
        ((10, 10, 10, 11, 12), 0),
        ((50, 10, 10, 10, 15, 15), 2),
    ],
)
def test_a_rising_player_has_a_positive_trend(points: Sequence[int], trend: int) -> None:
    assert feature(store(points), "recent_trend") == trend


def test_a_trend_of_four_games_is_a_default() -> None:
    row = store((10, 10, 30, 30))
    assert feature(row, "recent_trend") == 0
    assert "recent_trend" in row["default_features"]


@pytest.mark.parametrize(("own", "other", "advantage"), [(0, 3, -2), (1, 0, 1), (5, 1, 2), (1, None, 0)])
def test_rest_advantage_is_against_the_opponents_rest(own: int, other: int | None, advantage: int) -> None:
    assert feature(store((20,), days_rest=own, opponent_days_rest=other), "rest_advantage") == advantage


@pytest.mark.parametrize(("games", "share"), [(5, 0.6), (4, 0.5)])
def test_team_win_pct_is_real_from_the_fifth_game(games: int, share: float) -> None:
    rows = ComputedRows().upcoming().team_game(D, won=False)
    for age in range(1, games + 1):
        rows.team_game(before(2 * age), won=age <= 3)
    row = rows.one(STORE)
    assert feature(row, "team_win_pct") == share
    assert ("team_win_pct" in row["default_features"]) == (games < 5)


def test_free_throws_are_a_share_of_points_and_at_most_half() -> None:
    assert feature(store((20,) * 5), "pct_free_throw") == 0.2
    assert feature(store((6,) * 5), "pct_free_throw") == 0.5


def test_minutes_change_compares_ten_games_with_the_season() -> None:
    rows = ComputedRows().upcoming()
    for age in range(1, 21):
        rows.played(before(2 * age), minutes_played=36 if age <= 10 else 20)
    assert feature(rows.one(STORE), "minutes_change") == 2


def test_a_thin_player_gets_defaults_each_of_them_named() -> None:
    row = store((), days_rest=None, games_played_season=0, projected_usage_rate=None, avg_usage_rate_last_7_games=None)
    assert (row["points_avg_last_5"], row["points_std_last_10"], row["usage_rate_last_10"]) == (10, 5, 25)
    assert (row["days_rest"], row["fatigue_score"], row["assisted_rate_last_10"]) == (2, 50, 60)
    known = set(BASELINE_25 + TRAINING_21) - set(row["default_features"])
    assert known == {"injury_risk", "home_away", "back_to_back", "playoff_game", "is_home"}


@pytest.mark.parametrize(("status", "risk"), [(None, 0), ("probable", 1), ("questionable", 2), ("out", 3)])
def test_injury_risk_grows_with_the_report(status: str | None, risk: int) -> None:
    assert feature(store((20,), player_status=status), "injury_risk") == risk


# --- where the tables begin


@pytest.mark.parametrize("name", [FACTORS, STORE, "player_daily_cache", "player_shot_zone_analysis"])
def test_nothing_is_written_on_a_bootstrap_date(name: str) -> None:
    for days, rows_written in ((13, 0), (14, 1)):
        day = START + timedelta(days=days)
        rows = ComputedRows().upcoming(game_date=day, game_id=f"{day:%Y%m%d}_BOS_LAL")
        rows["nba_raw.nbac_schedule"][0]["game_date"] = day
        assert len(rows.select(name, day=day)) == rows_written


@pytest.mark.parametrize("name", [FACTORS, STORE, "player_daily_cache", "player_shot_zone_analysis"])
def test_nothing_is_written_on_a_date_with_a_game_nobody_is_known_of(name: str) -> None:
    rows = ComputedRows().upcoming()
    rows["nba_raw.nbac_schedule"].append(
        rows["nba_raw.nbac_schedule"][0] | {"game_id": "0022399999", "home_team_tricode": "MIA"}
    )
    assert rows.select(name) == []
