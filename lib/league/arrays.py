"""Array types, named random streams, and rows of arrays that are cut and joined together."""

from __future__ import annotations

import datetime
import zlib
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Rows = TypeVar("Rows")


def stream(seed: int, name: str) -> np.random.Generator:
    """The random stream called *name*: a new stage elsewhere leaves its numbers as they were."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def day_number(day: datetime.date) -> int:
    """Days since 1970-01-01."""
    return (day - datetime.date(1970, 1, 1)).days


def pick(rows: Rows, index: NDArray[Any]) -> Rows:
    """The rows at *index* (mask or positions) of a dataclass whose fields are arrays of one length."""
    parts = {field.name: getattr(rows, field.name)[index] for field in fields(rows)}  # type: ignore[arg-type]
    return type(rows)(**parts)


def stack(parts: Sequence[Rows]) -> Rows:
    """The rows of *parts*, one after the other."""
    names = [field.name for field in fields(parts[0])]  # type: ignore[arg-type]
    return type(parts[0])(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def spread(rng: np.random.Generator, totals: Ints, weights: Floats) -> Ints:
    """*totals* (...) dealt out over the last axis of *weights* (..., n), multinomially; all zero where no weight is."""
    mass = weights.sum(axis=-1, keepdims=True)
    shares = np.divide(weights, mass, out=np.full_like(weights, 1.0 / weights.shape[-1]), where=mass > 0)
    return rng.multinomial(np.where(mass[..., 0] > 0, totals, 0), shares).astype(np.int64)
