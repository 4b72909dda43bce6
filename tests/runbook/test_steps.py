"""Which steps a run takes: the model at the end, --from and --until."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lib.errors import BadInput, CannotJudge
from lib.plan import Chunk, Plan
from lib.settings import load_settings
from lib.verdicts import Verdict
from lib.warehouse import EmbeddedWarehouse
from runbook.aside import Aside
from runbook.chain import Chain, Runner, cut, make_chain
from runbook.execute import Job, Outcome
from runbook.verbs.run import falls_short

ZONES = "nba_precompute.team_defense_zone_analysis"


def chain(*tables: str, model: bool = True) -> Chain:
    day = date(2024, 1, 1)
    chunks = tuple(Chunk(table, day, {day: "absent"}, 1) for table in tables)
    plan = Plan(day, day, day, (3, 4), chunks, tuple((table,) for table in tables), {})
    return make_chain(plan, load_settings().phase_of, model=model)


def names(found: Chain) -> list[str]:
    return [step.name for step in found.steps]


def test_the_model_comes_after_the_last_phase_and_closes_the_chain() -> None:
    assert names(chain(ZONES)) == [
        "50_signoff.phase3", "10_preflight.phase4", "20_launch.team_defense_zone_analysis",
        "30_monitor.phase4", "40_validate.phase4", "50_signoff.phase4", "60_train", "70_closing",
    ]  # fmt: skip
    assert chain(ZONES).phases == [3, 4, "ml"]
    assert chain(ZONES, model=False).phases == [3, 4]


def test_steps_that_write_nothing_look_side_by_side_and_every_launch_waits_for_its_preflight() -> None:
    assert [[step.name for step in wave] for wave in chain(ZONES).waves] == [
        ["50_signoff.phase3", "10_preflight.phase4"],
        ["20_launch.team_defense_zone_analysis"],
        ["30_monitor.phase4", "40_validate.phase4"],
        ["50_signoff.phase4"], ["60_train"], ["70_closing"],
    ]  # fmt: skip


def test_with_nothing_to_compute_everything_is_proven_side_by_side_and_closed_after_it() -> None:
    assert [[step.name for step in wave] for wave in chain().waves] == [
        ["50_signoff.phase3", "50_signoff.phase4", "60_train"],
        ["70_closing"],
    ]  # fmt: skip


def test_what_a_run_left_is_looked_at_once_no_launch_is_left() -> None:
    looked = [(wave[0].name, left) for wave, left in chain(ZONES).waves_and_launches_left]
    assert looked == [
        ("50_signoff.phase3", True), ("20_launch.team_defense_zone_analysis", False), ("30_monitor.phase4", False),
        ("50_signoff.phase4", False), ("60_train", False), ("70_closing", False),
    ]  # fmt: skip
    assert not any(left for _, left in chain().waves_and_launches_left)


def test_a_runner_tells_that_all_is_computed_right_after_its_last_launch(
    monkeypatch: pytest.MonkeyPatch, warehouse: EmbeddedWarehouse, tmp_path: Path
) -> None:
    told: list[str] = []

    def note(jobs: list[Job], workers: int, on_event: object) -> list[Outcome]:
        told.extend(job.step for job in jobs)
        return []

    monkeypatch.setattr("runbook.chain.execute_group", note)
    Runner(warehouse, tmp_path / "run", chain(ZONES), 1, lambda event: None, on_computed=lambda: told.append("!")).run()
    assert told[told.index("!") - 1] == "20_launch.team_defense_zone_analysis"


def test_a_run_whose_last_look_fails_says_so_and_is_no_longer_going_on(
    monkeypatch: pytest.MonkeyPatch, warehouse: EmbeddedWarehouse, tmp_path: Path
) -> None:
    looks = iter([dict[str, object](), CannotJudge("the disk is gone")])

    def look(*about: object) -> object:
        if isinstance(found := next(looks), Exception):
            raise found
        return found

    monkeypatch.setattr("runbook.chain.prints_over", look)
    monkeypatch.setattr("runbook.chain.execute_group", lambda jobs, workers, on_event: [])
    with pytest.raises(CannotJudge, match="the disk is gone"):
        Runner(warehouse, tmp_path / "run", chain(ZONES), 1, lambda event: None).run()
    assert json.loads((tmp_path / "run" / "manifest.json").read_text())["outcome"] == "failed"


def ended(step: str, phase: int, gates: str = "green") -> Any:
    """A run of one step, and what its gates said."""
    record = SimpleNamespace(verdicts=[{"gate": "tables", "verdict": gates}], parameters={"phase": phase})
    return SimpleNamespace(latest={step: record})


@pytest.mark.parametrize(("gates", "after", "found"), [("green", "green", False), ("amber", "green", True), ("green", "amber", True), ("green", "red", True)])  # fmt: skip
def test_strict_hears_whatever_is_not_green_of_the_notebooks_too(gates: str, after: str, found: bool) -> None:
    looked = [Verdict("coverage", after, "", about={"phase": 3})]
    assert falls_short(ended("30_monitor.phase3", 3, gates), looked, strict=True) == found


@pytest.mark.parametrize(("step", "phase", "found"), [("50_signoff.phase3", 3, True), ("30_monitor.phase3", 3, False), ("50_signoff.phase4", 4, False)])  # fmt: skip
def test_red_afterwards_is_no_success_of_a_run_that_closed_the_phase(step: str, phase: int, found: bool) -> None:
    looked = [Verdict("coverage", "red", "", about={"phase": 3})]
    assert falls_short(ended(step, phase), looked, strict=False) == found
    assert falls_short(ended(step, phase), looked, strict=True) == (phase == 3)


def test_a_look_aside_is_begun_once_and_its_error_is_the_answers() -> None:
    looks: list[int] = []
    found = Aside(lambda: looks.append(1) or 42)
    assert found.begin() is found.begin()
    assert (found.answer(), looks) == (42, [1])
    assert Aside(lambda: 43).answer() == 43
    failing: Aside[int] = Aside(_fail)
    failing.begin()
    with pytest.raises(BadInput, match="no such thing"):
        failing.answer()


def _fail() -> int:
    raise BadInput("no such thing")


def test_from_and_until_cut_the_chain_both_included() -> None:
    assert names(cut(chain(), "60_train", None)) == ["60_train", "70_closing"]
    assert names(cut(chain(ZONES), None, "50_signoff.phase3")) == ["50_signoff.phase3"]
    assert names(cut(chain(ZONES), "10_preflight", "20_launch")) == [
        "10_preflight.phase4", "20_launch.team_defense_zone_analysis",
    ]  # fmt: skip


def test_a_notebook_that_several_steps_share_means_all_of_them() -> None:
    assert names(cut(chain(ZONES), None, "50_signoff")) == names(chain(ZONES, model=False))


def test_a_step_that_is_not_there_is_refused_with_those_that_are() -> None:
    with pytest.raises(BadInput, match=r"no step of this run is called '60_trian': the steps are 50_signoff\.phase3"):
        cut(chain(), "60_trian", None)
    with pytest.raises(BadInput, match="comes after"):
        cut(chain(), "70_closing", "60_train")
