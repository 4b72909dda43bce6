"""Predictions: only from feature rows that stand, by a model that verifies; graded against what was scored."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from lib.calendar import closed_range
from lib.errors import BadInput
from lib.ml.artefact import Artefact, Origin, train
from lib.ml.matrix import read_matrix
from lib.ml.phase5 import predictions_gate
from lib.ml.predictions import ACCURACY, PREDICTIONS, Predicted, _said, part_of, predict, refuse_unready
from lib.ml.scores import MODEL, MOVING_AVERAGE
from lib.settings import Settings
from lib.verdicts import AMBER, GREEN, RED, Verdict
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import PLAYERS, ask, change, judging, said

STORE = "nba_predictions.ml_feature_store_v2"


@pytest.fixture(scope="module")
def artefact(whole_file: Path, whole_settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    warehouse = EmbeddedWarehouse.at(f"duckdb:///{whole_file}", 20)
    with judging(warehouse, whole_settings) as judge:
        matrix = read_matrix(judge.session, *closed_range(judge.calendar, whole_settings, None, None))
    return train(matrix, 42, Origin("", "", simulated=True), tmp_path_factory.mktemp("models"))


@pytest.fixture
def day(whole: EmbeddedWarehouse) -> date:
    """The last date with features."""
    found: date = ask(whole, f"SELECT MAX(game_date) FROM {STORE}")[0][0]
    return found


@pytest.fixture
def written(whole: EmbeddedWarehouse, artefact: Artefact, day: date) -> Predicted:
    return predict(whole, artefact, day, 1.0)


def gate_5(warehouse: EmbeddedWarehouse, settings: Settings) -> Verdict:
    with judging(warehouse, settings) as judge:
        return predictions_gate(judge, *closed_range(judge.calendar, settings, None, None))


def test_both_systems_predict_every_player_of_the_date(whole: EmbeddedWarehouse, written: Predicted, day: date) -> None:
    due = ask(whole, f"SELECT COUNT(*) FROM {STORE} WHERE game_date = @day", day=day)[0][0]
    counts = ask(whole, f"SELECT system_id, COUNT(*), COUNT(DISTINCT player_lookup) FROM {PREDICTIONS} GROUP BY system_id ORDER BY system_id")  # fmt: skip
    assert counts == [(MODEL, due, due), (MOVING_AVERAGE, due, due)]
    assert written.predictions == 2 * due
    assert written.model_part == "test"


def test_the_moving_average_is_what_it_says(whole: EmbeddedWarehouse, written: Predicted) -> None:
    rows = ask(
        whole,
        f"SELECT p.predicted_points, s.points_avg_last_10, s.points_avg_season FROM {PREDICTIONS} p JOIN {STORE} s"
        f" ON s.game_date = p.game_date AND s.player_lookup = p.player_lookup WHERE p.system_id = '{MOVING_AVERAGE}'",
    )
    assert rows
    for predicted, last_10, season in rows:
        assert abs(float(predicted) - (float(last_10) + float(season)) / 2) <= 0.0501


def test_grades_are_of_those_who_played_and_add_up(whole: EmbeddedWarehouse, written: Predicted) -> None:
    rows = ask(
        whole,
        "SELECT a.predicted_points, a.actual_points, a.absolute_error, a.signed_error, a.within_3_points, p.points"
        f" FROM {ACCURACY} a JOIN {PLAYERS} p ON p.game_date = a.game_date AND p.player_lookup = a.player_lookup",
    )
    assert len(rows) == written.grades > 0
    for predicted, actual, absolute, signed, within, points in rows:
        assert actual == points
        assert signed == predicted - actual
        assert absolute == abs(signed)
        assert within == (absolute <= 3)


def test_a_recommendation_wins_loses_or_is_left_out(whole: EmbeddedWarehouse, written: Predicted) -> None:
    rows = ask(
        whole,
        "SELECT a.recommendation, a.prediction_correct, a.actual_points, p.current_points_line"
        f" FROM {ACCURACY} a JOIN {PREDICTIONS} p ON p.game_date = a.game_date AND p.system_id = a.system_id"
        " AND p.player_lookup = a.player_lookup",
    )
    assert {row[0] for row in rows} >= {"OVER", "UNDER", "NO_LINE"}
    for recommendation, correct, actual, line in rows:
        if recommendation in ("PASS", "NO_LINE") or actual == line:
            assert correct is None
        else:
            assert correct == ((actual > line) == (recommendation == "OVER"))


def test_recommendations_are_counted_by_hand() -> None:
    quantiles = np.linspace(-9.9, 9.9, 99).tolist()  # a residual of 0 is the median
    lines = np.array([10.0, 10.0, 10.0, np.nan])
    told = _said(np.array([15.0, 5.0, 10.4, 12.0]), lines, quantiles, pass_margin=1.0)
    assert told["recommendation"].tolist() == ["OVER", "UNDER", "PASS", "NO_LINE"]
    assert told["line_margin"].to_pylist() == [5.0, -5.0, 0.4, None]
    over, under, near, nothing = told["confidence_score"].to_pylist()
    assert over == pytest.approx(74.75, abs=0.3)  # the line lies 5 below: quantile 25
    assert under == pytest.approx(over, abs=0.01)
    assert 50 < near < 53
    assert nothing is None
    assert told["line_source"].to_pylist() == ["ACTUAL_PROP"] * 3 + [None]


def test_predicting_again_replaces(whole: EmbeddedWarehouse, artefact: Artefact, written: Predicted, day: date) -> None:
    assert predict(whole, artefact, day, 1.0) == written
    assert ask(whole, f"SELECT COUNT(*) FROM {PREDICTIONS}") == [(written.predictions,)]
    assert ask(whole, f"SELECT COUNT(*) FROM {ACCURACY}") == [(written.grades,)]


def test_a_prediction_says_where_its_date_lay_when_the_model_was_trained(artefact: Artefact) -> None:
    first = date.fromisoformat(artefact.facts.parts["train"][0])
    assert part_of(artefact.facts, first) == "train"
    assert part_of(artefact.facts, date(2031, 1, 1)) == "unseen"


def test_features_that_changed_since_make_phase_5_red(
    whole: EmbeddedWarehouse, whole_settings: Settings, written: Predicted, day: date
) -> None:
    assert gate_5(whole, whole_settings).verdict == GREEN
    change(whole, f"UPDATE {STORE} SET data_hash = 'other' WHERE game_date = ? AND player_lookup = (SELECT min(player_lookup) FROM {STORE} WHERE game_date = ?)", day, day)  # fmt: skip
    verdict = gate_5(whole, whole_settings)
    assert verdict.verdict == RED
    assert "1 predictions are from features that have changed since" in said(verdict)
    assert f"runbook predict --date {day}" in said(verdict)


def test_a_prediction_or_a_grade_that_is_gone_makes_phase_5_red(
    whole: EmbeddedWarehouse, whole_settings: Settings, written: Predicted
) -> None:
    change(whole, f"DELETE FROM {ACCURACY} WHERE system_id = ?", MODEL)
    assert f"predictions of {MODEL} are not graded" in said(gate_5(whole, whole_settings))
    change(whole, f"DELETE FROM {PREDICTIONS} WHERE system_id = ?", MODEL)
    assert f"red {PREDICTIONS} {MODEL}: 0 of " in said(gate_5(whole, whole_settings))


def test_a_score_that_was_corrected_since_makes_phase_5_red(
    whole: EmbeddedWarehouse, whole_settings: Settings, written: Predicted, day: date
) -> None:
    change(whole, f"UPDATE {PLAYERS} SET points = points + 1 WHERE game_date = ? AND player_lookup = (SELECT min(player_lookup) FROM {ACCURACY})", day)  # fmt: skip
    found = said(gate_5(whole, whole_settings))
    for system in (MODEL, MOVING_AVERAGE):
        assert f"1 grades of {system} are of another prediction or another score than stand now" in found
    assert f"runbook predict --date {day}" in found


def test_grades_of_another_models_predictions_make_phase_5_red(
    whole: EmbeddedWarehouse, whole_settings: Settings, written: Predicted
) -> None:
    change(whole, f"UPDATE {PREDICTIONS} SET prediction_version = 'another'")
    graded = written.grades // 2
    assert f"{graded} grades of {MODEL} are of another prediction" in said(gate_5(whole, whole_settings))


def test_predictions_of_players_who_are_expected_no_more_make_phase_5_red(
    whole: EmbeddedWarehouse, whole_settings: Settings, written: Predicted, day: date
) -> None:
    change(whole, f"DELETE FROM {STORE} WHERE game_date = ? AND player_lookup = (SELECT min(player_lookup) FROM {STORE} WHERE game_date = ?)", day, day)  # fmt: skip
    assert f"red {PREDICTIONS} {MODEL}: 1 predictions have no feature row any more" in said(gate_5(whole, whole_settings))  # fmt: skip
    change(whole, f"DELETE FROM {STORE} WHERE game_date = ?", day)
    left, found = written.predictions // 2, gate_5(whole, whole_settings)
    assert found.verdict == AMBER  # nothing that could be predicted again: where no game is expected they are deleted
    assert f"{left} predictions or grades are of dates without any feature row, the first {day}" in said(found)


def test_who_was_listed_and_never_on_the_floor_is_neither_trained_on_nor_graded(
    whole: EmbeddedWarehouse, whole_settings: Settings, artefact: Artefact, day: date
) -> None:
    player = ask(whole, f"SELECT MIN(player_lookup) FROM {PLAYERS} WHERE game_date = @day AND minutes_played > 0", day=day)[0][0]  # fmt: skip
    change(whole, f"UPDATE {PLAYERS} SET minutes_played = NULL, points = 0 WHERE game_date = ? AND player_lookup = ?", day, player)  # fmt: skip
    with judging(whole, whole_settings) as judge:
        matrix = read_matrix(judge.session, day, day)
    assert player not in matrix.players.tolist()
    predict(whole, artefact, day, 1.0)
    assert ask(whole, f"SELECT COUNT(*) FROM {ACCURACY} WHERE player_lookup = @player", player=player) == [(0,)]
    assert ask(whole, f"SELECT COUNT(*) FROM {PREDICTIONS} WHERE player_lookup = @player", player=player) == [(2,)]
    assert gate_5(whole, whole_settings).verdict == GREEN


def test_nothing_predicted_is_never_green(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    verdict = gate_5(whole, whole_settings)
    assert verdict.verdict == RED
    assert verdict.sentence == "Nothing is predicted yet."


def refused(warehouse: EmbeddedWarehouse, settings: Settings, day: date) -> str:
    with judging(warehouse, settings) as judge, pytest.raises(BadInput) as error:
        refuse_unready(judge, day)
    return str(error.value)


def test_a_date_without_games_or_features_is_refused_by_name(
    whole: EmbeddedWarehouse, whole_settings: Settings, day: date
) -> None:
    assert "no expected game on 2023-07-01" in refused(whole, whole_settings, date(2023, 7, 1))
    first = ask(whole, "SELECT MIN(game_date) FROM nba_analytics.player_game_summary")[0][0]
    assert "first days of a season" in refused(whole, whole_settings, first)
    change(whole, f"DELETE FROM {STORE} WHERE game_date = ?", day)
    assert f"{STORE} is absent on {day}" in refused(whole, whole_settings, day)


def test_outdated_features_are_refused(whole: EmbeddedWarehouse, whole_settings: Settings, day: date) -> None:
    change(whole, f"UPDATE {STORE} SET pace_score = 1.5 WHERE game_date = ?", day)
    assert f"{STORE} is outdated on {day}" in refused(whole, whole_settings, day)


def test_a_half_date_is_refused(whole: EmbeddedWarehouse, whole_settings: Settings, day: date) -> None:
    change(whole, f"DELETE FROM {STORE} WHERE game_date = ? AND player_lookup = (SELECT min(player_lookup) FROM {STORE} WHERE game_date = ?)", day, day)  # fmt: skip
    assert f"{STORE} is partial on {day}" in refused(whole, whole_settings, day)


def test_metrics_are_plain_json(artefact: Artefact) -> None:
    assert json.loads(json.dumps(artefact.metrics)) == artefact.metrics
