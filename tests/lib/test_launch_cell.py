"""The launch cell in a kernel: live progress, an interrupt that leaves everything consistent, work that outlives it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.lease import as_environment, holding
from lib.live.progress import FULL, read_progress
from lib.live.work import all_work
from lib.settings import Settings
from lib.warehouse import EmbeddedWarehouse, connect
from tests.lib.at_work import TEAM_OFFENSE, ask, contents, covered, run
from tests.lib.kernels import lab, wait_for

TABLE = TEAM_OFFENSE.partition(".")[2]
ATTEMPTS = "SELECT DISTINCT outcome FROM runbook.attempts WHERE table_name = @table"


def cell(warehouse: EmbeddedWarehouse, how: str = "") -> str:
    """The cells of a launch, as one."""
    opened = f"from lib.step import gate, open_step\nstep = open_step('20_launch', 3, {warehouse.url!r})\n"
    return opened + f"gate('published', step.launch('{TABLE}'{how}))"


def held(warehouse: EmbeddedWarehouse) -> bool:
    """Whether a launch has computed a stage and waits to publish it."""
    return any(stage.stat().st_size > 0 for stage in warehouse.stages.glob("*.parquet"))


@pytest.fixture
def in_a_run(
    raw_only: EmbeddedWarehouse, pocket_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[EmbeddedWarehouse]:
    """Raw data alone, with the lease held here: a launch need not write one before it computes."""
    with holding(raw_only, [3], "a test", 60) as fences:
        for name, value in as_environment(raw_only, fences).items():
            monkeypatch.setenv(name, value)
        yield raw_only


@pytest.mark.full
def test_an_interrupted_launch_leaves_everything_consistent_and_the_next_one_mends(
    in_a_run: EmbeddedWarehouse, computed_file: Path, settings: Settings
) -> None:
    with lab() as kernel:
        with in_a_run.reading():  # whoever reads keeps the launch from publishing, so it is caught in the act
            asked = kernel.start(cell(in_a_run))
            wait_for(lambda: held(in_a_run), "a computed stage")
            assert [work.alive for work in all_work(in_a_run)] == [True]
            kernel.manager.interrupt_kernel()
        reply, outputs = kernel.finish(asked)
    assert (reply["status"], reply["ename"]) == ("error", "KeyboardInterrupt")
    assert any("0 of 96 dates" in str(output.get("data")) for output in outputs)
    assert list(in_a_run.stages.glob("*")) == []
    assert ask(in_a_run, ATTEMPTS, table=TEAM_OFFENSE) == [("interrupted",)]
    assert ask(in_a_run, f"SELECT COUNT(*) FROM {TEAM_OFFENSE}") == [(0,)]
    assert [(work.alive, work.state) for work in all_work(in_a_run)] == [(False, "interrupted")]
    run(in_a_run, settings)
    assert contents(in_a_run) == contents(connect(f"duckdb:///{computed_file}"))


@pytest.mark.full
def test_a_detached_launch_outlives_its_kernel_and_another_cell_follows_it_to_the_end(
    in_a_run: EmbeddedWarehouse, settings: Settings
) -> None:
    with in_a_run.reading():
        with lab() as first:
            asked = first.start(cell(in_a_run, ", detach=True"))
            wait_for(lambda: held(in_a_run), "a computed stage")
            first.manager.interrupt_kernel()
            reply, _ = first.finish(asked)
            assert reply["ename"] == "StillRunning"
        (work,) = all_work(in_a_run)
        assert work.alive
        assert work.pid != os.getpid()
        with lab() as second:
            asked = second.start(cell(in_a_run, ", detach=True"))
            wait_for(lambda: second.client.get_iopub_msg(timeout=30)["msg_type"] == "display_data", "the live display")
            assert [found.pid for found in all_work(in_a_run)] == [work.pid]  # it was found, not started again
            second.manager.interrupt_kernel()
            second.finish(asked)
    with lab() as third:
        reply, outputs = third.run(cell(in_a_run, ", detach=True"))
    assert reply["status"] == "ok", reply
    bundles = [output["data"] for output in outputs if "application/vnd.runbook.gate+json" in output.get("data", {})]
    assert bundles[0]["application/vnd.runbook.gate+json"]["detached"] is True
    assert covered(in_a_run, settings)[TEAM_OFFENSE].missing == 0


@pytest.mark.full
def test_detach_is_refused_where_nobody_sits_before_the_notebook(
    raw_only: EmbeddedWarehouse, pocket_environment: Path
) -> None:
    with lab() as kernel:
        reply, _ = kernel.run(cell(raw_only, ", detach=True"), allow_stdin=False)
        assert reply["ename"] == "BadInput"
        assert "leave detach out" in reply["evalue"]
        assert all_work(raw_only) == []
        reply, outputs = kernel.run(cell(raw_only), allow_stdin=False)
    assert reply["status"] == "ok"
    said = "".join(output["text"] for output in outputs if output["type"] == "stream")
    assert f"{TABLE}: 96 of 96 dates" in said
    (work,) = all_work(raw_only)
    progress = read_progress(work.progress)[TEAM_OFFENSE]
    assert (progress.done, progress.total, progress.over) == (96, 96, True)
    assert set(progress.states.values()) == {FULL}
