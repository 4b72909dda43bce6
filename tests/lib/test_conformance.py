"""One suite for every engine: what a warehouse promises, held by the file and by BigQuery's client alike."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from lib.errors import BadInput, CannotJudge, QueryFailed
from lib.lease import Fence, Fenced, Owner, Taken
from lib.registry import registry
from lib.stages import new_stage
from lib.warehouse import Publication, Warehouse, connect
from tests.bigquery_server import Served, serving

TABLE = "nba_predictions.prediction_accuracy"
DAYS = (date(2024, 1, 1), date(2024, 1, 2))
NOW = datetime(2024, 1, 3, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with serving() as served:
        yield served


@pytest.fixture(params=["duckdb", "bigquery"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouse:
    """A URL of either engine at which there is nothing yet."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if request.param == "duckdb":
        return connect(f"duckdb:///{tmp_path / 'w.duckdb'}", wait=20)
    server: Served = request.getfixturevalue("server")
    prefix = f"w{abs(hash(str(tmp_path)))}_"
    return connect(server.warehouse_url(dataset_prefix=prefix, raw_prefix=prefix))


@pytest.fixture
def empty(place: Warehouse) -> Warehouse:
    """A warehouse with every table and no rows."""
    place.create([table.contract for table in registry().tables.values()], {"as_of": "2024-02-01", "id": "one"})
    return place


def rows_of(day: date, *players: str, points: float = 10.0) -> pa.Table:
    """Rows of the table of grades."""
    columns = registry().table(TABLE).contract.columns
    values = {
        "STRING": lambda at: f"{players[at]}", "DATE": lambda at: day, "TIMESTAMP": lambda at: NOW, "BOOL": lambda at: True,
        "INT64": lambda at: 3, "NUMERIC": lambda at: points,
    }  # fmt: skip
    return pa.table({c.name: pa.array([values[c.base_type](at) for at in range(len(players))]) for c in columns})


def publish(
    warehouse: Warehouse,
    rows: pa.Table | None,
    *days: date,
    receipts: int = 0,
    note: str = "published",
    fence: Fence | None = None,
) -> None:
    """Publishes rows that were computed here for *days*, with receipts and an attempt a day."""
    attempt = f"a{len(days)}{note}"
    stage = new_stage(warehouse.stages, f"{attempt}{len(rows) if rows else 0}")
    try:
        if rows is not None:
            warehouse.stage_rows(TABLE, rows, stage)
        left = tuple((TABLE, day, "published", receipts, "1", "s", "i", attempt, NOW) for day in days if receipts)
        tried = tuple((attempt, "run", TABLE, day, note, None, receipts, "me", NOW, NOW) for day in days)
        where = stage if rows is not None else None
        warehouse.publish(Publication(TABLE, "game_date", days, where, left, tried, fence))
    finally:
        warehouse.drop_stage(stage)


def held(warehouse: Warehouse) -> list[tuple[date, int]]:
    """Rows of the table by date."""
    with warehouse.reading() as session:
        found = session.rows(
            f"SELECT game_date, COUNT(*) AS held FROM {TABLE} WHERE game_date BETWEEN @first AND @last GROUP BY game_date"
            " ORDER BY game_date",
            first=date(2000, 1, 1),
            last=date(2100, 1, 1),
        )
    return [(day, int(count)) for day, count in found]


def test_a_warehouse_that_is_not_there_is_refused(place: Warehouse) -> None:
    assert not place.exists()
    assert place.trouble()
    with pytest.raises(BadInput, match="there is no warehouse at"), place.reading():
        pass


def test_creating_twice_changes_nothing(empty: Warehouse) -> None:
    empty.create([table.contract for table in registry().tables.values()], {})
    assert empty.exists()
    assert not empty.trouble()
    assert empty.meta() == {"as_of": "2024-02-01", "id": "one"}


def test_a_fact_that_is_noted_again_is_replaced(empty: Warehouse) -> None:
    empty.create([], {"as_of": "2024-03-01"})
    with empty.reading() as session:
        assert session.facts() == {"as_of": "2024-03-01", "id": "one"}


def test_every_table_has_the_columns_of_its_contract(empty: Warehouse) -> None:
    with empty.reading() as session:
        held_columns = {name: session.tables[name] for name in session.tables}
    assert held_columns == {name: table.contract.column_names for name, table in registry().tables.items()}


def test_parameters_keep_their_types(empty: Warehouse) -> None:
    with empty.reading() as session:
        sql = (
            "SELECT @day AS day, @number AS number, @text AS text, @flag AS flag, @share AS share,"
            " @day IN UNNEST(@days) AS inside, 'b' IN UNNEST(@names) AS named"
        )
        given = {"day": DAYS[0], "number": 7, "text": "it's @day", "flag": True, "share": 0.25}
        assert session.rows(sql, **given, days=list(DAYS), names=["a", "b"], unused=1) == [
            (DAYS[0], 7, "it's @day", True, 0.25, True, True)
        ]


def test_questions_are_answered_alone_or_together(empty: Warehouse) -> None:
    publish(empty, rows_of(DAYS[0], "a", "b"), DAYS[0], receipts=2)
    with empty.reading() as session:
        count = f"SELECT COUNT(*) AS held FROM {TABLE} WHERE game_date BETWEEN @first AND @last"
        asked = [session.ask(count, first=day, last=day) for day in DAYS]
        asked.append(session.ask("SELECT table_name FROM runbook.receipts WHERE day = @first", first=DAYS[1]))
        assert [[(int(n),) if isinstance(n, int) else (n,) for (n,) in rows()] for rows in asked] == [
            [(2,)],
            [(0,)],
            [],
        ]


def test_what_is_kept_or_named_can_be_read_together(empty: Warehouse) -> None:
    with empty.reading() as session:
        session.view("numbers", "SELECT n FROM UNNEST([1, 2, @last]) AS n", last=3)
        session.view("large", "SELECT n FROM numbers WHERE n >= @least", least=2)
        one = session.keep_once("SELECT @n AS n", n=5)
        assert session.keep_once("SELECT @n AS n", n=5) == one
        assert session.keep_once("SELECT @n AS n", n=6) != one
        sql = f"WITH own AS (SELECT n FROM large) SELECT n FROM own UNION ALL SELECT n FROM {one} ORDER BY n"
        assert session.rows(sql) == [(2,), (3,), (5,)]
        assert session.arrow("SELECT n FROM large ORDER BY n").to_pydict() == {"n": [2, 3]}


def test_a_query_that_fails_is_never_an_empty_answer(empty: Warehouse) -> None:
    with empty.reading() as session:
        for sql in ("SELECT nothing FROM runbook.receipts", "SELECT 1 AS n FROM runbook.nowhere"):
            with pytest.raises(CannotJudge):
                session.rows(sql)
        good, bad = session.ask("SELECT 1 AS n"), session.ask("SELECT CAST('x' AS INT64) AS n")
        assert good() == [(1,)]
        with pytest.raises(QueryFailed):
            bad()


def test_publishing_replaces_its_dates_and_no_other(empty: Warehouse) -> None:
    publish(empty, rows_of(DAYS[0], "a", "b"), DAYS[0], receipts=2)
    publish(empty, rows_of(DAYS[1], "a"), DAYS[1], receipts=1)
    publish(empty, rows_of(DAYS[0], "c", "d", "e"), DAYS[0], receipts=3, note="again")
    assert held(empty) == [(DAYS[0], 3), (DAYS[1], 1)]
    with empty.reading() as session:
        left = session.rows("SELECT day, key_count FROM runbook.receipts ORDER BY day")
        tried = session.rows("SELECT COUNT(*) AS held FROM runbook.attempts")
    assert left == [(DAYS[0], 3), (DAYS[1], 1)]
    assert tried == [(3,)]


def test_publishing_the_same_again_doubles_nothing(empty: Warehouse) -> None:
    for _ in range(2):
        publish(empty, rows_of(DAYS[0], "a", "b"), DAYS[0], receipts=2)
    assert held(empty) == [(DAYS[0], 2)]


def test_a_date_published_without_rows_is_emptied_with_its_receipt(empty: Warehouse) -> None:
    publish(empty, rows_of(DAYS[0], "a"), DAYS[0], receipts=1)
    publish(empty, rows_of(DAYS[0], "a").slice(0, 0), DAYS[0])
    assert held(empty) == []
    with empty.reading() as session:
        assert session.rows("SELECT day FROM runbook.receipts") == []


def test_attempts_alone_change_no_row(empty: Warehouse) -> None:
    publish(empty, rows_of(DAYS[0], "a"), DAYS[0], receipts=1)
    publish(empty, None, *DAYS, note="failed")
    assert held(empty) == [(DAYS[0], 1)]
    with empty.reading() as session:
        outcomes = session.rows(
            "SELECT outcome, COUNT(*) AS held FROM runbook.attempts GROUP BY outcome ORDER BY outcome"
        )
    assert outcomes == [("failed", 2), ("published", 1)]


def test_a_publish_that_fails_leaves_everything_as_it_was(empty: Warehouse) -> None:
    publish(empty, rows_of(DAYS[0], "a", "b"), DAYS[0], receipts=2)
    broken = rows_of(DAYS[0], "c")
    broken = broken.set_column(
        broken.column_names.index("player_lookup"), "player_lookup", pa.array([None], pa.string())
    )
    with pytest.raises(CannotJudge):
        publish(empty, broken, DAYS[0], receipts=9, note="broken")
    assert held(empty) == [(DAYS[0], 2)]
    with empty.reading() as session:
        assert session.rows("SELECT key_count FROM runbook.receipts") == [(2,)]
        assert session.rows("SELECT COUNT(*) AS held FROM runbook.attempts") == [(1,)]


def test_rows_are_appended_to_the_runbooks_own_tables(empty: Warehouse) -> None:
    for sequence in (1, 2):
        empty.append("runbook.signoffs", [(sequence, f"head {sequence}", "sign-off", "3", NOW)])
    with empty.reading() as session:
        assert session.rows("SELECT sequence, head FROM runbook.signoffs ORDER BY sequence") == [
            (1, "head 1"),
            (2, "head 2"),
        ]


def test_every_write_changes_the_state(empty: Warehouse) -> None:
    states = []
    for players in (("a",), ("a", "b")):
        publish(empty, rows_of(DAYS[0], *players), DAYS[0])
        with empty.reading():
            states += [empty.state(), empty.state()]
    assert states[0] == states[1] != states[2] == states[3]


def test_what_was_never_tested_for_real_is_said(empty: Warehouse) -> None:
    assert [note.partition(":")[0] for note in empty.notes()] == (
        ["No real project was ever tested from here"] if empty.engine.startswith("bigquery") else []
    )


def test_a_warehouse_can_be_sent_to_another_process(empty: Warehouse) -> None:
    with empty.labelled(run="r", table=TABLE, attempt="a"):
        assert pickle.loads(pickle.dumps(empty)).meta() == empty.meta()
    assert connect(empty.absolute_url).meta() == empty.meta()


def test_what_a_stage_held_is_gone_after_it(empty: Warehouse) -> None:
    publish(empty, rows_of(DAYS[0], "a"), DAYS[0])
    assert list(empty.stages.glob("*")) == []


ME, OTHER = Owner("me", "here", 1, "run"), Owner("other", "there", 2, "run")


def test_a_second_runner_is_told_who_works(empty: Warehouse) -> None:
    held = empty.take_leases(("3", "4"), ME, 60)
    assert [(lease.phase, lease.token, lease.owner) for lease in empty.leases()] == [("3", 1, ME), ("4", 1, ME)]
    with pytest.raises(Taken, match="me@here"):
        empty.take_leases(("4", "5"), OTHER, 60)
    held.renew()
    held.release()
    assert empty.leases() == []
    assert [lease.token for lease in empty.take_leases(("4",), OTHER, 60).leases] == [2]


def test_who_lost_the_lease_publishes_nothing(empty: Warehouse) -> None:
    first = empty.take_leases(("3",), ME, 60)
    publish(empty, rows_of(DAYS[0], "a"), DAYS[0], receipts=1, fence=first.leases[0].fence)
    first.release()
    second = empty.take_leases(("3",), OTHER, 60)
    with pytest.raises(Fenced, match="other@there"):
        publish(empty, rows_of(DAYS[0], "b", "c"), DAYS[0], receipts=2, note="late", fence=first_fence())
    assert held(empty) == [(DAYS[0], 1)]
    publish(empty, rows_of(DAYS[0], "b", "c"), DAYS[0], receipts=2, note="ours", fence=second.leases[0].fence)
    assert held(empty) == [(DAYS[0], 2)]


def first_fence() -> Fence:
    return Fence("3", 1)
