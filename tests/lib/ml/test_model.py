"""Training and its artefact: the same data and seed give the same model, and nothing damaged is ever loaded."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from lib.errors import CannotJudge
from lib.ml.artefact import FACTS, Artefact, Origin, adopt, artefacts_in, key_of, open_artefact, train
from lib.ml.fitting import fit, grid_digest
from lib.ml.matrix import Matrix
from lib.ml.scores import AVERAGES, MODEL, averages, score, scores
from lib.ml.worth import model_verdict
from lib.settings import MlFacts, load_settings
from lib.training import Training
from lib.verdicts import AMBER, GREEN, RED
from tests.lib.ml.made_up import matrix

ORIGIN = Origin("abc", "2026-01-05", simulated=True)


@pytest.fixture(scope="module")
def known() -> Matrix:
    return matrix(rows=3000)


@pytest.fixture(scope="module")
def saved(known: Matrix, tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return train(known, 42, ORIGIN, tmp_path_factory.mktemp("models"))


def test_scores_are_counted_by_hand() -> None:
    line = score("x", np.array([10.0, 10.0, 10.0, 10.0]), np.array([10.0, 11.0, 13.0, 16.0]))
    assert line == {
        "system": "x", "rows": 4, "mae": 2.5, "rmse": 3.3912,
        "within_1_pct": 50.0, "within_3_pct": 75.0, "within_5_pct": 75.0,
    }  # fmt: skip


def test_the_moving_average_is_the_half_and_half() -> None:
    features = np.zeros((1, 21))
    features[0, 1], features[0, 2] = 12, 20  # last 10, season
    assert {name: values[0] for name, values in averages(features).items()} == dict(
        zip(AVERAGES, (20, 12, 16), strict=True)
    )


def test_the_same_data_and_seed_give_the_same_model(known: Matrix, saved: Artefact) -> None:
    assert grid_digest(fit(known, 42)) == saved.facts.grid_digest
    assert key_of(known, 42, ORIGIN) == saved.facts.key
    assert key_of(known, 43, ORIGIN) != saved.facts.key
    assert key_of(matrix(rows=2999), 42, ORIGIN) != saved.facts.key


def test_two_warehouses_with_the_same_rows_have_a_model_each(known: Matrix, saved: Artefact) -> None:
    assert key_of(known, 42, Origin("another", "2026-01-05", simulated=True)) != saved.facts.key


def test_early_stopping_looks_at_the_validation_part_and_nobody_looks_at_the_test_part(known: Matrix) -> None:
    other = matrix(rows=3000)
    other.points[other.split.test] = 99
    assert grid_digest(fit(other, 42)) == grid_digest(fit(known, 42))
    other.points[other.split.validation] = 40 - other.points[other.split.validation]  # what is learnt only harms
    assert grid_digest(fit(other, 42)) != grid_digest(fit(known, 42))


def test_baselines_are_of_the_same_rows(saved: Artefact, known: Matrix) -> None:
    lines = saved.metrics["test"]
    assert [line["system"] for line in lines] == [MODEL, *AVERAGES]
    assert {line["rows"] for line in lines} == {known.split.test.stop - known.split.test.start}
    with_line = saved.metrics["with_a_line"]
    assert [line["system"] for line in with_line] == [MODEL, *AVERAGES, "betting_line"]
    assert len({line["rows"] for line in with_line}) == 1
    assert with_line[0]["rows"] < lines[0]["rows"]


def test_a_model_is_found_to_look_at_what_matters(saved: Artefact) -> None:
    importance = saved.metrics["importance"]
    assert {line["feature"] for line in importance[:3]} & {"points_avg_last_10", "points_avg_season"}
    assert len(importance) == 21
    assert importance == sorted(importance, key=lambda line: -line["mae_added"])


def test_residuals_are_told_by_season_and_part(saved: Artefact) -> None:
    parts = {(line["part"], line["season"]) for line in saved.metrics["seasons"]}
    assert parts == {("validation", "2024-25"), ("test", "2024-25")}
    assert sum(group["rows"] for group in saved.metrics["calibration"]) == saved.metrics["test"][0]["rows"]


def test_the_artefact_holds_all_that_it_was_made_of(saved: Artefact, known: Matrix) -> None:
    names = {path.name for path in saved.folder.iterdir()}
    assert names == {FACTS, "model.joblib", "metrics.json", "features.json", "card.md"}
    assert saved.facts.fingerprint == known.fingerprint
    assert saved.facts.versions.keys() == {"scikit-learn", "numpy", "joblib"}
    assert saved.facts.parts["train"][1] < saved.facts.parts["validation"][0]
    contract = json.loads((saved.folder / "features.json").read_text())
    assert [line["name"] for line in contract][:2] == ["points_avg_last_5", "points_avg_last_10"]
    assert all(line["means"].startswith("Training feature") for line in contract)


def test_the_card_says_simulated_and_whom_the_model_knows(saved: Artefact) -> None:
    card = (saved.folder / "card.md").read_text()
    assert "**Simulated.**" in card
    assert "Players who played" in card
    assert f"{saved.metrics['test'][0]['mae']}" in card


@pytest.mark.parametrize("name", ["model.joblib", "metrics.json", "features.json", "card.md"])
def test_one_flipped_byte_is_refused_before_anything_is_loaded(saved: Artefact, tmp_path: Path, name: str) -> None:
    copy = shutil.copytree(saved.folder, tmp_path / saved.folder.name)
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(CannotJudge, match=rf"{name} is not what was trained; nothing was loaded"):
        open_artefact(copy)


def test_a_file_added_or_gone_is_refused(saved: Artefact, tmp_path: Path) -> None:
    copy = shutil.copytree(saved.folder, tmp_path / saved.folder.name)
    (copy / "more.py").write_text("")
    with pytest.raises(CannotJudge, match=r"more\.py"):
        open_artefact(copy)
    (copy / "more.py").unlink()
    (copy / "card.md").unlink()
    with pytest.raises(CannotJudge, match=r"card\.md"):
        open_artefact(copy)
    assert artefacts_in([tmp_path]) == []


def test_a_folder_within_a_model_is_refused_by_name(saved: Artefact, tmp_path: Path) -> None:
    copy = shutil.copytree(saved.folder, tmp_path / saved.folder.name)
    (copy / ".ipynb_checkpoints").mkdir()
    told: list[str] = []
    assert artefacts_in([tmp_path], told.append) == []
    assert told == [f"{copy}: .ipynb_checkpoints is not what was trained; nothing was loaded: train again"]


def test_a_damaged_model_is_kept_aside_and_trained_or_taken_over_again(
    known: Matrix, saved: Artefact, tmp_path: Path
) -> None:
    name = saved.folder.name
    for again in (lambda: train(known, 42, ORIGIN, tmp_path), lambda: adopt(saved, tmp_path)):
        copy = tmp_path / name
        shutil.copytree(saved.folder, copy) if not copy.exists() else None
        (copy / "card.md").write_text("nothing")
        assert again().facts.key == saved.facts.key
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"damaged-1-{name}", f"damaged-2-{name}", name]
    assert (tmp_path / f"damaged-1-{name}" / "card.md").read_text() == "nothing"


def test_the_closing_step_finds_its_own_model_beside_a_newer_one(known: Matrix, tmp_path: Path) -> None:
    mine, newer = train(known, 42, ORIGIN, tmp_path), train(known, 7, ORIGIN, tmp_path)
    assert [found.folder for found in artefacts_in([tmp_path])] == [newer.folder, mine.folder]
    facts = {"id": ORIGIN.warehouse_id, "as_of": ORIGIN.as_of, "kind": "sandbox"}
    step: Any = SimpleNamespace(run=tmp_path, settings=load_settings(), warehouse=SimpleNamespace(meta=lambda: facts))
    closing = Training(step, 42, known)
    assert closing.stands().verdict == GREEN
    assert closing.artefact == mine
    other = Training(step, 8, known).stands()
    assert [(finding.where, finding.severity) for finding in other.findings] == [(newer.folder.name, RED)]


def test_a_model_of_an_earlier_run_is_taken_over_whole(saved: Artefact, tmp_path: Path) -> None:
    assert adopt(saved, tmp_path).digest == saved.digest
    assert adopt(saved, tmp_path).digest == saved.digest
    assert [path.name for path in tmp_path.iterdir()] == [saved.folder.name]
    assert artefacts_in([tmp_path])[0].regressor.n_iter_ == saved.metrics["iterations"]


def test_a_model_better_than_every_average_is_green(saved: Artefact) -> None:
    verdict = model_verdict(saved, MlFacts(suspect_ratio=0.1))
    assert verdict.verdict == GREEN
    assert "(simulated league)" in verdict.sentence


def test_a_model_no_better_than_an_average_is_amber(known: Matrix, tmp_path: Path) -> None:
    noise = matrix(rows=1500, signal=0)
    noise.features[:, 1] = noise.features[:, 2] = noise.points.mean()  # an average that cannot be beaten
    assert model_verdict(train(noise, 42, ORIGIN, tmp_path), MlFacts()).verdict == AMBER


def test_a_model_too_good_to_be_true_is_red(tmp_path: Path) -> None:
    leaking = matrix(rows=3000)
    leaking.features[:, 3] = leaking.points  # the answer, among the features
    verdict = model_verdict(train(leaking, 42, ORIGIN, tmp_path), MlFacts())
    assert verdict.verdict == RED
    assert "suspect leakage" in verdict.findings[0].what


def test_rows_without_a_line_leave_the_line_out() -> None:
    rows = matrix(rows=1500)
    rows.lines[:] = np.nan
    assert scores(fit(rows, 1), rows)["with_a_line"] == []
