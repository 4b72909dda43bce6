"""Questions on BigQuery: none is sent twice while nothing was written, and one that fails takes no other with it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pyarrow as pa
import pytest
from google.auth.exceptions import RefreshError, TransportError

from lib.backfill import Backfill
from lib.blocking import Blocked
from lib.errors import CannotJudge, QueryFailed
from lib.lease import myself
from lib.plan import Chunk, Plan
from lib.registry import registry
from lib.settings import load_settings
from lib.step import Step
from lib.verdicts import Verdict
from lib.warehouse import connect
from lib.warehouse.bigquery import BigQueryWarehouse
from lib.warehouse.interface import Answers
from tests.bigquery_server import Served, serving
from tests.lib.test_conformance import DAYS, NOW, publish, rows_of

COUNT = "SELECT COUNT(*) AS held FROM runbook.receipts WHERE day = @day"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with serving() as served:
        yield served


@pytest.fixture
def warehouse(server: Served) -> BigQueryWarehouse:
    """A warehouse with every table and no rows."""
    opened = connect(server.warehouse_url())
    assert isinstance(opened, BigQueryWarehouse)
    opened.create([table.contract for table in registry().tables.values()], {"as_of": "2024-02-01"})
    return opened


def reads(server: Served) -> int:
    return sum(job.id.endswith("_read") for job in server.jobs)


def test_a_question_that_was_answered_is_not_sent_again(server: Served, warehouse: BigQueryWarehouse) -> None:
    answers: Answers = {}
    for expected in (1, 1, 2):
        with warehouse.reading() as session:
            session.recall(answers)
            session.ask(COUNT, day=DAYS[0])
            assert session.ask(COUNT, day=DAYS[0])() == [(0,)]
            assert [session.ask(COUNT, day=day)() for day in DAYS[:expected]] == [[(0,)]] * expected
        assert reads(server) == expected


def test_of_questions_that_are_sent_together_one_that_fails_fails_alone(
    server: Served, warehouse: BigQueryWarehouse
) -> None:
    with warehouse.reading() as session:
        asked = [session.ask(f"SELECT {number} AS n") for number in range(16)]
        asked.insert(5, session.ask("SELECT CAST('x' AS INT64) AS n"))
        with pytest.raises(QueryFailed):
            asked.pop(5)()
        assert [rows() for rows in asked] == [[(number,)] for number in range(16)]
    assert reads(server) <= 12  # halves, and not one by one


def test_a_question_that_a_quota_kept_back_is_never_an_empty_answer(
    server: Served, warehouse: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse.reading() as session:
        first, second = session.ask("SELECT 1 AS n"), session.ask("SELECT 2 AS n")
        with monkeypatch.context() as patched:
            patched.setattr(session.jobs, "run", _used_up)
            for asked in (first, second, first):
                with pytest.raises(CannotJudge, match="a quota of the project is used up"):
                    asked()
        assert (first(), second()) == ([(1,)], [(2,)])


def _used_up(*about: object, **more: object) -> NoReturn:
    raise CannotJudge("a quota of the project is used up")


def test_credentials_that_hold_no_longer_are_a_sentence_and_no_traceback(
    warehouse: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*about: object, **more: object) -> NoReturn:
        raise RefreshError("Reauthentication is needed.")

    monkeypatch.setattr(warehouse.jobs.client, "list_rows", refuse)
    with pytest.raises(CannotJudge, match=r"hold no longer: Reauthentication is needed\.; run 'gcloud auth"):
        warehouse.meta()
    monkeypatch.setattr(warehouse.jobs.client, "list_rows", lambda *about, **more: _pages_that_fail())
    with pytest.raises(CannotJudge, match="BigQuery could not answer: the line is down"):
        warehouse.leases()


def _pages_that_fail() -> Iterator[object]:
    raise TransportError("the line is down")
    yield


def test_the_digest_of_an_input_is_asked_before_the_rows_are_computed_from_it(
    server: Served, warehouse: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it moves between the two, the date is outdated and computed again; the other way it would stay stale."""
    order: list[str] = []
    for name in ("ask_inputs", "keep_stage"):
        monkeypatch.setattr(f"lib.backfill.{name}", partial(_noted, order, name))
    monkeypatch.setattr("lib.backfill.blocked_dates", lambda *about: Blocked({}))
    monkeypatch.setattr("lib.backfill.ask_blocking", lambda *about: None)
    monkeypatch.setattr("lib.backfill.read_calendar", lambda *about: SimpleNamespace(by_season=lambda days: [days]))
    with pytest.raises(InterruptedError):
        Backfill(warehouse, load_settings()).run_chunk(Chunk("nba_analytics.team_offense_game_summary", DAYS[0], {DAYS[0]: "absent"}, 1))  # fmt: skip
    assert order == ["ask_inputs", "keep_stage"]


def _noted(order: list[str], name: str, *about: object) -> None:
    order.append(name)
    if name == "keep_stage":
        raise InterruptedError


def test_a_name_that_is_given_to_another_query_does_not_change_what_was_asked_before(
    warehouse: BigQueryWarehouse,
) -> None:
    with warehouse.reading() as session:
        found = []
        for number in (1, 2):
            session.view("named", f"SELECT {number} AS n")
            found.append(session.ask("SELECT n FROM named"))
        assert [rows() for rows in found] == [[(1,)], [(2,)]]


def test_a_step_forgets_what_it_was_told_as_soon_as_something_is_written(
    server: Served, warehouse: BigQueryWarehouse, whole_settings_file: Path
) -> None:
    step = Step("30_monitor", 4, warehouse, load_settings(whole_settings_file))
    seen = []
    for players in ((), ("a",), ("a", "b")):
        if players:
            publish(warehouse, rows_of(DAYS[0], *players), DAYS[0], receipts=len(players), note=f"{len(players)}")
        before = reads(server)
        for _ in range(2):
            with step._session() as session:
                seen.append(session.ask("SELECT SUM(key_count) AS held FROM runbook.receipts")()[0][0] or 0)
        assert reads(server) == before + 1
        held = warehouse.take_leases(("3",), myself("test"), 60)  # a lease changes nothing that is judged
        held.release()
        with step._session() as session:
            session.ask("SELECT SUM(key_count) AS held FROM runbook.receipts")()
        assert reads(server) == before + 1
    assert seen == [0, 0, 1, 1, 2, 2]


def test_rows_that_are_too_many_for_one_request_are_uploaded_all_the_same(
    server: Served, warehouse: BigQueryWarehouse
) -> None:
    """Beyond a few megabytes the client uploads resumably."""
    table = registry().table("nba_raw.nbac_schedule").contract
    many = 60_000
    values = {"STRING": "x", "DATE": DAYS[0], "INT64": 1, "TIMESTAMP": NOW, "BOOL": True}
    rows = pa.table(
        {
            c.name: pa.array(
                [f"{os.urandom(120).hex()}" for _ in range(many)]
                if c.name == "game_id"
                else [values[c.base_type]] * many
            )
            for c in table.columns
        }
    )
    warehouse.load({table.name: rows})
    assert any(request.startswith("PUT /upload/") for request in server.requests)
    assert server.store.count(f"t_{table.name}") == many


def test_the_budget_is_held_against_the_plan_of_the_run_with_all_that_was_asked_for(
    warehouse: BigQueryWarehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    forced = Chunk("nba_analytics.team_offense_game_summary", DAYS[0], {DAYS[0]: "asked for"}, 1)
    Plan(DAYS[0], DAYS[0], DAYS[0], (3, 4), (forced,), ((forced.table,),), {}).write(tmp_path / "plan.json")
    judged: list[Plan] = []
    monkeypatch.setattr("lib.step.cost_verdict", lambda at, plan, settings: judged.append(plan))
    monkeypatch.setattr("lib.step.preflight.ready_verdict", lambda *about: Verdict("warehouse", "green", ""))
    step = Step("10_preflight", 3, warehouse, load_settings(), run=tmp_path)
    assert step.warehouse_ready().verdict == "green"
    assert [plan.chunks for plan in judged] == [(forced,)]
