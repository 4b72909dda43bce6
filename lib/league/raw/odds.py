"""Props and game lines, drawn around the latent means: bookmakers know roles and injuries, not results."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from lib.league.arrays import Floats, Ints, stream
from lib.league.raw.arrow import HOUR, canonical_ids, table, words
from lib.league.raw.season import Season
from lib.league.teams import TEAMS

BOOKMAKERS = ("draftkings", "fanduel")
PROP_FROM = 2022  # first season of the first source of props
PROP_MEAN, PROP_SHARE = 7.3, 0.72  # expected points from which a prop is offered, and how often
OTHER_MEAN, OTHER_SHARE = 5.4, 0.995
OTHER_BOOKMAKERS = ("BetMGM", "Caesars")
SECOND_OFFER, STANDING = 0.5, 0.98  # offers of the second of them; offers that stand
MEDIAN = 0.97  # points have a long tail: the even line lies below the mean
OPENING_NOISE, CLOSING_NOISE, OWN_NOISE = 1.3, 0.8, 0.35
WHOLE = 0.2  # of the lines are whole numbers, on which a push is possible
LINES_SHARE = 0.991
MARGIN_KEPT = 0.80  # of the difference of expected points: leaders ease off
SPREAD_NOISE, TOTAL_NOISE = 1.0, 1.8
OPENS, CLOSES = 20 * HOUR, HOUR // 4  # before the game


def _tips(season: Season, game: Ints) -> Ints:
    """Start of each game, microseconds UTC: between 19:00 and 22:30 US/Eastern."""
    slots = stream(season.world.seed, "tips").integers(0, 8, len(season.games.day))
    return ((season.games.day * 48 + 48 + slots) * (HOUR // 2))[game]


def _half_points(rng: np.random.Generator, values: Floats) -> Floats:
    """Lines at values: mostly halves, some whole numbers, never below a half."""
    whole = rng.random(values.shape) < WHOLE
    return np.maximum(np.where(whole, np.rint(values), np.floor(values) + 0.5), 0.5)


def _prop_lines(rng: np.random.Generator, expected: Floats, makers: int) -> tuple[Floats, Floats]:
    """Opening and closing lines, each (player, bookmaker)."""
    lines = []
    for noise in (OPENING_NOISE, CLOSING_NOISE):
        common = MEDIAN * expected + noise * rng.standard_normal(expected.shape)
        lines.append(common[:, None] + OWN_NOISE * rng.standard_normal((len(expected), makers)))
    return _half_points(rng, lines[0]), _half_points(rng, lines[1])


def _offered(season: Season, rng: np.random.Generator, mean: float, share: float) -> tuple[Ints, Ints, Ints]:
    expected = season.played.expected
    wanted = (expected > mean) & (rng.random(expected.shape) < share) & season.counted[:, None, None]
    game, side, slot = np.nonzero(wanted)
    return game, side, slot


def props(season: Season) -> pa.Table:
    """Two bookmakers, an opening and a closing snapshot each, for part of the players since 2022-23."""
    rng = stream(season.world.seed, "props")
    game, side, slot = _offered(season, rng, PROP_MEAN, PROP_SHARE)
    years = np.array([plan.year for plan in season.world.plan.seasons])[season.games.season[game]]
    game, side, slot = (part[years >= PROP_FROM] for part in (game, side, slot))
    lines = np.stack(_prop_lines(rng, season.played.expected[game, side, slot], len(BOOKMAKERS)), axis=2)
    row, maker, snapshot = (part.ravel() for part in np.indices(lines.shape))
    columns = {
        "game_id": words(canonical_ids(season.world.codes, season.games), game[row]),
        "game_date": season.games.day[game[row]],
        "player_lookup": words(season.world.players.lookups, season.played.lineups.player[game, side, slot][row]),
        "bookmaker": words(BOOKMAKERS, maker),
        "points_line": lines.ravel(),
        "snapshot_timestamp": _tips(season, game)[row] - np.array([OPENS, CLOSES])[snapshot] - 60_000_000 * maker,
    }
    return table("nba_raw.odds_api_player_points_props", columns)


def other_props(season: Season) -> pa.Table:
    """Nearly every player who is good for six points, by one or two bookmakers; a few offers are withdrawn."""
    rng = stream(season.world.seed, "other props")
    game, side, slot = _offered(season, rng, OTHER_MEAN, OTHER_SHARE)
    opening, closing = _prop_lines(rng, season.played.expected[game, side, slot], len(OTHER_BOOKMAKERS))
    kept = rng.random(opening.shape) < np.array([1.0, SECOND_OFFER])
    row, maker = np.nonzero(kept)
    columns = {
        "game_date": season.games.day[game[row]],
        "player_lookup": words(season.world.players.lookups, season.played.lineups.player[game, side, slot][row]),
        "bookmaker": words(OTHER_BOOKMAKERS, maker),
        "points_line": closing[row, maker],
        "opening_line": opening[row, maker],
        "is_active": rng.random(len(row)) < STANDING,
        "is_best_line": (closing == closing.min(axis=1, keepdims=True))[row, maker],
        "bookmaker_last_update": _tips(season, game)[row] - rng.integers(15, 240, len(row)) * (HOUR // 60),
    }
    return table("nba_raw.bettingpros_player_points_props", columns)


def game_lines(season: Season) -> pa.Table:
    """Spreads and totals of two bookmakers, opening and closing; both sides of each market."""
    rng = stream(season.world.seed, "game lines")
    game = np.flatnonzero(season.counted & (rng.random(len(season.games.day)) < LINES_SHARE))
    values = _market_values(rng, season, game)
    row, maker, snapshot, market, outcome = (part.ravel() for part in np.indices((*values.shape, 2)))
    line = values[row, maker, snapshot, market]
    names = [*_full_names(season), "Over", "Under"]
    spread_name = season.sides[game[row], outcome]
    columns = {
        "game_date": season.games.day[game[row]],
        "home_team_abbr": words(season.world.codes, season.games.home[game[row]]),
        "away_team_abbr": words(season.world.codes, season.games.away[game[row]]),
        "bookmaker_key": words(BOOKMAKERS, maker),
        "market_key": words(("spreads", "totals"), market),
        "outcome_name": words(names, np.where(market == 0, spread_name, len(names) - 2 + outcome)),
        "outcome_point": np.where((market == 0) & (outcome == 0), -line, line),
        "snapshot_timestamp": _tips(season, game)[row] - np.array([OPENS, CLOSES])[snapshot],
    }
    return table("nba_raw.odds_api_game_lines", columns)


def _market_values(rng: np.random.Generator, season: Season, game: Ints) -> Floats:
    """Home side's expected margin and the expected total: (game, bookmaker, snapshot, market), in halves."""
    expected = season.played.expected[game].sum(axis=-1)
    means = np.stack([MARGIN_KEPT * (expected[:, 0] - expected[:, 1]), expected.sum(axis=1)], axis=1)
    noise = rng.standard_normal((len(game), 1, 2, 2)) * np.array([SPREAD_NOISE, TOTAL_NOISE])
    own = 0.4 * rng.standard_normal((len(game), len(BOOKMAKERS), 2, 2))
    values: Floats = np.rint(2 * (means[:, None, None] + noise + own)) / 2
    return values


def _full_names(season: Season) -> list[str]:
    known = {team.code: team.name for team in TEAMS}
    return [known.get(code, code) for code in season.world.codes]
