"""Shots one by one: each attempt of the box becomes an event, with passer, blocker and distance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.league.arrays import Bools, Floats, Ints
from lib.league.play import Played
from lib.league.world import World

ASSISTED = np.array([0.53, 0.44, 0.42, 0.95, 0.80])  # of the made shots of a zone
ASSIST_LEVELS = {2021: 1.015, 2022: 1.01, 2023: 1.05, 2024: 1.06, 2025: 1.05}
BLOCKED = np.array([0.190, 0.150, 0.045, 0.008, 0.012])  # of the missed shots of a zone
NEAR = np.array([0.0, 4.1, 14.1, 22.0, 23.8])  # feet
FAR = np.array([4.0, 13.9, 22.5, 23.7, 28.5])
HEAVES = 0.006  # of the missed threes from above the break
NO_SLOT = -1


@dataclass(frozen=True)
class Shots:
    """Field goal attempts as columns; ``second`` is the slot of the passer or blocker, NO_SLOT where there is none."""

    game: Ints
    side: Ints
    slot: Ints
    zone: Ints
    made: Bools
    and_one: Bools
    and_one_made: Bools
    second: Ints
    distance: Floats


@dataclass(frozen=True)
class Defence:
    """What follows from the shots, per (game, side, slot)."""

    assists: Ints
    blocks: Ints


def draw_shots(rng: np.random.Generator, world: World, played: Played) -> Shots:
    """One event per attempt of *played*, grouped by game, in random order within a game."""
    cells = played.box.attempts
    cell = np.repeat(np.arange(cells.size), cells.ravel())
    place = np.arange(len(cell)) - np.repeat(np.cumsum(cells.ravel()) - cells.ravel(), cells.ravel())
    order = np.lexsort((rng.random(len(cell)), cell // (cells.size // len(cells))))
    cell, place = cell[order], place[order]
    game, side, slot, zone = np.unravel_index(cell, cells.shape)
    made = place < played.box.made.ravel()[cell]
    return Shots(
        game=game,
        side=side,
        slot=slot,
        zone=zone,
        made=made,
        and_one=place < played.box.and_ones.ravel()[cell],
        and_one_made=place < played.box.and_ones_made.ravel()[cell],
        second=_second(rng, world, played, (game, side, slot, zone), made),
        distance=_distances(rng, zone, made),
    )


def _second(
    rng: np.random.Generator, world: World, played: Played, where: tuple[Ints, Ints, Ints, Ints], made: Bools
) -> Ints:
    game, side, slot, zone = where
    level = np.array([ASSIST_LEVELS[season.year] for season in world.plan.seasons])[played.games.season[game]]
    chance = np.where(made, ASSISTED[zone] * level, BLOCKED[zone])
    seen = rng.random(len(game)) < chance
    second = np.full(len(game), NO_SLOT)
    passed, blocked = seen & made, seen & ~made
    passers, blockers = (_loads(world, played, name) for name in ("assists", "blocks"))
    second[passed] = _choose(rng, passers[game[passed], side[passed]], slot[passed])
    second[blocked] = _choose(rng, blockers[game[blocked], 1 - side[blocked]], None)
    return second


def _loads(world: World, played: Played, name: str) -> Floats:
    loads: Floats = world.players.weights[name][played.lineups.player] * played.seconds
    return loads


def _choose(rng: np.random.Generator, weights: Floats, without: Ints | None) -> Ints:
    """One column per row of *weights*, in proportion; never the column *without*."""
    if without is not None:
        weights = weights.copy()
        weights[np.arange(len(weights)), without] = 0.0
    upto = np.cumsum(weights, axis=1)
    drawn = rng.random(len(weights)) * upto[:, -1]
    chosen: Ints = (upto <= drawn[:, None]).sum(axis=1)
    return chosen


def _distances(rng: np.random.Generator, zone: Ints, made: Bools) -> Floats:
    """Feet, one decimal; a missed three may be a heave from the backcourt."""
    feet = NEAR[zone] + (FAR[zone] - NEAR[zone]) * rng.random(len(zone))
    heave = (zone == len(NEAR) - 1) & ~made & (rng.random(len(zone)) < HEAVES)
    return np.asarray(np.round(np.where(heave, rng.uniform(47, 80, len(zone)), feet), 1), dtype=np.float64)


def count_defence(played: Played, shots: Shots) -> Defence:
    """Assists and blocks of the box, counted on the events."""
    passed = shots.made & (shots.second != NO_SLOT)
    blocked = ~shots.made & (shots.second != NO_SLOT)
    shape = played.lineups.player.shape
    return Defence(
        assists=_count(shape, shots.game[passed], shots.side[passed], shots.second[passed]),
        blocks=_count(shape, shots.game[blocked], 1 - shots.side[blocked], shots.second[blocked]),
    )


def _count(shape: tuple[int, ...], game: Ints, side: Ints, slot: Ints) -> Ints:
    flat = np.ravel_multi_index((game, side, slot), shape)
    return np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape)
