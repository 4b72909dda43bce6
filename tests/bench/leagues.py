"""Warehouses to measure on: raw data of one season, of five, and of several leagues one before the other."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lib.league import League, full_league
from lib.registry import registry
from lib.sandbox import load_raw
from lib.settings import Settings, load_settings
from lib.warehouse import EmbeddedWarehouse, connect

SHIFT = timedelta(weeks=260)  # five seasons back, on the same days of the week
FIRST_SEASONS = {1: date(2025, 10, 21), 2: date(2024, 10, 22), 5: date(2021, 10, 19)}


@dataclass(frozen=True)
class Place:
    """A warehouse file with raw data alone, and the settings that fit it. Copy it; never change it."""

    file: Path
    settings: Settings

    def copy(self, to: Path) -> EmbeddedWarehouse:
        """A warehouse of one's own."""
        return connect(f"duckdb:///{shutil.copy(self.file, to)}", wait=120)


class Leagues:
    """Makes each warehouse once, below *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._league: League | None = None

    @property
    def league(self) -> League:
        """The full league."""
        self._league = self._league or full_league()
        return self._league

    def seasons(self, count: int) -> Place:
        """The last *count* seasons of the full league: 1, 2 or 5."""
        first = FIRST_SEASONS[count]
        tables = self.league.tables if count == 5 else {n: _since(n, t, first) for n, t in self.league.tables.items()}
        return self._made(f"seasons-{count}", tables, first)

    def times(self, count: int) -> Place:
        """*count* full leagues, each five years before the other."""
        tables = {name: _repeated(name, rows, count) for name, rows in self.league.tables.items()}
        return self._made(f"times-{count}", tables, FIRST_SEASONS[5] - (count - 1) * SHIFT)

    def _made(self, name: str, tables: dict[str, pa.Table], first: date) -> Place:
        path = self.folder / f"{name}.duckdb"
        if not path.exists():
            load_raw(connect(f"duckdb:///{path}"), tables, self.league.as_of, "sandbox")
        return Place(path, load_settings().model_copy(update={"start_date": first}))


def _partition(name: str) -> str | None:
    return registry().table(name).contract.partition


def _since(name: str, rows: pa.Table, first: date) -> pa.Table:
    day = _partition(name)
    return rows.filter(pc.greater_equal(rows[day], pa.scalar(first))) if day else rows


def _repeated(name: str, rows: pa.Table, count: int) -> pa.Table:
    if _partition(name) is None:
        return rows
    return pa.concat_tables([_earlier(rows, number) for number in range(count)])


def _earlier(rows: pa.Table, leagues: int) -> pa.Table:
    """The same games *leagues* times five years earlier, with the game ids that they would have had."""
    columns = {name: rows[name] for name in rows.column_names}
    for name, column in columns.items():
        if pa.types.is_date32(column.type):
            columns[name] = pc.cast(pc.subtract(pc.cast(column, pa.timestamp("s")), leagues * SHIFT), pa.date32())
        elif name == "season_year":
            columns[name] = pc.subtract(column, 5 * leagues)
        elif name in ("game_id", "nba_game_id"):
            columns[name] = _renamed(column, leagues)
    return pa.table(columns, schema=rows.schema)


def _renamed(column: pa.ChunkedArray, leagues: int) -> pa.ChunkedArray:
    """Canonical ids by their date, the league's ten digits by their season, others by a mark."""
    encoded = pc.dictionary_encode(column).combine_chunks()
    names = pa.array([_earlier_id(name, leagues) for name in encoded.dictionary.to_pylist()])
    return pa.chunked_array([pa.DictionaryArray.from_arrays(encoded.indices, names).cast(pa.string())])


def _earlier_id(name: str, leagues: int) -> str:
    if re.fullmatch(r"\d{8}_[A-Z]{3}_[A-Z]{3}", name):
        day = date(int(name[:4]), int(name[4:6]), int(name[6:8])) - leagues * SHIFT
        return f"{day:%Y%m%d}{name[8:]}"
    if re.fullmatch(r"\d{10}", name):
        return f"{name[:3]}{(int(name[3:5]) - 5 * leagues) % 100:02d}{name[5:]}"
    return f"{name}-{leagues}" if leagues else name


def settings_file(settings: Settings, folder: Path) -> dict[str, str]:
    """The environment of a command that works with another start than the project's, and with no model of before."""
    from lib.settings import ROOT

    text = (ROOT / "runbook.toml").read_text()
    path = folder / f"from-{settings.start_date}.toml"
    text = re.sub(r"^start_date = \S+", f"start_date = {settings.start_date}", text, flags=re.MULTILINE)
    path.write_text(re.sub(r'^models = "\S+"', f'models = "{folder / "models"}"', text, flags=re.MULTILINE))
    return {"RUNBOOK_CONFIG": str(path)}
