"""The sandbox: a simulated league's warehouse as it stood on 5 January 2026, with 2 of 5 tables repaired.

Everything is computed first, by the ordinary write path; then rows and receipts are taken away. The counts below are
the only place where the incident's figures stand: the gate counts them.
"""

from __future__ import annotations

import os
import signal
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from itertools import repeat
from multiprocessing import active_children, get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from lib.backfill import Backfill, Outcome
from lib.calendar import read_calendar
from lib.coverage import Judge, key_parts
from lib.errors import BadInput
from lib.plan import Chunk, make_plan
from lib.registry import registry
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse, Warehouse
from lib.warehouse.embedded import system_contracts
from lib.warehouse.threads import share


@dataclass(frozen=True)
class Loss:
    """How many of a table's latest dates lose all rows, and how many before them all but one."""

    absent: int
    partial: int


INCIDENT: Mapping[str, Loss] = {
    "nba_analytics.team_defense_game_summary": Loss(absent=66, partial=6),
    "nba_analytics.upcoming_player_game_context": Loss(absent=389, partial=13),
    "nba_analytics.upcoming_team_game_context": Loss(absent=346, partial=6),
}


@contextmanager
def made_whole(warehouse: Warehouse) -> Iterator[Warehouse]:
    """*warehouse* while it is made: a file under a name that nobody looks for, which gets its own at the end.

    Whatever breaks the making off, Ctrl-C too, leaves no half of a file. Raises BadInput where there is one by then.
    """
    if not isinstance(warehouse, EmbeddedWarehouse):
        yield warehouse
        return
    place = warehouse.path
    place.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f".{place.name}.", dir=place.parent) as folder:
        making = Path(folder) / place.name
        yield replace(warehouse, url=f"duckdb:///{making}", path=making)
        _refuse_existing(warehouse)
        place.with_name(f"{place.name}.wal").unlink(missing_ok=True)  # of a file that was removed: it fits no other
        for part in (f"{place.name}.wal", place.name):  # what the engine has not folded into the file belongs to it
            if (Path(folder) / part).exists():
                (Path(folder) / part).rename(place.with_name(part))


def load_raw(warehouse: Warehouse, tables: Mapping[str, pa.Table], as_of: date, kind: str) -> None:
    """Makes a warehouse that holds *tables* as its raw data and nothing computed.

    Raises BadInput where there is one already: nothing is overwritten.
    """
    _refuse_existing(warehouse)
    contracts = [table.contract for table in registry().tables.values()]
    facts = {"as_of": str(as_of), "kind": kind, "id": uuid.uuid4().hex, "created_at": datetime.now(UTC).isoformat()}
    warehouse.create(system_contracts() + contracts, facts)
    warehouse.load(tables)


def _refuse_existing(warehouse: Warehouse) -> None:
    if warehouse.exists():
        raise BadInput(f"there is a warehouse at {warehouse.place} already: remove it, or choose another --warehouse")


def compute_all(
    warehouse: Warehouse,
    settings: Settings,
    phases: tuple[int, ...] = (3,),
    say: Callable[[str], None] = lambda text: None,
) -> None:
    """Computes every table of *phases* over the whole history, one phase after the other, by the ordinary write path."""
    workers = settings.backfill.workers
    with ProcessPoolExecutor(workers, get_context("spawn"), _settle, (share(workers),)) as pool:
        try:
            _begin(pool, workers)
            for phase in phases:
                _compute_phase(pool, warehouse, settings, phase, say)
        except KeyboardInterrupt:
            for process in active_children():
                process.kill()  # what it left goes with the folder
            raise


def _begin(pool: Executor, workers: int) -> None:
    """Starts the processes that compute deaf to Ctrl-C: it is for the one that they work for to end them."""
    heard = signal.signal(signal.SIGINT, signal.SIG_IGN)
    for _ in range(workers):
        pool.submit(os.getpid)
    signal.signal(signal.SIGINT, heard)


def _compute_phase(
    pool: Executor, warehouse: Warehouse, settings: Settings, phase: int, say: Callable[[str], None]
) -> None:
    with warehouse.reading() as session:
        calendar = read_calendar(session, settings)
        plan = make_plan(Judge(session, settings, calendar), (phase,), settings.start_date, calendar.as_of)
    for group in plan.groups:
        chunks = [chunk for table in group for chunk in plan.chunks_of(table)]
        outcomes = list(pool.map(_run_chunk, repeat(warehouse), repeat(settings), chunks))
        for table in group:
            say(_told(table, [outcome for outcome in outcomes if outcome.chunk.table == table]))


def _settle(environment: Mapping[str, str]) -> None:
    """What a process that computes begins with."""
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run_chunk(warehouse: Warehouse, settings: Settings, chunk: Chunk) -> Outcome:
    return Backfill(warehouse, settings).run_chunk(chunk)


def _told(table: str, outcomes: list[Outcome]) -> str:
    dates, seconds = sum(len(o.published) for o in outcomes), sum(o.seconds for o in outcomes)
    failed = [f"{day}: {why}" for o in outcomes for day, why in (o.failed | o.blocked).items()]
    return f"{table}: {dates} dates in {seconds:.1f} s" + (f"; not computed: {'; '.join(failed[:3])}" if failed else "")


def take_away(warehouse: EmbeddedWarehouse, settings: Settings, losses: Mapping[str, Loss] = INCIDENT) -> None:
    """Takes rows and receipts away as the incident left them."""
    with warehouse.reading() as session:
        calendar = read_calendar(session, settings)
    judged = [d for d in calendar.expected_dates(settings.start_date, calendar.as_of) if not calendar.is_bootstrap(d)]
    for name, loss in losses.items():
        lost = judged[len(judged) - loss.absent - loss.partial :]
        _lose(warehouse, name, lost, keep_one=lost[: loss.partial])


def _lose(warehouse: EmbeddedWarehouse, name: str, lost: list[date], keep_one: list[date]) -> None:
    table = registry().tables[name]
    day, entity = table.date_column, key_parts(table.contract)[1]
    kept = f"{day} IN (SELECT unnest($keep)) AND {entity} = (SELECT min({entity}) FROM {name} AS other WHERE other.{day} = {name}.{day})"
    with warehouse.writing() as connection:
        connection.execute(
            f"DELETE FROM {name} WHERE {day} IN (SELECT unnest($lost)) AND NOT ({kept})",
            {"lost": lost, "keep": keep_one},
        )
        connection.execute(
            "DELETE FROM runbook.receipts WHERE table_name = $name AND day IN (SELECT unnest($lost))",
            {"name": name, "lost": lost},
        )
