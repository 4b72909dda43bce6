"""Where the policy says so, no phase is begun before the one below it is signed."""

from __future__ import annotations

from datetime import date

from lib.plan import Plan
from runbook.chain import Chain, ChainStep
from runbook.waiting import until_unsigned

DAY = date(2024, 1, 1)
STEPS = (
    ChainStep("20_launch.a", "20_launch", {"phase": 3}, 0),
    ChainStep("50_signoff.phase3", "50_signoff", {"phase": 3}, 1),
    ChainStep("50_signoff.phase4", "50_signoff", {"phase": 4}, 2),
    ChainStep("60_train", "60_train", {}, 2),
)


def names(steps: tuple[ChainStep, ...], **states: str) -> tuple[list[str], str]:
    chain = Chain(Plan(DAY, DAY, DAY, (3, 4), (), (), {}), steps)
    shorter, phase = until_unsigned(chain, {"3": states.get("three", ""), "4": states.get("four", "")})
    return [step.name for step in shorter.steps], phase


def test_what_is_computed_must_be_signed_anew() -> None:
    assert names(STEPS, three="COMPLETE", four="COMPLETE") == (["20_launch.a", "50_signoff.phase3"], "3")


def test_a_signed_phase_lets_the_next_one_begin_and_no_more() -> None:
    assert names(STEPS[1:], three="COMPLETE", four="PROVEN") == (["50_signoff.phase3", "50_signoff.phase4"], "4")
    assert names(STEPS[1:], three="STALE", four="COMPLETE") == (["50_signoff.phase3"], "3")


def test_the_last_phase_waits_for_nobody() -> None:
    assert names(STEPS[1:], three="COMPLETE", four="COMPLETE WITH WAIVER")[1] == ""
    assert names(STEPS[:2]) == (["20_launch.a", "50_signoff.phase3"], "")
