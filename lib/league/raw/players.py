"""The gamebook and the second source of player boxes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lib.league.arrays import Bools, Ints
from lib.league.lines import STATS
from lib.league.lineups import ACTIVE
from lib.league.raw.arrow import HOUR, canonical_ids, loaded_at, numbers, table, words
from lib.league.raw.games import years_of
from lib.league.raw.season import Season
from lib.league.rosters import NOBODY

STATUSES = ("inactive", "dnp", "active")
LONGEST = 80 * 60  # seconds
NAMES_ELSEWHERE = {"rebounds": "total_rebounds"}


def gamebook(season: Season) -> pa.Table:
    """One row per game and rostered player; figures are NULL for those who did not play."""
    holds = (season.played.lineups.player != NOBODY) & season.sources.gamebook[:, None, None]
    game, side, slot = np.nonzero(holds)
    status = season.played.lineups.status[game, side, slot]
    idle = status != ACTIVE
    columns = _identity(season, game, side, slot)
    return table(
        "nba_raw.nbac_gamebook_player_stats",
        columns
        | {name: numbers(season.lines[name][game, side, slot], idle) for name in STATS}
        | {
            "player_name": words(season.world.players.names, season.played.lineups.player[game, side, slot]),
            "home_team_abbr": words(season.world.codes, season.games.home[game]),
            "away_team_abbr": words(season.world.codes, season.games.away[game]),
            "player_status": words(STATUSES, status),
            "minutes": words(_clock(), season.played.seconds[game, side, slot], idle),
        },
    )


def second_source(season: Season) -> pa.Table:
    """The same figures of those who played, for most games; minutes vary in shape where it is the only source."""
    plays = (season.played.lineups.status == ACTIVE) & season.sources.second[:, None, None]
    game, side, slot = np.nonzero(plays)
    alone = ~season.sources.gamebook[game]
    shape = np.where(alone, np.arange(len(game)) % 4, 0)
    seconds = season.played.seconds[game, side, slot]
    columns = _identity(season, game, side, slot)
    columns["processed_at"] = columns["processed_at"] + 2 * HOUR
    return table(
        "nba_raw.bdl_player_boxscores",
        columns
        | {name: season.lines[name][game, side, slot] for name in STATS}
        | {name: season.lines[source][game, side, slot] for name, source in NAMES_ELSEWHERE.items()}
        | {
            "player_full_name": words(season.world.players.names, season.played.lineups.player[game, side, slot]),
            "minutes": words([*_clock(), *_whole(), *_decimal(), *_duration()], shape * LONGEST + seconds),
        },
    )


def _identity(season: Season, game: Ints, side: Ints, slot: Ints) -> dict[str, Ints | Bools | pa.Array]:
    games, codes = season.games, season.world.codes
    return {
        "game_id": words(canonical_ids(codes, games), game),
        "player_lookup": words(season.world.players.lookups, season.played.lineups.player[game, side, slot]),
        "game_date": games.day[game],
        "season_year": years_of(season, games)[game],
        "team_abbr": words(codes, season.sides[game, side]),
        "processed_at": loaded_at(games.day[game]),
    }


def _clock() -> list[str]:
    return [f"{second // 60:02d}:{second % 60:02d}" for second in range(LONGEST)]


def _whole() -> list[str]:
    return [f"{max(round(second / 60), 1)}" for second in range(LONGEST)]


def _decimal() -> list[str]:
    return [f"{second / 60:.1f}" for second in range(LONGEST)]


def _duration() -> list[str]:
    return [f"PT{second // 60:02d}M{second % 60:02d}.00S" for second in range(LONGEST)]
