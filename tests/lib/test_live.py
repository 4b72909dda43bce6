"""What a watcher sees: who is at work, how far, what failed; and that watching keeps nobody waiting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from lib.backfill import Outcome
from lib.live.progress import Notes, read_progress
from lib.live.show import view_html, view_text
from lib.live.view import View, Watcher
from lib.live.work import LAUNCH, all_work, at_work
from lib.plan import Chunk
from lib.settings import Settings
from lib.show import plain
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import TEAM_DEFENSE, change, game_dates

WHY = "game_total 123000 is no total"


def chunk_of(days: list[date]) -> Chunk:
    """Some dates of team_defense, as a plan has them."""
    return Chunk(TEAM_DEFENSE, days[0], dict.fromkeys(days, "absent"), 1.0)


def table(view: View, name: str = TEAM_DEFENSE) -> dict[str, object]:
    """One table of a view, as machines read it."""
    found: dict[str, object] = next(row for row in view.as_json()["tables"] if row["table"] == name)
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
        assert table(seen)["eta_seconds"] == pytest.approx(2.0, abs=0.5)  # the plan's, while nothing is done
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
