"""``runbook predict``: points for the players of one date, from a model that verifies."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lib.errors import BadInput
from lib.lease import publishing
from lib.phase_gate import PREDICTIONS_PHASE
from lib.places import from_project
from lib.show import table_of
from lib.verdicts import RED, Verdict
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


@dataclass(frozen=True)
class _Chosen:
    """The model that predicts, what it is worth, and why others were passed over."""

    artefact: Artefact
    verdict: Verdict
    damaged: list[str]


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
    rows are absent, partial or outdated, and where the model's own gate is red. A model of which a file is not what
    was trained is never loaded: the newest that verifies predicts, and those passed over are named.

    \b
    Example:
      runbook predict --date 2026-01-03
    """
    from lib.ml.predictions import predict, refuse_unready

    place = open_place(url, writes=True)
    with place.judge() as (judge, _, _):
        refuse_unready(judge, day)
    chosen = _chosen(place, model, runs_folder(runs, place.settings))
    patience = place.settings.backfill.lease_seconds
    with publishing(place.warehouse, PREDICTIONS_PHASE, f"runbook predict --date {day}", patience) as fence:
        written = predict(place.warehouse, chosen.artefact, day, place.settings.ml.pass_margin, fence)
    click.echo(json.dumps(_report(place, chosen, written), indent=1)) if as_json else _show(place, chosen, written)
    return 0


def _chosen(place: Place, model: Path | None, runs: Path) -> _Chosen:
    """The model that is named, else the newest of this warehouse; BadInput where its own gate is red."""
    from lib.ml.artefact import open_artefact
    from lib.ml.worth import model_verdict

    damaged: list[str] = []
    artefact = open_artefact(model) if model else _newest(place, runs, damaged)
    if artefact.facts.simulated and place.warehouse.meta().get("kind") != "sandbox":
        raise BadInput(f"{artefact.folder} was trained on a simulated league: it says nothing about this warehouse")
    verdict = model_verdict(artefact, place.settings.ml)
    for finding in verdict.findings:
        if finding.severity == RED:
            raise BadInput(f"{artefact.folder}: {finding.what}; {finding.mend}, or name another with --model")
    return _Chosen(artefact, verdict, damaged)


def _newest(place: Place, runs: Path, damaged: list[str]) -> Artefact:
    from lib.ml.artefact import artefacts_in

    known = artefacts_in([*runs.glob("*/"), from_project(place.settings.models)], damaged.append)
    warehouse = place.warehouse.meta().get("id")
    own = next((artefact for artefact in known if artefact.facts.warehouse_id == warehouse), None)
    if own is None:
        said = "".join(f"; passed over: {one}" for one in damaged)
        raise BadInput(f"no model of this warehouse under {runs}: train one with 'runbook run --phase ml'{said}")
    return own


def _report(place: Place, chosen: _Chosen, written: Predicted) -> dict[str, object]:
    from lib.ml.predictions import grades_of

    with place.warehouse.reading() as session:
        grades = grades_of(session, written.day)
    names, artefact = ("system", "graded", "mae", "right", "recommended"), chosen.artefact
    return {
        "date": str(written.day),
        "model": str(artefact.folder),
        "artefact": artefact.digest,
        "model_part": written.model_part,
        "simulated": artefact.facts.simulated,
        "verdict": chosen.verdict.as_json(),
        "passed_over": chosen.damaged,
        "predictions": written.predictions,
        "grades": [dict(zip(names, line, strict=True)) for line in grades],
    }


def _show(place: Place, chosen: _Chosen, written: Predicted) -> None:
    report, artefact = _report(place, chosen, written), chosen.artefact
    for said in chosen.damaged:
        place.console.print(f"Passed over: {said}", soft_wrap=True)
    for finding in chosen.verdict.findings:
        place.console.print(f"Amber: {finding.what}: {finding.mend}", soft_wrap=True)
    kind = " (simulated league)" if artefact.facts.simulated else ""
    place.console.print(
        f"{written.predictions} predictions for {written.day} by {artefact.folder.name}{kind};"
        f" for the model the date is {written.model_part}."
    )
    if report["grades"]:
        place.console.print(table_of(report["grades"], "Grades: mean absolute error in points, recommendations right"))  # type: ignore[arg-type]
