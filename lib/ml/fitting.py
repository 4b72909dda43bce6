"""The regressor: histogram gradient boosting on the training part, stopped early on the validation part."""

from __future__ import annotations

import hashlib
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

import numpy as np

from lib.ml.matrix import Floats, Matrix
from lib.ml.readiness import POSSIBLE

if TYPE_CHECKING:  # a model that is only verified needs no scikit-learn, which takes a second to import
    from sklearn.ensemble import HistGradientBoostingRegressor

PARAMETERS: dict[str, Any] = {
    "loss": "squared_error",
    "learning_rate": 0.1,
    "max_iter": 500,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 100,
    "l2_regularization": 1.0,
    "early_stopping": True,
    "n_iter_no_change": 20,
}
GRID_ROWS = 512


def import_ahead() -> None:
    """Imports scikit-learn, which takes seconds, while the caller waits for something else."""
    Thread(target=import_module, args=("sklearn.ensemble",), name="import ahead", daemon=True).start()


def fit(matrix: Matrix, seed: int) -> HistGradientBoostingRegressor:
    """The regressor trained on the matrix' first part; its second part says when to stop, its third is never seen."""
    from sklearn.ensemble import HistGradientBoostingRegressor

    train, validation = matrix.split.train, matrix.split.validation
    regressor = HistGradientBoostingRegressor(random_state=seed, **PARAMETERS)
    regressor.fit(
        matrix.features[train],
        matrix.points[train],
        X_val=matrix.features[validation],
        y_val=matrix.points[validation],
    )
    return regressor


def grid() -> Floats:
    """A fixed grid of made-up rows, shape (512, 21), over everything a feature may be."""
    low, high = (np.array(ends) for ends in zip(*POSSIBLE.values(), strict=True))
    return np.asarray(np.random.default_rng(0).uniform(low, np.minimum(high, 150), size=(GRID_ROWS, len(low))))


def grid_digest(regressor: HistGradientBoostingRegressor) -> str:
    """SHA-256 over the predictions on the grid, rounded to a millionth of a point: the same data and seed give the same."""
    return hashlib.sha256(np.round(regressor.predict(grid()), 6).tobytes()).hexdigest()
