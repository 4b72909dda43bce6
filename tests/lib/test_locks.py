"""Several processes on one warehouse: readers side by side, a writer alone, nobody starved, whoever holds it named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib.errors import CannotJudge
from lib.settings import ROOT, Settings
from lib.warehouse import EmbeddedWarehouse, connect
from lib.warehouse.locks import reading, writing
from tests.lib.at_work import TEAM_DEFENSE, TEAM_OFFENSE, UPCOMING_TEAM, ask, contents, planned

INDEPENDENT = (TEAM_OFFENSE, TEAM_DEFENSE, UPCOMING_TEAM)
NOTED = """
import json, os, sys, time
from contextlib import contextmanager
from lib.warehouse import embedded

def noted(kind, lock):
    @contextmanager
    def wrapped(*given):
        with lock(*given) as held:
            begun = time.monotonic()
            try:
                yield held
            finally:
                spans.write(json.dumps([os.getpid(), kind, begun, time.monotonic()]) + chr(10))
    return wrapped

spans = open(sys.argv[2], "a", buffering=1)
embedded.reading = noted("read", embedded.reading)
embedded.writing = noted("write", embedded.writing)
embedded.EmbeddedWarehouse.aside = noted("compute", embedded.EmbeddedWarehouse.aside)
from lib.warehouse import connect
warehouse = connect(f"duckdb:///{sys.argv[1]}")
"""
BACKFILL = (
    NOTED
    + """
from pathlib import Path
from lib.backfill import Backfill
from lib.plan import read_plan
from lib.settings import load_settings
plan = read_plan(Path(sys.argv[3]))
Path(f"{sys.argv[2]}.{os.getpid()}").touch()
while len(list(Path(sys.argv[2]).parent.glob("spans.*"))) < 3:  # all begin together
    time.sleep(0.01)
outcomes = Backfill(warehouse, load_settings()).run_chunks(plan.chunks_of(sys.argv[4]))
assert not any(o.failed or o.blocked for o in outcomes), outcomes
print(sum(len(o.published) for o in outcomes))
"""
)
MONITOR = (
    NOTED
    + """
looks = 0
while not os.path.exists(sys.argv[3]):
    with warehouse.reading() as session:
        for table in sys.argv[4].split(","):
            counts = session.rows(f"SELECT COUNT(*), COUNT(DISTINCT game_date) FROM {table}")
            receipts = session.rows("SELECT SUM(key_count), COUNT(*) FROM runbook.receipts WHERE table_name = @t", t=table)
            assert [tuple(map(int, row)) for row in counts] == [tuple(map(int, row)) for row in receipts], (counts, receipts)
    looks += 1
    time.sleep(0.02)
print(looks)
"""
)


def _process(script: str, settings_file: Path, *arguments: object) -> subprocess.Popen[str]:
    environment = {**os.environ, "RUNBOOK_CONFIG": str(settings_file), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def _ended(process: subprocess.Popen[str]) -> int:
    """The number a process printed last; its complaint where it failed."""
    out, complaint = process.communicate(timeout=150)
    assert process.returncode == 0, complaint
    return int(out.split()[-1])


def test_three_backfills_and_a_monitor_work_on_one_warehouse_at_once(
    warehouse: EmbeddedWarehouse, settings: Settings, settings_file: Path, tmp_path: Path
) -> None:
    before = contents(warehouse)
    plan_file, spans_file, over = tmp_path / "plan.json", tmp_path / "spans", tmp_path / "over"
    planned(warehouse, settings, force=True, tables=frozenset(INDEPENDENT)).write(plan_file)
    monitor = _process(MONITOR, settings_file, warehouse.path, spans_file, over, ",".join(INDEPENDENT))
    backfills = [_process(BACKFILL, settings_file, warehouse.path, spans_file, plan_file, t) for t in INDEPENDENT]
    try:
        assert [_ended(process) for process in backfills] == [96, 96, 96]
    finally:
        over.touch()
    assert _ended(monitor) > 5
    assert contents(warehouse) == before
    spans = [tuple(json.loads(line)) for line in spans_file.read_text().splitlines()]
    _assert_shared(spans, {process.pid for process in backfills})


def _assert_shared(spans: list[tuple[int, str, float, float]], backfills: set[int]) -> None:
    """Backfills computed at the same time, and whoever wrote was alone."""
    overlaps = [(a, b) for a in spans for b in spans if a[0] < b[0] and a[2] < b[3] and b[2] < a[3]]
    kinds = {frozenset((a[1], b[1])) for a, b in overlaps}
    assert frozenset({"compute"}) in kinds
    assert {frozenset({"write"}), frozenset({"read", "write"})} & kinds == set()
    assert {span[0] for span in spans if span[1] == "write"} == backfills


def test_readers_are_let_in_together(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    with reading(database, 1), reading(database, 1):
        pass


def test_a_reader_waits_for_the_writer_and_names_it_when_it_gives_up(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    started = time.monotonic()
    with writing(database, 1), pytest.raises(CannotJudge, match=f"PID {os.getpid()}"), reading(database, 0.2):
        pass
    assert 0.2 <= time.monotonic() - started < 5


def test_a_writer_gives_up_after_its_wait_and_leaves_the_door_open(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    with reading(database, 1):
        with pytest.raises(CannotJudge, match="held by another runbook process"), writing(database, 0.2):
            pass
        with reading(database, 0.2):
            pass
    with writing(database, 0.2):
        pass


def test_a_writer_that_waits_keeps_later_readers_out(tmp_path: Path) -> None:
    """Readers that come one after the other cannot starve it."""
    database = tmp_path / "w.duckdb"
    wrote = threading.Event()

    def write() -> None:
        with writing(database, 10):
            wrote.set()

    writer = threading.Thread(target=write)
    with reading(database, 1):
        writer.start()
        _wait_until(lambda: not _can_read(database))
        assert not wrote.is_set()
    writer.join(10)
    assert wrote.is_set()


def _can_read(database: Path) -> bool:
    try:
        with reading(database, 0):
            return True
    except CannotJudge:
        return False


def _wait_until(holds: object) -> None:
    deadline = time.monotonic() + 10
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.005)


HOLDS = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
time.sleep(60)
"""


@contextmanager
def _held_by_a_stranger(path: Path) -> Iterator[int]:
    """A process that keeps the file open without the runbook's locks."""
    stranger = subprocess.Popen([sys.executable, "-c", HOLDS, str(path)], stdout=subprocess.PIPE, text=True)
    assert stranger.stdout
    try:
        assert stranger.stdout.readline().strip() == "held"
        yield stranger.pid
    finally:
        stranger.kill()
        stranger.communicate()


def test_a_stranger_that_holds_the_file_is_named_by_its_pid(warehouse: EmbeddedWarehouse) -> None:
    impatient = connect(warehouse.url, wait=0.3)
    with _held_by_a_stranger(warehouse.path) as pid:
        with pytest.raises(CannotJudge, match=f"held open by PID {pid} .*close that connection"), impatient.reading():
            pass
        with pytest.raises(CannotJudge, match=f"PID {pid}"), impatient.writing():
            pass
    assert ask(impatient, "SELECT COUNT(*) FROM runbook.meta")


def test_the_locks_of_a_process_that_was_killed_are_free(tmp_path: Path) -> None:
    database = tmp_path / "w.duckdb"
    holds = (
        "import sys, time; from pathlib import Path; from lib.warehouse.locks import writing\n"
        "with writing(Path(sys.argv[1]), 1): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", holds, str(database)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout
    assert holder.stdout.readline().strip() == "held"
    assert not _can_read(database)
    holder.kill()
    holder.communicate()
    with writing(database, 2):
        pass
