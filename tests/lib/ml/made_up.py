"""A matrix made up for tests: points follow the averages, with noise."""

from __future__ import annotations

import numpy as np

from lib.features import TRAINING_21
from lib.ml.fitting import grid
from lib.ml.matrix import Matrix


def matrix(rows: int, signal: float = 1.0) -> Matrix:
    """*rows* rows on 100 dates of two seasons; every third row has no line."""
    random = np.random.default_rng(7)
    features = np.resize(grid(), (rows, len(TRAINING_21)))
    true = random.gamma(4, 3, rows)
    features[:, :3] = true[:, None] + random.normal(0, 5, (rows, 3))
    points = np.round(np.maximum(0, signal * true + random.normal(0, 4, rows)))
    days = np.datetime64("2024-01-01") + np.sort(np.arange(rows) % 100)
    return Matrix(
        days=days.astype("datetime64[D]"),
        seasons=np.where(np.arange(rows) < rows // 2, 2023, 2024),
        players=np.array([f"player{n % 300}" for n in range(rows)]),
        features=features,
        points=points,
        lines=np.where(np.arange(rows) % 3, np.round(2 * true) / 2, np.nan),
        defaults=np.zeros((rows, 21), dtype=bool),
        knowable=np.ones((rows, 21), dtype=bool),
    )
