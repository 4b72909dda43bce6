"""Columns and tables in Arrow, cast to the registered contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lib.league.arrays import Bools, Ints
from lib.league.schedule import Games
from lib.registry import registry

TYPES = {
    "INT64": pa.int64(),
    "STRING": pa.string(),
    "DATE": pa.date32(),
    "FLOAT64": pa.float64(),
    "BOOL": pa.bool_(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
}
HOUR = 3_600_000_000  # microseconds
LOADED_AT = 35  # hours after midnight UTC of the game's day


def table(name: str, columns: Mapping[str, Any]) -> pa.Table:
    """*columns* in the order and with the types of the contract called *name*."""
    contract = registry().table(name).contract
    arrays = [_cast(columns[column.name], TYPES[column.base_type]) for column in contract.columns]
    return pa.table(arrays, names=list(contract.column_names))


def _cast(values: Any, kind: pa.DataType) -> pa.Array:
    if not isinstance(values, pa.Array):
        values = pa.array(values)
    if pa.types.is_date(kind):
        values = values.cast(pa.int32())
    return values.cast(kind)


def words(choices: Sequence[str] | NDArray[Any], index: Ints, missing: Bools | None = None) -> pa.Array:
    """``choices[index]`` as strings, NULL where *missing*."""
    return pa.array(choices, type=pa.string()).take(pa.array(index, mask=missing))


def numbers(values: Ints, missing: Bools) -> pa.Array:
    """*values*, NULL where *missing*."""
    return pa.array(values, mask=missing)


def day_strings(days: Ints) -> list[str]:
    """``YYYYMMDD`` by day number."""
    text: list[str] = np.datetime_as_string(days.astype("datetime64[D]")).tolist()
    return [day.replace("-", "") for day in text]


def canonical_ids(codes: Sequence[str], games: Games) -> list[str]:
    """``YYYYMMDD_AWAY_HOME`` of each game."""
    rows = zip(day_strings(games.day), games.away.tolist(), games.home.tolist(), strict=True)
    return [f"{day}_{codes[away]}_{codes[home]}" for day, away, home in rows]


def swapped_ids(codes: Sequence[str], games: Games) -> list[str]:
    """``YYYYMMDD_HOME_AWAY`` of each game."""
    rows = zip(day_strings(games.day), games.home.tolist(), games.away.tolist(), strict=True)
    return [f"{day}_{codes[home]}_{codes[away]}" for day, home, away in rows]


def league_ids(years: Ints, games: Games) -> list[str]:
    """The league's ten digits: 00, kind, season, number."""
    rows = zip(games.kind.tolist(), years.tolist(), games.number.tolist(), strict=True)
    return [f"00{kind}{year % 100:02d}{number:05d}" for kind, year, number in rows]


def loaded_at(days: Ints) -> Ints:
    """When a game's rows are loaded: the next morning, microseconds UTC."""
    return (days * 24 + LOADED_AT) * HOUR
