"""A fault for every check that is written in SQL or for many tables: planted on the pocket league, it is found by name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.lib.at_work import PLAYERS, TEAM_DEFENSE, TEAM_OFFENSE, UPCOMING_PLAYER, UPCOMING_TEAM

DEFENCE = "nba_precompute.team_defense_zone_analysis"
ZONES = "nba_precompute.player_shot_zone_analysis"
CACHE = "nba_precompute.player_daily_cache"
FACTORS = "nba_precompute.player_composite_factors"
STORE = "nba_predictions.ml_feature_store_v2"


@dataclass(frozen=True)
class Fault:
    """DuckDB statements that do the damage, and what else must go wrong with it by its nature."""

    phase: int
    sql: tuple[str, ...]
    also: frozenset[str] = frozenset()


def _one(table: str, change: str, where: str = "TRUE", phase: int = 3, also: tuple[str, ...] = ()) -> Fault:
    """Changes one row: the last that *where* holds for."""
    chosen = f"(SELECT max(rowid) FROM {table} WHERE {where})"
    return Fault(phase, (f"UPDATE {table} SET {change} WHERE rowid = {chosen}",), frozenset(also))


def _all(table: str, change: str, where: str = "TRUE", phase: int = 3, also: tuple[str, ...] = ()) -> Fault:
    return Fault(phase, (f"UPDATE {table} SET {change} WHERE {where}",), frozenset(also))


def _again(table: str, where: str, phase: int = 3, also: tuple[str, ...] = ()) -> Fault:
    return Fault(phase, (f"INSERT INTO {table} SELECT * FROM {table} WHERE {where}",), frozenset(also))


LAST_GAME = f"game_id = (SELECT max(game_id) FROM {TEAM_OFFENSE})"
RESERVE = f"""{LAST_GAME} AND player_lookup = (
  SELECT max(player_lookup) FROM {PLAYERS} WHERE {LAST_GAME} AND points <= 2 AND fg_attempts <= 2 AND minutes_played >= 7)"""
STARTER = "minutes_played > 20 AND fg_makes > 2 AND fg_attempts - fg_makes > 2"
ARRAY_AT = "list_concat(list_concat(features[1:{n}], [{value}]), features[{n} + 2:25])"

PLANTED = {
    # post-backfill, phase 3
    "keys_are_unique": _again(UPCOMING_PLAYER, f"rowid = (SELECT max(rowid) FROM {UPCOMING_PLAYER})"),
    "rows_fit_their_hash": Fault(
        3,
        (
            f"DELETE FROM runbook.receipts WHERE table_name = '{TEAM_DEFENSE}' AND day >= '2024-12-18'",
            f"""UPDATE {TEAM_DEFENSE} SET steals = steals + 1
            WHERE rowid = (SELECT max(rowid) FROM {TEAM_DEFENSE} WHERE game_date >= '2024-12-18')""",
        ),
    ),
    "no_gap_in_a_season": Fault(
        3, (f"DELETE FROM {TEAM_DEFENSE} WHERE game_date BETWEEN '2023-11-20' AND '2023-12-02'",)
    ),
    "rows_are_written_after_their_day": _one(TEAM_DEFENSE, "processed_at = '2001-01-01'"),
    "quality_is_gold_or_silver": _all(TEAM_DEFENSE, "quality_tier = 'bronze'", "season_year = 2023"),
    "two_sides_of_a_game": _one(TEAM_OFFENSE, "margin_of_victory = margin_of_victory + 1", LAST_GAME),
    "offence_is_the_other_defence": _one(TEAM_DEFENSE, "points_allowed = points_allowed + 1"),
    "player_games_are_team_games": Fault(3, (f"DELETE FROM {TEAM_OFFENSE} WHERE {LAST_GAME}",)),
    "players_of_a_team_game": Fault(
        3,
        (
            f"""DELETE FROM {PLAYERS} WHERE {LAST_GAME}
            AND team_abbr = (SELECT min(team_abbr) FROM {PLAYERS} WHERE {LAST_GAME})""",
        ),
    ),
    "player_counts_are_possible": _one(PLAYERS, "steals = -1"),
    "player_points_are_baskets": _one(
        PLAYERS, "points = points + 1, margin = margin + 1, over_under_result = NULL, ts_pct = NULL", LAST_GAME
    ),
    "team_points_are_baskets": _one(TEAM_OFFENSE, "three_pt_makes = three_pt_makes + 1"),
    "team_points_are_players_points": Fault(
        3,
        (
            f"""UPDATE {PLAYERS} SET points = points + 4, fg_makes = fg_makes + 2, fg_attempts = fg_attempts + 2, margin = NULL,
            over_under_result = NULL, ts_pct = NULL, efg_pct = NULL, usage_rate = NULL
            WHERE rowid = (SELECT max(rowid) FROM {PLAYERS} WHERE {LAST_GAME})""",
        ),
    ),
    "team_shots_are_players_shots": _one(
        PLAYERS,
        "fg_attempts = fg_attempts + 3, ts_pct = NULL, efg_pct = NULL, usage_rate = NULL",
    ),
    "shooting_rates_fit": _one(PLAYERS, "ts_pct = ts_pct + 0.01", "ts_pct > 0"),
    "zones_are_part_of_the_shots": _one(PLAYERS, "paint_attempts = paint_attempts + 40", "paint_attempts IS NOT NULL"),
    "line_results_fit": _one(PLAYERS, "over_under_result = 'PUSH'", "over_under_result = 'OVER'"),
    "minutes_fit_the_game": _one(PLAYERS, "minutes_played = 75, usage_rate = NULL"),
    "players_minutes_are_the_games": Fault(
        3, tuple(f"DELETE FROM {table} WHERE {RESERVE}" for table in (UPCOMING_PLAYER, PLAYERS))
    ),
    "usage_fits_the_team": _one(PLAYERS, "usage_rate = usage_rate + 3", STARTER),
    "players_are_of_their_team": _one(PLAYERS, "win_flag = NOT win_flag"),
    "team_game_ids_are_canonical": Fault(
        3,
        tuple(
            f"""UPDATE {table} SET game_id = concat(substr(game_id, 1, 9), split_part(game_id, '_', 3), '_', split_part(game_id, '_', 2))
            WHERE game_id = (SELECT max(game_id) FROM nba_predictions.ml_feature_store_v2)"""
            for table in (TEAM_OFFENSE, TEAM_DEFENSE, PLAYERS)
        ),
    ),
    "team_ratings_fit": _one(TEAM_OFFENSE, "offensive_rating = offensive_rating + 1"),
    "upcoming_teams_mirror": _one(UPCOMING_TEAM, "game_spread = game_spread + 1", "game_spread IS NOT NULL"),
    "back_to_back_is_no_rest": _one(UPCOMING_TEAM, "team_back_to_back = NOT team_back_to_back"),
    "player_back_to_back_is_no_rest": _one(
        UPCOMING_PLAYER, "back_to_back = NOT back_to_back", also=("store_is_the_context",)
    ),
    "rest_is_one_fact": _all(UPCOMING_PLAYER, "opponent_days_rest = 9", "game_date = '2024-12-03'"),
    "rest_is_counted": Fault(
        3,
        (
            f"""UPDATE {UPCOMING_TEAM} SET team_days_rest = team_days_rest + 1, days_since_last_game = days_since_last_game + 1
            WHERE team_days_rest > 0 AND game_date = (SELECT max(game_date) FROM {UPCOMING_TEAM} WHERE team_days_rest > 0)""",
        ),
        frozenset({"rest_is_one_fact"}),
    ),
    "team_rows_are_their_boxes": _one(TEAM_OFFENSE, "personal_fouls = personal_fouls + 1"),
    "player_rows_are_their_boxes": _one(PLAYERS, "assists = assists + 1"),
    "context_is_the_history": _one(UPCOMING_PLAYER, "points_avg_last_5 = points_avg_last_5 + 0.2", "l5_games_used = 5"),
    "team_context_is_the_history": _one(UPCOMING_TEAM, "team_win_streak_entering = team_win_streak_entering + 1"),
    "players_meet_their_teams": _one(UPCOMING_PLAYER, "current_points_line_source = 'another'"),
    # features, phase 3
    "feature_coverage": _all(
        PLAYERS, "minutes_played = NULL", "season_year = 2023 AND hash(player_lookup, game_id) % 50 = 0"
    ),
    "feature_coverage_wished": _all(UPCOMING_TEAM, "game_spread = NULL", "season_year = 2023"),
    "feature_varies": _all(TEAM_DEFENSE, "turnovers_forced = 12", "season_year = 2023"),
    "feature_regression": _all(PLAYERS, "paint_attempts = NULL", "season_year = 2024 AND rowid % 7 = 0"),
    "feature_degradation": _all(PLAYERS, "paint_attempts = NULL", "season_year = 2024 AND rowid % 14 = 0"),
    # phase 4
    "defaults_share": _all(STORE, "data_source = 'mixed'", "season_year = 2023", 4),
    "fatigue_is_a_score": _one(
        FACTORS,
        "fatigue_score = 105, total_composite_adjustment = total_composite_adjustment + (105 - fatigue_score) / 20",
        phase=4,
        also=("store_is_the_factors",),
    ),
    "features_are_25": _one(STORE, "feature_names = feature_names[1:24]", phase=4),
    "features_vary": _all(STORE, f"features = {ARRAY_AT.format(n=12, value=0.5)}", "season_year = 2023", 4),
    "season_average_is_before_the_game": _one(CACHE, "points_avg_season = points_avg_season + 0.2", phase=4),
    "store_is_the_cache": _one(CACHE, "points_avg_last_5 = points_avg_last_5 + 1", phase=4),
    "store_is_the_context": _one(STORE, "days_rest = days_rest + 1", "days_rest < 5", 4),
    "store_is_the_defence": _all(
        DEFENCE,
        "defensive_rating_last_15 = defensive_rating_last_15 + 1",
        f"analysis_date = (SELECT max(game_date) FROM {STORE})",
        4,
    ),
    "store_is_the_factors": _one(STORE, "pace_score = pace_score + 0.1", phase=4),
    "team_record_is_real": _all(
        STORE, "default_features = list_append(default_features, 'team_win_pct')", "game_date = '2024-12-03'", 4
    ),
    "total_is_the_sum": _one(FACTORS, "total_composite_adjustment = total_composite_adjustment + 1", phase=4),
    "trend_points_upward": Fault(
        4,
        (
            f"""UPDATE {STORE} SET features = list_concat(list_concat(features[1:11], [-features[12]]), features[13:25])""",
        ),
    ),
    "zone_rates_add_up": _one(ZONES, "paint_rate_last_10 = paint_rate_last_10 + 1", phase=4),
    "defence_of_its_games": _one(DEFENCE, "games_in_sample = 16", phase=4),
    "cache_is_the_history": _one(CACHE, "ts_pct_last_10 = NULL", "ts_pct_last_10 > 0", 4),
    "cache_is_the_context": _one(CACHE, "games_in_last_14_days = games_in_last_14_days + 1", phase=4),
    "store_is_the_zones": _one(STORE, "mid_range_rate_last_10 = mid_range_rate_last_10 + 1", phase=4),
    "factors_fit_their_context": _one(FACTORS, "data_completeness_pct = 55", phase=4),
    "factors_are_of_the_context": _one(FACTORS, "star_teammates_out = 3", "usage_spike_score <= 0", 4),
    "zones_are_the_history": _one(
        ZONES, "paint_attempts_per_game = paint_attempts_per_game + 1", "games_in_sample_10 = 10", 4
    ),
    "defence_is_the_history": _one(DEFENCE, "opponent_points_per_game = NULL", "games_in_sample = 15", 4),
}

# what is derived from what the fault changes is derived no longer
FOLLOWS = {
    "no_gap_in_a_season": {"defence_is_the_history"},
    "two_sides_of_a_game": {"offence_is_the_other_defence"},
    "offence_is_the_other_defence": {"defence_is_the_history"},
    "player_counts_are_possible": {"player_rows_are_their_boxes"},
    "player_points_are_baskets": {"line_results_fit", "player_rows_are_their_boxes", "shooting_rates_fit"},
    "team_points_are_baskets": {"offence_is_the_other_defence", "team_rows_are_their_boxes"},
    "team_points_are_players_points": {"line_results_fit", "player_rows_are_their_boxes", "shooting_rates_fit", "usage_fits_the_team"},
    "team_shots_are_players_shots": {"cache_is_the_history", "context_is_the_history", "player_rows_are_their_boxes", "shooting_rates_fit", "usage_fits_the_team"},
    "shooting_rates_fit": {"cache_is_the_history"},
    "zones_are_part_of_the_shots": {"zones_are_the_history"},
    "minutes_fit_the_game": {"cache_is_the_history", "context_is_the_history", "players_minutes_are_the_games", "usage_fits_the_team"},
    "rest_is_one_fact": {"store_is_the_context"},
    "usage_fits_the_team": {"cache_is_the_history", "context_is_the_history"},
    "team_game_ids_are_canonical": {"players_meet_their_teams"},
    "team_ratings_fit": {"offence_is_the_other_defence"},
    "upcoming_teams_mirror": {"players_meet_their_teams"},
    "player_back_to_back_is_no_rest": {"factors_are_of_the_context"},
    "feature_coverage": {"cache_is_the_history", "context_is_the_history"},
    "feature_coverage_wished": {"players_meet_their_teams"},
    "feature_varies": {"offence_is_the_other_defence"},
    "feature_regression": {"zones_are_the_history"},
    "feature_degradation": {"zones_are_the_history"},
    "fatigue_is_a_score": {"factors_are_of_the_context"},
    "season_average_is_before_the_game": {"store_is_the_cache"},
    "defence_of_its_games": {"defence_is_the_history"},
    "store_is_the_cache": {"cache_is_the_history"},
    "store_is_the_defence": {"defence_is_the_history"},
    "store_is_the_factors": {"features_are_25"},
    "store_is_the_zones": {"features_are_25"},
    "zone_rates_add_up": {"cache_is_the_context", "store_is_the_zones", "zones_are_the_history"},
}  # fmt: skip
FAULTS = {name: replace(fault, also=fault.also | FOLLOWS.get(name, set())) for name, fault in PLANTED.items()}
