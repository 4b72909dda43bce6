"""When they meet: regular season, preseason, All-Star weekend and Cup final, by date."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lib.league.arrays import Floats, Ints, day_number, stack
from lib.league.plan import LeaguePlan, SeasonPlan
from lib.league.rounds import draw_rounds
from lib.league.teams import EXHIBITION_CODES, TEAMS

PRESEASON, REGULAR, ALL_STAR, PLAYOFFS, PLAY_IN, CUP = 1, 2, 3, 4, 5, 6
BUSY = (0.6, 0.75, 1.5, 0.4, 1.5, 0.95, 1.0)  # games by weekday, Monday first
REST_WEIGHT = 0.33  # how strongly a team that played yesterday is given the later date of a round
FIRST_POSTPONABLE = 45  # position among the season's dates; later games only, so that bootstrap stays full


@dataclass(frozen=True)
class Games:
    """Games as columns of one length; ``former`` is the day a postponed game was first set for, else -1."""

    season: Ints
    kind: Ints
    number: Ints
    day: Ints
    home: Ints
    away: Ints
    former: Ints


def make_games(season: int, kind: int, numbers: Sequence[int] | Ints, days: Ints, pairs: Ints) -> Games:
    """Games of one kind and season; *pairs* is (n, 2) of home and visiting team."""
    count = len(pairs)
    return Games(
        season=np.full(count, season),
        kind=np.full(count, kind),
        number=np.asarray(numbers, dtype=np.int64),
        day=np.asarray(days, dtype=np.int64),
        home=pairs[:, 0],
        away=pairs[:, 1],
        former=np.full(count, -1),
    )


def conferences_of(plan: LeaguePlan) -> Ints:
    """0 or 1 by team; in the pocket league the first and the second half."""
    if plan.pocket:
        return np.arange(len(plan.teams)) * 2 // len(plan.teams)
    return np.array([team.conference for team in TEAMS])


def season_schedule(rng: np.random.Generator, plan: LeaguePlan, index: int) -> Games:
    """Every game of season *index* that does not hang on results, in the order of the dates they were first set for."""
    season = plan.seasons[index]
    rounds = draw_rounds(rng, conferences_of(plan), season.rounds)
    regular = _regular(rng, season, index, rounds)
    settled = _postpone(rng, regular, _open_dates(plan, season), plan.postponed)
    return stack(
        [_preseason(rng, plan, season, index), settled, _all_star(plan, season, index), _cup(rng, plan, season, index)]
    )


def _regular(rng: np.random.Generator, season: SeasonPlan, index: int, rounds: Ints) -> Games:
    dates = season.regular_dates()
    days = np.array([day_number(day) for day in dates])
    busy = np.array([BUSY[day.weekday()] for day in dates])
    bounds = np.append(np.arange(len(rounds)) * (len(days) - 1) // (len(rounds) - 1), len(days))
    yesterday = np.zeros(0, dtype=np.int64)  # teams of the last date filled
    last_day, placed, pairs = -2, [], []
    for number, games in enumerate(rounds):
        span = slice(int(bounds[number]), int(bounds[number + 1]))
        tired = yesterday if days[span.start] == last_day + 1 else yesterday[:0]
        order, sizes = _split(rng, games, busy[span], tired)
        placed.append(np.repeat(days[span], sizes))
        pairs.append(games[order])
        last_day, yesterday = int(days[span.stop - 1]), games[order][len(games) - sizes[-1] :].ravel()
    count = rounds.shape[0] * rounds.shape[1]
    return make_games(index, REGULAR, np.arange(1, count + 1), np.concatenate(placed), np.concatenate(pairs))


def _split(rng: np.random.Generator, games: Ints, busy: Floats, tired: Ints) -> tuple[Ints, Ints]:
    """The order in which a round's games are dealt to its dates, and how many each date gets (at least one)."""
    key = rng.random(len(games)) + REST_WEIGHT * np.isin(games, tired).sum(axis=1)
    noise = rng.uniform(0.75, 1.25, len(busy))
    cuts = np.rint(np.cumsum(busy * noise) / (busy * noise).sum() * len(games)).astype(np.int64)
    room = np.arange(1, len(busy) + 1)
    cuts = np.clip(cuts, room, len(games) - room[::-1] + 1)
    return np.argsort(key), np.diff(cuts, prepend=0)


def _postpone(rng: np.random.Generator, games: Games, dates: list[int], count: int) -> Games:
    """*count* games move to a later date on which neither team plays; they keep their numbers."""
    day, former = games.day.copy(), games.former.copy()
    for game in rng.permutation(len(day)):
        if (former >= 0).sum() == count:
            break
        new = _free_date(games, day, int(game), dates) if day[game] in dates else None
        if new is not None and (day == day[game]).sum() > 1:
            former[game], day[game] = day[game], new
    return Games(games.season, games.kind, games.number, day, games.home, games.away, former)


def _open_dates(plan: LeaguePlan, season: SeasonPlan) -> list[int]:
    """The dates that are over: a game still to come is not postponed, nor one put off past the last final."""
    return [day_number(date) for date in season.regular_dates() if date <= plan.last_final]


def _free_date(games: Games, day: Ints, game: int, dates: list[int]) -> int | None:
    """The first date 5 to 40 days later that is free for both teams and is no third day in a row for either."""
    here = dates.index(int(day[game]))
    teams = (games.home[game], games.away[game])
    taken = set(day[np.isin(games.home, teams) | np.isin(games.away, teams)].tolist())
    late = [date for date in dates[:-1] if 5 <= date - dates[here] <= 40]
    near = min(FIRST_POSTPONABLE, len(dates) // 3)
    runs = [(-2, -1), (-1, 1), (1, 2)]
    rested = [date for date in late if not any({date + one, date + two} <= taken for one, two in runs)]
    free = [date for date in rested if here >= near and date not in taken]
    return free[0] if free else None


def _preseason(rng: np.random.Generator, plan: LeaguePlan, season: SeasonPlan, index: int) -> Games:
    """Rounds in early October; the pocket league has one game."""
    rounds = draw_rounds(rng, conferences_of(plan), 2 * len(plan.teams))[: max(plan.preseason_rounds, 1)]
    start = day_number(max(datetime.date(season.year, 10, 3), season.first - datetime.timedelta(18)))
    days = np.repeat(start + 4 * np.arange(len(rounds)), rounds.shape[1])
    games = make_games(index, PRESEASON, np.arange(1, len(days) + 1), days, rounds.reshape(-1, 2))
    return games if plan.preseason_rounds else _first(games)


def _first(games: Games) -> Games:
    return make_games(int(games.season[0]), int(games.kind[0]), games.number[:1], games.day[:1],
                      np.stack([games.home[:1], games.away[:1]], axis=1))  # fmt: skip


def _all_star(plan: LeaguePlan, season: SeasonPlan, index: int) -> Games:
    """Sunday's and Friday's exhibition; on the first Sunday the sides carry the codes of two real teams."""
    made_up = len(plan.teams) + np.arange(len(EXHIBITION_CODES)).reshape(2, 2)
    pairs = made_up[: plan.all_star_games].copy()
    if index == 0:
        pairs[0] = (0, len(plan.teams) - 1)
    days = day_number(season.all_star) - np.array([0, 2])[: plan.all_star_games]
    return make_games(index, ALL_STAR, np.arange(1, len(pairs) + 1), days, pairs)


def _cup(rng: np.random.Generator, plan: LeaguePlan, season: SeasonPlan, index: int) -> Games:
    halves = conferences_of(plan)
    pair = np.array([[rng.choice(np.flatnonzero(halves == half)) for half in (1, 0)]])
    days = [day_number(season.cup)] if season.cup else []
    return make_games(index, CUP, np.arange(1, len(days) + 1), np.array(days, dtype=np.int64), pair[: len(days)])
