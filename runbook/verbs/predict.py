"""``runbook predict``: points for the players of one date, from a model that verifies."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lib.errors import BadInput
from lib.lease import publishing
from lib.phase_gate import PREDICTIONS_PHASE
from lib.settings import ROOT
from lib.show import table_of
from runbook.options import (
    DateText,
    Place,
    json_option,
    open_place,
    runs_folder,
    runs_option,
    warehouse_option,
)

if TYPE_CHECKING:  # scikit-learn takes a second to import, and no other verb waits for it
    from lib.ml.artefact import Artefact
    from lib.ml.predictions import Predicted


@click.command("predict")
@click.option("--date", "day", type=DateText(), required=True, help="The game date to predict, YYYY-MM-DD.")
@click.option(
    "--model",
    type=click.Path(file_okay=False, path_type=Path),
    help="A model's folder; else the newest of this warehouse.",
)
@json_option
@runs_option
@warehouse_option
def predict_verb(day: date, model: Path | None, as_json: bool, runs: str | None, url: str | None) -> int:
    """Predict the points of every player who may play on a date, and grade them where the games are played.

    \b
    Writes nba_predictions.player_prop_predictions for two systems, the trained model and the moving average:
    predicted points, the line, OVER, UNDER, PASS or NO_LINE, and a confidence. Refused where the date's feature
    rows are absent, partial or outdated, and where a file of the model is not what was trained.

    \b
    Example:
      runbook predict --date 2026-01-03
    """
    from lib.ml.predictions import predict, refuse_unready

    place = open_place(url, writes=True)
    with place.judge() as (judge, _, _):
        refuse_unready(judge, day)
    artefact = _chosen(place, model, runs_folder(runs, place.settings))
    patience = place.settings.backfill.lease_seconds
    with publishing(place.warehouse, PREDICTIONS_PHASE, f"runbook predict --date {day}", patience) as fence:
        written = predict(place.warehouse, artefact, day, place.settings.ml.pass_margin, fence)
    click.echo(json.dumps(_report(place, artefact, written), indent=1)) if as_json else _show(place, artefact, written)
    return 0


def _chosen(place: Place, model: Path | None, runs: Path) -> Artefact:
    from lib.ml.artefact import artefacts_in, open_artefact

    facts = place.warehouse.meta()
    if model is None:
        known = artefacts_in([*runs.glob("*/"), ROOT / place.settings.models])
        own = [artefact for artefact in known if artefact.facts.warehouse_id == facts.get("id")]
        if not own:
            raise BadInput(f"no model of this warehouse under {runs}: train one with 'runbook run --phase ml'")
        return own[0]
    artefact = open_artefact(model)
    if artefact.facts.simulated and facts.get("kind") != "sandbox":
        raise BadInput(f"{model} was trained on a simulated league: it says nothing about this warehouse")
    return artefact


def _report(place: Place, artefact: Artefact, written: Predicted) -> dict[str, object]:
    from lib.ml.predictions import grades_of

    with place.warehouse.reading() as session:
        grades = grades_of(session, written.day)
    names = ("system", "graded", "mae", "right", "recommended")
    return {
        "date": str(written.day),
        "model": str(artefact.folder),
        "artefact": artefact.digest,
        "model_part": written.model_part,
        "simulated": artefact.facts.simulated,
        "predictions": written.predictions,
        "grades": [dict(zip(names, line, strict=True)) for line in grades],
    }


def _show(place: Place, artefact: Artefact, written: Predicted) -> None:
    report = _report(place, artefact, written)
    kind = " (simulated league)" if artefact.facts.simulated else ""
    place.console.print(
        f"{written.predictions} predictions for {written.day} by {artefact.folder.name}{kind};"
        f" for the model the date is {written.model_part}."
    )
    if report["grades"]:
        place.console.print(table_of(report["grades"], "Grades: mean absolute error in points, recommendations right"))  # type: ignore[arg-type]
