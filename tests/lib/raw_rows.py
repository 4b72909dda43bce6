"""Raw rows of a made-up league, built by hand: ``RawRows().game(...).player(...).line(...)``."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime
from typing import Any, Self

LOADED = datetime(2024, 6, 30, tzinfo=UTC)
# the team of appendix B: 100.68 possessions
TEAM: dict[str, Any] = {
    "minutes": "240:00",
    "points": 112,
    "fg_made": 41,
    "fg_attempted": 88,
    "three_pt_made": 12,
    "three_pt_attempted": 35,
    "ft_made": 18,
    "ft_attempted": 22,
    "offensive_rebounds": 10,
    "defensive_rebounds": 33,
    "total_rebounds": 43,
    "assists": 25,
    "steals": 7,
    "blocks": 5,
    "turnovers": 13,
    "personal_fouls": 19,
}
# the player of appendix B: 25.64 possessions used
PLAYER: dict[str, Any] = {
    "minutes": "36:00",
    "points": 26,
    "field_goals_made": 9,
    "field_goals_attempted": 20,
    "three_pointers_made": 3,
    "three_pointers_attempted": 8,
    "free_throws_made": 5,
    "free_throws_attempted": 6,
    "offensive_rebounds": 1,
    "defensive_rebounds": 6,
    "assists": 7,
    "steals": 2,
    "blocks": 1,
    "turnovers": 3,
    "personal_fouls": 2,
}


class RawRows(dict[str, list[dict[str, Any]]]):
    """Raw rows by table name; every method adds rows and returns the builder."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str, int] = defaultdict(int)

    def add(self, table: str, **values: Any) -> Self:
        """One row of ``nba_raw.<table>``, or of the named dataset."""
        self.setdefault(table if "." in table else f"nba_raw.{table}", []).append(values)
        return self

    def scheduled(self, day: date, away: str, home: str, **changes: Any) -> Self:
        """A final regular-season game in the schedule, 105 to 112 for the home side."""
        values: dict[str, Any] = {
            "game_id": self._next_id(day),
            "game_date": day,
            "season_year": season_of(day),
            "home_team_tricode": home,
            "away_team_tricode": away,
            "game_status": 3,
            "home_team_score": 112,
            "away_team_score": 105,
            "processed_at": LOADED,
        }
        return self.add("nbac_schedule", **{**values, **changes})

    def game(
        self, day: date, away: str, home: str, home_box: Any = None, away_box: Any = None, **schedule: Any
    ) -> Self:
        """A scheduled game with both team boxes: those of appendix B, changed as told; the visitors score 105."""
        self.scheduled(day, away, home, **schedule)
        self.team_box(day, away, home, home, **(home_box or {}))
        return self.team_box(day, away, home, away, **{"points": 105, **(away_box or {})})

    def team_box(self, day: date, away: str, home: str, team: str, **changes: Any) -> Self:
        """One side's team box."""
        values = {
            "game_id": f"{day:%Y%m%d}_{away}_{home}",
            "team_abbr": team,
            "game_date": day,
            "season_year": season_of(day),
            "is_home": team == home,
            "processed_at": LOADED,
        }
        return self.add("nbac_team_boxscore", **{**values, **TEAM, **changes})

    def player(self, day: date, player: str, team: str, game: str = "BOS_LAL", **changes: Any) -> Self:
        """A gamebook row of a player who played; *game* is ``AWAY_HOME``."""
        values = {
            "game_id": f"{day:%Y%m%d}_{game}",
            "player_lookup": player,
            "player_name": player.title(),
            "game_date": day,
            "season_year": season_of(day),
            "team_abbr": team,
            "player_status": "active",
            "plus_minus": 4,
            "total_rebounds": 7,
            "processed_at": LOADED,
        }
        return self.add("nbac_gamebook_player_stats", **{**values, **PLAYER, **changes})

    def second_source(self, day: date, player: str, team: str, game: str = "BOS_LAL", **changes: Any) -> Self:
        """A row of the second source of player boxes."""
        values = {
            "game_id": f"{day:%Y%m%d}_{game}",
            "player_lookup": player,
            "player_full_name": player.title(),
            "game_date": day,
            "team_abbr": team,
            "rebounds": 7,
            "processed_at": LOADED,
        }
        return self.add("bdl_player_boxscores", **{**values, **PLAYER, **changes})

    def shots(self, day: date, team: str, count: int, game: str = "BOS_LAL", **changes: Any) -> Self:
        """*count* equal events of one team: made shots from 4 feet, unless told otherwise."""
        away, home = game.split("_")
        for _ in range(count):
            self._numbers["event"] += 1
            values: dict[str, Any] = {
                "event_id": f"e{self._numbers['event']}",
                "game_id": f"{day:%Y%m%d}_{game}",
                "game_date": day,
                "home_team_abbr": home,
                "away_team_abbr": away,
                "event_type": "shot",
                "event_subtype": "layup",
                "player_1_lookup": "shooter",
                "player_1_team_abbr": team,
                "shot_made": True,
                "shot_type": "2PT",
                "shot_distance": 4.0,
            }
            self.add("bigdataball_play_by_play", **{**values, **changes})
        return self

    def prop(self, day: date, player: str, line: float, bookmaker: str = "draftkings", hour: int = 12) -> Self:
        """A points line of the first source, read at *hour* UTC."""
        return self.add(
            "odds_api_player_points_props",
            game_date=day,
            player_lookup=player,
            bookmaker=bookmaker,
            points_line=line,
            snapshot_timestamp=datetime(day.year, day.month, day.day, hour, tzinfo=UTC),
        )

    def game_line(self, day: date, away: str, home: str, outcome: str, point: float, **changes: Any) -> Self:
        """A total (*outcome* ``Over``) or a spread (*outcome* a full team name)."""
        values = {
            "game_date": day,
            "home_team_abbr": home,
            "away_team_abbr": away,
            "bookmaker_key": "draftkings",
            "market_key": "totals" if outcome in ("Over", "Under") else "spreads",
            "outcome_name": outcome,
            "outcome_point": point,
            "snapshot_timestamp": datetime(day.year, day.month, day.day, 12, tzinfo=UTC),
        }
        return self.add("odds_api_game_lines", **{**values, **changes})

    def injury(self, day: date, player: str, team: str, status: str, hour: int = 12, **changes: Any) -> Self:
        """A line of the injury report of the day of the game."""
        values = {
            "report_date": day,
            "report_hour": hour,
            "game_date": day,
            "team": team,
            "player_lookup": player,
            "injury_status": status,
            "confidence_score": 0.95,
        }
        return self.add("nbac_injury_report", **{**values, **changes})

    def distance(self, start: str, end: str, miles: int) -> Self:
        """Miles between two arenas, both ways."""
        self.add("nba_static.travel_distances", from_team=start, to_team=end, distance_miles=miles)
        return self.add("nba_static.travel_distances", from_team=end, to_team=start, distance_miles=miles)

    def _next_id(self, day: date) -> str:
        self._numbers["game"] += 1
        return f"002{season_of(day) % 100:02d}{self._numbers['game']:05d}"


def season_of(day: date) -> int:
    """The calendar year in which the season of *day* starts."""
    return day.year if day.month >= 8 else day.year - 1
