"""Play-by-play: one event per field goal attempt, and the free throw of each and-one."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from lib.league.arrays import Bools, Ints, day_number, pick, stream
from lib.league.raw.arrow import canonical_ids, table, words
from lib.league.raw.season import Season
from lib.league.shots import NO_SLOT, Shots

# Two words for every zone, then the free throw.
SUBTYPES = (
    "layup", "dunk", "floating jump shot", "hook shot", "jump shot", "fadeaway jump shot",
    "3pt jump shot", "3pt jump shot", "3pt jump shot", "3pt step back jump shot", "free throw 1/1",
)  # fmt: skip
FREE_THROW = 5  # the zone number of a free throw
SHOT_TYPES = ("2PT", "2PT", "2PT", "3PT", "3PT", "FT")
ROLES = ("block", "assist")
PREFIXED_FROM = datetime.date(2024, 10, 1)
FIRST_NUMBER, NUMBER_STEP = 1_626_101, 17  # of the prefixed ids


def play_by_play(season: Season) -> pa.Table:
    """Events in the order they happened; a game's events are numbered from 1."""
    shots = pick(season.shots, season.sources.events[season.shots.game])
    source = np.repeat(np.arange(len(shots.game)), 1 + shots.and_one)
    free = np.append(False, source[1:] == source[:-1])
    rows = pick(shots, source)
    return _event_table(season, rows, free)


def _event_table(season: Season, rows: Shots, free: Bools) -> pa.Table:
    games, codes, sides = season.games, season.world.codes, season.sides
    zone = np.where(free, FREE_THROW, rows.zone)
    word = 2 * zone + (stream(season.world.seed, "subtypes").random(len(zone)) < 0.3) * ~free
    alone = free | (rows.second == NO_SLOT)
    names, offset = _event_names(season), _name_offset(season, rows)
    who, other = _players(season, rows)
    columns: dict[str, Any] = {
        "event_id": _event_ids(rows.game),
        "game_id": words(canonical_ids(codes, games), rows.game),
        "game_date": games.day[rows.game],
        "home_team_abbr": words(codes, games.home[rows.game]),
        "away_team_abbr": words(codes, games.away[rows.game]),
        "event_type": words(("shot", "free throw"), free.astype(np.int64)),
        "event_subtype": words(SUBTYPES, word),
        "player_1_lookup": words(names, who + offset),
        "player_1_team_abbr": words(codes, sides[rows.game, rows.side]),
        "player_2_lookup": words(names, other + offset, alone),
        "player_2_role": words(ROLES, rows.made.astype(np.int64), alone),
        "shot_made": np.where(free, rows.and_one_made, rows.made),
        "shot_type": words(SHOT_TYPES, zone),
        "shot_distance": pa.array(rows.distance, mask=free),
    }
    return table("nba_raw.bigdataball_play_by_play", columns)


def _players(season: Season, rows: Shots) -> tuple[Ints, Ints]:
    """Shooter, and passer or blocker (any player where there is none)."""
    player = season.played.lineups.player
    other_side = np.where(rows.made, rows.side, 1 - rows.side)
    second = np.maximum(rows.second, 0)
    return player[rows.game, rows.side, rows.slot], np.maximum(player[rows.game, other_side, second], 0)


def _event_names(season: Season) -> list[str]:
    """Every lookup, then every lookup with its number in front."""
    lookups = season.world.players.lookups
    return [*lookups, *(f"{FIRST_NUMBER + NUMBER_STEP * n}{name}" for n, name in enumerate(lookups))]


def _name_offset(season: Season, rows: Shots) -> Ints:
    late = season.games.day[rows.game] >= day_number(PREFIXED_FROM)
    return late * len(season.world.players.lookups)


def _event_ids(game: Ints) -> pa.Array:
    """1, 2, 3 ... within each game; *game* is in ascending order."""
    starts = np.flatnonzero(np.append(True, game[1:] != game[:-1]))
    place = np.arange(len(game)) - np.repeat(starts, np.diff(np.append(starts, len(game))))
    return words([str(n + 1) for n in range(int(place.max()) + 1)], place)
