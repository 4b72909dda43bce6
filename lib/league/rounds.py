"""Who meets whom: rounds in which every team plays once, half of them at home."""

from __future__ import annotations

import numpy as np

from lib.league.arrays import Ints


def draw_rounds(rng: np.random.Generator, conferences: Ints, count: int) -> Ints:
    """*count* (even) rounds as (count, teams / 2, 2) of home and visiting team, in random order.

    Every pair meets equally often, home and away; the rounds left over are played within the two conferences.
    The teams of the two conferences must be equally many, and an odd number.
    """
    teams = len(conferences)
    single = _circle(rng.permutation(teams))
    doubles, left = divmod(count, 2 * (teams - 1))
    both = np.concatenate([single, single[:, :, ::-1]])
    extra = _conference_rounds(rng, conferences, left)
    return rng.permutation(np.concatenate([both] * doubles + [_orient(extra)]))


def _circle(teams: Ints) -> Ints:
    """A single round robin by the circle method: (n - 1, n / 2, 2)."""
    size = len(teams)
    order = np.stack([np.concatenate([[size - 1], np.roll(np.arange(size - 1), turn)]) for turn in range(size - 1)])
    rounds: Ints = teams[np.stack([order[:, : size // 2], order[:, : size // 2 - 1 : -1]], axis=2)]
    return rounds


def _conference_rounds(rng: np.random.Generator, conferences: Ints, count: int) -> Ints:
    """*count* rounds within the conferences; the two teams left over in a round meet each other."""
    rounds: list[Ints] = []
    while len(rounds) < count:
        east, west = (rng.permutation(np.flatnonzero(conferences == half)) for half in (0, 1))
        rounds.extend(np.concatenate(pair) for pair in zip(_with_bye(east), _with_bye(west), strict=True))
    return np.stack([_join_byes(part) for part in rounds[:count]])


def _with_bye(teams: Ints) -> Ints:
    return _circle(np.append(teams, -1))


def _join_byes(pairs: Ints) -> Ints:
    """The pairs of a round without -1; the two teams that were paired with it meet."""
    idle = (pairs == -1).any(axis=1)
    left = pairs[idle]
    return np.concatenate([pairs[~idle], left[left != -1].reshape(1, 2)])


def _orient(rounds: Ints) -> Ints:
    """The same pairs, homes set so that over rounds 2k and 2k + 1 every team is at home once."""
    return np.concatenate([_orient_two(rounds[k], rounds[k + 1]) for k in range(0, len(rounds), 2)])


def _orient_two(first: Ints, second: Ints) -> Ints:
    """Two perfect matchings form cycles of even length: walking them, every team is once the host."""
    teams = 2 * len(first)
    partners = [_partners(first, teams), _partners(second, teams)]
    hosts: list[list[tuple[int, int]]] = [[], []]
    seen: set[int] = set()
    for start in range(teams):
        team = start
        while team not in seen:
            guest = int(partners[0][team])
            hosts[0].append((team, guest))
            hosts[1].append((guest, int(partners[1][guest])))
            seen.update((team, guest))
            team = int(partners[1][guest])
    return np.array(hosts)


def _partners(pairs: Ints, teams: int) -> Ints:
    partner = np.empty(teams, dtype=np.int64)
    partner[pairs[:, 0]], partner[pairs[:, 1]] = pairs[:, 1], pairs[:, 0]
    return partner
