"""Who plays: careers, roles and skills. Nothing of this reaches a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.league.arrays import Floats, Ints, stream
from lib.league.names import player_names
from lib.league.plan import LeaguePlan

PEAK_AGE = 27.0
AGE_DECLINE = 0.010  # talent lost a squared year away from the peak
SEASON_DRIFT = 0.13  # sd of a career's change from season to season
# Shares of attempts by zone for a centre, a wing and a guard: rim, other paint, mid-range, corner three, other three.
ZONE_MIX = np.array(
    [
        [0.500, 0.265, 0.080, 0.030, 0.125],
        [0.265, 0.165, 0.110, 0.150, 0.310],
        [0.215, 0.200, 0.130, 0.090, 0.365],
    ]
)
ZONES = ZONE_MIX.shape[1]


@dataclass(frozen=True)
class Players:
    """Players as columns; ``talent`` is (players, seasons), zone columns (players, zones), weights relative to 1."""

    names: list[str]
    lookups: list[str]
    talent: Floats
    usage: Floats
    zone_mix: Floats
    zone_skill: Floats
    free_throw_skill: Floats
    weights: dict[str, Floats]


def player_count(plan: LeaguePlan) -> int:
    """First rosters, a summer's newcomers, a season's signings, and one who is hurt all along."""
    seasons = len(plan.seasons)
    return _first_rosters(plan) + (seasons - 1) * plan.newcomers + seasons * plan.signings + 1


def newcomers(plan: LeaguePlan, season: int) -> Ints:
    """The players who enter the league in the summer before *season* (1 or later)."""
    return _first_rosters(plan) + (season - 1) * plan.newcomers + np.arange(plan.newcomers)


def signings(plan: LeaguePlan, season: int) -> Ints:
    """The players who are signed within *season*."""
    start = _first_rosters(plan) + (len(plan.seasons) - 1) * plan.newcomers
    return start + season * plan.signings + np.arange(plan.signings)


def _first_rosters(plan: LeaguePlan) -> int:
    return len(plan.teams) * plan.slots


def draw_players(seed: int, plan: LeaguePlan) -> Players:
    """Every player who ever holds a roster place."""
    rng = stream(seed, "players")
    count = player_count(plan)
    names, lookups = player_names(rng, count)
    build = rng.beta(1.1, 0.9, count)  # 0 centre, 0.5 wing, 1 guard
    talent = _talent(rng, plan)
    skill = talent.mean(axis=1)
    return Players(
        names=names,
        lookups=lookups,
        talent=talent,
        usage=np.exp(0.33 * skill + 0.12 * rng.standard_normal(count)),
        zone_mix=_zone_mix(rng, build),
        zone_skill=np.exp(0.03 * skill[:, None] + 0.035 * rng.standard_normal((count, ZONES))),
        free_throw_skill=np.clip(rng.normal(0.66 + 0.17 * build + 0.02 * skill, 0.06), 0.45, 0.93),
        weights=_weights(rng, build, skill),
    )


def _talent(rng: np.random.Generator, plan: LeaguePlan) -> Floats:
    """Talent by player and season: a base, the age curve and a drift."""
    count, seasons = player_count(plan), len(plan.seasons)
    base, age = rng.standard_normal(count), np.clip(rng.normal(26, 4, count), 19, 38)
    for season in range(1, seasons):
        rookies = newcomers(plan, season)
        base[rookies], age[rookies] = base[rookies] + 0.25, rng.uniform(19, 23, len(rookies)) - season
    for season in range(seasons):
        fill = signings(plan, season)
        base[fill], age[fill] = 0.45 * base[fill] - 1.2, 25.0 - season
    years = age[:, None] + np.arange(seasons)
    drift = SEASON_DRIFT * rng.standard_normal((count, seasons)).cumsum(axis=1)
    talent: Floats = base[:, None] - AGE_DECLINE * (years - PEAK_AGE) ** 2 + drift
    return talent


def _zone_mix(rng: np.random.Generator, build: Floats) -> Floats:
    lower = np.minimum((2 * build).astype(np.int64), 1)
    part = (2 * build - lower)[:, None]
    mix = ZONE_MIX[lower] * (1 - part) + ZONE_MIX[lower + 1] * part
    own: Floats = mix * np.exp(0.35 * rng.standard_normal(mix.shape))
    shares: Floats = own / own.sum(axis=1, keepdims=True)
    return shares


def _weights(rng: np.random.Generator, build: Floats, skill: Floats) -> dict[str, Floats]:
    """How much a minute of each player counts for every kind of entry; centres rebound, guards pass."""
    slopes = {
        "free_throws": (-0.2, 0.20, 0.45),
        "offensive_rebounds": (-2.2, 0.0, 0.35),
        "defensive_rebounds": (-0.9, 0.1, 0.25),
        "assists": (1.5, 0.25, 0.40),
        "steals": (0.3, 0.05, 0.30),
        "blocks": (-2.2, 0.05, 0.50),
        "turnovers": (0.2, 0.22, 0.20),
        "fouls": (-0.5, -0.10, 0.20),
    }
    return {
        name: np.exp(by_build * (build - 0.5) + by_skill * skill + own * rng.standard_normal(len(build)))
        for name, (by_build, by_skill, own) in slopes.items()
    }
