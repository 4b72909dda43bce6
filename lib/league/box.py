"""Box scores: possessions, attempts, makes, free throws, rebounds and turnovers of a stretch of play."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from lib.league.arrays import Bools, Floats, Ints, spread
from lib.league.lineups import Lineups
from lib.league.schedule import Games
from lib.league.world import World

SHARES = np.array([0.291, 0.196, 0.112, 0.101, 0.300])  # real shares of the attempts by zone
VALUES = np.array([2, 2, 2, 3, 3])  # points by zone
MAKES = np.array([0.662, 0.439, 0.417, 0.387, 0.354])  # real shares made by zone
AND_ONES = np.array([0.062, 0.04, 0.012, 0.0, 0.0])  # of the made shots of a zone
HOME = 0.0140  # makes at home, and away with the opposite sign
TIRED = 0.990  # makes on the second day of a back-to-back
LOAD_NOISE = 40.0  # shape of the gamma noise of a player's share of the attempts in a half
# By calendar year of the season's start: possessions, turnovers and offensive rebounds a game, free-throw
# attempts a game, threes relative to SHARES, makes relative to MAKES.
LEVELS = {
    2021: (101.1, 13.8, 10.3, 21.9, 0.994, 0.984),
    2022: (102.3, 14.1, 10.4, 23.5, 0.943, 1.005),
    2023: (101.4, 13.6, 10.6, 21.7, 0.975, 1.009),
    2024: (101.8, 14.3, 11.1, 21.7, 1.089, 1.001),
    2025: (102.4, 14.1, 11.5, 24.5, 1.055, 1.005),
}


@dataclass(frozen=True)
class Box:
    """Counts per (game, side, slot) and, where shots are meant, zone; ``team_turnovers`` are charged to nobody."""

    attempts: Ints
    made: Ints
    and_ones: Ints
    and_ones_made: Ints
    trips: Ints  # of two free throws
    trip_points: Ints
    extra_points: Ints  # single free throws, all made
    offensive_rebounds: Ints
    turnovers: Ints
    team_turnovers: Ints

    @property
    def free_throws(self) -> Ints:
        """Free throws attempted."""
        attempted: Ints = 2 * self.trips + self.extra_points + self.and_ones.sum(axis=-1)
        return attempted

    @property
    def free_throws_made(self) -> Ints:
        """Free throws made."""
        made: Ints = self.trip_points + self.extra_points + self.and_ones_made.sum(axis=-1)
        return made

    @property
    def points(self) -> Ints:
        """Points by (game, side, slot)."""
        points: Ints = (self.made * VALUES).sum(axis=-1) + self.free_throws_made
        return points

    @property
    def margin(self) -> Ints:
        """Points of the home side less the other's, by game."""
        margin: Ints = np.diff(-self.points.sum(axis=-1), axis=1)[:, 0]
        return margin


@dataclass(frozen=True)
class Odds:
    """What a game is drawn from: team levels by (game), loads by (game, side, slot), zones one axis more."""

    levels: Floats  # (game, 4): possessions, turnovers, offensive rebounds, trips to the line
    load: Floats
    zone_mix: Floats
    makes: Floats
    free_throw: Floats
    trip_load: Floats
    rebound_load: Floats
    turnover_load: Floats


def make_odds(world: World, games: Games, lineups: Lineups, tired: Bools) -> Odds:
    """The odds of *games*, per minute on the floor; nothing drawn in the game itself enters."""
    players, who = world.players, lineups.player
    form = world.rosters.form[who, world.week(games)]
    weights = {name: values[who] for name, values in players.weights.items()}
    return Odds(
        levels=_levels(world, games),
        load=players.usage[who] * form,
        zone_mix=_zone_mix(world, games, who),
        makes=_makes(world, games, who, form, tired),
        free_throw=players.free_throw_skill[who],
        trip_load=players.usage[who] * form * weights["free_throws"],
        rebound_load=weights["offensive_rebounds"],
        turnover_load=weights["turnovers"],
    )


def _season_levels(world: World, games: Games) -> Floats:
    table = np.array([LEVELS[season.year] for season in world.plan.seasons])
    levels: Floats = table[games.season]
    return levels


def _levels(world: World, games: Games) -> Floats:
    plan, season = world.plan, _season_levels(world, games)
    pace = world.pace[games.home, games.season] + world.pace[games.away, games.season]
    possessions = (season[:, 0] + pace) * plan.pace
    trips = (season[:, 3] - 1.6) / 2 * plan.pace * plan.free_throws
    return np.stack([possessions, season[:, 1] * plan.pace, season[:, 2] * plan.pace, trips], axis=1)


def _zone_mix(world: World, games: Games, who: Ints) -> Floats:
    mix: Floats = world.players.zone_mix[who] * (SHARES / world.zone_mix)[games.season][:, None, None]
    mix[..., 3:] *= _season_levels(world, games)[:, 4][:, None, None, None]
    return mix


def _makes(world: World, games: Games, who: Ints, form: Floats, tired: Bools) -> Floats:
    """Chance of a shot by zone: skill, own offence, the other side's defence, home, fatigue, half of the form."""
    season = games.season
    offence = np.stack([world.offence[games.home, season], world.offence[games.away, season]], axis=1)
    against = np.stack([world.defence[games.away, season], world.defence[games.home, season]], axis=1)
    level = _season_levels(world, games)[:, 5][:, None]
    side = level * offence * np.array([1 + HOME, 1 - HOME]) * np.where(tired, TIRED, 1.0)
    zone = world.players.zone_skill[who] * (MAKES / world.zone_skill)[season][:, None, None] * against[:, :, None, :]
    makes: Floats = np.clip(zone * side[..., None, None] * np.sqrt(form)[..., None], 0.02, 0.95)
    return makes


def expected_points(odds: Odds, minutes: Floats, stretch: float = 1.0) -> Floats:
    """Expected points per (game, side, slot) if *minutes* are played."""
    possessions, turnovers, rebounds, trips = (odds.levels.T * stretch)[:, :, None, None]
    attempts = possessions - turnovers + rebounds - 0.88 * trips
    mix = odds.zone_mix / odds.zone_mix.sum(axis=-1, keepdims=True)
    per_shot = (mix * odds.makes * (VALUES + 0.75 * AND_ONES)).sum(axis=-1)
    from_line = trips * _share(minutes * odds.trip_load) * 2 * odds.free_throw
    points: Floats = attempts * _share(minutes * odds.load) * per_shot + from_line
    return points


def _share(weights: Floats) -> Floats:
    shares: Floats = weights / weights.sum(axis=-1, keepdims=True)
    return shares


def draw_box(rng: np.random.Generator, odds: Odds, minutes: Floats, stretch: float = 1.0) -> Box:
    """One stretch of play; *stretch* is its length relative to regulation, *minutes* the sides' shares of it."""
    shots, trips, rebounds, turnovers = _team_counts(rng, odds, stretch)
    noise = rng.gamma(LOAD_NOISE, 1 / LOAD_NOISE, odds.load.shape)
    by_player = spread(rng, shots, (minutes + 0.3 * (minutes > 0)) * odds.load * noise)
    attempts = spread(rng, by_player, odds.zone_mix)
    made = rng.binomial(attempts, odds.makes)
    and_ones = rng.binomial(made, AND_ONES)
    own_trips = spread(rng, trips, minutes * odds.trip_load * noise)
    own_turnovers = spread(rng, turnovers, minutes * odds.turnover_load)
    return Box(
        attempts=attempts,
        made=made,
        and_ones=and_ones,
        and_ones_made=rng.binomial(and_ones, odds.free_throw[..., None]),
        trips=own_trips,
        trip_points=rng.binomial(2 * own_trips, odds.free_throw),
        extra_points=np.zeros_like(own_trips),
        offensive_rebounds=spread(rng, rebounds, minutes * odds.rebound_load),
        turnovers=own_turnovers,
        team_turnovers=rng.poisson(0.6 * stretch, shots.shape),
    )


def _team_counts(rng: np.random.Generator, odds: Odds, stretch: float) -> tuple[Ints, Ints, Ints, Ints]:
    """Attempts, trips, offensive rebounds and turnovers by (game, side), tied together by the possessions."""
    possessions, turnover_level, rebound_level, trip_level = (odds.levels.T * stretch)[:, :, None]
    shape = (len(possessions), 2)
    played = possessions + 2.6 * np.sqrt(stretch) * rng.standard_normal((shape[0], 1)) + rng.normal(0, 0.7, shape)
    turnovers = rng.poisson(turnover_level - 0.6 * stretch, shape)
    trips = rng.poisson(trip_level, shape)
    rebounds = rng.poisson(rebound_level, shape)
    shots = np.rint(played - 0.88 * trips - 0.7 - turnovers - 0.6 * stretch + rebounds).astype(np.int64)
    return np.maximum(shots, rebounds), trips, rebounds, turnovers


def add_boxes(box: Box, where: Ints, more: Box) -> Box:
    """*box* with *more* added at the games *where*."""
    parts = {}
    for field in fields(Box):
        total = getattr(box, field.name).copy()
        total[where] += getattr(more, field.name)
        parts[field.name] = total
    return Box(**parts)


def add_free_throw(box: Box, games: Ints, sides: Ints, slots: Ints) -> Box:
    """One more single free throw, made, for each (game, side, slot)."""
    extra = box.extra_points.copy()
    extra[games, sides, slots] += 1
    parts = {field.name: getattr(box, field.name) for field in fields(Box)}
    return Box(**{**parts, "extra_points": extra})
