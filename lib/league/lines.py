"""Full stat lines: what the box and the shots leave open, for players and teams."""

from __future__ import annotations

import numpy as np

from lib.league.arrays import Floats, Ints, spread
from lib.league.play import Played
from lib.league.shots import Defence
from lib.league.world import World

DEFENSIVE_REBOUNDS = 0.915  # of the misses that the shooting side does not get back
STEALS = 0.56  # of the other side's turnovers
FOULS = 9.3  # a game, besides those that send the other side to the line
FOULED_OUT = 6
PLUS_MINUS_NOISE = 6.5
STATS = (
    "points", "field_goals_made", "field_goals_attempted", "three_pointers_made", "three_pointers_attempted",
    "free_throws_made", "free_throws_attempted", "offensive_rebounds", "defensive_rebounds", "total_rebounds",
    "assists", "steals", "blocks", "turnovers", "personal_fouls", "plus_minus",
)  # fmt: skip


def player_lines(rng: np.random.Generator, world: World, played: Played, defence: Defence) -> dict[str, Ints]:
    """Every column of STATS as (game, side, slot)."""
    box = played.box
    rebounds = _defensive_rebounds(rng, world, played)
    return {
        "points": box.points,
        "field_goals_made": box.made.sum(axis=-1),
        "field_goals_attempted": box.attempts.sum(axis=-1),
        "three_pointers_made": box.made[..., 3:].sum(axis=-1),
        "three_pointers_attempted": box.attempts[..., 3:].sum(axis=-1),
        "free_throws_made": box.free_throws_made,
        "free_throws_attempted": box.free_throws,
        "offensive_rebounds": box.offensive_rebounds,
        "defensive_rebounds": rebounds,
        "total_rebounds": box.offensive_rebounds + rebounds,
        "assists": defence.assists,
        "steals": _steals(rng, world, played),
        "blocks": defence.blocks,
        "turnovers": box.turnovers,
        "personal_fouls": _fouls(rng, world, played),
        "plus_minus": _plus_minus(rng, played),
    }


def team_lines(played: Played, lines: dict[str, Ints]) -> dict[str, Ints]:
    """Every column of STATS as (game, side): the players' sums, plus turnovers that are charged to nobody."""
    totals = {name: values.sum(axis=-1) for name, values in lines.items()}
    totals["turnovers"] = totals["turnovers"] + played.box.team_turnovers
    totals["plus_minus"] = played.box.margin[:, None] * np.array([1, -1])
    return totals


def _loads(world: World, played: Played, name: str) -> Floats:
    loads: Floats = world.players.weights[name][played.lineups.player] * played.seconds
    return loads


def _defensive_rebounds(rng: np.random.Generator, world: World, played: Played) -> Ints:
    box = played.box
    misses = (box.attempts - box.made).sum(axis=(2, 3)) - box.offensive_rebounds.sum(axis=-1)
    taken = rng.binomial(np.maximum(misses, 0), DEFENSIVE_REBOUNDS)
    return spread(rng, taken[:, ::-1], _loads(world, played, "defensive_rebounds"))


def _steals(rng: np.random.Generator, world: World, played: Played) -> Ints:
    lost = played.box.turnovers.sum(axis=-1)[:, ::-1]
    return spread(rng, rng.binomial(lost, STEALS), _loads(world, played, "steals"))


def _fouls(rng: np.random.Generator, world: World, played: Played) -> Ints:
    trips = (played.box.trips + played.box.and_ones.sum(axis=-1)).sum(axis=-1)[:, ::-1]
    total = rng.poisson(FOULS * world.plan.pace, trips.shape) + np.rint(trips * 0.9).astype(np.int64)
    return np.minimum(spread(rng, total, _loads(world, played, "fouls")), FOULED_OUT)


def _plus_minus(rng: np.random.Generator, played: Played) -> Ints:
    """Share of the margin by minutes, and noise; a side adds up to five times its margin."""
    seconds = played.seconds
    share = seconds / (seconds.sum(axis=-1, keepdims=True) / 5)
    margin = (played.box.margin[:, None] * np.array([1, -1]))[..., None]
    noise = PLUS_MINUS_NOISE * rng.standard_normal(seconds.shape) * np.sqrt(share)
    noise -= share * noise.sum(axis=-1, keepdims=True) / 5
    value = np.where(seconds > 0, np.rint(margin * share + noise), 0).astype(np.int64)
    longest = np.argmax(seconds, axis=-1)[..., None]
    left = 5 * margin - value.sum(axis=-1, keepdims=True)
    np.put_along_axis(value, longest, np.take_along_axis(value, longest, -1) + left, -1)
    return value
