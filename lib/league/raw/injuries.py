"""The injury report: the evening before a game and on its day."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lib.league.arrays import Ints, stream
from lib.league.lineups import ACTIVE
from lib.league.raw.arrow import table, words
from lib.league.raw.season import Season

STATUSES = ("out", "doubtful", "questionable", "probable", "available")
HOURS = (17, 13)  # of the day before, and of the day
HURT_BEFORE = (0.80, 0.12, 0.08, 0.0, 0.0)
FIT_BEFORE = (0.0, 0.02, 0.38, 0.60, 0.0)
FIT_ON_DAY = (0.0, 0.0, 0.15, 0.30, 0.55)
FIT_LISTED = 0.05  # of those who play are on the report
UNSURE = 0.03  # of the rows were read with a confidence below 0.8


def injury_report(season: Season) -> pa.Table:
    """Two rows for every player who misses a game hurt, and for some who play after all."""
    rng = stream(season.world.seed, "injury report")
    lineups = season.played.lineups
    listed = (lineups.status == ACTIVE) & (rng.random(lineups.status.shape) < FIT_LISTED)
    game, side, slot = np.nonzero((lineups.hurt | listed) & season.counted[:, None, None])
    hurt = lineups.hurt[game, side, slot]
    status = np.stack([_before(rng, hurt.astype(np.int64)), _on_day(rng, hurt.astype(np.int64))], axis=1)
    row, report = (part.ravel() for part in np.indices(status.shape))
    day = season.games.day[game[row]]
    sure = np.where(rng.random(len(row)) < UNSURE, rng.uniform(0.4, 0.79, len(row)), rng.uniform(0.85, 1.0, len(row)))
    columns = {
        "report_date": day - 1 + report,
        "report_hour": np.array(HOURS)[report],
        "game_date": day,
        "team": words(season.world.codes, season.sides[game, side][row]),
        "player_lookup": words(season.world.players.lookups, lineups.player[game, side, slot][row]),
        "injury_status": words(STATUSES, status.ravel()),
        "confidence_score": np.round(sure, 2),
    }
    return table("nba_raw.nbac_injury_report", columns)


def _before(rng: np.random.Generator, hurt: Ints) -> Ints:
    return np.where(hurt == 1, _draw(rng, HURT_BEFORE, len(hurt)), _draw(rng, FIT_BEFORE, len(hurt)))


def _on_day(rng: np.random.Generator, hurt: Ints) -> Ints:
    return np.where(hurt == 1, 0, _draw(rng, FIT_ON_DAY, len(hurt)))


def _draw(rng: np.random.Generator, shares: tuple[float, ...], count: int) -> Ints:
    return rng.choice(len(shares), size=count, p=shares)
