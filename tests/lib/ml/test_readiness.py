"""Readiness: the very matrix that is trained on is big, filled, varied, possible and in order, season by season."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from lib.calendar import closed_range
from lib.errors import CannotJudge
from lib.features import TRAINING_21
from lib.ml.matrix import Matrix, read_matrix
from lib.ml.readiness import POSSIBLE, readiness_gate
from lib.settings import Settings
from lib.verdicts import AMBER, GREEN, RED, Verdict
from lib.warehouse import EmbeddedWarehouse
from tests.lib.at_work import PLAYERS, ask, change, judging, said

STORE = "nba_predictions.ml_feature_store_v2"
LATE = "season_year = 2024"


def ready(warehouse: EmbeddedWarehouse, settings: Settings, **limits: float) -> Verdict:
    rules = settings.ml.model_copy(update=limits)
    with judging(warehouse, settings.model_copy(update={"ml": rules})) as judge:
        return readiness_gate(judge, *closed_range(judge.calendar, settings, None, None))


def matrix_of(warehouse: EmbeddedWarehouse, settings: Settings) -> Matrix:
    with judging(warehouse, settings) as judge:
        return read_matrix(judge.session, *closed_range(judge.calendar, settings, None, None))


def rule(verdict: Verdict, name: str) -> Mapping[str, Any]:
    return next(line for line in verdict.table if line["rule"].startswith(name))


def test_a_whole_warehouse_is_ready(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    verdict = ready(whole, whole_settings)
    assert verdict.verdict == GREEN, said(verdict)
    assert {line["verdict"] for line in verdict.table} == {GREEN}
    assert len(verdict.about["features"]) == 21 * 2
    assert verdict.sentence.startswith(f"Ready: {verdict.about['rows']} rows with all 21 features")


def test_the_matrix_holds_the_players_who_played_and_the_points_they_scored(
    whole: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    matrix = matrix_of(whole, whole_settings)
    played = ask(
        whole,
        f"SELECT p.game_date, p.player_lookup, p.points FROM {PLAYERS} p JOIN {STORE} s"
        " ON s.game_date = p.game_date AND s.player_lookup = p.player_lookup ORDER BY 1, 2",
    )
    keys = list(zip(matrix.days.tolist(), matrix.players.tolist(), matrix.points.tolist(), strict=True))
    assert keys == [(day, player, float(points)) for day, player, points in played]
    assert matrix.features.shape == (len(played), 21)


def test_no_date_lies_in_two_parts_and_no_part_looks_back(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    matrix = matrix_of(whole, whole_settings)
    train, validation, test = (matrix.days[part] for part in matrix.split.named().values())
    assert train.max() < validation.min() <= validation.max() < test.min()
    shares = [len(part) / len(matrix) for part in (train, validation, test)]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.03)


def test_too_few_rows_are_red(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    rows = ready(whole, whole_settings).about["rows"]
    assert ready(whole, whole_settings, minimum_rows=rows).verdict == GREEN
    verdict = ready(whole, whole_settings, minimum_rows=rows + 1)
    assert rule(verdict, "rows to train on")["verdict"] == RED


def test_a_part_that_is_too_small_is_red_by_name(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    verdict = ready(whole, whole_settings, minimum_split_rows=400)
    assert {finding.where for finding in verdict.findings} == {"split validation", "split test"}


def test_minutes_below_99_percent_in_one_season_are_red_and_named(
    whole: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    change(whole, f"UPDATE {PLAYERS} SET minutes_played = NULL WHERE {LATE} AND player_lookup LIKE 'a%'")
    verdict = ready(whole, whole_settings)
    assert "minutes_played: " in said(verdict, RED)
    assert "of the rows of 2024-25 hold it, needed 99 %" in said(verdict, RED)
    assert "2023-24 hold it" not in said(verdict)


def test_usage_below_95_percent_of_the_rows_with_minutes_is_red(
    whole: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    change(whole, f"UPDATE {PLAYERS} SET usage_rate = NULL WHERE {LATE} AND day(game_date) < 10")
    verdict = ready(whole, whole_settings)
    assert "usage_rate: " in said(verdict, RED)
    assert "minutes_played: " not in said(verdict)


def test_a_season_of_defaults_is_named_with_its_feature(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    change(whole, f"UPDATE {STORE} SET default_features = list_append(default_features, 'pace_score') WHERE {LATE}")
    found = said(ready(whole, whole_settings), RED)
    assert f"red {STORE}.pace_score: a default in 2024-25 100.0 % of the rows that could know it" in found


def test_defaults_below_the_limit_are_amber(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    few = f"{LATE} AND day(game_date) % 5 = 0"
    change(whole, f"UPDATE {STORE} SET default_features = list_append(default_features, 'pace_score') WHERE {few}")
    verdict = ready(whole, whole_settings)
    assert f"amber {STORE}.pace_score: a default in 2024-25" in said(verdict)


def test_a_default_for_want_of_games_counts_for_nobody(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    for line in ready(whole, whole_settings).about["features"]:
        if line["feature"] == "paint_rate_last_10":
            assert line["default_pct"] > 0 == line["avoidable_pct"]


def test_a_constant_feature_is_red(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    change(whole, f"UPDATE {STORE} SET fatigue_score = 85 WHERE {LATE}")
    found = said(ready(whole, whole_settings), RED)
    assert f"{STORE}.fatigue_score: one value in 2024-25 100.0 % of the rows" in found


def test_a_doubled_row_is_red(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    change(whole, f"INSERT INTO {STORE} FROM {STORE} WHERE {LATE} LIMIT 1")
    verdict = ready(whole, whole_settings)
    assert f"red {STORE}: 1 rows are doubled on their key" in said(verdict)


@pytest.mark.parametrize("impossible", ["points = -1", "minutes_played = 76", "fg_makes = fg_attempts + 1"])
def test_an_impossible_box_score_is_red(whole: EmbeddedWarehouse, whole_settings: Settings, impossible: str) -> None:
    change(whole, f"UPDATE {PLAYERS} SET {impossible} WHERE {LATE} AND player_lookup = (SELECT min(player_lookup) FROM {PLAYERS})")  # fmt: skip
    assert f"red {PLAYERS}: " in said(ready(whole, whole_settings))


def test_sixty_minutes_in_overtime_and_a_stint_of_seconds_are_possible(
    whole: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    one = f"(SELECT min(player_lookup) FROM {PLAYERS})"
    change(whole, f"UPDATE {PLAYERS} SET minutes_played = 63.5, usage_rate = 9999.9 WHERE player_lookup = {one} AND {LATE}")  # fmt: skip
    assert rule(ready(whole, whole_settings), "impossible")["verdict"] == GREEN


def test_every_feature_has_a_span_and_a_value_outside_it_is_red(
    whole: EmbeddedWarehouse, whole_settings: Settings
) -> None:
    assert tuple(POSSIBLE) == TRAINING_21
    change(whole, f"UPDATE {STORE} SET days_rest = -1 WHERE {LATE}")
    assert "red days_rest: " in said(ready(whole, whole_settings))


def test_a_red_phase_below_makes_it_red(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    day = ask(whole, f"SELECT MAX(game_date) FROM {STORE}")[0][0]
    change(whole, f"DELETE FROM {STORE} WHERE game_date = ?", day)
    verdict = ready(whole, whole_settings)
    assert "red phase 4: Phase 4 is not complete" in said(verdict)


def test_an_empty_feature_store_cannot_be_judged(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    change(whole, f"DELETE FROM {STORE}")
    with pytest.raises(CannotJudge, match="no row to train on"):
        ready(whole, whole_settings)


def test_the_fingerprint_is_of_every_value(whole: EmbeddedWarehouse, whole_settings: Settings) -> None:
    matrix = matrix_of(whole, whole_settings)
    assert matrix.fingerprint == matrix_of(whole, whole_settings).fingerprint
    for name in ("features", "points", "lines"):
        values = getattr(matrix, name).copy()
        values.flat[np.flatnonzero(~np.isnan(values))[-1]] += 1
        assert replace(matrix, **{name: values}).fingerprint != matrix.fingerprint
    assert replace(matrix, days=matrix.days + 1).fingerprint != matrix.fingerprint
    assert replace(matrix, players=matrix.players[::-1]).fingerprint != matrix.fingerprint


def test_thresholds_stand_in_the_settings(whole_settings: Settings) -> None:
    players = "nba_analytics.player_game_summary"
    assert whole_settings.features.needed_pct(players, "minutes_played") == 99
    assert whole_settings.features.needed_pct(players, "usage_rate") == 95
    assert AMBER != RED
