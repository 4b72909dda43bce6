"""The training matrix: the 21 features of every player who played, and the points he then scored.

The readiness gate judges this matrix and the training uses it: one query, one object.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from lib.errors import CannotJudge
from lib.features import TRAINING_21
from lib.warehouse import Session

if TYPE_CHECKING:
    import pyarrow as pa

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Dates = NDArray[np.datetime64]

BOOLEANS = ("is_home", "back_to_back")
SHARES = (0.70, 0.15, 0.15)


def as_number(feature: str) -> str:
    """GoogleSQL of one feature as a floating point number; true is 1."""
    number = f"CAST(IF({feature}, 1, 0) AS FLOAT64)" if feature in BOOLEANS else f"CAST({feature} AS FLOAT64)"
    return f"{number} AS {feature}"


# A feature can be known where its table holds a row for the key; that every eligible key has one is phase 4's gate.
KNOWN_BY: Mapping[str, tuple[str, ...]] = {
    "in_cache": (
        "points_avg_last_5", "points_avg_last_10", "points_avg_season", "points_std_last_10", "minutes_avg_last_10",
        "team_pace_last_10", "team_off_rating_last_10", "usage_rate_last_10",
    ),
    "in_zones": (
        "paint_rate_last_10", "mid_range_rate_last_10", "three_pt_rate_last_10", "assisted_rate_last_10",
        "shot_zone_mismatch_score",
    ),
    "in_defences": ("opponent_def_rating_last_15", "opponent_pace_last_15", "shot_zone_mismatch_score"),
}  # fmt: skip

# who played, of nba_analytics.player_game_summary: listed as active is not yet on the floor
PLAYED = "is_active AND points IS NOT NULL AND (minutes_played IS NOT NULL OR points > 0)"
NUMBERS = ", ".join(as_number(feature) for feature in TRAINING_21)
QUERY = f"""
WITH store AS (
  SELECT
    game_date, season_year, player_lookup, opponent_team_abbr, default_features,
    CAST(current_points_line AS FLOAT64) AS line, {NUMBERS}
  FROM nba_predictions.ml_feature_store_v2
  WHERE game_date BETWEEN @first AND @last
),
played AS (
  SELECT game_date, player_lookup, CAST(points AS FLOAT64) AS points
  FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @first AND @last AND {PLAYED}
),
cache AS (
  SELECT cache_date, player_lookup FROM nba_precompute.player_daily_cache WHERE cache_date BETWEEN @first AND @last
),
zones AS (
  SELECT analysis_date, player_lookup FROM nba_precompute.player_shot_zone_analysis
  WHERE analysis_date BETWEEN @first AND @last
),
defences AS (
  SELECT analysis_date, team_abbr FROM nba_precompute.team_defense_zone_analysis
  WHERE analysis_date BETWEEN @first AND @last
)
SELECT
  store.*, played.points, cache.player_lookup IS NOT NULL AS in_cache, zones.player_lookup IS NOT NULL AS in_zones,
  defences.team_abbr IS NOT NULL AS in_defences
FROM store
JOIN played ON played.game_date = store.game_date AND played.player_lookup = store.player_lookup
LEFT JOIN cache ON cache.cache_date = store.game_date AND cache.player_lookup = store.player_lookup
LEFT JOIN zones ON zones.analysis_date = store.game_date AND zones.player_lookup = store.player_lookup
LEFT JOIN defences ON defences.analysis_date = store.game_date AND defences.team_abbr = store.opponent_team_abbr
ORDER BY store.game_date, store.player_lookup
"""


@dataclass(frozen=True)
class Split:
    """Three runs of consecutive rows; no date lies in two of them."""

    train: slice
    validation: slice
    test: slice

    def named(self) -> dict[str, slice]:
        """The parts by name, oldest first."""
        return {"train": self.train, "validation": self.validation, "test": self.test}


@dataclass(frozen=True)
class Matrix:
    """Rows in order of date and player. ``features`` has shape (rows, 21) in the order of TRAINING_21."""

    days: Dates
    seasons: NDArray[np.int64]
    players: NDArray[np.str_]
    features: Floats
    points: Floats
    lines: Floats  # points, NaN where there was no line
    defaults: Flags  # (rows, 21): the value is a default, because nothing was known
    knowable: Flags  # (rows, 21): the table behind the feature holds a row for the key

    def __len__(self) -> int:
        return len(self.points)

    def column(self, feature: str) -> Floats:
        """One feature of all rows."""
        column: Floats = self.features[:, TRAINING_21.index(feature)]
        return column

    @cached_property
    def split(self) -> Split:
        """Chronological, 70/15/15 of the rows, cut between dates."""
        first, second = (self._cut(share) for share in np.cumsum(SHARES)[:2])
        return Split(slice(0, first), slice(first, second), slice(second, len(self)))

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over names and values of the whole matrix, in its order."""
        digest = hashlib.sha256("\n".join(TRAINING_21).encode())
        digest.update(self.days.astype("datetime64[D]").astype(np.int64).tobytes())
        digest.update("\n".join(self.players.tolist()).encode())
        for values in (self.features, self.points, self.lines):
            digest.update(np.ascontiguousarray(values).tobytes())
        return digest.hexdigest()

    def _cut(self, share: float) -> int:
        """The first row of the date in which *share* of the rows is reached."""
        at = min(round(share * len(self)), len(self) - 1)
        return int(np.searchsorted(self.days, self.days[at], side="left"))


def read_matrix(session: Session, first: date, last: date) -> Matrix:
    """The matrix from *first* to *last*. CannotJudge where it has no row: nothing is not ready."""
    rows = session.arrow(QUERY, first=first, last=last)
    if not rows.num_rows:
        raise CannotJudge(
            f"no row to train on from {first} to {last}: the feature store and the players' games share no key;"
            " run 'runbook run --phase 4' first"
        )
    return Matrix(
        days=_floats(rows, "game_date", "int32").astype("datetime64[D]"),
        seasons=_floats(rows, "season_year").astype(np.int64),
        players=np.array(rows.column("player_lookup").to_pylist(), dtype=np.str_),
        features=np.column_stack([_floats(rows, name) for name in TRAINING_21]),
        points=_floats(rows, "points"),
        lines=_floats(rows, "line"),
        defaults=_defaults(rows),
        knowable=_knowable(rows),
    )


def _floats(rows: pa.Table, name: str, by_way_of: str = "float64") -> Floats:
    """A column as numbers, NULL as NaN: read off its buffers, for ``to_numpy`` would import pandas, 0.4 s of a verb."""
    import pyarrow.compute as pc

    column = rows.column(name).combine_chunks()
    known = _buffer(pc.cast(pc.is_valid(column), "uint8"), np.dtype(np.uint8))
    values = _buffer(pc.cast(pc.cast(column, by_way_of), "float64"), np.dtype(np.float64))
    return np.where(known, values, np.nan)


def _buffer(column: pa.Array, kind: np.dtype[Any]) -> Any:
    return np.frombuffer(column.buffers()[1], kind)[column.offset : column.offset + len(column)]


def _defaults(rows: pa.Table) -> Flags:
    import pyarrow.compute as pc

    listed = rows.column("default_features").combine_chunks()
    places = {name: at for at, name in enumerate(TRAINING_21)}
    named = [places.get(name, -1) for name in pc.list_flatten(listed).to_pylist()]
    flags = np.zeros((len(rows), len(TRAINING_21) + 1), dtype=bool)  # the last column takes the other features
    flags[pc.list_parent_indices(listed).to_pylist(), named] = True
    return flags[:, :-1]


def _knowable(rows: pa.Table) -> Flags:
    flags = np.ones((len(rows), len(TRAINING_21)), dtype=bool)
    for source, names in KNOWN_BY.items():
        flags[:, [TRAINING_21.index(name) for name in names]] &= _floats(rows, source).astype(bool)[:, None]
    return flags
