"""Who is where and fit on which day: summers, trades, signings, injuries, form."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

from lib.league.arrays import Bools, Floats, Ints, day_number, stream
from lib.league.plan import LeaguePlan
from lib.league.players import Players, newcomers, player_count, signings

NOBODY = -1
SEASON_DAYS = 275  # from 1 October
TRADE_DAYS = (38, 128)
SIGNING_DAYS = (30, 175)
SPELLS, LONG_SPELLS = 4.5, 0.26  # injuries a player and season, short and long
FORM_MEMORY, FORM_SD = 0.90, 0.10  # weekly; usage
ROLE_MEMORY, ROLE_SD = 0.92, 0.19  # weekly; minutes


@dataclass(frozen=True)
class Rosters:
    """``places`` (season, day since 1 October, team, slot) holds player or NOBODY; ``fit`` is (player, day from start).

    ``role`` is minutes (player, season); ``form`` and ``standing`` are factors (player, week since start).
    """

    start: int
    places: Ints
    role: Floats
    fit: Bools
    form: Floats
    standing: Floats
    opening: Ints

    def at(self, season: Ints, day: Ints, team: Ints) -> Ints:
        """The players of *team* on *day*: one more axis, slots."""
        offset = np.clip(day - self.opening[season], 0, SEASON_DAYS - 1)
        holders: Ints = self.places[season, offset, team]
        return holders


def draw_rosters(seed: int, plan: LeaguePlan, players: Players) -> Rosters:
    """Rosters of every day, roles, fitness and form of every player."""
    opening = np.array([day_number(datetime.date(season.year, 10, 1)) for season in plan.seasons])
    places = _places(seed, plan, players)
    start, days = int(opening[0]), int(opening[-1] - opening[0]) + SEASON_DAYS
    rng = stream(seed, "form")
    weeks = days // 7 + 1
    return Rosters(
        start=start,
        places=places,
        role=_roles(plan, players, places),
        fit=_fitness(seed, plan, opening - start, days),
        form=np.exp(_wander(rng, len(players.names), weeks, FORM_MEMORY, FORM_SD)),
        standing=np.exp(_wander(rng, len(players.names), weeks, ROLE_MEMORY, ROLE_SD)),
        opening=opening,
    )


def _places(seed: int, plan: LeaguePlan, players: Players) -> Ints:
    rng = stream(seed, "rosters")
    shape = (len(plan.teams), plan.slots)
    holders = _first_holders(rng, plan, players)
    years = []
    for season in range(len(plan.seasons)):
        talent = players.talent[:, season]
        if season:
            holders = _summer(rng, plan, season, holders, talent)
        days = np.tile(holders, (SEASON_DAYS, 1))
        holders = _within_season(rng, plan, season, days, talent)
        years.append(days.reshape(SEASON_DAYS, *shape))
    return _with_spare(np.stack(years), plan)


def _with_spare(places: Ints, plan: LeaguePlan) -> Ints:
    """The pocket league's first team keeps one more player, who is hurt all the time."""
    if not plan.pocket:
        return places
    spare = np.full((*places.shape[:-1], 1), NOBODY)
    spare[:, :, 0] = player_count(plan) - 1
    return np.concatenate([places, spare], axis=-1)


def _first_holders(rng: np.random.Generator, plan: LeaguePlan, players: Players) -> Ints:
    """Equally strong teams: every tier of talent is dealt out, one player a team."""
    teams = len(plan.teams)
    ranked = np.argsort(-players.talent[: teams * plan.slots, 0])
    return np.stack([rng.permutation(tier) for tier in ranked.reshape(plan.slots, teams)], axis=1).ravel()


def _summer(rng: np.random.Generator, plan: LeaguePlan, season: int, holders: Ints, talent: Floats) -> Ints:
    """The weakest leave, newcomers take their places, and three in ten change teams with somebody as good."""
    holders = holders.copy()
    leaving = np.argsort(talent[holders] + rng.normal(0, 0.6, len(holders)))[: plan.newcomers]
    holders[leaving] = rng.permutation(newcomers(plan, season))
    first, second = _pairs(rng, plan, talent[holders], int(0.15 * len(holders)))
    holders[first], holders[second] = holders[second], holders[first]
    return holders


def _within_season(rng: np.random.Generator, plan: LeaguePlan, season: int, days: Ints, talent: Floats) -> Ints:
    """Writes trades and signings into *days* (day, place) and returns the last day's holders."""
    able = np.argsort(-talent[days[0]])[: int(0.75 * days.shape[1])]
    first, second = _pairs(rng, plan, talent[days[0]], plan.trades, able)
    for one, other in zip(first, second, strict=True):
        day = rng.integers(*TRADE_DAYS) if not plan.pocket else rng.integers(38, 60)
        days[day:, [one, other]] = days[day:, [other, one]]
    others = np.setdiff1d(np.argsort(talent[days[0]])[: 2 * plan.signings + 4], np.concatenate([first, second]))
    for place, player in zip(rng.permutation(others), signings(plan, season), strict=False):
        day = rng.integers(*SIGNING_DAYS) if not plan.pocket else rng.integers(38, 60)
        days[day:, place] = player
    last: Ints = days[-1].copy()
    return last


def _pairs(
    rng: np.random.Generator, plan: LeaguePlan, talent: Floats, count: int, among: Ints | None = None
) -> tuple[Ints, Ints]:
    """*count* disjoint pairs of places of nearly equal talent in two teams."""
    places = np.arange(len(talent)) if among is None else among
    order = places[np.argsort(talent[places] + rng.normal(0, 0.3, len(places)))]
    pairs = order[: len(order) // 2 * 2].reshape(-1, 2)
    pairs = rng.permutation(pairs[pairs[:, 0] // plan.slots != pairs[:, 1] // plan.slots])[:count]
    return pairs[:, 0], pairs[:, 1]


def _roles(plan: LeaguePlan, players: Players, places: Ints) -> Floats:
    """Minutes by the rank of a player's talent among those who hold a place on the first day."""
    profile = np.repeat(np.array(plan.role_minutes, dtype=float)[::-1], len(plan.teams))
    columns = []
    for season in range(len(plan.seasons)):
        holders = places[season, 0].ravel()
        ranked = np.sort(players.talent[holders[holders >= 0], season])[-len(profile) :]
        columns.append(np.interp(players.talent[:, season], ranked, profile))
    return np.stack(columns, axis=1)


def _fitness(seed: int, plan: LeaguePlan, openings: Ints, days: int) -> Bools:
    """False on the days of an injury; spells are short (median 5 days) or long (two to five months)."""
    rng = stream(seed, "injuries")
    shape = (player_count(plan), len(openings))
    change = np.zeros((shape[0], days + 1), dtype=np.int64)
    for rate, draw in ((SPELLS, _short), (LONG_SPELLS, _long)):
        spells = rng.poisson(rate * plan.injuries, shape)
        who, season = np.repeat(np.indices(shape).reshape(2, -1), spells.ravel(), axis=1)
        first = openings[season] + rng.integers(0, 250, len(who))
        length = draw(rng, len(who))
        np.add.at(change, (who, first), 1)
        np.add.at(change, (who, np.minimum(first + length, days)), -1)
    fit: Bools = change.cumsum(axis=1)[:, :days] == 0
    fit[-1] = False
    return fit


def _short(rng: np.random.Generator, count: int) -> Ints:
    return np.ceil(rng.lognormal(np.log(5), 1.0, count)).astype(np.int64)


def _long(rng: np.random.Generator, count: int) -> Ints:
    return rng.integers(55, 150, count)


def _wander(rng: np.random.Generator, count: int, weeks: int, memory: float, scale: float) -> Floats:
    """Paths of an autoregression of order one, stationary with sd *scale*: (count, weeks)."""
    steps = rng.standard_normal((count, weeks)) * scale
    for week in range(1, weeks):
        steps[:, week] = memory * steps[:, week - 1] + np.sqrt(1 - memory**2) * steps[:, week]
    return steps
