"""Leases on BigQuery under snapshot isolation: whoever takes over, the slow old runner publishes nothing."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from lib.errors import CannotJudge
from lib.lease import Fenced, HeldLeases, Taken
from lib.registry import registry
from lib.settings import ROOT
from lib.warehouse import connect
from lib.warehouse.bigquery import BigQueryWarehouse
from tests.bigquery_server import Fault, Served, serving
from tests.lib.test_conformance import DAYS, ME, OTHER, held, publish, rows_of


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture
def opened(
    server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., BigQueryWarehouse]]:
    """Opens one and the same warehouse, each time as another process would."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    prefix = f"l{abs(hash(str(tmp_path)))}_"
    url = server.warehouse_url(dataset_prefix=prefix, raw_prefix=prefix, deadline=8)
    connect(url).create([table.contract for table in registry().tables.values()], {"as_of": "2024-02-01"})
    yield lambda lease_seconds=300: BigQueryWarehouse.at(f"{url}&lease_seconds={lease_seconds}")
    server.faults.clear()


def test_of_two_runners_that_start_at_once_one_works_and_one_is_told_who(
    opened: Callable[..., BigQueryWarehouse],
) -> None:
    def start(who: object) -> HeldLeases | Taken:
        try:
            return opened().take_leases(("3",), who, 60)  # type: ignore[arg-type]
        except Taken as taken:
            return taken

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(start, (ME, OTHER)))
    taken = [one for one in found if isinstance(one, Taken)]
    assert len(taken) == 1
    assert len(opened().leases()) == 1
    assert str(opened().leases()[0].owner) in str(taken[0])


def test_who_shows_no_sign_of_life_is_taken_over(
    opened: Callable[..., BigQueryWarehouse],
) -> None:
    first = opened().take_leases(("3",), ME, 0)
    with pytest.raises(Taken):
        opened().take_leases(("3",), OTHER, 0)
    second = opened(0).take_leases(("3",), OTHER, 0)  # every other holder counts as dead at once
    assert [lease.token for lease in (*first.leases, *second.leases)] == [1, 2]
    with pytest.raises(Fenced):
        first.renew()
    first.release()
    assert [lease.owner for lease in opened().leases()] == [OTHER]


@pytest.mark.parametrize("moment", ["BEGIN", "COMMIT"])
def test_a_paused_runner_publishes_nothing_when_it_is_taken_over_inside_its_transaction(
    server: Served, opened: Callable[..., BigQueryWarehouse], moment: str
) -> None:
    slow = opened(0)
    fence = slow.take_leases(("3",), ME, 0).leases[0].fence
    publish(slow, rows_of(DAYS[0], "a"), DAYS[0], receipts=1, fence=fence, note="before")
    over: list[HeldLeases] = []
    at = "UPDATE .*leases" if moment == "BEGIN" else "INSERT INTO .*prediction_accuracy"
    take = ThreadPoolExecutor(1)
    future = []
    pause = Fault("pause", "job", statement=at, seconds=0.8)
    pause.on_strike = lambda: future.append(take.submit(lambda: over.append(opened(0).take_leases(("3",), OTHER, 0))))
    server.faults.append(pause)
    if moment == "BEGIN":
        with pytest.raises(Fenced, match="other@there"):
            publish(slow, rows_of(DAYS[0], "b", "c"), DAYS[0], receipts=2, fence=fence, note="late")
    else:  # the row of its token is changed already: whoever takes over has to wait for its commit
        publish(slow, rows_of(DAYS[0], "b", "c"), DAYS[0], receipts=2, fence=fence, note="in time")
    future[0].result(timeout=20)
    assert over[0].leases[0].token == 2
    assert held(slow) == [(DAYS[0], 1 if moment == "BEGIN" else 2)]
    with pytest.raises(Fenced):
        publish(slow, rows_of(DAYS[0], "d"), DAYS[0], receipts=1, fence=fence, note="again")
    publish(opened(), rows_of(DAYS[0], "e", "f", "g"), DAYS[0], receipts=3, fence=over[0].leases[0].fence, note="next")
    assert held(slow) == [(DAYS[0], 3)]


RUNNER = """
import sys
from lib.lease import holding
from lib.warehouse import connect
from tests.lib.test_conformance import DAYS, publish, rows_of

warehouse = connect(sys.argv[1])
with holding(warehouse, ["3"], "runbook run", 0) as fences:
    publish(warehouse, rows_of(DAYS[0], "a"), DAYS[0], receipts=1, fence=fences["3"])
    print("published", flush=True)
    publish(warehouse, rows_of(DAYS[0], "b", "c"), DAYS[0], receipts=2, fence=fences["3"], note="late")
"""


@pytest.mark.full
@pytest.mark.parametrize("moment", ["before its publish", "while it publishes"])
def test_a_runner_that_was_killed_is_taken_over_once_its_last_sign_of_life_is_old_enough_and_not_before(
    server: Served, opened: Callable[..., BigQueryWarehouse], moment: str
) -> None:
    """What a dead runner's job still does on the server is whole or nothing, and what the next one publishes stands."""
    patient, struck = opened(2), threading.Event()
    # the first publish comes before
    faults = {
        "before its publish": Fault("reset", r"POST /upload/", skip=1, times=100),
        "while it publishes": Fault("pause", "job", statement="INSERT INTO .*accuracy", skip=1, seconds=1.0),
    }
    fault = faults[moment]
    fault.on_strike = struck.set
    server.faults.append(fault)
    runner = subprocess.Popen([sys.executable, "-c", RUNNER, patient.url], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert struck.wait(30)
    runner.kill()
    assert runner.communicate()[0] == "published\n"
    if moment == "before its publish":
        server.faults.clear()
    with pytest.raises(Taken, match=f"PID {runner.pid}"):
        opened(300).take_leases(("3",), OTHER, 0)
    taken, until = None, time.monotonic() + 20
    while taken is None and time.monotonic() < until:
        with suppress(Taken):
            taken = patient.take_leases(("3",), OTHER, 0)
    assert taken is not None
    assert taken.leases[0].token == 2
    assert held(patient) in ([(DAYS[0], 1)], [(DAYS[0], 2)])
    publish(patient, rows_of(DAYS[0], "d", "e", "f"), DAYS[0], receipts=3, fence=taken.leases[0].fence, note="next")
    assert held(patient) == [(DAYS[0], 3)]
    with patient.reading() as session:
        assert session.rows("SELECT key_count FROM runbook.receipts") == [(3,)]


def test_a_phase_that_is_given_back_while_one_is_refused_is_told_so(
    opened: Callable[..., BigQueryWarehouse], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened().take_leases(("3",), ME, 60)
    monkeypatch.setattr("lib.warehouse.bigquery.leases.held", lambda jobs: [])
    with pytest.raises(CannotJudge, match="3 was given back just now: run the same command again"):
        opened().take_leases(("3",), OTHER, 60)
