"""What a model is worth, as a verdict: the gate ``model``, for the notebooks, for who signs and for who predicts."""

from __future__ import annotations

from typing import Any

from lib.ml.artefact import Artefact
from lib.ml.scores import AVERAGES, MODEL
from lib.settings import MlFacts
from lib.verdicts import AMBER, RED, Finding, Verdict, verdict_of


def kind_of(artefact: Artefact) -> str:
    """What a model's figures are of: skill on made-up games is no skill on real ones."""
    return "simulated league" if artefact.facts.simulated else "real games"


def model_verdict(artefact: Artefact, rules: MlFacts) -> Verdict:
    """Amber where no better than the best simple average on the same rows; red where far better: suspect leakage."""
    by_system = {line["system"]: line for line in artefact.metrics["test"]}
    mae, last_10 = by_system[MODEL]["mae"], by_system["points_avg_last_10"]["mae"]
    best = min(AVERAGES, key=lambda name: by_system[name]["mae"])
    findings = []
    if mae >= by_system[best]["mae"]:
        said = f"test MAE {mae:.3f}, {best} alone has {by_system[best]['mae']:.3f} on the same rows"
        findings.append(Finding(AMBER, "model", said, "do not use it; look at the features' figures"))
    if mae < rules.suspect_ratio * last_10:
        said = f"test MAE {mae:.3f} is below {rules.suspect_ratio:g} of the last-10 baseline's {last_10:.3f}: suspect leakage"
        findings.append(Finding(RED, "model", said, "look for a feature that knows the answer before anything else"))
    sentence = (
        f"Test MAE {mae:.2f} points on {by_system[MODEL]['rows']} rows ({kind_of(artefact)});"
        f" best simple average {best} {by_system[best]['mae']:.2f}, {100 * (mae / by_system[best]['mae'] - 1):+.1f} %."
    )
    return verdict_of("model", sentence, findings, table=tuple(artefact.metrics["test"]), about=about(artefact))


def about(artefact: Artefact) -> dict[str, Any]:
    """What a verdict on an artefact is about."""
    facts = artefact.facts
    return {
        "phase": "ml",
        "model": artefact.folder.name,
        "artefact": artefact.digest,
        "fingerprint": facts.fingerprint,
        "simulated": facts.simulated,
        "grid_digest": facts.grid_digest,
    }
