"""The latent league: everything games are drawn from. Only results, never these values, reach a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.league.arrays import Bools, Floats, Ints, stream
from lib.league.plan import LeaguePlan
from lib.league.players import ZONES, Players, draw_players
from lib.league.rosters import NOBODY, Rosters, draw_rosters
from lib.league.schedule import ALL_STAR, PRESEASON, Games
from lib.league.teams import EXHIBITION_CODES

ALL_STAR_SIDE = 12


@dataclass(frozen=True)
class World:
    """Plan, players, rosters, and the teams' effects by (team, season): pace is possessions, the others factors."""

    seed: int
    plan: LeaguePlan
    players: Players
    rosters: Rosters
    offence: Floats
    defence: Floats  # (team, season, zone)
    pace: Floats
    zone_mix: Floats  # (season, zone), of the players of its first day, weighted by their shots
    zone_skill: Floats  # the same for their skill

    @property
    def codes(self) -> list[str]:
        """Tricodes by team number; exhibition sides come after the real teams."""
        return [*self.plan.teams, *EXHIBITION_CODES]

    def holders(self, games: Games) -> Ints:
        """Rostered players (game, side, slot), NOBODY where a slot is empty."""
        sides = np.stack([games.home, games.away], axis=1)
        real = np.minimum(sides, len(self.plan.teams) - 1)
        holders = self.rosters.at(games.season[:, None], games.day[:, None], real)
        return np.where((games.kind == ALL_STAR)[:, None, None], self._stars(games, holders.shape[2]), holders)

    def _stars(self, games: Games, slots: int) -> Ints:
        """The season's most talented players, dealt to two sides; Friday's are the next ones."""
        side = min(ALL_STAR_SIDE, slots)
        stars = np.full((len(games.day), 2, slots), NOBODY)
        for game in np.flatnonzero(games.kind == ALL_STAR):
            holders = self.rosters.places[games.season[game], 140].ravel()
            holders = holders[(holders >= 0) & (holders < len(self.players.names) - 1)]
            ranked = holders[np.argsort(-self.players.talent[holders, games.season[game]])]
            first = 2 * side * (int(games.number[game]) - 1)
            stars[game, :, :side] = ranked[first : first + 2 * side].reshape(side, 2).T
        return stars

    def fit(self, games: Games, holders: Ints) -> Bools:
        """Whether each rostered player may play; everybody may at an exhibition."""
        fit = self.rosters.fit[holders, (games.day - self.rosters.start)[:, None, None]]
        exhibition = np.isin(games.kind, (PRESEASON, ALL_STAR))[:, None, None]
        able: Bools = (fit | exhibition) & (holders != NOBODY)
        return able

    def week(self, games: Games) -> Ints:
        """The week of each game as an index that broadcasts over (side, slot)."""
        return ((games.day - self.rosters.start) // 7)[:, None, None]


def make_world(seed: int, plan: LeaguePlan) -> World:
    """The league of *seed*, before its first game."""
    players = draw_players(seed, plan)
    rosters = draw_rosters(seed, plan, players)
    zone_mix, zone_skill = _season_averages(plan, players, rosters)
    rng = stream(seed, "teams")
    shape = (len(plan.teams), len(plan.seasons))
    defence = 0.030 * rng.standard_normal((*shape, 1)) + 0.020 * rng.standard_normal((*shape, ZONES))
    return World(
        seed=seed,
        plan=plan,
        players=players,
        rosters=rosters,
        offence=_with_sides(np.exp(_centred(0.032 * rng.standard_normal(shape))), 1.0),
        defence=_with_sides(np.exp(_centred(defence)), 1.18),
        pace=_with_sides(_centred(1.3 * rng.standard_normal(shape)), 18.0),
        zone_mix=zone_mix,
        zone_skill=zone_skill,
    )


def _centred(effects: Floats) -> Floats:
    """Effects that are zero on average over the teams of a season."""
    centred: Floats = effects - effects.mean(axis=0, keepdims=True)
    return centred


def _season_averages(plan: LeaguePlan, players: Players, rosters: Rosters) -> tuple[Floats, Floats]:
    """What the league as a whole shoots, so that every seed has the same level."""
    mixes, skills = [], []
    for season in range(len(plan.seasons)):
        holders = rosters.places[season, 0].ravel()
        holders = holders[holders != NOBODY]
        shots = (rosters.role[holders, season] * players.usage[holders])[:, None] * players.zone_mix[holders]
        mixes.append(shots.sum(axis=0) / shots.sum())
        skills.append((shots * players.zone_skill[holders]).sum(axis=0) / shots.sum(axis=0))
    return np.stack(mixes), np.stack(skills)


def _with_sides(effects: Floats, exhibition: float) -> Floats:
    """The effects of the real teams, then of the exhibition sides, who run and do not defend."""
    sides = np.full((len(EXHIBITION_CODES), *effects.shape[1:]), exhibition)
    return np.concatenate([effects, sides])
