"""The names of the features, in the order that models are told them."""

from __future__ import annotations

BASELINE_25 = (
    "points_avg_last_5", "points_avg_last_10", "points_avg_season", "points_std_last_10", "games_in_last_7_days",
    "fatigue_score", "shot_zone_mismatch_score", "pace_score", "usage_spike_score", "rest_advantage", "injury_risk",
    "recent_trend", "minutes_change", "opponent_def_rating", "opponent_pace", "home_away", "back_to_back",
    "playoff_game", "pct_paint", "pct_mid_range", "pct_three", "pct_free_throw", "team_pace", "team_off_rating",
    "team_win_pct",
)  # fmt: skip

TRAINING_21 = (
    "points_avg_last_5", "points_avg_last_10", "points_avg_season", "points_std_last_10", "minutes_avg_last_10",
    "fatigue_score", "shot_zone_mismatch_score", "pace_score", "usage_spike_score", "opponent_def_rating_last_15",
    "opponent_pace_last_15", "is_home", "days_rest", "back_to_back", "paint_rate_last_10", "mid_range_rate_last_10",
    "three_pt_rate_last_10", "assisted_rate_last_10", "team_pace_last_10", "team_off_rating_last_10",
    "usage_rate_last_10",
)  # fmt: skip

ALL_FEATURES = tuple(dict.fromkeys((*BASELINE_25, *TRAINING_21)))
