"""A crash leaves a run that says where it stopped and is gone on with; a kill at any moment of writing proves nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from lib.errors import BadInput, GateFailed
from lib.moments import MOMENTS
from lib.plan import Plan, read_plan
from lib.settings import ROOT, load_settings
from lib.warehouse import EmbeddedWarehouse, connect
from runbook.chain import Chain, ChainStep, Runner
from runbook.execute import Event
from runbook.holding import held
from runbook.manifest import Manifest, PlannedStep, StepRecord
from runbook.resume import chain_left, find_run, reopen, steps_left, unfinished
from runbook.signing.evidence import faults_of
from runbook.signing.signers import make_sandbox_key
from tests.lib.at_work import PLAYERS, TEAM_OFFENSE, UPCOMING_TEAM, change, game_dates
from tests.runbook.crashes import (
    Tables,
    assert_no_hole,
    assert_verified_or_not_proven,
    by_date,
    command,
    digests,
    newest,
    records,
    runbook,
)


@pytest.fixture
def undisturbed(computed_file: Path, tmp_path: Path) -> Tables:
    """The rows that a run leaves which nobody disturbs."""
    return by_date(connect(f"duckdb:///{shutil.copy(computed_file, tmp_path / 'undisturbed.duckdb')}", wait=20))


@pytest.mark.full
def test_a_killed_run_of_a_reviewed_plan_says_where_it_stopped_and_is_gone_on_with(
    raw_only: EmbeddedWarehouse, undisturbed: Tables, pocket_environment: Path, tmp_path: Path
) -> None:
    before, plan = by_date(raw_only), str(tmp_path / "plan.json")
    assert runbook(raw_only, "plan", "--out", plan).returncode == 0
    words = command(raw_only, "run", "--plan", plan)
    running = subprocess.Popen(**words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(pocket_environment.glob("*/progress.jsonl")):
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.kill()
    running.wait()
    folder = newest(pocket_environment)
    assert folder
    stopped = assert_verified_or_not_proven(folder)
    assert stopped.outcome == "running"
    assert "it stopped in 20_launch." in stopped.stopped
    assert_no_hole(raw_only, before, undisturbed)
    kept, done = digests(folder), records(folder)
    assert ("10_preflight.phase3", "proven") in done
    ended = runbook(raw_only, "run", "--resume", folder.name)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert by_date(raw_only) == undisturbed
    assert faults_of(folder) == []
    assert kept.items() <= digests(folder).items()
    assert records(folder)[: len(done)] == done
    names = [step for step, state in records(folder) if state == "proven"]
    assert len(names) == len(set(names))
    whole = Manifest.model_validate_json((folder / "manifest.json").read_text())
    assert len(whole.resumed) == 1
    assert whole.reviewed_plan == read_plan(Path(plan)).digest


# the same code saves and names every file, and one transaction holds every step of a publish: one of each kind is killed
# in make test-full
OF_EACH_KIND = (
    "run folder named", "manifest saved", "manifest named", "stage written", "rows inserted", "rows published",
    "progress noted", "line appended", "head witnessed",
)  # fmt: skip


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "moments",
    [
        pytest.param(OF_EACH_KIND, marks=pytest.mark.full, id="of each kind"),
        pytest.param(MOMENTS, marks=pytest.mark.torture, id="all"),
    ],
)
def test_a_kill_at_every_moment_of_writing_leaves_a_run_that_is_gone_on_with(
    moments: tuple[str, ...], warehouse: EmbeddedWarehouse, undisturbed: Tables, pocket_environment: Path
) -> None:
    """One run, killed at each moment in turn: what one kill left is what the next attempt begins with."""
    make_sandbox_key(warehouse, warehouse.meta()["id"])
    change(warehouse, f"DELETE FROM {UPCOMING_TEAM} WHERE game_date > '2023-12-01'")
    before = by_date(warehouse)
    for moment in (moment for moment in moments if not moment.startswith("adopted")):
        folder = newest(pocket_environment)
        words = ["run", *(["--resume", folder.name] if folder else [])]
        ended = runbook(warehouse, *words, die_at=moment)
        assert ended.returncode != 0, f"nothing was killed at '{moment}': {ended.stdout}"
        assert_no_hole(warehouse, before, undisturbed)
        if folder := newest(pocket_environment):
            assert_verified_or_not_proven(folder)
    assert folder
    ended = runbook(warehouse, "run", "--resume", folder.name)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert by_date(warehouse) == undisturbed
    assert runbook(warehouse, "verify", "--all").returncode == 0
    assert '"state": "COMPLETE"' in runbook(warehouse, "status", "--json").stdout


def test_every_moment_of_writing_is_named_once_and_killed_in_a_test() -> None:
    sources = [*(ROOT / "lib").rglob("*.py"), *(ROOT / "runbook").rglob("*.py")]
    texts = [path.read_text() for path in sources if path.name not in ("moments.py", "files.py")]
    named = {name for text in texts for name in re.findall(r'moment\("([^"]+)"\)', text)}
    whats = {name for text in texts for name in re.findall(r'write_whole\([^\n]*"([a-z ]+)"[^"\n]*\)', text)}
    assert {*OF_EACH_KIND} < {*MOMENTS}
    assert named | {f"{what} {done}" for what in whats for done in ("saved", "named")} == set(MOMENTS)


def _left(*ended: tuple[str, str]) -> list[str]:
    """What is left of a chain with one launch above another, after its steps *ended* so, one after the other."""
    waves = (
        ["10_preflight"], ["20_launch.below", "20_launch.beside"], ["20_launch.above"], ["30_monitor", "40_validate"],
        ["50_signoff"],
    )  # fmt: skip
    chain = [
        PlannedStep(name=name, notebook=name.partition(".")[0], parameters={}, wave=number)
        for number, wave in enumerate(waves)
        for name in wave
    ]
    steps = [StepRecord.model_construct(step=step, state=state) for step, state in ended]
    return [step.name for step in steps_left(Manifest.model_construct(chain=chain, steps=steps))]


RED = (("10_preflight", "proven"), ("20_launch.below", "red"), ("20_launch.beside", "proven"), ("20_launch.above", "proven"), ("30_monitor", "proven"))  # fmt: skip
ABOVE = ["20_launch.above", "30_monitor", "40_validate", "50_signoff"]


def test_what_comes_after_a_failed_launch_is_done_again_on_resume() -> None:
    assert _left(*RED) == ["20_launch.below", *ABOVE]


def test_a_launch_above_one_that_was_mended_since_is_still_to_be_done_again() -> None:
    assert _left(*RED, ("20_launch.below", "proven")) == ABOVE
    assert _left(*RED, ("20_launch.below", "proven"), ("20_launch.above", "proven")) == ABOVE[1:]


def test_a_sign_off_that_was_adopted_before_its_launches_ran_is_to_be_done_again() -> None:
    launches = [(name, "proven") for name in ("20_launch.below", "20_launch.beside", "20_launch.above")]
    looked = [("30_monitor", "proven"), ("40_validate", "proven")]
    assert _left(("10_preflight", "proven"), ("50_signoff", "proven"), *launches, *looked) == ["50_signoff"]
    assert _left(("10_preflight", "proven"), *launches, *looked, ("50_signoff", "proven")) == []


def test_what_a_step_that_stopped_did_not_reach_is_all_that_is_left() -> None:
    assert _left(RED[0], ("20_launch.below", "proven"), RED[2]) == ABOVE


@pytest.mark.full
def test_dates_that_waited_for_a_failed_launch_are_computed_on_resume(
    warehouse: EmbeddedWarehouse, undisturbed: Tables, pocket_environment: Path
) -> None:
    day = next(day for day in game_dates(warehouse, load_settings()) if day.year == 2024)
    spoil = "UPDATE nba_raw.nbac_team_boxscore SET fg_attempted = fg_attempted + $1 WHERE game_date = $2"
    for table in (TEAM_OFFENSE, PLAYERS):
        change(warehouse, f"DELETE FROM {table} WHERE game_date = $1", day)
    change(warehouse, spoil, 10_000_000, day)
    ended = runbook(warehouse, "run", "--phase", "3")
    assert ended.returncode == 1, ended.stdout + ended.stderr
    folder = newest(pocket_environment)
    assert folder
    assert {("20_launch.team_offense_game_summary", "red"), ("20_launch.player_game_summary", "proven")} <= {*records(folder)}  # fmt: skip
    change(warehouse, spoil, -10_000_000, day)
    ended = runbook(warehouse, "run", "--resume", folder.name)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert by_date(warehouse) == undisturbed
    assert faults_of(folder) == []


@pytest.fixture
def stopped(warehouse: EmbeddedWarehouse, pocket_environment: Path) -> Path:
    """A run of two steps of which the second does not end well: it is told of a phase that is not there."""
    return _run(warehouse, pocket_environment / "20240101T000000Z-00000000")


def _run(warehouse: EmbeddedWarehouse, folder: Path) -> Path:
    days = game_dates(warehouse, load_settings())
    plan = Plan(days[-1], days[0], days[-1], (3,), (), (), {})
    steps = (ChainStep("30_monitor.phase3", "30_monitor", {"phase": 3}), ChainStep("40_validate.phase9", "40_validate", {"phase": 9}, 1))  # fmt: skip
    ended = Runner(warehouse, folder, Chain(plan, steps), 1, _quiet).run()
    assert ended.outcome == "not proven"
    return folder


def _quiet(event: Event) -> None:
    """Tells nobody."""


def test_going_on_repeats_what_was_not_proven_beside_the_first_attempt(
    warehouse: EmbeddedWarehouse, stopped: Path
) -> None:
    kept = digests(stopped)
    manifest = unfinished(find_run(stopped.parent, stopped.name))
    left = chain_left(warehouse, stopped, manifest)
    assert [step.name for step in left.steps] == ["40_validate.phase9"]
    with held(stopped):
        with pytest.raises(BadInput, match="is still going on"), held(stopped):
            pass
        reopen(stopped, manifest)
        again = Runner(warehouse, stopped, left, 1, _quiet).go_on(manifest)
    assert [record.archive for record in again.steps] == ["30_monitor.phase3.ipynb", "40_validate.phase9.ipynb", "40_validate.phase9.2.ipynb"]  # fmt: skip
    assert kept.items() <= digests(stopped).items()
    assert [(stood.outcome, stood.records) for stood in again.resumed] == [("not proven", 2)]
    assert faults_of(stopped) == []
    _refusals(warehouse, stopped)


def test_a_file_that_another_process_is_writing_is_no_evidence(stopped: Path) -> None:
    """For instance the report of a run that somebody asked for while the run ended."""
    page, manifest = stopped / ".index.html.1", unfinished(stopped)
    page.write_text("half a page")
    manifest.close(stopped, "not proven")
    page.rename(stopped / "index.html")
    assert faults_of(stopped) == []


def _refusals(warehouse: EmbeddedWarehouse, folder: Path) -> None:
    """What cannot be gone on with, each with its reason."""
    manifest = unfinished(folder)
    moved = manifest.model_copy(update={"warehouse_id": "another"})
    with pytest.raises(BadInput, match="was run on another warehouse"):
        chain_left(warehouse, folder, moved)
    with pytest.raises(BadInput, match=r"is not what .* was begun with: start a new run"):
        chain_left(warehouse, folder, manifest.model_copy(update={"code": manifest.code | {"lib": "0" * 64}}))
    with pytest.raises(BadInput, match="older version"):
        chain_left(warehouse, folder, manifest.model_copy(update={"chain": []}))
    with pytest.raises(BadInput, match="there is no run elsewhere"):
        find_run(folder.parent, "elsewhere")
    (folder / "30_monitor.phase3.ipynb").unlink()
    with pytest.raises(GateFailed, match=r"30_monitor\.phase3\.ipynb is gone"):
        chain_left(warehouse, folder, manifest)
