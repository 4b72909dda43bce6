"""Play-in and playoffs: who gets in, best-of-seven series, and the dates they take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lib.errors import CannotJudge
from lib.league.arrays import Ints, day_number, pick, stack, stream
from lib.league.plan import LeaguePlan, SeasonPlan
from lib.league.play import Played, play
from lib.league.schedule import PLAY_IN, PLAYOFFS, REGULAR, Games, conferences_of, make_games
from lib.league.world import World

HOSTS = np.array([0, 0, 1, 1, 0, 1, 0])  # who is at home in a series, 0 the better seed
WINS = 4
LATEST_START, LONGEST_GAP = 2, 3  # days: of a series after its round, and between two of its games
PLAY_IN_DAYS = (-4, -3, -1)  # before the first playoff day
BRACKET = (0, 7, 3, 4, 2, 5, 1, 6)  # seeds of a conference in the order of its bracket
TRIES = 5000


def postseason(world: World, index: int, regular: Played) -> list[Played]:
    """Play-in and playoffs of season *index*, played after *regular*; nothing where the plan has no playoffs."""
    plan, season = world.plan, world.plan.seasons[index]
    if season.playoffs is None:
        return []
    rng = stream(world.seed, f"postseason {index}")
    ranked = _ranked(plan, pick_season(regular, index))
    if plan.pocket:
        play_in, fields = _pocket_play_in(world, rng, index, ranked)
    else:
        play_in, fields = _play_in(world, rng, index, ranked)
    rounds = _playoffs(world, rng, index, fields)
    return [*play_in, *_dated(rng, plan, season, rounds)]


def pick_season(played: Played, index: int) -> Played:
    """The regular-season games of season *index*."""
    return played.pick((played.games.season == index) & (played.games.kind == REGULAR))


def winners(played: Played) -> Ints:
    """The team that won, by game."""
    return np.where(played.box.margin > 0, played.games.home, played.games.away)


def losers(played: Played) -> Ints:
    """The team that lost, by game."""
    return np.where(played.box.margin > 0, played.games.away, played.games.home)


def _ranked(plan: LeaguePlan, regular: Played) -> list[Ints]:
    """Each conference's teams by wins, ties in the order of their codes."""
    wins = np.bincount(winners(regular), minlength=len(plan.teams))
    order = np.argsort(-wins, kind="stable")
    halves = conferences_of(plan)[order]
    return [order[halves == half] for half in (0, 1)]


def _play_in(world: World, rng: np.random.Generator, index: int, ranked: list[Ints]) -> tuple[list[Played], Ints]:
    """Seventh to tenth play for the last two places: six games on three dates. Returns the two fields of eight."""
    first = play(rng, world, _play_in_games(world, index, 101, [(t[6], t[7]) for t in ranked], PLAY_IN_DAYS[0]))
    second = play(rng, world, _play_in_games(world, index, 103, [(t[8], t[9]) for t in ranked], PLAY_IN_DAYS[1]))
    pairs = list(zip(losers(first), winners(second), strict=True))
    last = play(rng, world, _play_in_games(world, index, 201, pairs, PLAY_IN_DAYS[2]))
    seeds = zip(ranked, winners(first), winners(last), strict=True)
    return [first, second, last], np.stack([np.append(t[:6], [seven, eight]) for t, seven, eight in seeds])


def _pocket_play_in(
    world: World, rng: np.random.Generator, index: int, ranked: list[Ints]
) -> tuple[list[Played], Ints]:
    """One game: the second of the first conference against the second of the other; its winner meets the best team."""
    game = play(rng, world, _play_in_games(world, index, 101, [(ranked[0][1], ranked[1][1])], PLAY_IN_DAYS[1]))
    return [game], np.array([[ranked[0][0], winners(game)[0]]])


def _play_in_games(world: World, index: int, number: int, pairs: list[tuple[int, int]], offset: int) -> Games:
    first = world.plan.seasons[index].playoffs
    days = np.full(len(pairs), day_number(first) + offset) if first else np.zeros(0, dtype=np.int64)
    return make_games(index, PLAY_IN, number + np.arange(len(pairs)), days, np.array(pairs))


def _playoffs(world: World, rng: np.random.Generator, index: int, fields: Ints) -> list[Played]:
    """The rounds, each as its games played, on provisional days. *fields* is (conference, seed)."""
    order = list(BRACKET) if fields.shape[1] == len(BRACKET) else [0, 1]
    alive = fields[:, order].ravel()
    strength = {int(team): seed for half in fields for seed, team in enumerate(half)}
    rounds: list[Played] = []
    while len(alive) > 1:
        pairs = np.array([sorted(pair, key=lambda team: strength[int(team)]) for pair in alive.reshape(-1, 2)])
        games = _series_games(world, index, len(rounds) + 1, pairs)
        played, alive = _decide(play(rng, world, games), pairs)
        rounds.append(played)
    return rounds


def _series_games(world: World, index: int, stage: int, pairs: Ints) -> Games:
    """All seven games of every series; numbers are round, series and game as in the league's ids."""
    series, game = (part.ravel() for part in np.indices((len(pairs), len(HOSTS))))
    hosts = pairs[series, HOSTS[game]]
    guests = pairs[series, 1 - HOSTS[game]]
    start = world.plan.seasons[index].playoffs
    days = (day_number(start) if start else 0) + 15 * (stage - 1) + series % 2 + 2 * game
    return make_games(index, PLAYOFFS, 100 * stage + 10 * series + game + 1, days, np.stack([hosts, guests], axis=1))


def _decide(played: Played, pairs: Ints) -> tuple[Played, Ints]:
    """The games up to each series' fourth win, and the teams that go on."""
    better = (winners(played).reshape(len(pairs), -1) == pairs[:, :1]).astype(np.int64)
    before = np.cumsum(better, axis=1) - better
    lost_before = np.cumsum(1 - better, axis=1) - (1 - better)
    on = (before < WINS) & (lost_before < WINS)
    through = (better * on).sum(axis=1) == WINS
    return played.pick(on.ravel()), np.where(through, pairs[:, 0], pairs[:, 1])


def _dated(rng: np.random.Generator, plan: LeaguePlan, season: SeasonPlan, rounds: list[Played]) -> list[Played]:
    """The rounds on final days: calendars are drawn until one has the plan's number of playoff dates."""
    start = day_number(season.playoffs or season.end)
    for _ in range(TRIES):
        days = draw_days(rng, start, [part.games.number for part in rounds])
        dates = np.unique(np.concatenate(days))
        if plan.playoff_dates in (0, len(dates)) and dates[-1] <= day_number(season.end):
            moved = zip(rounds, days, strict=True)
            return [replace(part, games=replace(part.games, day=new)) for part, new in moved]
    raise CannotJudge(
        f"no calendar of {plan.playoff_dates} playoff dates up to {season.end} was found; choose another seed"
    )


def draw_days(rng: np.random.Generator, start: int, numbers: list[Ints]) -> list[Ints]:
    """Days for the games of each round; *numbers* are round, series and game. Some calendars are brisk, some slow."""
    days, slow = [], 0.7 * rng.random()
    for number in numbers:
        series, game = number // 10, number % 10
        here = np.zeros(len(number), dtype=np.int64)
        for one in np.unique(series):
            gaps = LONGEST_GAP - (rng.random(len(HOSTS) - 1) > slow)
            course = start + int(rng.integers(0, LATEST_START + 1)) + np.concatenate([[0], np.cumsum(gaps)])
            here[series == one] = course[game[series == one] - 1]
        days.append(here)
        start = int(here.max()) + 2
    return days


def scheduled_and_played(world: World, games: Games) -> tuple[Played, Games]:
    """The league played up to its last final day, and the games that are only scheduled."""
    plan = world.plan
    over = games.day <= day_number(plan.last_final)
    coming = pick(games, ~over & (games.day <= day_number(plan.last_scheduled)))
    regular = play(stream(world.seed, "games"), world, pick(games, over))
    parts = [regular, *(part for index in range(len(plan.seasons)) for part in postseason(world, index, regular))]
    return join(parts), coming


def join(parts: list[Played]) -> Played:
    """Games of several batches as one."""
    return Played(
        stack([part.games for part in parts]),
        stack([part.lineups for part in parts]),
        stack([part.box for part in parts]),
        np.concatenate([part.overtimes for part in parts]),
        np.concatenate([part.expected for part in parts]),
    )
