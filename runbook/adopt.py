"""``runbook adopt``: a notebook that was stepped through by hand becomes evidence, verified like any other."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lib.calendar import as_date
from lib.errors import BadInput, CannotJudge, GateFailed
from lib.files import READ_ONLY, write_whole
from lib.gates import coverage_gate
from lib.plan import make_plan
from lib.verdicts import RED
from runbook.by_hand import given_by_hand, verify_by_hand
from runbook.chain import AGAIN, GATES, NOTEBOOKS, TIMEOUT_SECONDS, Chain, ChainStep, Runner, run_folder, step_name
from runbook.execute import Event, Job, Outcome, execute_group
from runbook.holding import held
from runbook.manifest import Manifest, StepRecord, file_digest
from runbook.notebook import kernel_of
from runbook.options import Place
from runbook.resume import chain_left, find_run, reopen, steps_left, unfinished
from runbook.secrets import redacted_notebook

TRAINING = ("60_train", "70_closing")


@dataclass(frozen=True)
class ByHand:
    """A notebook executed by hand: its template, the parameters it was executed with, and the verdicts it holds."""

    notebook: Path
    template: Path
    parameters: dict[str, Any]
    verdicts: list[dict[str, Any]]

    @property
    def phase(self) -> int:
        """The phase it is about."""
        return int(self.parameters["phase"])

    @property
    def step(self) -> str:
        """What the chain calls this step."""
        return step_name(self.template.stem, self.parameters)


@dataclass(frozen=True)
class Again:
    """What the warehouse says now, by gate; and the template executed once more, where that changes nothing."""

    verdicts: Mapping[str, str]
    parameters: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome | None = None
    log: Path = Path()


def read_by_hand(notebook: Path) -> ByHand:
    """The notebook, if it proves its step by itself.

    Raises BadInput where it is of no template or of one that a run must execute, GateFailed where a gate in it is red,
    CannotJudge where it proves nothing.
    """
    template = _template_of(notebook)
    if notebook.resolve() == template.resolve():
        raise BadInput(
            f"{notebook} is the template itself, and equals itself whatever it says: execute a copy ('make lab' makes"
            " them, in lab/), and adopt that"
        )
    found = verify_by_hand(notebook, template, GATES.get(template.stem))
    if found.state != "proven":
        error = GateFailed if found.state == "red" else CannotJudge
        raise error(f"{notebook} is {found.state}: {'; '.join(found.reasons)}")
    return ByHand(notebook, template, given_by_hand(notebook, template), found.verdicts)


def adopt(place: Place, runs: Path, notebook: ByHand, run: str = "") -> Manifest:
    """Derives the notebook's verdicts anew and adds it to the unfinished *run*, else to a new run of its own.

    Raises GateFailed where the warehouse says otherwise than the notebook; then nothing is added anywhere.
    """
    place.start_date = as_date(notebook.parameters.get("start_date", ""))
    place.end_date = as_date(notebook.parameters.get("end_date", ""))
    with tempfile.TemporaryDirectory(prefix="runbook-adopt-") as work:
        again = _derived_again(place, notebook, Path(work))
        _refuse_other_verdicts(notebook, again)
        if run:
            return _into(place, find_run(runs, run), notebook, again)
        return _alone(place, runs, notebook, again)


def _template_of(notebook: Path) -> Path:
    known = [NOTEBOOKS / f"{name}.ipynb" for name in GATES]  # those that are steps of a chain
    template = next((path for path in known if re.match(rf"{path.stem}\b", notebook.stem)), None)
    if template is None:
        raise BadInput(f"{notebook.name} is named after no template: there are {', '.join(p.stem for p in known)}")
    if template.stem in TRAINING:
        raise BadInput(f"a model is trained by a run, which keeps it: runbook run --from {template.stem}")
    return template


def _derived_again(place: Place, notebook: ByHand, work: Path) -> Again:
    """The template executed once more in a kernel of its own; of a launch, what the warehouse says of its table."""
    if notebook.template.stem == "20_launch":
        return Again({"published": _of_table(place, notebook)})
    with place.judge() as (_, first, last):
        bounds = {"start_date": str(first), "end_date": str(last)}
    job = Job(
        step=f"{notebook.step}{AGAIN}",
        template=notebook.template,
        output=work / f"{notebook.step}{AGAIN}.ipynb",
        parameters=notebook.parameters | bounds | {"warehouse": place.warehouse.absolute_url, "run": ""},
        gates=GATES.get(notebook.template.stem),
        timeout_seconds=TIMEOUT_SECONDS,
        env={},
        log=work / "logs" / f"{notebook.step}{AGAIN}.log",
    )
    (outcome,) = execute_group([job], 1, _quiet)
    if outcome.state == "not proven":
        raise CannotJudge(f"{notebook.step} could not be derived again: {outcome.reason}")
    return Again({v["gate"]: v["verdict"] for v in outcome.verdicts}, job.parameters, outcome, job.log)


def _of_table(place: Place, notebook: ByHand) -> str:
    """Red where the launched table does not hold; else what the notebook says, which no warehouse remembers."""
    with place.judge() as (judge, first, last):
        name = judge.registry.table(notebook.parameters["table"]).name
        verdict = coverage_gate(judge, notebook.phase, first, last)
    line = next((line for line in verdict.table if line["table"] == name), None)
    if line is None:
        raise BadInput(f"{name} is no table of phase {notebook.phase}: set phase in the notebook, and run it again")
    return RED if line["verdict"] == RED else str(notebook.verdicts[0]["verdict"])


def _refuse_other_verdicts(notebook: ByHand, again: Again) -> None:
    now = again.verdicts
    said = {v["gate"]: v["verdict"] for v in notebook.verdicts}
    other = [f"{name} is {said[name]} in it, and {now.get(name, 'not reached')} now" for name in said if now.get(name) != said[name]]  # fmt: skip
    if other:
        raise GateFailed(f"{notebook.notebook} is not what the warehouse says: gate {'; gate '.join(other)}")


def _alone(place: Place, runs: Path, notebook: ByHand, again: Again) -> Manifest:
    with place.judge() as (judge, first, last):
        plan = make_plan(judge, [notebook.phase], first, last)
    step = ChainStep(notebook.step, notebook.template.stem, notebook.parameters)
    runner = Runner(place.warehouse, run_folder(runs, plan), Chain(plan, (step,)), 1, _quiet)
    manifest = runner.begin()
    manifest.tables = {}  # nothing is computed
    with held(runner.folder):
        _add(runner, step, manifest, notebook, again)
        manifest.close(runner.folder, "proven")
    return manifest


def _into(place: Place, folder: Path, notebook: ByHand, again: Again) -> Manifest:
    with held(folder):
        manifest = unfinished(folder)
        if manifest.outcome == "proven":
            raise BadInput(f"{folder.name} is finished and is never changed: leave out --run for a run of its own")
        chain = chain_left(place.warehouse, folder, manifest)
        step = next((step for step in chain.steps if step.name == notebook.step), None)
        if step is None:
            names = ", ".join(step.name for step in chain.steps)
            raise BadInput(f"{folder.name} does not wait for {notebook.step}: it waits for {names}")
        with place.judge() as (_, first, last):
            if (str(first), str(last)) != (manifest.first, manifest.last):
                raise BadInput(
                    f"it is over {first} to {last}, and {folder.name} over {manifest.first} to {manifest.last}"
                )
        reopen(folder, manifest)
        _add(Runner(place.warehouse, folder, chain, 1, _quiet), step, manifest, notebook, again)
        manifest.close(folder, "interrupted" if steps_left(manifest) else "proven")
    return manifest


def _add(runner: Runner, step: ChainStep, manifest: Manifest, notebook: ByHand, again: Again) -> None:
    """The notebook, and beside it the one that was executed again, as records of the run."""
    content = redacted_notebook(notebook.notebook.read_text(encoding="utf-8")).encode()
    target = runner.folder / f"{runner.free_name(step, manifest)}.ipynb"
    write_whole(target, content, "adopted", READ_ONLY)
    manifest.steps.append(_record(notebook, target))
    if again.outcome:
        name = runner.free_name(ChainStep(f"{step.name}{AGAIN}", step.notebook, {}), manifest)
        kept, log = runner.folder / f"{name}.ipynb", runner.folder / "logs" / f"{name}.log"
        log.parent.mkdir(exist_ok=True)
        write_whole(kept, again.outcome.output.read_bytes(), "adopted", READ_ONLY)
        write_whole(log, again.log.read_bytes(), "adopted", READ_ONLY)
        manifest.steps.append(_record_again(notebook, kept, again, again.outcome))
    manifest.write(runner.folder)


def _record(notebook: ByHand, archive: Path) -> StepRecord:
    return StepRecord(
        step=notebook.step,
        template=f"notebooks/{notebook.template.name}",
        template_digest=file_digest(notebook.template) or "",
        parameters=notebook.parameters,
        archive=archive.name,
        archive_digest=file_digest(archive),
        state="proven",
        reason="",
        verdicts=notebook.verdicts,
        started=datetime.fromtimestamp(notebook.notebook.stat().st_mtime, UTC),  # nobody noted when it was begun
        seconds=0,
        stderr_warnings=0,
        kernel=kernel_of(archive),
        adopted=True,
    )


def _record_again(notebook: ByHand, archive: Path, again: Again, outcome: Outcome) -> StepRecord:
    facts = {
        "step": outcome.step,
        "parameters": again.parameters,
        "archive": archive.name,
        "archive_digest": file_digest(archive),
        "verdicts": outcome.verdicts,
        "started": outcome.started,
        "seconds": round(outcome.seconds, 3),
        "stderr_warnings": outcome.stderr_warnings,
        "kernel": kernel_of(archive),
        "adopted": False,
    }
    return _record(notebook, archive).model_copy(update=facts)


def _quiet(event: Event) -> None:
    """Nobody watches a single notebook."""
