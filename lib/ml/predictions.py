"""Predictions for one date from a verified model, and their grades once the games are played."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.coverage import Judge
from lib.errors import BadInput
from lib.features import TRAINING_21
from lib.lease import Fence
from lib.ml.artefact import Artefact, ModelFacts
from lib.ml.matrix import NUMBERS, PLAYED, Floats
from lib.ml.scores import MODEL, MOVING_AVERAGE, QUANTILES, averages
from lib.phase4_gate import STORE
from lib.registry import registry
from lib.states import FULL
from lib.warehouse import Publication, Session, Warehouse

if TYPE_CHECKING:
    import pyarrow as pa

PREDICTIONS = "nba_predictions.player_prop_predictions"
ACCURACY = "nba_predictions.prediction_accuracy"

FEATURE_ROWS = f"""
SELECT
  player_lookup, universal_player_id, game_id, data_hash, ARRAY_LENGTH(default_features) AS default_features,
  CAST(current_points_line AS FLOAT64) AS line, {NUMBERS}
FROM {STORE}
WHERE game_date BETWEEN @day AND @day
ORDER BY player_lookup
"""
GRADES = f"""
WITH predicted AS (
  SELECT * FROM {PREDICTIONS} WHERE game_date BETWEEN @day AND @day
),
played AS (
  SELECT player_lookup, points FROM nba_analytics.player_game_summary
  WHERE game_date BETWEEN @day AND @day AND {PLAYED}
)
SELECT
  predicted.player_lookup, predicted.game_id, predicted.game_date, predicted.system_id, predicted.prediction_version,
  predicted.predicted_points, played.points AS actual_points,
  ABS(predicted.predicted_points - played.points) AS absolute_error,
  predicted.predicted_points - played.points AS signed_error, predicted.recommendation,
  CASE
    WHEN played.points = predicted.current_points_line THEN NULL
    WHEN predicted.recommendation = 'OVER' THEN played.points > predicted.current_points_line
    WHEN predicted.recommendation = 'UNDER' THEN played.points < predicted.current_points_line
  END AS prediction_correct,
  ABS(predicted.predicted_points - played.points) <= 3 AS within_3_points,
  ABS(predicted.predicted_points - played.points) <= 5 AS within_5_points,
  LEAST(10, 1 + DIV(CAST(100 * predicted.confidence_score AS INT64), 1000)) AS confidence_decile,
  CURRENT_TIMESTAMP() AS graded_at
FROM predicted
JOIN played ON played.player_lookup = predicted.player_lookup
"""


@dataclass(frozen=True)
class Predicted:
    """What one call wrote."""

    day: date
    predictions: int
    grades: int
    model_part: str


def refuse_unready(judge: Judge, day: date) -> None:
    """BadInput, with the reason, where the feature store has no rows of *day* that a model may be told."""
    calendar = judge.calendar
    calendar.refuse_without_game(day)
    coverage = judge.cover([4], day, day)[STORE]
    state = next((state for state in coverage.days if state.day == day), None)
    mend = "see 'runbook gate 4', then 'runbook run --phase 4'"
    if state is None or state.holding.expected == 0:
        raise BadInput(f"{day} lies in the first days of a season, for which no features are written")
    if state.state != FULL:
        raise BadInput(f"{STORE} is {state.state} on {day}{f' ({state.reason})' if state.reason else ''}: {mend}")
    if state.outdated:
        raise BadInput(f"{STORE} is outdated on {day} ({state.todo}): {mend}")


def predict(
    warehouse: Warehouse, artefact: Artefact, day: date, pass_margin: float, fence: Fence | None = None
) -> Predicted:
    """Writes the predictions of *day*, then grades those of players who played; replaces what was there.

    Ask refuse_unready first. Each table is replaced in one transaction, under *fence*.
    """
    warehouse.create([registry().table(name).contract for name in (PREDICTIONS, ACCURACY)], {})
    with warehouse.reading() as session:
        rows = session.arrow(FEATURE_ROWS, day=day)
    _publish(warehouse, PREDICTIONS, day, _predictions(rows, artefact, day, pass_margin), fence)
    with warehouse.reading() as session:
        grades = session.arrow(GRADES, day=day)
    _publish(warehouse, ACCURACY, day, grades, fence)
    return Predicted(day, 2 * len(rows), len(grades), part_of(artefact.facts, day))


def part_of(facts: ModelFacts, day: date) -> str:
    """Where *day* lay when the model was trained: in a part of its rows, or in none: unseen."""
    return next((name for name, (first, last, _) in facts.parts.items() if first <= str(day) <= last), "unseen")


def _predictions(rows: pa.Table, artefact: Artefact, day: date, pass_margin: float) -> pa.Table:
    import pyarrow as pa

    features = np.column_stack([rows.column(name).to_numpy() for name in TRAINING_21]).astype(np.float64)
    systems = {MODEL: artefact.regressor.predict(features), MOVING_AVERAGE: averages(features)[MOVING_AVERAGE]}
    common = {name: rows.column(name) for name in ("player_lookup", "universal_player_id", "game_id")}
    common |= {"default_features": rows.column("default_features"), "feature_hash": rows.column("data_hash")}
    same = {
        "game_date": day,
        "prediction_version": artefact.digest,
        "model_part": part_of(artefact.facts, day),
        "predicted_at": datetime.now(UTC),
    }
    lines = rows.column("line").to_numpy(zero_copy_only=False)
    tables = []
    for system, predicted in systems.items():
        ids = [f"{system}/{game}/{player}" for game, player in zip(*map(_list(rows), ("game_id", "player_lookup")), strict=True)]  # fmt: skip
        said = _said(predicted, lines, artefact.metrics["residual_quantiles"][system], pass_margin)
        repeated = {name: [value] * len(rows) for name, value in {"system_id": system, **same}.items()}
        tables.append(pa.table({"prediction_id": ids} | common | repeated | said))
    return pa.concat_tables(tables)


def _list(rows: pa.Table) -> Any:
    return lambda name: rows.column(name).to_pylist()


def _said(predicted: Floats, lines: Floats, quantiles: list[float], pass_margin: float) -> dict[str, Any]:
    """Prediction, line and recommendation of one system; every array has one value a row."""
    predicted = np.round(predicted, 1)
    margin, known = predicted - lines, ~np.isnan(lines)
    over = 100 * (1 - np.interp(lines - predicted, quantiles, QUANTILES))
    near = np.abs(margin) < pass_margin
    sides = np.where(near, "PASS", np.where(margin > 0, "OVER", "UNDER"))
    sure = np.where(near, np.maximum(over, 100 - over), np.where(margin > 0, over, 100 - over))
    return {
        "predicted_points": predicted,
        "confidence_score": _known(np.round(sure, 2), known),
        "recommendation": np.where(known, sides, "NO_LINE"),
        "has_prop_line": known,
        "current_points_line": _known(lines, known),
        "line_margin": _known(np.round(margin, 1), known),
        "line_source": _known(np.full(len(lines), "ACTUAL_PROP"), known),
    }


def _known(values: Any, known: Any) -> pa.Array:
    import pyarrow as pa

    return pa.array(values, mask=~known)


def _publish(warehouse: Warehouse, table: str, day: date, rows: pa.Table, fence: Fence | None) -> None:
    warehouse.stages.mkdir(parents=True, exist_ok=True)
    stage = warehouse.stages / f"predict-{uuid.uuid4().hex}.parquet"
    try:
        warehouse.stage_rows(table, rows, stage)
        warehouse.publish(Publication(table, "game_date", (day,), stage, fence=fence))
    finally:
        warehouse.drop_stage(stage)


def grades_of(session: Session, day: date) -> list[tuple[Any, ...]]:
    """Per system: predictions graded, mean absolute error in points, recommendations right and made."""
    return session.rows(
        f"""
        SELECT system_id, COUNT(*), CAST(SUM(absolute_error) AS FLOAT64) / COUNT(*), COUNTIF(prediction_correct),
          COUNT(prediction_correct)
        FROM {ACCURACY} WHERE game_date BETWEEN @day AND @day GROUP BY system_id ORDER BY system_id
        """,
        day=day,
    )
