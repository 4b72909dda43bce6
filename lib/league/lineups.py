"""Who plays how long: from roles, fitness and noise to seconds on the floor."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.league.arrays import Bools, Floats, Ints
from lib.league.rosters import NOBODY
from lib.league.schedule import Games
from lib.league.world import World

INACTIVE, DNP, ACTIVE = 0, 1, 2
DRESSED = 13
REGULATION_SECONDS = 240 * 60
FEWEST = 5
EXPECTED_PLAYERS = 10
WHOLE_GAME = 48.0  # minutes: the most anybody can play in regulation
SHORT_STINTS = 0.06  # of the sides send their last man on for less than a minute
TIRED_MINUTES = 0.97  # of a player whose team played yesterday


@dataclass(frozen=True)
class Lineups:
    """Per (game, side, slot): player or NOBODY, status, seconds in regulation, expected minutes, whether hurt."""

    player: Ints
    status: Ints
    seconds: Ints
    expected: Floats
    hurt: Bools


def draw_lineups(rng: np.random.Generator, world: World, games: Games, tired: Bools) -> Lineups:
    """Lineups of *games*; ``tired`` (game, side) says who played yesterday."""
    player = world.holders(games)
    fit = world.fit(games, player)
    role = _roles(world, games, player)
    role = np.where(tired[..., None] & (role > 30), role * TIRED_MINUTES, role)
    wanted = np.where(fit, role, np.where(player == NOBODY, -1e6, role - 1e3))
    wanted[player == len(world.players.names) - 1] -= 1e4  # hurt all season: comes last of all
    expected = _allot(role, fit & (_ranks(wanted) < EXPECTED_PLAYERS), np.full(role.shape, world.plan.minute_cap + 2))
    seconds = _seconds(rng, world, role, wanted, fit)
    dressed = fit & (_ranks(wanted) < DRESSED)
    status = np.where(seconds > 0, ACTIVE, np.where(dressed, DNP, INACTIVE))
    return Lineups(player, status, seconds, expected, ~fit & (player != NOBODY) & (status == INACTIVE))


def _roles(world: World, games: Games, player: Ints) -> Floats:
    role: Floats = world.rosters.role[player, games.season[:, None, None]]
    return role * world.rosters.standing[player, world.week(games)]


def _ranks(keys: Floats) -> Ints:
    """0 for the largest key of the last axis."""
    return np.argsort(np.argsort(-keys, axis=-1, kind="stable"), axis=-1, kind="stable")


def _seconds(rng: np.random.Generator, world: World, role: Floats, wanted: Floats, fit: Bools) -> Ints:
    """Seconds in regulation; a side adds up to REGULATION_SECONDS exactly."""
    plan = world.plan
    counts, shares = zip(*plan.play_counts, strict=True)
    used = rng.choice(counts, size=role.shape[:2], p=shares)[..., None]
    used = np.clip(used, FEWEST, np.maximum(fit.sum(axis=-1, keepdims=True), min(8, plan.slots - 1)))
    noisy = wanted + rng.standard_normal(role.shape) * (1.6 + 0.115 * role)
    rank = _ranks(noisy)
    minutes = np.maximum(np.where(wanted < -100, role, noisy), rng.uniform(0.2, 4.5, role.shape))
    short = (rank == used - 1) & (used > FEWEST) & (rng.random(used.shape) < SHORT_STINTS)
    minutes = np.where(short, rng.uniform(0.02, 0.85, role.shape), minutes)
    cap = np.minimum(plan.minute_cap + 2.3 * rng.standard_normal(role.shape), WHOLE_GAME)
    return _whole_seconds(_allot(minutes, rank < used, cap))


def _allot(weights: Floats, plays: Bools, cap: Floats) -> Floats:
    """240 minutes divided among those who play in proportion to *weights*, hardly anybody above *cap*."""
    minutes = np.where(plays, weights, 0.0)
    for _ in range(5):
        minutes = np.minimum(minutes * (240 / minutes.sum(axis=-1, keepdims=True)), cap)
    for _ in range(5):
        minutes = _fill(minutes)
    return minutes


def _fill(minutes: Floats) -> Floats:
    """Nobody above a whole game; what is left of the 240 minutes goes to the others in proportion."""
    full = minutes >= WHOLE_GAME
    rest = np.where(full, 0.0, minutes)
    total = np.maximum(rest.sum(axis=-1, keepdims=True), 1e-9)
    left = 240 - WHOLE_GAME * full.sum(axis=-1, keepdims=True)
    return np.where(full, WHOLE_GAME, rest * (left / total))


def _whole_seconds(minutes: Floats) -> Ints:
    """Seconds that add up exactly; what rounding leaves goes to the longest who has room for it."""
    seconds = np.where(minutes > 0, np.maximum(np.rint(minutes * 60), 1), 0).astype(np.int64)
    left = REGULATION_SECONDS - seconds.sum(axis=-1, keepdims=True)
    room = (seconds <= WHOLE_GAME * 60 - 15) | (left < 0)
    longest = np.argmax(np.where(seconds > 0, np.where(room, seconds, 1), 0), axis=-1)[..., None]
    np.put_along_axis(seconds, longest, np.take_along_axis(seconds, longest, -1) + left, -1)
    return seconds


def overtime_seconds(seconds: Ints, periods: Ints) -> Ints:
    """Seconds added by *periods* (game) of overtime: five minutes each to the five who played most."""
    return np.where(_ranks(seconds.astype(np.float64)) < 5, 300, 0) * periods[:, None, None]
