"""How well averages foretell points in the simulated league, beside what they do on real games."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from lib.league import League

Row = tuple[str, float, float | None, float | None]
FEWEST = 10  # games before, as in the real figures
REAL_LAST_TEN = {2021: 4.80, 2022: 4.82, 2023: 4.74, 2024: 4.80, 2025: 4.77}
REAL_BLEND = {2021: 4.74, 2022: 4.75, 2023: 4.68, 2024: 4.74, 2025: 4.72}


def baseline_figures(league: League, players: pd.DataFrame) -> Iterator[Row]:
    """Name, simulated, real, tolerance. *players* is one row per player and game, with points."""
    rows = with_averages(players)
    misses = {name: (rows.points - rows[name]).abs() for name in ("last5", "last10", "season", "blend")}
    by_season = {name: miss.groupby(rows.season_year).mean() for name, miss in misses.items()}
    for season, real in REAL_LAST_TEN.items():
        yield f"MAE, last 10, {season}-{season % 100 + 1}", float(by_season["last10"][season]), real, _tolerance(season)
    for season, real in REAL_BLEND.items():
        yield (
            f"MAE, last 10 and season, {season}-{season % 100 + 1}",
            float(by_season["blend"][season]),
            real,
            _tolerance(season),
        )
    yield "MAE, last 5", float(misses["last5"].mean()), 4.92, 0.2
    yield "MAE, season mean", float(misses["season"].mean()), 4.80, 0.2
    yield "MAE, last 10, averaging 10 or more", float(misses["last10"][rows["season"] >= 10].mean()), 5.70, 0.3
    yield "correlation with last 10", float(rows.points.corr(rows.last10)), 0.715, 0.03
    yield from _line_figures(league, rows)


def _tolerance(season: int) -> float:
    """Wider in the unfinished season: fewer rows, and all from autumn, when averages foretell less."""
    return 0.25 if season < max(REAL_LAST_TEN) else 0.45


def with_averages(players: pd.DataFrame) -> pd.DataFrame:
    """The rows with at least ten games before in their season, with means over strictly earlier games."""
    rows = players.sort_values(["player_lookup", "game_date"], kind="stable")
    keys = [rows.player_lookup, rows.season_year]
    before = rows.groupby(keys).cumcount()
    total = rows.groupby(keys).points.cumsum() - rows.points
    rows = rows.assign(
        last5=(total - total.groupby(keys).shift(5)) / 5,
        last10=(total - total.groupby(keys).shift(10)) / 10,
        season=total / before.where(before > 0),
    )[before >= FEWEST]
    return rows.assign(blend=(rows.last10 + rows["season"]) / 2)


def _line_figures(league: League, rows: pd.DataFrame) -> Iterator[Row]:
    """The bookmakers' lines know roles and injuries: what is left to gain over averages on the same rows."""
    lines = league.tables["nba_raw.bettingpros_player_points_props"].select(
        ["game_date", "player_lookup", "points_line"]
    )
    means = lines.to_pandas().groupby(["game_date", "player_lookup"], as_index=False).points_line.mean()
    both = rows.merge(means, on=["game_date", "player_lookup"])
    yield "MAE, line", float((both.points - both.points_line).abs().mean()), None, None
    yield "MAE, last 10, rows with a line", float((both.points - both.last10).abs().mean()), None, None
