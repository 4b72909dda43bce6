"""Which model predicts: the newest of this warehouse that verifies, and never one whose own gate is red."""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from lib.calendar import closed_range
from lib.errors import BadInput
from lib.ml.artefact import FACTS, Artefact, Origin, open_artefact, train
from lib.ml.matrix import read_matrix
from lib.ml.scores import MODEL
from lib.settings import Settings
from lib.verdicts import AMBER
from lib.warehouse import EmbeddedWarehouse
from runbook.cli import cli
from runbook.signing import derive as deriving
from runbook.signing.statement import ambers
from tests.lib.at_work import ask, judging


@pytest.fixture(scope="module")
def trained(whole_file: Path, whole_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two models of the warehouse in runs of their own, the newer one in run-7. Copy it; never change it."""
    warehouse = EmbeddedWarehouse.at(f"duckdb:///{whole_file}", 20)
    origin = Origin(warehouse.meta()["id"], warehouse.meta()["as_of"], simulated=True)
    with judging(warehouse, whole_settings) as judge:
        matrix = read_matrix(judge.session, *closed_range(judge.calendar, whole_settings, None, None))
    runs = tmp_path_factory.mktemp("trained")
    for seed in (42, 7):
        train(matrix, seed, origin, runs / f"run-{seed}")
    return runs


@pytest.fixture
def models(trained: Path, whole_environment: Path) -> list[Artefact]:
    """The same of one's own, the newer one first."""
    shutil.copytree(trained, whole_environment, dirs_exist_ok=True)
    return [open_artefact(next((whole_environment / name).glob("model-*"))) for name in ("run-7", "run-42")]


def predicted(warehouse: EmbeddedWarehouse, *words: str) -> dict[str, object]:
    """What ``runbook predict`` says of the last date with features."""
    day: date = ask(warehouse, "SELECT MAX(game_date) FROM nba_predictions.ml_feature_store_v2")[0][0]
    whole = ["predict", "--date", str(day), "--json", "--warehouse", warehouse.url, *words]
    done = CliRunner().invoke(cli, whole, standalone_mode=False)
    if done.exception:
        raise done.exception
    told: dict[str, object] = json.loads(done.stdout)
    return told


def with_error(artefact: Artefact, mae: float) -> Artefact:
    """The same artefact, whole, with another error on its test rows."""
    metrics = artefact.metrics | {"test": [l | {"mae": mae} if l["system"] == MODEL else l for l in artefact.metrics["test"]]}  # fmt: skip # noqa: E741
    content = json.dumps(metrics)
    (artefact.folder / "metrics.json").write_text(content)
    files = artefact.facts.files | {"metrics.json": hashlib.sha256(content.encode()).hexdigest()}
    (artefact.folder / FACTS).write_text(artefact.facts.model_copy(update={"files": files}).model_dump_json())
    return open_artefact(artefact.folder)


def test_the_newest_predicts_and_a_damaged_one_is_passed_over_by_name(
    whole: EmbeddedWarehouse, models: list[Artefact]
) -> None:
    newer, older = models
    told = predicted(whole)
    assert (told["model"], told["passed_over"]) == (str(newer.folder), [])
    (newer.folder / "card.md").write_text("nothing")
    told = predicted(whole)
    assert told["model"] == str(older.folder)
    assert told["passed_over"] == [f"{newer.folder}: card.md is not what was trained; nothing was loaded: train again"]
    (older.folder / "card.md").write_text("nothing")
    with pytest.raises(BadInput, match=r"no model of this warehouse .*passed over: .*card\.md is not what was trained"):
        predicted(whole)


def test_a_model_that_is_too_good_to_be_true_predicts_nothing(whole: EmbeddedWarehouse, models: list[Artefact]) -> None:
    with_error(models[0], mae=0.01)
    for words in ((), ("--model", str(models[0].folder))):
        with pytest.raises(BadInput, match=r"suspect leakage; look for a feature .* or name another with --model"):
            predicted(whole, *words)
    assert ask(whole, "SELECT COUNT(*) FROM nba_predictions.player_prop_predictions") == [(0,)]
    assert predicted(whole, "--model", str(models[1].folder))["model"] == str(models[1].folder)


def test_a_poor_model_predicts_and_says_so(whole: EmbeddedWarehouse, models: list[Artefact]) -> None:
    with_error(models[0], mae=99)
    verdict = predicted(whole)["verdict"]
    assert isinstance(verdict, dict)
    assert verdict["verdict"] == AMBER
    assert "test MAE 99.000" in verdict["findings"][0]["what"]


def test_who_signs_a_poor_model_must_acknowledge_it(
    whole: EmbeddedWarehouse, whole_settings: Settings, models: list[Artefact], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = models[0].folder.parent
    closing = SimpleNamespace(verdicts=[{"gate": "artefact", "model": models[0].folder.name}])
    monkeypatch.setattr(deriving, "read_manifest", lambda folder: SimpleNamespace(latest={"70_closing": closing}))
    with judging(whole, whole_settings) as judge:
        first, last = closed_range(judge.calendar, whole_settings, None, None)
    best = min(line["mae"] for line in models[0].metrics["test"] if line["system"] != MODEL)

    def due(mae: float) -> list[str]:
        with_error(models[0], mae)
        return ambers(deriving.derive(whole.url, run, first, last, ["ml"])["ml"]["verdicts"])

    assert due(best + 0.01) == [*due(best - 0.01), "model"]
