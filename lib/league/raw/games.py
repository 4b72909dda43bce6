"""The schedule and the team boxes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from lib.league.arrays import Ints, pick, stack
from lib.league.lineups import REGULATION_SECONDS
from lib.league.raw.arrow import HOUR, canonical_ids, league_ids, loaded_at, numbers, swapped_ids, table, words
from lib.league.raw.season import Season
from lib.league.schedule import ALL_STAR, PLAY_IN, PLAYOFFS, REGULAR, Games

SCHEDULED, FINAL, POSTPONED = 1, 3, 4
TEAM_NAMES = {
    "fg_made": "field_goals_made",
    "fg_attempted": "field_goals_attempted",
    "three_pt_made": "three_pointers_made",
    "three_pt_attempted": "three_pointers_attempted",
    "ft_made": "free_throws_made",
    "ft_attempted": "free_throws_attempted",
}
SAME_NAMES = (
    "points", "offensive_rebounds", "defensive_rebounds", "total_rebounds", "assists", "steals", "blocks",
    "turnovers", "personal_fouls", "plus_minus",
)  # fmt: skip


def years_of(season: Season, games: Games) -> Ints:
    """Calendar year in which each game's season starts."""
    return np.array([plan.year for plan in season.world.plan.seasons])[games.season]


def schedule(season: Season) -> pa.Table:
    """Finals, games to come, the old rows of postponed games, and outdated copies of finals."""
    played = season.games
    scores = season.team_lines["points"]
    moved, copied = np.flatnonzero(played.former >= 0), np.flatnonzero(season.sources.copied)[:1]
    old = pick(played, moved)
    old = Games(old.season, old.kind, old.number, old.former, old.home, old.away, old.former)
    parts = [(played, FINAL), (season.coming, SCHEDULED), (old, POSTPONED), (pick(played, copied), SCHEDULED)]
    games = stack([part for part, _ in parts])
    status = np.concatenate([np.full(len(part.day), value) for part, value in parts])
    none = np.zeros((len(status) - len(scores), 2), dtype=np.int64)
    points = np.concatenate([scores, none])
    lead = np.concatenate([loaded_at(played.day), loaded_at(games.day[len(played.day) :]) - 48 * HOUR])
    order = np.lexsort((lead, games.number, games.kind, games.day))
    return _schedule_table(season, pick(games, order), status[order], points[order], lead[order])


def _schedule_table(season: Season, games: Games, status: Ints, points: Ints, loaded: Ints) -> pa.Table:
    codes, unknown = season.world.codes, status != FINAL
    years = years_of(season, games)
    winner = np.where(points[:, 0] > points[:, 1], games.home, games.away)
    columns = {
        "game_id": league_ids(years, games),
        "game_date": games.day,
        "season_year": years,
        "home_team_tricode": words(codes, games.home),
        "away_team_tricode": words(codes, games.away),
        "game_status": status,
        "is_regular_season": games.kind == REGULAR,
        "is_playoffs": np.isin(games.kind, (PLAYOFFS, PLAY_IN)),
        "is_all_star": games.kind == ALL_STAR,
        "home_team_score": numbers(points[:, 0], unknown),
        "away_team_score": numbers(points[:, 1], unknown),
        "winning_team_tricode": words(codes, winner, unknown),
        "processed_at": loaded,
    }
    return table("nba_raw.nbac_schedule", columns)


def team_boxes(season: Season) -> pa.Table:
    """Two rows a game; of a few games an older copy, with fewer points, is left behind."""
    game = np.flatnonzero(season.sources.team_box)
    copies = np.flatnonzero(season.sources.copied & season.sources.team_box)
    rows = np.concatenate([np.repeat(game, 2), np.repeat(copies, 2)])
    side = np.tile([0, 1], len(game) + len(copies))
    outdated = np.arange(len(rows)) >= 2 * len(game)
    order = np.lexsort((side, ~outdated, rows))
    return _team_table(season, rows[order], side[order], outdated[order].astype(np.int64))


def _team_table(season: Season, game: Ints, side: Ints, outdated: Ints) -> pa.Table:
    games, codes = season.games, season.world.codes
    lines = {name: values[game, side] for name, values in season.team_lines.items()}
    for name, less in (("points", 2), ("field_goals_made", 1), ("field_goals_attempted", 1), ("assists", 1)):
        lines[name] = lines[name] - less * outdated
    columns: dict[str, Any] = {name: lines[source] for name, source in TEAM_NAMES.items()}
    years = years_of(season, games)
    ids = np.where(season.sources.swapped, swapped_ids(codes, games), canonical_ids(codes, games))
    return table(
        "nba_raw.nbac_team_boxscore",
        columns
        | {name: lines[name] for name in SAME_NAMES}
        | {
            "game_id": words(ids, game),
            "team_abbr": words(codes, season.sides[game, side]),
            "nba_game_id": words(league_ids(years, games), game),
            "game_date": games.day[game],
            "season_year": years[game],
            "is_home": side == 0,
            "minutes": words(_team_minutes(), season.played.overtimes[game]),
            "processed_at": loaded_at(games.day[game]) - 8 * HOUR * outdated,
        },
    )


def _team_minutes() -> list[str]:
    """``240:00`` and 25 minutes more for each overtime."""
    return [f"{REGULATION_SECONDS // 60 + 25 * overtimes}:00" for overtimes in range(5)]
