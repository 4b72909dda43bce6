"""Questions to a file: asked once, answered side by side where there are cores, and never of another state."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import duckdb
import pytest

from lib.errors import QueryFailed
from lib.registry import registry
from lib.warehouse import EmbeddedWarehouse
from lib.warehouse.embedded_session import EmbeddedSession
from lib.warehouse.kept import new_home
from lib.warehouse.questions import Questions
from tests.lib.at_work import TEAM_DEFENSE

PATIENCE = 30  # seconds, after which a test that waits for another thread has failed
COUNT = f"SELECT COUNT(*) AS held FROM {TEAM_DEFENSE}"


@pytest.fixture(params=[1, 2], ids=["one core", "two cores"])
def session(warehouse: EmbeddedWarehouse, request: pytest.FixtureRequest) -> Iterator[EmbeddedSession]:
    """A look at the pocket league, with one core and with two."""
    with replace(warehouse, threads=request.param).reading() as session:
        yield session


@pytest.fixture
def questions() -> Iterator[Questions]:
    """Questions to an empty database, on two cores."""
    with duckdb.connect() as connection:
        home = new_home()
        connection.execute(f"ATTACH ':memory:' AS {home}")
        asked = Questions(connection, home, cores=2)
        yield asked
        asked.close()


def test_two_questions_are_answered_side_by_side(questions: Questions) -> None:
    together = threading.Barrier(2, timeout=PATIENCE)  # broken where the second waits for the first
    first, second = (questions.ask(name, lambda _: [(together.wait(),)]) for name in "ab")
    assert sorted([first()[0][0], second()[0][0]]) == [0, 1]


def test_a_question_is_answered_while_whoever_asked_does_something_else(questions: Questions) -> None:
    looked = threading.Event()
    questions.ask("a", lambda _: [(looked.set(),)])
    assert looked.wait(PATIENCE)


def test_one_core_starts_no_thread_and_looks_up_only_what_is_needed() -> None:
    looked: list[str] = []
    before = threading.active_count()
    with duckdb.connect() as connection:
        asked = Questions(connection, new_home(), cores=1)
        needed = asked.ask("a", lambda _: looked.append("a") or [(1,)])  # type: ignore[func-returns-value]
        asked.ask("b", lambda _: looked.append("b") or [(1,)])  # type: ignore[func-returns-value]
        assert (needed(), needed()) == ([(1,)], [(1,)])
        assert threading.active_count() == before
        asked.close()
    assert looked == ["a"]


@pytest.mark.parametrize("cores", [1, 2])
def test_what_was_found_is_gone_with_its_session_though_nobody_looks_for_garbage(
    warehouse: EmbeddedWarehouse, cores: int
) -> None:
    gc.disable()
    try:
        with replace(warehouse, threads=cores).reading() as session:
            assert session.ask(COUNT)()
            assert session.ask(f"SELECT held FROM {session.keep_once(COUNT)}")()
            left = [weakref.ref(session._questions), weakref.ref(session)]
        del session
        assert [one() for one in left] == [None, None]
    finally:
        gc.enable()


def test_what_is_asked_again_is_not_looked_up_again(session: EmbeddedSession, monkeypatch: pytest.MonkeyPatch) -> None:
    run, texts = EmbeddedSession._run, []

    def noting(self: EmbeddedSession, text: str, *more: object) -> duckdb.DuckDBPyConnection:
        texts.append(text)
        return run(self, text, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(EmbeddedSession, "_run", noting)
    assert session.ask(COUNT)() == session.ask(COUNT)()
    assert len(texts) == 1


def test_a_question_that_fails_is_an_error_for_whoever_needs_it_and_for_nobody_else(session: EmbeddedSession) -> None:
    failing, sound = session.ask("SELECT nothing AS x FROM nba_raw.no_such_table"), session.ask(COUNT)
    assert sound()[0][0] > 0
    for _ in range(2):
        with pytest.raises(QueryFailed, match="no_such_table"):
            failing()


def test_every_question_sees_what_was_kept_and_keeps_the_warehouses_time_zone(session: EmbeddedSession) -> None:
    session.keep("mine", f"SELECT game_id, TIMESTAMP '2024-01-01 00:00:00+00' AS at FROM {TEAM_DEFENSE}")
    hours = [session.ask(f"SELECT EXTRACT(HOUR FROM at) AS hour, {n} AS n FROM mine LIMIT 1") for n in range(4)]
    assert [hour() for hour in hours] == [[(0, n)] for n in range(4)]
    assert session.tables.keys() == {name for name in session.tables if not name.startswith("main.")}


def test_what_is_kept_once_is_made_once_for_all_who_read_it(session: EmbeddedSession) -> None:
    names = {session.keep_once(f"SELECT DISTINCT game_id FROM {TEAM_DEFENSE}") for _ in range(3)}
    (name,) = names
    other = session.keep_once(f"SELECT game_id FROM {name} WHERE game_id > '0'")  # read by what is kept as well
    assert session.ask(f"SELECT COUNT(*) AS held FROM {other}")() == session.rows(f"SELECT COUNT(*) FROM {name}")


def test_a_parameter_that_a_question_does_not_name_makes_no_other_question(session: EmbeddedSession) -> None:
    sql = f"SELECT DISTINCT game_id FROM {TEAM_DEFENSE} WHERE game_date >= @first"
    names = {session.keep_once(sql, first=date(2020, 1, 1), last=date(2024, 1, day)) for day in (1, 2)}
    assert len(names) == 1
    assert names != {session.keep_once(sql, first=date(2021, 1, 1))}
    one, again, other = (session.ask(sql, first=date(2020, 1, day), last=day) for day in (1, 1, 2))
    assert one is again
    assert one is not other


def test_what_is_kept_by_part_holds_the_rows_of_every_part(session: EmbeddedSession) -> None:
    contract = registry().tables[TEAM_DEFENSE].contract
    sql = "SELECT n FROM UNNEST([1, 2, 3, 4]) AS n WHERE n BETWEEN @low AND @high"
    parts = [{"low": 1, "high": 2}, {"low": 3, "high": 4}]
    session.keep_by_part("mine", sql, contract, {"low": 1, "high": 4}, parts)
    assert sorted(session.rows("SELECT n FROM mine")) == [(1,), (2,), (3,), (4,)]
    with pytest.raises(QueryFailed, match="no_such_table"):
        session.keep_by_part("yours", "SELECT x FROM nba_raw.no_such_table WHERE x > @low", contract, parts[0], parts)


def test_what_cannot_be_kept_is_an_error_for_whoever_reads_it(session: EmbeddedSession) -> None:
    name = session.keep_once("SELECT x FROM nba_raw.no_such_table")
    with pytest.raises(QueryFailed, match="no_such_table"):
        session.rows(f"SELECT COUNT(*) FROM {name}")


def test_a_question_means_the_rows_that_had_the_name_when_it_was_asked(session: EmbeddedSession) -> None:
    session.keep("staged", "SELECT 1 AS x")
    before = session.ask("SELECT x FROM staged")
    session.keep("staged", "SELECT 2 AS x")
    assert (before(), session.ask("SELECT x FROM staged")()) == ([(1,)], [(2,)])


def test_the_end_of_a_look_waits_for_no_answer_that_nobody_needs(warehouse: EmbeddedWarehouse) -> None:
    endless = "SELECT COUNT(*) AS x FROM range(1000000000000) AS a, range(1000000000000) AS b"
    started = threading.Event()

    def look(connection: duckdb.DuckDBPyConnection) -> list[tuple[int]]:
        started.set()
        return connection.execute(endless).fetchall()

    with replace(warehouse, threads=2).reading() as session:
        session._questions.ask("endless", look)
        session._questions.ask("as well", look)
        session._questions.ask("never begun", look)
        assert started.wait(PATIENCE)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("looking")]
    with warehouse.writing():  # nothing holds the file any more
        pass


def test_what_is_kept_may_need_more_memory_than_there_is(warehouse: EmbeddedWarehouse) -> None:
    with warehouse.aside() as session:
        session.connection.execute("SET memory_limit = '60MB'")
        sql = "SELECT range AS n, md5(range::TEXT) AS x FROM range(2000000)"
        session.connection.execute(f"CREATE TABLE {session.home}.main.large AS {sql}")
        assert session.connection.execute("SELECT COUNT(*), MAX(LENGTH(x)) FROM large").fetchall() == [(2000000, 32)]


def test_two_looks_at_one_file_in_one_process_keep_things_of_their_own(
    session: EmbeddedSession, warehouse: EmbeddedWarehouse
) -> None:
    name = session.keep_once("SELECT 1 AS n")
    session.view("mine", "SELECT 1 AS n")
    with warehouse.reading() as other:
        other.view("mine", "SELECT 2 AS n")
        assert other.keep_once("SELECT 1 AS n") == name
        assert [look.rows("SELECT n FROM mine") for look in (session, other)] == [[(1,)], [(2,)]]
    assert session.rows(f"SELECT n FROM {name}") == [(1,)], "what the other kept is gone, and nothing else"
    (attached,) = session.connection.execute(
        "SELECT COUNT(*) FROM duckdb_databases() WHERE database_name ^@ 'kept/'"
    ).fetchall()
    assert attached == (1,)
