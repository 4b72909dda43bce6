"""Stepped through by hand: Shift-Enter goes past a red gate, and what comes after it does not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lib import step as stepping
from lib.errors import BadInput, GateFailed
from lib.signoff import BOXES, MODEL_BOXES
from lib.step import Step, gate, open_step
from lib.training import Training
from lib.verdicts import AMBER, GREEN, RED, Finding, Verdict, verdict_of
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import change

CLOSED = Verdict("box", GREEN, "All is well.")
STORE = "nba_predictions.ml_feature_store_v2"


@pytest.fixture
def step(pocket_environment: Path, tmp_path: Path) -> Iterator[Step]:
    yield open_step("50_signoff", 3, f"duckdb:///{tmp_path / 'w.duckdb'}")
    stepping._open.clear()


def close_all(boxes: tuple[str, ...]) -> None:
    for box in boxes:
        gate(box, CLOSED)


def red(box: str) -> None:
    with pytest.raises(GateFailed, match=f"gate '{box}' is red"):
        gate(box, verdict_of(box, "It is open.", [Finding(RED, "a table", "rows are missing")]))


def test_a_sign_off_by_hand_is_not_ready_while_a_box_is_red(step: Step) -> None:
    close_all(BOXES)
    red("tables")
    with pytest.raises(GateFailed, match="phase 3 is not ready to sign: tables is red; close each box by its own cell"):
        step.ready()


def test_a_sign_off_by_hand_is_not_ready_before_its_boxes_were_asked(step: Step) -> None:
    with pytest.raises(GateFailed, match="tables is not asked, validator is not asked"):
        step.ready()
    close_all(BOXES[:-1])
    with pytest.raises(GateFailed, match="not ready to sign: signer is not asked;"):
        step.ready()


def test_a_box_that_was_mended_and_asked_again_is_closed_and_counts_once(
    step: Step, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(stepping, "HTML", said.append)
    red("tables")
    close_all(BOXES)
    gate("quality", verdict_of("quality", "Seen.", [Finding(AMBER, "a check", "a few rows")]))
    step.ready("late")
    assert said == ["<p><b>Phase 3 is ready to sign: 6 boxes closed. To be acknowledged: a check. Notes: late</b></p>"]


def test_a_model_is_not_ready_to_sign_while_a_box_is_red_or_was_not_asked(step: Step) -> None:
    close_all(MODEL_BOXES[:-1])
    red("model")
    with pytest.raises(GateFailed, match="phase ml is not ready to sign: model is red, signer is not asked"):
        Training(step).ready()


def test_nothing_is_trained_past_a_red_readiness_nor_before_it_was_asked(
    whole: EmbeddedWarehouse, whole_environment: Path, tmp_path: Path
) -> None:
    change(whole, f"INSERT INTO {STORE} FROM {STORE} LIMIT 1")
    opened = open_step("60_train", 4, whole.absolute_url)
    own = opened.settings.model_copy(update={"models": tmp_path / "models"})
    training = Training(replace(opened, settings=own))
    with pytest.raises(GateFailed, match="gate 'readiness' is not asked yet: no model was trained"):
        training.fit()
    with pytest.raises(GateFailed, match="gate 'readiness' is red: phase 4"):
        gate("readiness", training.readiness())
    with pytest.raises(GateFailed, match="gate 'readiness' is red: no model was trained"):
        training.fit()
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize(
    ("phase", "said"),
    [
        (
            2,
            "phase 2 computes no table, so it has no steps: set phase to 3 or 4; raw data is judged by 'runbook gate 2'",
        ),
        (5, "predictions by 'runbook gate 5'"),
        ("3", "phase = '3' is no number: write phase = 3, without quotes"),
        (True, "phase = True is no number"),
    ],
)
def test_a_notebook_takes_no_phase_that_has_no_steps(whole_environment: Path, phase: object, said: str) -> None:
    with pytest.raises(BadInput) as refused:
        open_step("40_validate", phase)  # type: ignore[arg-type]
    assert said in str(refused.value)
