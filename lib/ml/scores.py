"""What a model is worth: errors beside simple averages and the betting line on the same rows, calibration, importance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.features import TRAINING_21
from lib.ml.matrix import Floats, Matrix
from lib.ml.readiness import season_name

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingRegressor

MODEL, MOVING_AVERAGE = "hist_gradient_boosting_v1", "moving_average"
AVERAGES = ("points_avg_season", "points_avg_last_10", MOVING_AVERAGE)
IMPORTANCE_ROWS, IMPORTANCE_REPEATS = 4_000, 3
QUANTILES = np.linspace(0.01, 0.99, 99)

Score = dict[str, Any]


def averages(features: Floats) -> dict[str, Floats]:
    """The simple averages as predictions: season, last 10, and the half-and-half of both (the moving average)."""
    season, last_10 = (features[:, TRAINING_21.index(name)] for name in AVERAGES[:2])
    return dict(zip(AVERAGES, (season, last_10, (season + last_10) / 2), strict=True))


def score(system: str, predicted: Floats, actual: Floats) -> Score:
    """Errors in points: mean absolute, root mean square, and the share of rows within 1, 3 and 5 points, percent."""
    errors = np.abs(predicted - actual)
    within = {f"within_{limit}_pct": round(100 * float((errors <= limit).mean()), 2) for limit in (1, 3, 5)}
    figures = {"mae": round(float(errors.mean()), 4), "rmse": round(float(np.sqrt((errors**2).mean())), 4)}
    return {"system": system, "rows": len(errors)} | figures | within


def scores(regressor: HistGradientBoostingRegressor, matrix: Matrix) -> dict[str, Any]:
    """Everything that is said about a model; every figure is of rows that it was not trained on, but ``train_mae``."""
    split, predicted = matrix.split, regressor.predict(matrix.features)
    test = {MODEL: predicted[split.test]} | averages(matrix.features[split.test])
    return {
        "train_mae": score(MODEL, predicted[split.train], matrix.points[split.train])["mae"],
        "validation_mae": score(MODEL, predicted[split.validation], matrix.points[split.validation])["mae"],
        "test": [score(name, values, matrix.points[split.test]) for name, values in test.items()],
        "with_a_line": _beside_the_line(test, matrix),
        "seasons": _by_season(predicted, matrix),
        "calibration": _calibration(predicted[split.test], matrix.points[split.test]),
        "importance": _importance(regressor, matrix),
        "residual_quantiles": _residual_quantiles(predicted, matrix),
        "iterations": int(regressor.n_iter_),
    }


def _beside_the_line(test: Mapping[str, Floats], matrix: Matrix) -> list[Score]:
    """The test rows that have a betting line: every system on the same rows; empty where no row has one."""
    lines, actual = matrix.lines[matrix.split.test], matrix.points[matrix.split.test]
    known = ~np.isnan(lines)
    if not known.any():
        return []
    return [score(name, values[known], actual[known]) for name, values in {**test, "betting_line": lines}.items()]


def _by_season(predicted: Floats, matrix: Matrix) -> list[Score]:
    """Residuals (actual minus predicted, points) of the unseen rows, a line for each part and season."""
    found = []
    for part in ("validation", "test"):
        rows = matrix.split.named()[part]
        residuals, seasons = matrix.points[rows] - predicted[rows], matrix.seasons[rows]
        for season in np.unique(seasons):
            of_season = residuals[seasons == season]
            about = {"season": season_name(int(season)), "part": part, "rows": len(of_season)}
            found.append(about | _spread(of_season))
    return found


def _spread(residuals: Floats) -> Score:
    low, middle, high = np.quantile(residuals, (0.1, 0.5, 0.9)).tolist()
    figures = {"mean": residuals.mean(), "std": residuals.std(), "p10": low, "median": middle, "p90": high}
    return {name: round(float(value), 3) for name, value in figures.items()}


def _calibration(predicted: Floats, actual: Floats) -> list[Score]:
    """Ten groups of test rows from the lowest to the highest prediction: mean predicted and mean actual points."""
    order = np.array_split(np.argsort(predicted, kind="stable"), 10)
    return [
        {
            "rows": len(rows),
            "predicted": round(float(predicted[rows].mean()), 3),
            "actual": round(float(actual[rows].mean()), 3),
        }
        for rows in order
        if len(rows)
    ]


def _importance(regressor: HistGradientBoostingRegressor, matrix: Matrix) -> list[Score]:
    """By how many points the mean absolute error of test rows grows when one feature is shuffled; greatest first."""
    from sklearn.inspection import permutation_importance

    test = matrix.split.test
    size = min(IMPORTANCE_ROWS, test.stop - test.start)
    rows = np.random.default_rng(0).choice(np.arange(test.start, test.stop), size, replace=False)
    found = permutation_importance(
        regressor, matrix.features[rows], matrix.points[rows],
        scoring="neg_mean_absolute_error", n_repeats=IMPORTANCE_REPEATS, random_state=0,
    )  # fmt: skip
    lines = zip(TRAINING_21, found.importances_mean, found.importances_std, strict=True)
    ranked = sorted(lines, key=lambda line: -line[1])
    return [{"feature": name, "mae_added": round(float(m), 4), "std": round(float(s), 4)} for name, m, s in ranked]


def _residual_quantiles(predicted: Floats, matrix: Matrix) -> dict[str, list[float]]:
    """Quantiles 1 to 99 of the validation residuals of each predicting system: how sure a prediction is."""
    rows = matrix.split.validation
    actual = matrix.points[rows]
    systems = {MODEL: predicted[rows], MOVING_AVERAGE: averages(matrix.features[rows])[MOVING_AVERAGE]}
    return {name: np.round(np.quantile(actual - values, QUANTILES), 3).tolist() for name, values in systems.items()}
