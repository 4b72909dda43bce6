"""The whole league as played, in the order of its dates, with what is missing from which source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lib.league.arrays import Bools, Ints, stack, stream
from lib.league.lines import player_lines, team_lines
from lib.league.play import Played
from lib.league.postseason import join, scheduled_and_played
from lib.league.schedule import ALL_STAR, PRESEASON, REGULAR, Games, season_schedule
from lib.league.shots import Shots, count_defence, draw_shots
from lib.league.world import World

SECOND_SOURCE = 0.94  # of the games are in the second source of player boxes
SWAPPED = 0.05  # of the games carry HOME_AWAY ids in the team boxes
COPIES = 30  # outdated copies of team boxes


@dataclass(frozen=True)
class Sources:
    """By game: whether each source has it, whether its team-box id is swapped, whether an outdated copy is left."""

    gamebook: Bools
    second: Bools
    team_box: Bools
    events: Bools
    swapped: Bools
    copied: Bools


@dataclass(frozen=True)
class Season:
    """Everything the raw tables are written from. Lines are (game, side, slot) and (game, side)."""

    world: World
    played: Played
    coming: Games
    shots: Shots
    lines: dict[str, Ints]
    team_lines: dict[str, Ints]
    sources: Sources

    @property
    def games(self) -> Games:
        """The games that were played."""
        return self.played.games

    @property
    def sides(self) -> Ints:
        """Home and visiting team, (game, side)."""
        return np.stack([self.games.home, self.games.away], axis=1)

    @property
    def counted(self) -> Bools:
        """By game: not an exhibition."""
        return ~np.isin(self.games.kind, (PRESEASON, ALL_STAR))


def play_league(world: World) -> Season:
    """Every season of *world*'s plan, up to its last final day."""
    plan = world.plan
    games = [season_schedule(stream(world.seed, f"schedule {n}"), plan, n) for n in range(len(plan.seasons))]
    played, coming = scheduled_and_played(world, stack(games))
    played = join([played]).pick(np.lexsort((played.games.number, played.games.kind, played.games.day)))
    shots = draw_shots(stream(world.seed, "shots"), world, played)
    lines = player_lines(stream(world.seed, "lines"), world, played, count_defence(played, shots))
    return Season(world, played, coming, shots, lines, team_lines(played, lines), _sources(world, played.games))


def _sources(world: World, games: Games) -> Sources:
    rng = stream(world.seed, "sources")
    return _pocket_sources(rng, games) if world.plan.pocket else _full_sources(rng, games)


def _full_sources(rng: np.random.Generator, games: Games) -> Sources:
    count = len(games.day)
    everything = np.ones(count, dtype=bool)
    copied = np.zeros(count, dtype=bool)
    copied[rng.choice(np.flatnonzero(games.kind == REGULAR), COPIES, replace=False)] = True
    return Sources(
        gamebook=everything,
        second=rng.random(count) < SECOND_SOURCE,
        team_box=everything,
        events=games.kind != ALL_STAR,
        swapped=rng.random(count) < SWAPPED,
        copied=copied,
    )


def _pocket_sources(rng: np.random.Generator, games: Games) -> Sources:
    """Each season lacks one game in each of three sources; one game is swapped, three are copied; no game twice."""
    halves = [np.flatnonzero((games.kind == REGULAR) & (games.season == n))[12:] for n in (0, 1)]
    first, second = (rng.choice(half, 5, replace=False) for half in halves)
    chosen = {name: [first[n], second[n]] for n, name in enumerate(("gamebook", "team_box", "events", "copied"))}
    masks = {name: np.isin(np.arange(len(games.day)), where) for name, where in chosen.items()}
    swapped = np.arange(len(games.day)) == first[4]
    return Sources(
        gamebook=~masks["gamebook"],
        second=(rng.random(len(swapped)) < SECOND_SOURCE) | masks["gamebook"],
        team_box=~masks["team_box"],
        events=~masks["events"] & (games.kind != ALL_STAR),
        swapped=swapped,
        copied=masks["copied"],
    )
