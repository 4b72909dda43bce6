"""Playing games: lineups, regulation, overtime, and the one point that a tie after two overtimes lacks."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lib.league.arrays import Bools, Floats, Ints, pick
from lib.league.box import Box, Odds, add_boxes, add_free_throw, draw_box, expected_points, make_odds
from lib.league.lineups import Lineups, draw_lineups, overtime_seconds
from lib.league.schedule import ALL_STAR, PRESEASON, Games
from lib.league.world import World

OVERTIME = 25 / 240
EASING = 0.0055  # makes of the second half, a point of lead at the first one's end
HEAT = 0.48  # how far a longer night than expected is one with more shots
ONE_POINT_TIED = 0.5  # of the games a point apart: the trailing side ties them with a free throw


@dataclass(frozen=True)
class Played:
    """Games with their lineups and boxes; ``expected`` is latent: points each player was good for beforehand."""

    games: Games
    lineups: Lineups
    box: Box
    overtimes: Ints
    expected: Floats

    def pick(self, index: Ints | Bools) -> Played:
        """The games at *index*."""
        return Played(
            pick(self.games, index),
            pick(self.lineups, index),
            pick(self.box, index),
            self.overtimes[index],
            self.expected[index],
        )

    @property
    def seconds(self) -> Ints:
        """Seconds on the floor per (game, side, slot), overtime included."""
        return self.lineups.seconds + overtime_seconds(self.lineups.seconds, self.overtimes)


def play(rng: np.random.Generator, world: World, games: Games) -> Played:
    """Every one of *games*, drawn from the latent league."""
    tired = played_yesterday(games)
    lineups = draw_lineups(rng, world, games, tired)
    odds = make_odds(world, games, lineups, tired)
    hot = replace(odds, load=odds.load * _heat(lineups))
    box = _regulation(rng, hot, lineups.seconds / 60)
    box, overtimes = _overtimes(rng, odds, lineups, box)
    return Played(games, lineups, box, overtimes, expected_points(odds, lineups.expected))


def _heat(lineups: Lineups) -> Floats:
    """More shots a minute for those who were left on the floor longer than expected: they had a good night."""
    expected = np.where(lineups.expected > 0, lineups.expected, lineups.seconds / 60 + 1e-9)
    return np.clip(lineups.seconds / 60 / expected, 0.4, 1.8) ** HEAT


def _regulation(rng: np.random.Generator, odds: Odds, minutes: Floats) -> Box:
    """Two halves; the side that leads after the first eases off, so that games end closer than luck alone has it."""
    first = draw_box(rng, odds, minutes, 0.5)
    lead = first.margin[:, None] * np.array([1, -1])
    eased = np.clip(odds.makes * (1 - EASING * lead)[..., None, None], 0.02, 0.95)
    second = draw_box(rng, replace(odds, makes=eased), minutes, 0.5)
    return add_boxes(first, np.arange(len(lead)), second)


def played_yesterday(games: Games) -> Bools:
    """(game, side): whether the team also plays the day before, exhibitions left out."""
    counted = ~np.isin(games.kind, (PRESEASON, ALL_STAR))
    sides = np.stack([games.home, games.away], axis=1)
    key = games.day[:, None] * 1000 + sides
    return np.isin(key - 1000, key[counted]) & counted[:, None]


def _overtimes(rng: np.random.Generator, odds: Odds, lineups: Lineups, box: Box) -> tuple[Box, Ints]:
    close = (np.abs(box.margin) == 1) & (rng.random(len(box.margin)) < ONE_POINT_TIED)
    box = _give_point(lineups, box, np.flatnonzero(close), (box.margin > 0).astype(np.int64))
    overtimes = np.zeros(len(box.margin), dtype=np.int64)
    for _ in range(2):
        tied = np.flatnonzero(box.margin == 0)
        on_floor = overtime_seconds(lineups.seconds[tied], np.ones(len(tied), dtype=np.int64)) / 60
        box = add_boxes(box, tied, draw_box(rng, pick(odds, tied), on_floor, OVERTIME))
        overtimes[tied] += 1
    return _give_point(lineups, box, np.flatnonzero(box.margin == 0), rng.integers(0, 2, len(overtimes))), overtimes


def _give_point(lineups: Lineups, box: Box, games: Ints, sides: Ints) -> Box:
    """A free throw for the player with the most minutes of *sides* (one for every game) in *games*."""
    chosen = sides[games]
    return add_free_throw(box, games, chosen, np.argmax(lineups.seconds[games, chosen], axis=-1))
