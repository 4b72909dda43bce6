"""Watching a run: it never makes the run fail, ends with it, and Ctrl-C ends the watching alone."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from lib.live.work import LAUNCH, at_work
from lib.plan import Chunk, Plan
from lib.settings import ROOT
from lib.warehouse import EmbeddedWarehouse
from runbook.chain import Chain, ChainStep
from runbook.cli import cli
from runbook.view import dates_done
from tests.lib.at_work import TEAM_DEFENSE, TEAM_OFFENSE, change
from tests.lib.kernels import lab, wait_for

WATCH = [sys.executable, "-m", "runbook", "watch"]


def test_one_look_shows_every_table_and_is_json_for_machines(
    warehouse: EmbeddedWarehouse, pocket_environment: Path
) -> None:
    change(warehouse, f"DELETE FROM {TEAM_DEFENSE} WHERE game_date >= '2024-12-01'")

    def once(*words: str) -> str:
        ended = CliRunner().invoke(
            cli, ["watch", "--once", *words, "--warehouse", warehouse.url], standalone_mode=False
        )
        assert ended.return_value == 0, ended.output
        return ended.output

    said = once()
    assert "nobody is at work" in said
    assert "2024-25" in said
    found = json.loads(once("--json"))
    assert found["over"] is True
    by_name = {row["table"]: row for row in found["tables"]}
    assert by_name[TEAM_DEFENSE]["absent"] == 96 - by_name[TEAM_DEFENSE]["full"] - 24
    assert len(by_name) == 5


def test_the_bar_of_a_run_counts_the_dates_that_it_launches_since_it_was_resumed(tmp_path: Path) -> None:
    days = [date(2024, 1, day) for day in (1, 2, 3)]
    chunks = tuple(Chunk(table, days[0], dict.fromkeys(days, "absent"), 1.0) for table in (TEAM_OFFENSE, TEAM_DEFENSE))
    plan = Plan(days[-1], days[0], days[-1], (3,), chunks, ((TEAM_OFFENSE, TEAM_DEFENSE),), {})
    launch = ChainStep("20_launch.team_defense_game_summary", "20_launch", {"table": "team_defense_game_summary"})
    assert Chain(plan, (launch, ChainStep("40_validate.phase3", "40_validate", {"phase": 3}))).dates == 3
    _note(tmp_path / "progress.1.jsonl", TEAM_OFFENSE, 3)
    _note(tmp_path / "progress.jsonl", TEAM_DEFENSE, 2)
    assert dates_done(tmp_path) == 2


def _note(path: Path, table: str, done: int) -> None:
    path.write_text(json.dumps({"table": table, "done": done, "total": 3}) + "\n")


@pytest.mark.full
def test_a_run_that_is_watched_in_three_ways_is_proven_and_every_watcher_ends_with_it(
    raw_only: EmbeddedWarehouse, pocket_environment: Path, tmp_path: Path
) -> None:
    words, looks = ["--warehouse", raw_only.absolute_url], tmp_path / "looks.jsonl"
    with lab() as kernel:
        run = subprocess.Popen(
            [sys.executable, "-m", "runbook", "run", *words], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        wait_for(lambda: list(raw_only.beside("work").glob("*.json")), "the note of the run")
        with looks.open("w") as sink:
            machine = subprocess.Popen([*WATCH, "--json", "--interval", "0.2", *words], cwd=ROOT, stdout=sink)
        screen, terminal = pty.openpty()
        person = subprocess.Popen([*WATCH, *words], cwd=ROOT, stdin=terminal, stdout=terminal, stderr=terminal)
        os.close(terminal)
        asked = kernel.start(
            f"from lib.step import open_step; open_step('30_monitor', 3, {raw_only.absolute_url!r}).watch()"
        )
        drawn = _drained(screen)
        said, _ = run.communicate(timeout=240)
        assert run.returncode == 0, said
        assert machine.wait(timeout=60) == 0
        seen = [json.loads(line) for line in looks.read_text().splitlines()]
        reply, outputs = kernel.finish(asked)
    assert (person.wait(timeout=60), reply["status"]) == (0, "ok")
    assert not seen[0]["over"]
    assert seen[-1]["over"]
    assert [work["state"] for work in seen[-1]["work"] if work["kind"] == "run"] == ["proven"]
    assert all(row["full"] == row["expected"] == 72 for row in seen[-1]["tables"])
    assert any(row.get("running") for look in seen for row in look["tables"])
    assert "table-dates done" in drawn
    assert any("<svg" in str(output.get("data")) for output in outputs)


def _drained(screen: int) -> str:
    """Everything that was drawn, until whoever draws has gone."""
    drawn = b""
    while True:
        try:
            piece = os.read(screen, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not piece:
            break
        drawn += piece
    os.close(screen)
    return drawn.decode(errors="replace")


@pytest.mark.full
def test_ctrl_c_ends_the_watching_quietly_and_nothing_else(
    warehouse: EmbeddedWarehouse, pocket_environment: Path
) -> None:
    with at_work(warehouse, LAUNCH, TEAM_DEFENSE):
        watching = subprocess.Popen(
            [*WATCH, "--json", "--warehouse", warehouse.absolute_url],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_hears_ctrl_c,
        )  # fmt: skip
        assert watching.stdout is not None
        assert json.loads(watching.stdout.readline())["over"] is False
        watching.send_signal(signal.SIGINT)
        _, complaint = watching.communicate(timeout=30)
    assert (watching.returncode, complaint) == (130, "")


def _hears_ctrl_c() -> None:
    """What a shell starts in the background is deaf to it, and so is all that is started there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
