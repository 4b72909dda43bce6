"""The embedded warehouse: what cannot be a warehouse is refused with one sentence, and nothing is left behind."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from lib.errors import BadInput, CannotJudge, RunbookError
from lib.preflight import contracts_verdict, warehouse_verdict
from lib.registry import registry
from lib.sandbox import load_raw
from lib.settings import ROOT, Settings
from lib.step import Step
from lib.warehouse import EmbeddedWarehouse, Publication, connect, embedded
from lib.warehouse.threads import share, share_of_this_process
from tests.lib.at_work import PLAYERS, TEAM_DEFENSE, ask, change, contents, run, said

Usage = namedtuple("Usage", "total used free")


def _refusal(warehouse: EmbeddedWarehouse) -> RunbookError:
    """Why the warehouse cannot be read: one sentence on one line."""
    with pytest.raises(RunbookError) as refused, warehouse.reading():
        pass
    assert "\n" not in str(refused.value)
    assert str(warehouse.path) in str(refused.value)
    return refused.value


def test_a_missing_file_is_bad_input_and_says_how_to_make_one(tmp_path: Path) -> None:
    refused = _refusal(connect(f"duckdb:///{tmp_path}/none.duckdb"))
    assert isinstance(refused, BadInput)
    assert "runbook sandbox" in str(refused)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_warehouse(tmp_path: Path) -> None:
    assert isinstance(_refusal(connect(f"duckdb:///{tmp_path}")), BadInput)


def test_a_duckdb_file_of_somebody_else_is_bad_input_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE their_table AS SELECT 1 AS x")
    refused = _refusal(connect(f"duckdb:///{path}"))
    assert isinstance(refused, BadInput)
    assert "no warehouse of this runbook" in str(refused)


@pytest.mark.parametrize("content", [b"", b"not a database", b"\0" * 20_000, b"PAR1" + b"x" * 5000])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "junk.duckdb"
    path.write_bytes(content)
    assert "not a DuckDB file" in str(_refusal(connect(f"duckdb:///{path}")))
    assert path.read_bytes() == content


def test_a_corrupt_database_is_refused(warehouse: EmbeddedWarehouse) -> None:
    content = bytearray(warehouse.path.read_bytes())
    content[4096:16384] = b"\xff" * (16384 - 4096)  # both copies of the database header
    warehouse.path.write_bytes(content)
    assert _refusal(warehouse).exit_code == 3


def test_a_database_cut_short_is_refused_when_it_is_asked(warehouse: EmbeddedWarehouse) -> None:
    os.truncate(warehouse.path, warehouse.path.stat().st_size // 3)
    with pytest.raises(CannotJudge) as refused:
        contents_of_everything(warehouse)
    assert "\n" not in str(refused.value)


def contents_of_everything(warehouse: EmbeddedWarehouse) -> None:
    """Reads every column of every table."""
    with warehouse.reading() as session:
        for table in registry().tables.values():
            columns = ", ".join(f"MAX({c.name})" for c in table.contract.columns if not c.type.startswith("ARRAY"))
            session.rows(f"SELECT {columns} FROM {table.name}")


@pytest.mark.parametrize("url", ["", "nonsense", "duckdb://", "duckdb:///", "duckdb://relative.duckdb", "mysql://a/b"])
def test_a_url_of_no_known_kind_is_bad_input(url: str) -> None:
    with pytest.raises(BadInput, match="is no warehouse URL"):
        connect(url)


def test_a_relative_and_an_absolute_path_are_told_apart() -> None:
    assert connect("duckdb:///sandbox/w.duckdb").path == Path("sandbox/w.duckdb")
    assert connect("duckdb:////tmp/w.duckdb").path == Path("/tmp/w.duckdb")


def test_an_apostrophe_in_the_path_does_no_harm(
    warehouse: EmbeddedWarehouse, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "o'neal's [data]"
    folder.mkdir()
    moved = connect(f"duckdb:///{shutil.copy(warehouse.path, folder / 'w.duckdb')}")
    before = contents(moved)
    change(moved, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date > '2024-12-01'")
    run(moved, settings)
    assert contents(moved) == before


def test_a_read_only_place_is_refused_before_anything_is_computed(
    warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **more: mode != os.W_OK and allowed(path, mode, **more))
    verdict = warehouse_verdict(warehouse)
    assert verdict.red
    assert "is read-only" in said(verdict)


def test_a_place_where_no_lock_can_be_laid_is_refused(
    warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def read_only(path: str, flags: int, *more: int, **named: int) -> int:
        if flags & os.O_CREAT:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return opened(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", read_only)
    with pytest.raises(CannotJudge, match="Read-only file system"), warehouse.reading():
        pass


def test_a_network_file_system_is_refused(warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_file_system", lambda folder: "nfs4")
    with pytest.raises(CannotJudge, match=r"network file system \(nfs4\)"), warehouse.writing():
        pass
    assert "network file system" in said(warehouse_verdict(warehouse))


def test_a_disk_that_is_nearly_full_is_red_before_work_begins(
    warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 10**6, 10**6))
    assert "1 MB left" in said(warehouse_verdict(warehouse))


def test_a_disk_that_fills_up_amid_a_publish_is_said_and_changes_nothing(
    warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(warehouse)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(embedded, "_insert", full)
        with pytest.raises(CannotJudge, match="is full: nothing was published"):
            warehouse.publish(Publication(TEAM_DEFENSE, "game_date", (date(2024, 12, 1),), None, (("x",),)))
    assert contents(warehouse) == before


def test_a_disk_that_fills_up_amid_a_stage_ends_the_work_at_once(
    warehouse: EmbeddedWarehouse, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date > '2024-12-01'")
    tried = []
    real = embedded.EmbeddedSession._run

    def full(session: embedded.EmbeddedSession, text: str, *more: Any) -> duckdb.DuckDBPyConnection:
        if text.startswith("COPY"):
            tried.append(text)
            text = "SELECT error('IO Error: Could not write file: No space left on device')"
        return real(session, text, *more)

    monkeypatch.setattr(embedded.EmbeddedSession, "_run", full)
    with pytest.raises(CannotJudge, match="the disk is full"):
        run(warehouse, settings)
    assert len(tried) == 1


def test_a_publish_that_breaks_off_leaves_rows_and_receipts_as_they_were(
    warehouse: EmbeddedWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = contents(warehouse), ask(warehouse, "SELECT COUNT(*), SUM(key_count) FROM runbook.receipts")
    with pytest.raises(CannotJudge, match="publish failed"):
        warehouse.publish(Publication(PLAYERS, "game_date", (date(2024, 12, 1),), Path("/nowhere/stage.parquet"), ()))
    assert (contents(warehouse), ask(warehouse, "SELECT COUNT(*), SUM(key_count) FROM runbook.receipts")) == before


def test_a_failing_query_is_an_error_never_an_empty_answer(warehouse: EmbeddedWarehouse) -> None:
    with pytest.raises(CannotJudge, match="could not answer"):
        ask(warehouse, "SELECT nothing FROM runbook.meta")


def test_a_reader_cannot_write(warehouse: EmbeddedWarehouse) -> None:
    with warehouse.reading() as session, pytest.raises(duckdb.Error, match="read-only"):
        session.connection.execute("DELETE FROM runbook.meta")


@pytest.fixture
def scratch(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies are made."""
    folder = tmp_path_factory.mktemp("scratch")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_who_looks_aside_keeps_no_writer_waiting_and_sees_one_state(
    warehouse: EmbeddedWarehouse, scratch: Path
) -> None:
    with warehouse.aside() as session:
        assert [path for path in scratch.rglob("*") if path.is_file()] == []  # a SIGKILL leaves no copy behind
        change(replace(warehouse, wait=0.2), f"DELETE FROM {TEAM_DEFENSE}")
        assert session.rows(f"SELECT COUNT(*) > 0 FROM {TEAM_DEFENSE}") == [(True,)]
    assert ask(warehouse, f"SELECT COUNT(*) FROM {TEAM_DEFENSE}") == [(0,)]
    assert list(scratch.iterdir()) == []


def test_who_looks_aside_may_need_more_memory_than_there_is(warehouse: EmbeddedWarehouse, scratch: Path) -> None:
    with warehouse.aside() as session:
        session.connection.execute("SET memory_limit = '40MB'")
        sql = "SELECT COUNT(*) FROM (SELECT range, md5(range::TEXT) AS x FROM range(2000000) ORDER BY x LIMIT 1900000)"
        assert session.connection.execute(sql).fetchall() == [(1900000,)]


@pytest.mark.parametrize("broken", ["shutil.copyfile", "tempfile.mkdtemp"])
def test_where_a_copy_cannot_be_made_the_file_is_read_as_it_lies(
    warehouse: EmbeddedWarehouse, scratch: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def full(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(broken, full)
    with warehouse.aside() as session:
        assert session.facts()["as_of"]
    assert list(scratch.iterdir()) == []


def test_a_copy_holds_what_a_crash_left_in_the_log(warehouse: EmbeddedWarehouse) -> None:
    crash = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]);"
        " c.execute(\"INSERT INTO runbook.meta VALUES ('left', 'by a crash')\"); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", crash, str(warehouse.path)], check=False)
    assert warehouse.path.with_name(f"{warehouse.path.name}.wal").exists()
    with warehouse.aside() as session:
        assert session.facts()["left"] == "by a crash"


def test_a_file_that_is_too_large_to_copy_is_read_as_it_lies_there(
    warehouse: EmbeddedWarehouse, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "COPY_AT_MOST", 1000)
    monkeypatch.setattr("shutil.copyfile", None)
    with warehouse.aside() as session:
        assert session.facts()["as_of"]


@pytest.mark.parametrize(("side_by_side", "threads"), [(1, 8), (2, 4), (3, 2), (64, 1)])
def test_processes_side_by_side_share_the_cores(
    monkeypatch: pytest.MonkeyPatch, side_by_side: int, threads: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    monkeypatch.setattr("os.environ", os.environ | share(side_by_side))
    assert share_of_this_process() == threads


@pytest.mark.parametrize("name", ["main", "memory", "kept", "runbook_kept"])
def test_a_warehouse_may_bear_any_name(warehouse: EmbeddedWarehouse, name: str) -> None:
    named = connect(f"duckdb:///{shutil.copy(warehouse.path, warehouse.path.with_name(f'{name}.duckdb'))}")
    with named.reading() as session:
        kept = session.keep_once(f"SELECT game_id FROM {TEAM_DEFENSE}")
        assert session.ask(f"SELECT COUNT(*) > 0 AS held FROM {kept}")() == [(True,)]


def test_there_is_never_a_second_warehouse_over_the_first(warehouse: EmbeddedWarehouse) -> None:
    with pytest.raises(BadInput, match="already"):
        load_raw(warehouse, {}, date(2024, 1, 1), "sandbox")


def test_a_warehouse_says_what_it_is(warehouse: EmbeddedWarehouse) -> None:
    facts = warehouse.meta()
    assert (facts["as_of"], facts["kind"]) == ("2024-12-20", "sandbox")
    assert len(facts["id"]) == 32
    assert warehouse_verdict(warehouse).verdict == "green"


def _contracts(warehouse: EmbeddedWarehouse, settings: Settings) -> str:
    with warehouse.reading() as session:
        return said(contracts_verdict(session, registry(), settings))


def test_every_table_is_compared_with_its_contract(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    assert _contracts(warehouse, settings) == ""
    change(warehouse, f"ALTER TABLE {PLAYERS} RENAME COLUMN assists TO helpers")
    change(warehouse, "DROP TABLE nba_raw.nbac_injury_report")
    text = _contracts(warehouse, settings)
    assert f"red {PLAYERS}: column assists is gone" in text
    assert f"red {PLAYERS}: column helpers is not in the contract" in text
    assert "red nba_raw.nbac_injury_report: the table is not in the warehouse" in text


def test_a_table_that_no_contract_names_is_amber(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    change(warehouse, "CREATE TABLE nba_analytics.scratch AS SELECT 1 AS x")
    assert "amber nba_analytics.scratch: no contract names this table" in _contracts(warehouse, settings)


APPEND = """
import sys
from lib.registry import registry
from lib.warehouse import connect
warehouse, name = connect(sys.argv[1]), "runbook.receipts"
with warehouse.reading() as session:
    columns = ", ".join(f"CAST({one} AS STRING)" for one in registry().table(name).contract.column_names)
    rows = session.rows(f"SELECT {columns} FROM {name} LIMIT 450")
warehouse.append(name, rows)
print(len(rows), "pandas" in sys.modules)
"""


def test_rows_are_appended_as_they_are_and_nobody_waits_for_pandas(warehouse: EmbeddedWarehouse) -> None:
    command = [sys.executable, "-c", APPEND, warehouse.absolute_url]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    count, imported = ended.stdout.split() or ["", ended.stderr]
    assert (int(count) > 400, imported) == (True, "False")
    columns = ", ".join(registry().table("runbook.receipts").contract.column_names)
    twice = f"SELECT COUNT(*) FROM (SELECT {columns} FROM runbook.receipts GROUP BY {columns} HAVING COUNT(*) = 2)"
    with warehouse.reading() as session:
        assert session.rows(twice) == [(int(count),)]


def test_rows_that_a_killed_writer_left_in_the_log_are_another_state(warehouse: EmbeddedWarehouse) -> None:
    before = warehouse.state()
    assert warehouse.state() == before
    warehouse.path.with_name(f"{warehouse.path.name}.wal").write_bytes(b"committed, and not yet in the file")
    assert warehouse.state() != before


def test_a_launch_of_another_phases_table_is_refused_and_never_green(
    warehouse: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    with pytest.raises(
        BadInput, match="player_daily_cache is of phase 4, and this notebook was told phase 3: set phase = 4"
    ):
        Step("20_launch", 3, warehouse, whole_settings).launch("player_daily_cache")
