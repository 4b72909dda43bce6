"""The simulated league beside real games: every figure is measured on the raw tables, nothing on latent values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lib.league import League
from lib.league.baselines import baseline_figures

SEASONS = (2021, 2022, 2023, 2024, 2025)
# Per team and game, by season: real value and how far the simulated one may be off.
TEAM_FIGURES: dict[str, tuple[tuple[float, ...], float]] = {
    "points": ((110.6, 114.7, 114.2, 113.8, 116.7), 1.5),
    "field goal attempts": ((88.1, 88.3, 88.9, 89.2, 89.4), 1.2),
    "three-point attempts": ((35.2, 34.2, 35.1, 37.6, 37.0), 1.2),
    "free throw attempts": ((21.9, 23.5, 21.7, 21.7, 24.5), 0.8),
    "offensive rebounds": ((10.3, 10.4, 10.6, 11.1, 11.5), 0.5),
    "turnovers": ((13.8, 14.1, 13.6, 14.3, 14.1), 0.5),
    "assists": ((24.6, 25.3, 26.7, 26.6, 26.6), 0.8),
    "fouls": ((19.6, 20.0, 18.7, 18.6, 20.8), 1.5),
    "offensive rating": ((109.4, 112.2, 112.6, 111.7, 113.7), 1.5),
    "pace": ((100.6, 101.6, 100.9, 101.4, 102.0), 1.0),
}
MINUTE_EDGES = (6, 12, 18, 24, 30, 36, 42, 48)
MINUTE_NAMES = ("0-5", "6-11", "12-17", "18-23", "24-29", "30-35", "36-41", "42-47", "48+")
MINUTE_SHARES = (9.5, 8.9, 13.9, 17.2, 18.5, 19.3, 11.2, 1.4, 0.1)
POINTS_BY_MINUTES = (0.9, 2.6, 5.2, 8.0, 11.8, 16.6, 21.8, 24.9)
POINTS_SD_BY_MINUTES = (1.6, 2.6, 3.7, 4.7, 6.2, 7.6, 8.8, 9.9)
ZONES = ("rim", "other paint", "mid-range", "corner three", "other three")
ZONE_SHARES = (29.1, 19.6, 11.2, 10.1, 30.0)
ZONE_MADE = (0.662, 0.439, 0.417, 0.387, 0.352)
ZONE_ENDS = (4.05, 14.0, 22.0, 23.75)  # feet; threes by their event's words


@dataclass(frozen=True)
class Figure:
    """One figure: simulated, real (None: not measured there) and the tolerance a test allows."""

    name: str
    simulated: float
    real: float | None = None
    tolerance: float | None = None

    @property
    def fits(self) -> bool:
        """Within the tolerance, or not judged."""
        if self.real is None or self.tolerance is None:
            return True
        return abs(self.simulated - self.real) <= self.tolerance


def figures(league: League) -> list[Figure]:
    """All figures of *league*, in the order of the documentation."""
    games, teams, players = regular_games(league), team_rows(league), player_rows(league)
    parts = (
        _calendar_figures(games),
        _team_figures(teams),
        _game_figures(games, teams),
        _roster_figures(players),
        _minute_figures(players),
        _zone_figures(league),
        (Figure(*row) for row in baseline_figures(league, players)),
    )
    return [figure for part in parts for figure in part]


def frame(league: League, name: str, columns: Sequence[str]) -> pd.DataFrame:
    """*columns* of a raw table as pandas."""
    rows: pd.DataFrame = league.tables[f"nba_raw.{name}"].select(list(columns)).to_pandas()
    return rows


def regular_games(league: League) -> pd.DataFrame:
    """Final regular-season games with their margin."""
    columns = ["game_id", "game_date", "season_year", "game_status", "is_regular_season", "home_team_tricode",
               "away_team_tricode", "home_team_score", "away_team_score"]  # fmt: skip
    games = frame(league, "nbac_schedule", columns)
    games = games[(games.game_status == 3) & games.is_regular_season]
    return games.assign(margin=(games.home_team_score - games.away_team_score).astype(float))


def team_rows(league: League) -> pd.DataFrame:
    """Team boxes of the regular season, newest copy, with possessions, pace and rating."""
    columns = league.tables["nba_raw.nbac_team_boxscore"].column_names
    rows = frame(league, "nbac_team_boxscore", columns)
    rows = rows.sort_values("processed_at", kind="stable").drop_duplicates(["game_id", "team_abbr"], keep="last")
    rows = rows[rows.nba_game_id.str.startswith("002")]
    minutes = rows.minutes.str.split(":").str[0].astype(float)
    possessions = rows.fg_attempted + 0.44 * rows.ft_attempted + rows.turnovers - rows.offensive_rebounds
    return rows.assign(
        pace=possessions * 240 / minutes,
        rating=100 * rows.points / possessions,
        overtime=minutes > 240,
    )


def player_rows(league: League) -> pd.DataFrame:
    """Regular-season rows of players who played, with decimal minutes, in the order of dates."""
    columns = [
        "game_id",
        "game_date",
        "season_year",
        "player_lookup",
        "team_abbr",
        "player_status",
        "minutes",
        "points",
    ]
    rows = frame(league, "nbac_gamebook_player_stats", columns)
    regular = regular_games(league)
    ids = pd.to_datetime(regular.game_date).dt.strftime("%Y%m%d_") + regular.away_team_tricode + "_"
    rows = rows[(rows.player_status == "active") & rows.game_id.isin(ids + regular.home_team_tricode)]
    clock = rows.minutes.str.split(":", expand=True).astype(float)
    return rows.assign(length=clock[0] + clock[1] / 60, points=rows.points.astype(float))


def _calendar_figures(games: pd.DataFrame) -> Iterator[Figure]:
    per_date = games.groupby("game_date").size()
    yield Figure("games on a date, median", float(per_date.median()), 7, 1)
    yield Figure("games on a date, most", float(per_date.max()), 15, 0)
    sides = pd.concat(
        [games[["game_date", "season_year", f"{side}_team_tricode"]].set_axis(["day", "season", "team"], axis=1)
         for side in ("home", "away")]
    ).sort_values("day")  # fmt: skip
    gaps = pd.to_datetime(sides.day).groupby([sides.season, sides.team]).diff() == pd.Timedelta(days=1)
    closed = sides.season < SEASONS[-1]
    yield Figure("back-to-backs a team and season", float(gaps[closed].sum() / 30 / 4), 14, 1)


def _team_figures(teams: pd.DataFrame) -> Iterator[Figure]:
    names = {
        "points": "points", "field goal attempts": "fg_attempted", "three-point attempts": "three_pt_attempted",
        "free throw attempts": "ft_attempted", "offensive rebounds": "offensive_rebounds", "turnovers": "turnovers",
        "assists": "assists", "fouls": "personal_fouls", "offensive rating": "rating", "pace": "pace",
    }  # fmt: skip
    means = {column: teams.groupby("season_year")[column].mean() for column in names.values()}
    for name, (real, tolerance) in TEAM_FIGURES.items():
        for season, value in zip(SEASONS, real, strict=True):
            yield Figure(f"{name} {season}-{season % 100 + 1}", float(means[names[name]][season]), value, tolerance)
    spread = teams.groupby("season_year").points.std().mean()
    yield Figure("points, sd", float(spread), 12.5, 0.9)


def _game_figures(games: pd.DataFrame, teams: pd.DataFrame) -> Iterator[Figure]:
    yield Figure("home wins, %", float(100 * (games.margin > 0).mean()), 55.2, 2)
    yield Figure("home margin", float(games.margin.mean()), 2.0, 0.7)
    yield Figure("margin, sd", float(games.margin.std()), 15.2, 0.8)
    yield Figure("overtime, %", float(100 * teams.overtime.mean()), 5.3, 1)


def _roster_figures(players: pd.DataFrame) -> Iterator[Figure]:
    closed = players[players.season_year < SEASONS[-1]]
    counts = closed.groupby("season_year").player_lookup.nunique()
    teams = closed.groupby(["season_year", "player_lookup"]).team_abbr.nunique()
    traded = (teams > 1).groupby("season_year").sum()
    yield Figure("players a season, fewest", float(counts.min()), 572, 33)
    yield Figure("players a season, most", float(counts.max()), 572, 33)
    yield Figure("traded within a season, fewest", float(traded.min()), 84, 13)
    yield Figure("traded within a season, most", float(traded.max()), 84, 13)
    games = closed.groupby(["season_year", "player_lookup"]).size()
    for share, real, tolerance in ((0.1, 6, 4), (0.5, 40, 10), (0.9, 75, 6)):
        yield Figure(f"games a player and season, {share:.0%}", float(games.quantile(share)), real, tolerance)
    per_side = players.groupby(["game_id", "team_abbr"]).size()
    yield Figure("players a team and game, mean", float(per_side.mean()), 10.6, 0.4)


def _minute_figures(players: pd.DataFrame) -> Iterator[Figure]:
    bins = np.digitize(players.length, MINUTE_EDGES)
    shares = 100 * np.bincount(bins, minlength=len(MINUTE_NAMES)) / len(bins)
    for name, share, real in zip(MINUTE_NAMES, shares, MINUTE_SHARES, strict=True):
        yield Figure(f"rows of {name} minutes, %", float(share), real, 3)
    groups = players.points.groupby(bins)
    for n, (mean, sd) in enumerate(zip(POINTS_BY_MINUTES, POINTS_SD_BY_MINUTES, strict=True)):
        yield Figure(f"points in {MINUTE_NAMES[n]} minutes", float(groups.mean()[n]), mean, 1.6)
        yield Figure(f"points in {MINUTE_NAMES[n]} minutes, sd", float(groups.std()[n]), sd, 1.0)
    yield Figure("points of a player", float(players.points.mean()), 10.6, 0.4)
    for share, real in ((0.05, 0), (0.5, 9), (0.95, 28), (0.99, 37)):
        yield Figure(f"points of a player, {share:.0%}", float(players.points.quantile(share)), real, 1.5)


def _zone_figures(league: League) -> Iterator[Figure]:
    shots = frame(league, "bigdataball_play_by_play", ["event_type", "event_subtype", "shot_distance", "shot_made"])
    shots = shots[shots.event_type == "shot"]
    three = shots.event_subtype.str.startswith("3pt")
    zone = np.where(three, np.where(shots.shot_distance < ZONE_ENDS[-1], 3, 4), 0)
    zone = np.where(~three, np.digitize(shots.shot_distance, ZONE_ENDS[:2]), zone)
    made = shots.shot_made.astype(float).groupby(zone)
    for n, name in enumerate(ZONES):
        yield Figure(f"shots from {name}, %", float(100 * made.size()[n] / len(shots)), ZONE_SHARES[n], 2)
        yield Figure(f"made from {name}", float(made.mean()[n]), ZONE_MADE[n], 0.02)
