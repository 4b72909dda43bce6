"""The model card: what the model is, what it was told, what it is worth, and what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lib.features import TRAINING_21

if TYPE_CHECKING:
    from lib.ml.artefact import ModelFacts

SIMULATED = (
    "**Simulated.** The games were made up. Every figure below says how the model does on a simulated league,"
    " and nothing about real games.\n\n"
)
POPULATION = """\
Players who played: a row is trained on only where the player then had minutes, or points. Who plays is known only
afterwards, so for a player who may sit out a prediction means "if he plays". The first 14 days of a season are not in
it. A player without enough games is described by defaults, which the feature store names."""
LIMITS = """\
* It knows no line-ups, trades of the day, injuries of team-mates beyond what usage shows, nor foul trouble.
* It predicts a mean. Single games spread around it by about its root mean square error{rmse}; no interval is promised.
* A line may look further than it does: beating the simple averages is not beating a market.
* It was not measured on any season after its test rows."""
TEXT = """# Model card: {system_id}

{simulated}Predicts the points a player scores in a game, from {features} features that look strictly before its date.

| | |
|---|---|
| Key | `{key}` |
| Trained | {trained_at:%Y-%m-%d %H:%M} UTC, seed {seed}, {iterations} iterations |
| Data | {rows} rows, as-of {as_of}, fingerprint `{fingerprint}` |
| Train | {train} |
| Validation | {validation}; says when to stop |
| Test | {test}; seen once, for the figures below |
| Versions | {versions} |

## What it is worth on the test rows

{scores}

{lines}

## What population it knows

{population}

## What it cannot do

{limits}
"""


def card(facts: ModelFacts, metrics: Mapping[str, Any]) -> str:
    """The card as Markdown."""
    parts = {name: f"{first} to {last}, {rows} rows" for name, (first, last, rows) in facts.parts.items()}
    told = facts.model_dump() | parts
    told |= {
        "simulated": SIMULATED if facts.simulated else "",
        "features": len(TRAINING_21),
        "iterations": metrics["iterations"],
        "versions": ", ".join(f"{name} {number}" for name, number in facts.versions.items()),
        "scores": _table(metrics["test"]),
        "lines": _lines(metrics["with_a_line"]),
        "population": POPULATION,
        "limits": LIMITS.format(rmse=f", {metrics['test'][0]['rmse']:.1f} points"),
    }
    return TEXT.format(**told)


def _lines(scores: list[Mapping[str, Any]]) -> str:
    if not scores:
        return "No test row has a betting line."
    return f"On the test rows that have a betting line:\n\n{_table(scores)}"


def _table(scores: list[Mapping[str, Any]]) -> str:
    names = list(scores[0])
    rows = [names, ["---"] * len(names), *([str(line[name]) for name in names] for line in scores)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
