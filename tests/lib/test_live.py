"""What a watcher sees: who is at work, how far, what failed; and that watching keeps nobody waiting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from lib.backfill import Outcome
from lib.lease import Owner
from lib.live.progress import Notes, read_progress
from lib.live.show import view_html, view_line, view_text
from lib.live.view import View, Watcher
from lib.live.work import LAUNCH, RUN, all_work, at_work
from lib.plan import Chunk
from lib.settings import Settings
from lib.show import plain
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import TEAM_DEFENSE, TEAM_OFFENSE, UPCOMING_TEAM, change, game_dates

WHY = "game_total 123000 is no total"
ANN = Owner("ann", "elsewhere", 7, "runbook run")


def chunk_of(days: list[date]) -> Chunk:
    """Some dates of team_defense, as a plan has them."""
    return Chunk(TEAM_DEFENSE, days[0], dict.fromkeys(days, "absent"), 1.0)


def table(view: View, name: str = TEAM_DEFENSE) -> dict[str, Any]:
    """One table of a view, as machines read it."""
    found: dict[str, Any] = next(row for row in view.as_json()["tables"] if row["table"] == name)
    return found


def test_running_failed_and_published_dates_are_seen_while_the_launch_goes_on(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    days = [day for day in game_dates(warehouse, settings) if day.year == 2024][10:14]
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date BETWEEN $1 AND $2", days[0], days[-1])
    watcher = Watcher(warehouse, settings)
    assert table(watcher.look())["absent"] == 4
    first, second = chunk_of(days[:2]), chunk_of(days[2:])
    with at_work(warehouse, LAUNCH, TEAM_DEFENSE) as work:
        notes = Notes(work.progress, TEAM_DEFENSE, [first, second])
        begun = notes.begun()
        next(begun)
        seen = watcher.look()
        assert not seen.over
        assert 0 <= table(seen)["eta_seconds"] <= 2  # the plan's, while nothing is done
        assert (table(seen)["running"], table(seen)["done"], table(seen)["absent"]) == (2, 0, 2)
        notes.ended(Outcome(first, published={days[0]: 6}, failed={days[1]: WHY}))
        next(begun)
        seen = watcher.look()
        assert (table(seen)["done"], table(seen)["total"], table(seen)["failed"]) == (2, 4, 1)
        assert seen.failures == {(TEAM_DEFENSE, days[1]): WHY}
        said = plain(view_text(seen, 150), 150)
        assert f"team_defense_game_summary {days[1]}: {WHY}" in said
        assert "2 of 4 table-dates done" in said
        assert f"PID {work.pid}" in said
        assert {"X", ">", "█"} <= set(said.partition("legend")[0])
        assert WHY in view_html(seen)
    last = watcher.look()
    assert last.over
    assert table(last).get("running") is False  # what was at work when it ended is as before
    assert table(last)["absent"] == 2


def test_dates_that_moved_after_the_work_ended_are_seen_as_they_are(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    days = [day for day in game_dates(warehouse, settings) if day.year == 2024][10:12]
    chunk = chunk_of(days)
    with at_work(warehouse, LAUNCH, TEAM_DEFENSE) as work:
        notes = Notes(work.progress, TEAM_DEFENSE, [chunk])
        next(notes.begun())
        notes.ended(Outcome(chunk, published={days[0]: 6}, failed={days[1]: WHY}))
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date = $1", days[0])
    seen = Watcher(warehouse, settings).look()
    assert (table(seen).get("absent"), table(seen).get("failed"), seen.failures) == (1, None, {})
    assert table(seen)["done"] == 2  # how far the work came stays to be seen


def test_a_look_reads_notes_alone_also_when_the_warehouse_is_held(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    watcher = Watcher(replace(warehouse, wait=0.2), settings)
    watcher.judge()
    with warehouse.writing():
        assert watcher.look().over


def test_a_process_that_is_gone_is_not_at_work(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    with at_work(warehouse, LAUNCH, TEAM_DEFENSE) as work:
        pass
    replace(work, pid=2**22 - 3, ended="", outcome="").write()
    (found,) = all_work(warehouse)
    assert (found.alive, found.state) == (False, "its process is gone")
    assert Watcher(warehouse, settings).look().over


def test_a_process_that_ended_and_was_not_yet_fetched_is_not_at_work(warehouse: EmbeddedWarehouse) -> None:
    with at_work(warehouse, LAUNCH, TEAM_DEFENSE) as work:
        pass
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie: ended, and still in the table of processes
        replace(work, pid=child.pid, ended="", outcome="").write()
        assert [work.alive for work in all_work(warehouse)] == [False]


def test_who_holds_a_lease_and_left_no_note_is_seen_at_work(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    watcher = Watcher(warehouse, settings)
    assert watcher.look().over
    taken = warehouse.take_leases(("3",), ANN, 60)
    try:
        seen = watcher.look()
    finally:
        taken.release()
    assert not seen.over
    assert [(lease["user"], lease["host"], lease["pid"]) for lease in seen.as_json()["leases"]] == [("ann", "elsewhere", 7)]  # fmt: skip
    assert "ann, PID 7 on elsewhere" in plain(view_text(seen, 150), 150)
    assert "1 at work" in view_line(seen)
    assert watcher.look().over


def test_who_wrote_nothing_for_a_day_on_another_host_is_believed_only_with_a_lease(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    with at_work(warehouse, LAUNCH, TEAM_DEFENSE) as work:
        pass
    work.progress.touch()
    replace(work, host=ANN.host, pid=ANN.pid, ended="", outcome="").write()
    watcher = Watcher(warehouse, settings)
    assert not watcher.look().over
    _age(work.note)
    assert not watcher.look().over  # its lines are young
    _age(work.progress)
    assert watcher.look().over
    taken = warehouse.take_leases(("3",), ANN, 60)
    try:
        assert not watcher.look().over
    finally:
        taken.release()


def _age(path: Path) -> None:
    """Two days pass."""
    os.utime(path, (path.stat().st_mtime - 2 * 24 * 3600,) * 2)


def test_no_table_is_more_than_full_whatever_is_outdated(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    change(warehouse, "UPDATE runbook.receipts SET sql_digest = 'of another SELECT'")
    for row in Watcher(warehouse, settings).look().as_json()["tables"]:
        assert row["outdated"] > row["expected"]  # bootstrap dates, too
        assert row["full"] == row["expected"]


def test_the_calendar_calls_no_table_full_that_is_being_computed(
    warehouse: EmbeddedWarehouse, settings: Settings
) -> None:
    days = [day for day in game_dates(warehouse, settings) if day.year == 2024]
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date >= $1", days[0])
    with at_work(warehouse, LAUNCH, TEAM_DEFENSE) as work:
        next(Notes(work.progress, TEAM_DEFENSE, [chunk_of(days)]).begun())
        seen = Watcher(warehouse, settings).look()
        drawn = view_html(seen)
    row = table(seen)
    assert 0 < row["full"] < row["expected"]
    assert f"short: team_defense_game_summary {row['full']} of {row['expected']}, {len(days)} running" in drawn
    assert "no key is expected" not in drawn
    assert "(absent)" not in drawn


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """The folder of a run that plans two tables and launches one, as of a run that is cut or waits for a signature."""
    folder = tmp_path / "20240101T000000Z-0"
    folder.mkdir()
    reasons = {"2024-01-01": "absent", "2024-01-02": "absent"}
    chunks = [{"table": name, "reasons": reasons} for name in (TEAM_OFFENSE, TEAM_DEFENSE, UPCOMING_TEAM)]
    launches = [{"parameters": {"table": name.partition(".")[2]}} for name in (TEAM_OFFENSE, TEAM_DEFENSE)]
    (folder / "plan.json").write_text(json.dumps({"chunks": chunks}))
    (folder / "manifest.json").write_text(json.dumps({"chain": [*launches, {"parameters": {"phase": 3}}]}))
    return folder


def _done(path: Path, table: str, done: int, at: float = 0.0) -> None:
    """A line of a launch of two dates, written *at* so many seconds since 1970."""
    line = {"table": table, "done": done, "total": 2, "seconds": 10.0, "eta_seconds": 30.0, "at": at}
    with path.open("a") as lines:
        lines.write(json.dumps(line) + "\n")


def test_what_a_run_does_not_launch_is_not_counted_and_what_it_did_before_it_was_resumed_is(
    warehouse: EmbeddedWarehouse, settings: Settings, run_folder: Path
) -> None:
    _done(run_folder / "progress.1.jsonl", TEAM_OFFENSE, 2)
    with at_work(warehouse, RUN, "phases 3", run_folder / "progress.jsonl", run_folder.name):
        watcher = Watcher(warehouse, settings)
        assert "2 of 4 table-dates done" in view_line(watcher.look())
        _done(run_folder / "progress.jsonl", TEAM_DEFENSE, 2)
        assert "4 of 4 table-dates done" in view_line(watcher.look())
        assert "being judged" in plain(view_text(watcher.look(), 150), 150)


def test_the_time_to_go_passes_while_no_line_is_written(
    warehouse: EmbeddedWarehouse, settings: Settings, run_folder: Path
) -> None:
    lines, watcher = run_folder / "progress.jsonl", Watcher(warehouse, settings)
    with at_work(warehouse, LAUNCH, TEAM_DEFENSE, lines, run_folder.name):
        _done(lines, TEAM_DEFENSE, 1, at=1000)
        seen = watcher.look()
        at = {seconds: replace(seen, at=datetime.fromtimestamp(1000 + seconds, UTC)) for seconds in (-5, 0, 20, 99)}
        assert [table(view)["eta_seconds"] for view in at.values()] == [30, 30, 10, 0]
        assert "10 s" in plain(view_text(at[20], 150), 150)
    assert table(replace(watcher.look(), at=at[20].at))["eta_seconds"] is None  # who has ended has no time to go


def test_the_speed_is_that_of_those_at_work_and_not_of_those_who_ended(
    warehouse: EmbeddedWarehouse, settings: Settings, run_folder: Path
) -> None:
    watcher = Watcher(warehouse, settings, began=datetime(2024, 1, 1, tzinfo=UTC))
    with at_work(warehouse, LAUNCH, TEAM_OFFENSE) as ended:
        _done(ended.progress, TEAM_OFFENSE, 2)
    with at_work(warehouse, RUN, "phases 3", run_folder / "progress.jsonl", run_folder.name):
        seen = watcher.look()
        assert "2 of 4 table-dates done" in view_line(seen)
        assert "to go" not in plain(view_text(seen, 150), 150)  # nobody at work has done a date
        _done(run_folder / "progress.jsonl", TEAM_DEFENSE, 1)
        assert "to go" in plain(view_text(watcher.look(), 150), 150)


@pytest.mark.parametrize(
    ("error", "state"),
    [(KeyboardInterrupt(), "interrupted"), (ValueError("no such thing"), "failed: no such thing")],
)
def test_how_work_ended_stays_to_be_seen(warehouse: EmbeddedWarehouse, error: BaseException, state: str) -> None:
    with pytest.raises(type(error)), at_work(warehouse, LAUNCH, TEAM_DEFENSE):
        raise error
    assert [work.state for work in all_work(warehouse)] == [state]


def test_a_line_that_is_still_being_written_is_left_for_later(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    whole = {"table": TEAM_DEFENSE, "done": 1, "total": 2, "seconds": 2.0, "full": ["2024-11-01"]}
    path.write_text(json.dumps(whole) + "\n" + '{"table": "nba_ana')
    progress = read_progress(path)[TEAM_DEFENSE]
    assert (progress.done, progress.total, progress.rate) == (1, 2, 0.5)
    assert read_progress(tmp_path / "none.jsonl") == {}


def test_seasons_fold_where_the_terminal_is_low(warehouse: EmbeddedWarehouse, settings: Settings) -> None:
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date >= '2023-01-01'")
    view = Watcher(warehouse, settings).look()
    high, low = (plain(view_text(view, 100, height), 100) for height in (60, 15))
    assert "2024-25" in high
    assert "2024-25" not in low
    assert all(len(line) <= 100 for line in (high + "\n" + low).splitlines())
