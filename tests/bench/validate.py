"""(h) What the validate step judges of a phase, beside one bare scan of every table that it judges."""

from __future__ import annotations

from collections.abc import Iterator

from lib.checks import run_set
from lib.digests import row_hash
from lib.registry import registry
from lib.settings import Settings
from lib.step import Step
from lib.warehouse import Warehouse
from tests.bench.measure import Figure, Ratio, rounds

SETS = ("post-backfill", "unknowns", "features", "regression", "reconciliation")
SECONDS = 5.0


def validate(warehouse: Warehouse, settings: Settings, count: int) -> Iterator[Figure | Ratio]:
    """Seconds of coverage and checks for phases 3 and 4 over the whole range, and of the floor."""
    for phase in (3, 4):
        look = _Look(warehouse, settings, phase)
        covered = rounds(f"h: coverage of phase {phase}", count, look.coverage, look.anew)
        judged = rounds(f"h: checks of phase {phase}", count, look.checks, look.covered)
        bare = rounds(f"h: one scan of each table, phase {phase}", count, lambda p=phase: _scan(warehouse, settings, p))
        yield from (covered, judged, bare)
        yield Ratio(f"checks of phase {phase} / one scan of each table", judged.median / bare.median, aim=3.0)
        yield Ratio(f"validate, phase {phase}, seconds", judged.median + covered.median, aim=SECONDS)


class _Look:
    """What the notebook asks, in its order: coverage first, and the checks with it known."""

    def __init__(self, warehouse: Warehouse, settings: Settings, phase: int) -> None:
        self._make = lambda: Step("40_validate", phase, warehouse, settings)
        self.anew()

    def anew(self) -> None:
        self._step = self._make()

    def covered(self) -> None:
        self.anew()
        self.coverage()

    def coverage(self) -> None:
        self._step.coverage()

    def checks(self) -> None:
        with self._step.judge() as (judge, first, last):
            run_set(judge, self._step.phase, first, last, SETS)


def _scan(warehouse: Warehouse, settings: Settings, phase: int) -> None:
    """Every column of every row of the phase's tables, once."""
    with warehouse.reading() as session:
        for table in registry().computed:
            if settings.phase_of(table.name) == phase:
                hashed = row_hash(table.contract.column_names)
                session.rows(f"SELECT COUNT(*) AS held, {hashed} AS content FROM {table.name}")
