"""A simulated league: raw tables of made-up players in the real calendar, repeatable from a seed.

``full_league`` is as large as the real one, October 2021 to January 2026; ``pocket_league`` is small enough for a
slow engine and holds every irregularity the pipeline has to cope with. ``docs/league.md`` says how both are made.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from lib.league.plan import FULL, POCKET, LeaguePlan
from lib.league.raw.arrow import table
from lib.league.raw.events import play_by_play
from lib.league.raw.games import schedule, team_boxes
from lib.league.raw.injuries import injury_report
from lib.league.raw.odds import game_lines, other_props, props
from lib.league.raw.players import gamebook, second_source
from lib.league.raw.season import play_league
from lib.league.teams import distances
from lib.league.world import make_world

WRITERS = {
    "nba_raw.nbac_schedule": schedule,
    "nba_raw.nbac_gamebook_player_stats": gamebook,
    "nba_raw.bdl_player_boxscores": second_source,
    "nba_raw.nbac_team_boxscore": team_boxes,
    "nba_raw.bigdataball_play_by_play": play_by_play,
    "nba_raw.odds_api_player_points_props": props,
    "nba_raw.bettingpros_player_points_props": other_props,
    "nba_raw.odds_api_game_lines": game_lines,
    "nba_raw.nbac_injury_report": injury_report,
}


@dataclass(frozen=True)
class League:
    """Raw tables by contract name, the day they speak for, and the seed they come from."""

    tables: Mapping[str, pa.Table]
    as_of: datetime.date
    seed: int


def full_league(seed: int = 7) -> League:
    """Thirty teams, 19 October 2021 to 3 January 2026, as of 5 January 2026: 918 game dates, 70 of them bootstrap."""
    return _league(seed, FULL)


def pocket_league(seed: int = 7) -> League:
    """Six teams, the autumns of 2023 and 2024, about 1,500 player rows with every irregularity planted."""
    return _league(seed, POCKET)


def _league(seed: int, plan: LeaguePlan) -> League:
    season = play_league(make_world(seed, plan))
    tables = {name: write(season) for name, write in WRITERS.items()}
    origin, target, miles = distances()
    columns = {"from_team": origin, "to_team": target, "distance_miles": miles}
    tables["nba_static.travel_distances"] = table("nba_static.travel_distances", columns)
    return League(tables, plan.as_of, seed)
