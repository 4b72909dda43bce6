"""The ground that drills are held on: the pocket league's warehouse, built once, and copies of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.backfill import Backfill
from lib.calendar import closed_range, read_calendar
from lib.coverage import Judge
from lib.league import pocket_league
from lib.plan import make_plan
from lib.pocket import write_pocket_settings
from lib.registry import registry
from lib.sandbox import compute_all, load_raw
from lib.settings import Settings, load_settings
from lib.warehouse import EmbeddedWarehouse, as_file, connect
from runbook.drills.case import OTHERS, Case

PHASES = (3, 4)


def pocket_settings(folder: Path, exclusions: Sequence[Mapping[str, Any]] = ()) -> Path:
    """Writes the pocket league's settings to *folder*; whoever works on the code can hold drills."""
    signing = {"dirty_tree": True}
    return write_pocket_settings(folder / "runbook.toml", signing=signing, exclusions=[dict(one) for one in exclusions])


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
            forget = ["DELETE FROM runbook.receipts", "DELETE FROM runbook.attempts"]
            # another program hashes by another rule
            hashes = [f"UPDATE {table.name} SET data_hash = md5(data_hash)[:16]" for table in registry().computed]
            execute(copied, "; ".join(forget + hashes))
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
