"""What every model of this project has in common, read off the code that trains, judges and describes it."""

from __future__ import annotations

import re

from lib.features import TRAINING_21
from lib.ml.card import LIMITS, POPULATION
from lib.ml.fitting import PARAMETERS
from lib.ml.matrix import SHARES
from lib.ml.scores import AVERAGES, MODEL
from lib.phase4_gate import STORE
from lib.registry import registry
from lib.settings import MlFacts
from runbook.docs.markdown import table

READINESS = ("minimum_rows", "minimum_split_rows", "commonest_value_pct", "default_pct")


def model_card_page() -> str:
    """The page as Markdown."""
    train, validation, test = (f"{100 * share:g} %" for share in SHARES)
    parts = [
        "# Model card",
        "This page is made from the code by `make docs`. It says what all models of this project have in common. Each trained"
        " model has a card of its own, `card.md` in its folder, with its dates, versions and figures. The card of a model"
        " from the sandbox begins with **Simulated**: its figures say nothing about real games.",
        "## What it predicts",
        f"The points a player scores in a game, by the system `{MODEL}`: histogram gradient boosting of scikit-learn,"
        f" {_parameters()}. Its {len(TRAINING_21)} features look strictly before the date of the game:",
        table(("feature", "meaning"), [(f"`{name}`", _meaning(name)) for name in TRAINING_21]),
        "## What population it knows",
        POPULATION,
        "## How it is judged",
        f"The rows stand in the order of their dates. The first {train} train the model, the next {validation} say when to stop,"
        f" and the last {test} are seen once, for the figures. No date lies in two parts.",
        "Before training, the gate of readiness judges the very matrix that is trained on, season by season. Its limits:",
        _limits(READINESS),
        f"After training, the gate `model` compares it on the test rows with simple averages: {_names(AVERAGES)}. It is amber"
        " where one of them does as well. It is red where the model is too good to be true:",
        _limits(("suspect_ratio",)),
        "A model that is red predicts nothing. One that is amber predicts, `runbook predict` says so each time, and who signs"
        " acknowledges it by the name `model`.",
        "The card and `metrics.json` give the mean absolute error, the root mean square error and the share of rows within 1, 3"
        " and 5 points, beside the averages and, where there is one, the betting line on the same rows. Residuals by season,"
        " calibration in ten groups and the importance of each feature stand in `metrics.json`.",
        "## What it cannot do",
        LIMITS.format(rmse=", which its card gives"),
    ]
    return "\n\n".join(parts) + "\n"


def _parameters() -> str:
    return ", ".join(f"{name} {value}" for name, value in PARAMETERS.items())


def _names(systems: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in systems)


def _meaning(feature: str) -> str:
    """The contract's description, without the feature's number: the order of the table says it."""
    return re.sub(r"^Training feature \d+: ", "", registry().tables[STORE].contract.column(feature).description)


def _limits(names: tuple[str, ...]) -> str:
    fields = MlFacts.model_fields
    rows = [(f"`ml.{name}`", f"{fields[name].default:g}", fields[name].description or "") for name in names]
    return table(("key of runbook.toml", "default", "meaning"), rows)
