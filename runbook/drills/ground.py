"""The ground that drills are held on: the pocket league's warehouse, built once, and copies of it."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from lib.backfill import Backfill
from lib.calendar import closed_range, read_calendar
from lib.coverage import Judge
from lib.league import pocket_league
from lib.plan import make_plan
from lib.registry import registry
from lib.sandbox import compute_all, load_raw
from lib.settings import ROOT, Settings, load_settings
from lib.warehouse import EmbeddedWarehouse, as_file, connect
from runbook.drills.case import OTHERS, Case

PHASES = (3, 4)
# the project's own settings, but for the size of the league
POCKET: Mapping[str, Mapping[str, Any]] = {
    "schedule": {"regular_season_games": 66, "play_in_games": 1, "playoff_games": [5, 5]},
    "features": {"default_limit_pct": 60, "exceptions": {}},
    "checks": {"baseline_rows": 200, "regression_pct": 70, "degradation_pct": 80},  # a month holds 350 rows
    "ml": {"minimum_rows": 500, "minimum_split_rows": 50},
    "signing": {"dirty_tree": True},
}
MINIMUM_GAMES = 5  # in a season of 22 games


def pocket_settings(folder: Path, exclusions: Sequence[Mapping[str, Any]] = ()) -> Path:
    """Writes the project's settings with the pocket league's size; its own exclusions belong to real dates."""
    facts: dict[str, Any] = tomllib.loads((ROOT / "runbook.toml").read_text())
    for section, changes in POCKET.items():
        facts[section] = facts.get(section, {}) | changes
    for rule in facts["tables"].values():
        rule |= {"minimum_games": min(rule.get("minimum_games", 0), MINIMUM_GAMES)}
    facts |= {"start_date": date(2023, 10, 24), "exclusions": [dict(rule) for rule in exclusions]}
    path = folder / "runbook.toml"
    path.write_text("".join(f"{key} = {_toml(value)}\n" for key, value in facts.items()))
    return path


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value)


@dataclass(frozen=True)
class Ground:
    """A whole, green warehouse that is only ever copied, and the settings that fit it."""

    warehouse: Path
    settings_file: Path

    def settings_of(self, case: Case, folder: Path) -> Path:
        """The settings file in force when the fault of *case* is there."""
        return pocket_settings(folder, case.exclusions) if case.exclusions else self.settings_file

    @property
    def settings(self) -> Settings:
        """The pocket league's settings."""
        return load_settings(self.settings_file)

    @contextmanager
    def copy(self, folder: Path, case: Case | None = None, rows_by: str = "") -> Iterator[EmbeddedWarehouse]:
        """A copy in *folder*, with the fault of *case*; it is removed in the end."""
        target = folder / "warehouse.duckdb"
        shutil.copy(self.warehouse, target)
        copied = as_file(connect(f"duckdb:///{target}", wait=20))
        if (case.rows_by if case else rows_by) == OTHERS:
            execute(copied, "DELETE FROM runbook.receipts; DELETE FROM runbook.attempts")
            for table in registry().computed:  # another program hashes by another rule
                execute(copied, f"UPDATE {table.name} SET data_hash = md5(data_hash)[:16]")
        if case:
            execute(copied, case.fault)
            if case.computed:
                backfill(copied, self.settings)
        try:
            yield copied
        finally:
            target.unlink(missing_ok=True)

    def reload(self, copied: EmbeddedWarehouse, tables: tuple[str, ...]) -> None:
        """Loads raw *tables* anew, as a person does before the printed command helps."""
        with connect(f"duckdb:///{self.warehouse}").reading() as session:
            fresh = {name: session.arrow(f"SELECT * FROM {name}") for name in tables}
        copied.load(fresh)


def make_ground(folder: Path) -> Ground:
    """Builds the pocket league's warehouse with phases 3 and 4 computed, in *folder*; about ten seconds."""
    ground = Ground(folder / "ground.duckdb", pocket_settings(folder))
    league = pocket_league()
    warehouse = connect(f"duckdb:///{ground.warehouse}")
    load_raw(warehouse, league.tables, league.as_of, "drill")
    for phase in PHASES:
        compute_all(warehouse, ground.settings, (phase,))
    return ground


def backfill(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    """What launches do, without notebooks: part of the past that a drill begins with, never of its repair."""
    for phase in PHASES:
        with warehouse.reading() as session:
            calendar = read_calendar(session, settings)
            plan = make_plan(Judge(session, settings, calendar), [phase], *closed_range(calendar, settings, None, None))
        runner = Backfill(warehouse, settings)
        for group in plan.groups:
            for table in group:
                runner.run_chunks(plan.chunks_of(table))


def execute(warehouse: EmbeddedWarehouse, sql: str) -> None:
    """Executes statements of DuckDB behind the runbook's back."""
    with warehouse.writing() as connection:
        connection.execute(sql)
