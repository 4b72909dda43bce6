"""What the training notebook and the closing one need: readiness, a model, and what it is worth, as verdicts.

training = Training(step, seed=42)
gate("readiness", training.readiness())
artefact = training.fit()
gate("model", training.model())
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from IPython.display import HTML, display

from lib.errors import CannotJudge, GateFailed
from lib.ml.artefact import Artefact, Origin, adopt, artefacts_in, key_of, train
from lib.ml.fitting import import_ahead
from lib.ml.matrix import Matrix
from lib.ml.readiness import Readiness
from lib.ml.worth import about, kind_of, model_verdict
from lib.places import from_project
from lib.signoff import MODEL_BOXES, ready_sentence
from lib.step import Step
from lib.verdicts import RED, Finding, Verdict, verdict_of
from lib.wording import counted

TRAIN = "60_train"  # the step that trains; the closing one only judges what it left


@dataclass
class Training:
    """One training on one warehouse; the matrix that readiness judged is the one that is trained on."""

    step: Step
    seed: int = 42
    matrix: Matrix | None = None
    judged: Verdict | None = None  # what the readiness gate said of it
    readiness_features: Sequence[Mapping[str, Any]] = ()
    artefact: Artefact | None = None
    anew: bool = True

    def readiness(self) -> Verdict:
        """The gate ``ml``; what it judged is kept to be trained on."""
        if self.step.name == TRAIN and not any(path for folder in self._elsewhere() for path in folder.glob("model-*")):
            import_ahead()  # there is no model yet that could be the one wanted
        with self.step.judge() as (judge, first, last):
            ready = Readiness(judge, first, last)
            self.judged = ready.verdict()
            self.matrix, self.readiness_features = ready.matrix, ready.features
            return self.judged

    def fit(self) -> Artefact:
        """The model of exactly this matrix, seed and code: one of an earlier run where it verifies, else trained now.

        Raises GateFailed where the readiness gate is red or was not asked: a model is what predicts.
        """
        if self.matrix is None or self.judged is None or self.judged.red:
            why = "red" if self.judged else "not asked yet"
            raise GateFailed(f"gate 'readiness' is {why}: no model was trained; run its cell until it is not red")
        origin, folder = self._origin(), self._folder()
        key = key_of(self.matrix, self.seed, origin)
        known = next((found for found in artefacts_in(self._elsewhere()) if found.facts.key == key), None)
        self.anew = known is None
        self.artefact = adopt(known, folder) if known else train(self.matrix, self.seed, origin, folder)
        return self.artefact

    def model(self) -> Verdict:
        """The gate of the model: better than the best simple average, and not too good to be true."""
        if self.artefact is None:
            raise CannotJudge("no model was trained yet: run the training first")
        return model_verdict(self.artefact, self.step.settings.ml)

    def stands(self) -> Verdict:
        """The artefact of this run verifies, and its matrix is what the warehouse holds now."""
        if self.matrix is None:
            raise CannotJudge("nothing was judged ready yet: run the readiness gate first")
        held = artefacts_in([self._folder()])
        key = key_of(self.matrix, self.seed, self._origin())
        self.artefact = next((found for found in held if found.facts.key == key), None)
        findings = [] if self.artefact else [_fault(held, str(self._folder()))]
        known = about(self.artefact or held[0]) if held else {}
        return verdict_of("artefact", f"{counted(len(held), 'model')} verified, file by file.", findings, about=known)

    @property
    def kind(self) -> str:
        """What the figures are of: skill on made-up games is no skill on real ones."""
        return kind_of(self.artefact) if self.artefact else ""

    def ready(self, notes: str = "") -> None:
        """Says that the model is ready to sign; GateFailed names the boxes that are red or were not asked."""
        sentence = ready_sentence("ml", MODEL_BOXES, self.step.verdicts, notes)
        display(HTML(f"<p><b>{escape(sentence)}</b></p>"))  # type: ignore[no-untyped-call]

    def _folder(self) -> Path:
        return self.step.run or from_project(self.step.settings.models)

    def _elsewhere(self) -> list[Path]:
        runs = sorted(self.step.run.parent.glob("*/")) if self.step.run else []
        return [*runs, from_project(self.step.settings.models)]

    def _origin(self) -> Origin:
        facts = self.step.warehouse.meta()
        return Origin(facts.get("id", ""), facts.get("as_of", ""), facts.get("kind") == "sandbox")


def _fault(held: list[Artefact], folder: str) -> Finding:
    """Why none of the models there is the one wanted."""
    mend = "runbook run --phase ml"
    if not held:
        return Finding(RED, folder, "holds no model that verifies", mend)
    said = "was trained on other rows, code or versions than there are now"
    return Finding(RED, held[0].folder.name, said, mend)
