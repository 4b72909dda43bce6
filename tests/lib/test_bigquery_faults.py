"""Faults on the line and in the jobs: right rows, no duplicate, no hole, an honest ledger, bounded time.

The table of what each fault came to is printed by ``pytest -s`` at the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from lib.errors import CannotJudge
from lib.registry import registry
from lib.warehouse import connect
from lib.warehouse.bigquery import BigQueryWarehouse
from tests.bigquery_server import Fault, Served, serving
from tests.lib.test_conformance import DAYS, held, publish, rows_of
from tests.lib.test_conformance import TABLE as TABLE_NAME

JOB = r"POST /bigquery/.*/jobs$"
LOAD = r"POST /upload/"
POLL = r"GET .*/jobs/"
ANSWER = r"GET .*/queries/"
PUBLISH = "COMMIT TRANSACTION"
TABLE: list[str] = []
FAULTS = [  # fault, what must become of the publish
    (Fault("rate limit", JOB, times=2), "published"),
    (Fault("500", JOB, times=2), "published"),
    (Fault("503", JOB, times=2), "published"),
    (Fault("503", POLL, times=2), "published"),
    (Fault("reset", JOB), "published"),
    (Fault("lost answer", JOB), "published"),
    (Fault("slow", JOB, seconds=1.4), "published"),
    (Fault("serialization", times=2, request="job", statement=PUBLISH), "published"),
    (Fault("job error", times=1, request="job", statement=PUBLISH), "published"),
    (Fault("503", LOAD), "published"),
    (Fault("lost answer", LOAD), "published"),
    (Fault("quota", JOB), "refused"),
    (Fault("never ends", request="job", statement=PUBLISH), "refused"),
    pytest.param(Fault("rate limit", JOB, times=10_000), "refused", marks=pytest.mark.full),
    pytest.param(Fault("503", JOB, times=10_000), "refused", marks=pytest.mark.full),
]


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with serving() as served:
        yield served
    print("\n" + "\n".join(["fault | strikes | outcome | retries | rows | duplicates | holes | seconds", *TABLE]))


@pytest.fixture
def warehouse(server: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BigQueryWarehouse]:
    """A warehouse with two dates published, and patience for two seconds."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    prefix = f"f{abs(hash(str(tmp_path)))}_"
    url = server.warehouse_url(dataset_prefix=prefix, raw_prefix=prefix, deadline=4, http_timeout=1, job_timeout=1.5)
    warehouse = connect(url)
    assert isinstance(warehouse, BigQueryWarehouse)
    warehouse.create([table.contract for table in registry().tables.values()], {"as_of": "2024-02-01"})
    for day in DAYS:
        publish(warehouse, rows_of(day, "a", "b"), day, receipts=2, note="before")
    yield warehouse
    server.faults.clear()


@pytest.mark.parametrize(
    ("fault", "outcome"), FAULTS, ids=lambda value: _name(value) if isinstance(value, Fault) else value
)
def test_a_fault_leaves_the_new_rows_or_the_old_ones(
    server: Served, warehouse: BigQueryWarehouse, fault: Fault, outcome: str
) -> None:
    retries, started = warehouse.spent.retries, time.monotonic()
    stage = rows_of(DAYS[0], "c", "d", "e")
    server.faults.append(fault)
    if fault.request == POLL:  # only a job that takes its time is asked for
        server.faults.append(Fault("pause", "job", statement=PUBLISH, seconds=0.7))
    if outcome == "published":
        publish(warehouse, stage, DAYS[0], receipts=3, note="after")
    else:
        with pytest.raises(CannotJudge):
            publish(warehouse, stage, DAYS[0], receipts=3, note="after")
    server.faults.clear()
    seconds = time.monotonic() - started
    rows = 3 if outcome == "published" else 2
    assert fault.struck
    assert held(warehouse) == [(DAYS[0], rows), (DAYS[1], 2)]
    assert ledger(warehouse) == {"before": 2} | ({"after": 1} if outcome == "published" else {})
    assert receipts(warehouse) == {DAYS[0]: rows, DAYS[1]: 2}
    assert warehouse.spent.retries - retries >= (
        fault.struck if outcome == "published" and fault.kind != "slow" and fault.request != LOAD else 0
    )
    found = " | ".join(map(str, rows_doubled_and_holes(warehouse)))
    TABLE.append(
        f"{_name(fault)} | {fault.struck} | {outcome} | {warehouse.spent.retries - retries} | {found} | {seconds:.1f}"
    )
    assert found == f"{rows + 2} | 0 | 0"


@pytest.mark.parametrize("kind", ["cut", "short", "lost answer", "503"])
def test_a_page_that_comes_short_is_asked_for_again(server: Served, warehouse: BigQueryWarehouse, kind: str) -> None:
    server.faults.append(Fault(kind, ANSWER, times=2 if kind == "short" else 1))
    assert held(warehouse) == [(DAYS[0], 2), (DAYS[1], 2)]
    assert warehouse.spent.retries
    found = " | ".join(map(str, rows_doubled_and_holes(warehouse)))
    TABLE.append(f"{kind} of a page of results | 1 | answered | {warehouse.spent.retries} | {found} | -")


@pytest.mark.full
def test_a_page_that_always_comes_short_is_never_an_answer(server: Served, warehouse: BigQueryWarehouse) -> None:
    server.faults.append(Fault("short", ANSWER, times=10_000))
    with pytest.raises(CannotJudge, match="1 of 2 rows came"):
        held(warehouse)


def test_a_job_whose_answer_was_lost_is_not_run_twice(server: Served, warehouse: BigQueryWarehouse) -> None:
    before = len(server.jobs)
    server.faults.append(Fault("lost answer", JOB))
    warehouse.append("runbook.signoffs", [(1, "head", "sign-off", "3", rows_of(DAYS[0], "a")["graded_at"][0].as_py())])
    assert len(server.jobs) == before + 1
    with warehouse.reading() as session:
        assert session.rows("SELECT COUNT(*) AS held FROM runbook.signoffs") == [(1,)]


def test_a_job_that_never_ends_is_cancelled_and_named(server: Served, warehouse: BigQueryWarehouse) -> None:
    server.faults.append(Fault("never ends", request="job"))
    with pytest.raises(CannotJudge, match=r"did not end within 1\.5 s and was cancelled"):
        held(warehouse)
    assert server.jobs[-1].cancelled.is_set()


def test_an_interrupt_cancels_the_job(
    server: Served, warehouse: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    server.faults.append(Fault("never ends", request="job"))
    monkeypatch.setattr("lib.warehouse.bigquery.jobs.time.sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        held(warehouse)
    assert server.jobs[-1].cancelled.is_set()


def test_a_query_over_the_limit_of_bytes_is_refused_before_it_runs(
    server: Served, warehouse: BigQueryWarehouse
) -> None:
    poor = connect(warehouse.url + "&maximum_gib=1e-9")
    with pytest.raises(CannotJudge, match="more than the limit of bytes"):
        held(poor)


def test_a_query_without_a_partition_filter_is_refused(warehouse: BigQueryWarehouse) -> None:
    with warehouse.reading() as session, pytest.raises(CannotJudge, match="without a filter over column"):
        session.rows("SELECT COUNT(*) AS held FROM nba_predictions.prediction_accuracy")


def rows_doubled_and_holes(warehouse: BigQueryWarehouse) -> tuple[int, int, int]:
    """Rows of both dates, keys that occur more than once, dates without rows."""
    key = ", ".join(registry().table(TABLE_NAME).contract.key)
    with warehouse.reading() as session:
        counts = session.rows(
            f"SELECT game_date, COUNT(*) AS copies FROM {TABLE_NAME} WHERE game_date BETWEEN @first AND @last GROUP BY {key}",
            first=DAYS[0],
            last=DAYS[-1],
        )
    rows = sum(copies for _, copies in counts)
    return rows, sum(copies > 1 for _, copies in counts), len({*DAYS} - {day for day, _ in counts})


def ledger(warehouse: BigQueryWarehouse) -> dict[str, int]:
    with warehouse.reading() as session:
        return dict(session.rows("SELECT outcome, COUNT(*) AS held FROM runbook.attempts GROUP BY outcome"))


def receipts(warehouse: BigQueryWarehouse) -> dict[date, int]:
    with warehouse.reading() as session:
        return dict(session.rows("SELECT day, key_count FROM runbook.receipts"))


def _name(fault: Fault) -> str:
    where = {JOB: "of jobs.insert", LOAD: "of an upload", POLL: "of jobs.get"}.get(fault.request, "in the job")
    return f"{fault.kind} {where}" + (" for ever" if fault.times > 99 else "")
