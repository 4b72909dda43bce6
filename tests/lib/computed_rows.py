"""Rows of computed tables, written by hand: what a test does not name is 0, empty or FALSE where a value is required."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, Self

from lib.registry import registry
from tests.lib.memory import Memory, bounds
from tests.lib.raw_rows import RawRows

D = date(2024, 1, 10)
START = date(2023, 10, 24)
REQUIRED: dict[str, Any] = {
    "STRING": "",
    "INT64": 0,
    "BOOL": False,
    "NUMERIC": 0,
    "DATE": D,
    "TIMESTAMP": datetime(2024, 1, 11, tzinfo=UTC),
}


class ComputedRows(dict[str, list[dict[str, Any]]]):
    """Rows by table for one prepared date, D: a game of BOS at LAL is due."""

    def __init__(self) -> None:
        super().__init__(RawRows().scheduled(D, "BOS", "LAL"))

    def add(self, name: str, **values: Any) -> Self:
        """One row of the registered table *name*, with or without its dataset."""
        table = registry().table(name)
        required = {c.name: REQUIRED[c.base_type] for c in table.contract.columns if c.required}
        season = {"season_year": 2023} if "season_year" in table.contract.column_names else {}
        self.setdefault(table.name, []).append({**required, **season, **values})
        return self

    def upcoming(self, **values: Any) -> Self:
        """The star of LAL in upcoming_player_game_context on D: 40 games played, rested, nothing special."""
        row = {
            "player_lookup": "star",
            "universal_player_id": "star",
            "game_id": "20240110_BOS_LAL",
            "game_date": D,
            "team_abbr": "LAL",
            "opponent_team_abbr": "BOS",
            "home_game": True,
            "days_rest": 1,
            "opponent_days_rest": 1,
            "games_played_season": 40,
            "season_phase": "mid",
            "pace_differential": 0,
            "projected_usage_rate": 25,
            "avg_usage_rate_last_7_games": 25,
        }
        return self.add("upcoming_player_game_context", **{**row, **values})

    def shot_zones(self, **values: Any) -> Self:
        """The star in player_shot_zone_analysis on D."""
        row = {"player_lookup": "star", "primary_scoring_zone": "paint", "paint_rate_last_10": 40}
        rates = {"mid_range_rate_last_10": 25, "three_pt_rate_last_10": 35, "assisted_rate_last_10": 55}
        return self.add("player_shot_zone_analysis", **{**row, **rates, **values})

    def defence(self, **values: Any) -> Self:
        """BOS in team_defense_zone_analysis on D."""
        gaps = {f"{zone}_defense_vs_league_avg": 0 for zone in ("paint", "mid_range", "three_pt")}
        row = {"team_abbr": "BOS", "defensive_rating_last_15": 110.5, "opponent_pace": 99.5}
        return self.add("team_defense_zone_analysis", **{**row, **gaps, **values})

    def played(self, day: date, points: int = 20, **values: Any) -> Self:
        """A game of the star in player_game_summary."""
        row = {
            "player_lookup": "star",
            "game_id": f"{day:%Y%m%d}_BOS_LAL",
            "game_date": day,
            "team_abbr": "LAL",
            "points": points,
        }
        return self.add("player_game_summary", **{**row, **values})

    def team_game(self, day: date, won: bool = True, **values: Any) -> Self:
        """A game of LAL in team_offense_game_summary."""
        row = {"team_abbr": "LAL", "game_id": f"{day:%Y%m%d}_BOS_LAL", "game_date": day, "win_flag": won}
        return self.add("team_offense_game_summary", **{**row, **values})

    def defended(self, day: date, **values: Any) -> Self:
        """A game of BOS in team_defense_game_summary, and in the schedule."""
        row = {"defending_team_abbr": "BOS", "game_id": f"{day:%Y%m%d}_BOS_LAL", "game_date": day}
        self["nba_raw.nbac_schedule"] += RawRows().scheduled(day, "BOS", "LAL")["nba_raw.nbac_schedule"]
        return self.add("team_defense_game_summary", **{**row, **values})

    def select(self, name: str, minimum_games: int = 0, day: date = D) -> list[dict[str, Any]]:
        """What the SELECT of table *name* gives for *day* from these rows."""
        parameters = bounds([day], START) | {"minimum_games": minimum_games}
        return Memory(self).select(registry().table(name).name, parameters)

    def one(self, name: str, **where: Any) -> dict[str, Any]:
        """The only row of table *name* on D with these values."""
        found = [row for row in self.select(name) if all(row[key] == value for key, value in where.items())]
        assert len(found) == 1, found
        return found[0]
