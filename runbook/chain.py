"""The chain: the steps of a run, in order, each an executed notebook; it stops where a gate stops it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

from lib.errors import BadInput
from lib.files import READ_ONLY, sync_folder, write_whole
from lib.lease import Fence, as_environment
from lib.live.progress import FILE
from lib.live.work import RUN, at_work
from lib.moments import moment
from lib.plan import Plan
from lib.settings import ROOT
from lib.signoff import BOXES, MODEL_BOXES
from lib.warehouse import Warehouse
from runbook.aside import Aside
from runbook.estimates import beside_actual
from runbook.execute import Event, Interrupted, Job, Outcome, execute_group, warm_up
from runbook.holding import held
from runbook.manifest import (
    SOURCES,
    Code,
    Manifest,
    PlannedStep,
    Prints,
    StepRecord,
    file_digest,
    revision,
    versions,
)
from runbook.notebook import kernel_of
from runbook.parameters import checked
from runbook.prints import prints_over, touched_tables

NOTEBOOKS = ROOT / "notebooks"
TIMEOUT_SECONDS = 6 * 3600
AGAIN = ".again"  # behind the name of a step that was executed once more, beside what a person executed
# what a step must give: a gate cell that is gone from the notebook itself is noticed, too
GATES = {
    "10_preflight": frozenset({"warehouse", "contracts", "upstream", "sources", "sample"}),
    "20_launch": frozenset({"published"}),
    "30_monitor": frozenset({"runners", "attempts"}),
    "40_validate": frozenset({"coverage", "quality", "features", "reconciliation"}),
    "50_signoff": frozenset(BOXES),
    "60_train": frozenset({"readiness", "model"}),
    "70_closing": frozenset(MODEL_BOXES),
}


@dataclass(frozen=True)
class ChainStep:
    """One notebook of the chain with its parameters. Steps of one ``wave`` run side by side."""

    name: str
    notebook: str
    parameters: dict[str, Any]
    wave: int = 0

    @property
    def launch(self) -> bool:
        """Whether it computes a table."""
        return self.notebook == "20_launch"

    @property
    def template(self) -> Path:
        """The notebook it executes."""
        return NOTEBOOKS / f"{self.notebook}.ipynb"


@dataclass(frozen=True)
class Chain:
    """Ordered steps for a plan; a phase without work is proven again, not computed again."""

    plan: Plan
    steps: tuple[ChainStep, ...]

    @property
    def phases(self) -> list[int | str]:
        """The phases it proves."""
        return [*self.plan.phases, *(["ml"] if any(step.notebook == "60_train" for step in self.steps) else [])]

    @property
    def dates(self) -> int:
        """Table-dates that its launches compute: of the plan's, those of the tables that one of its steps launches."""
        launched = {step.parameters["table"] for step in self.steps if step.launch}
        return sum(len(c.reasons) for c in self.plan.chunks if c.table.partition(".")[2] in launched)

    @property
    def waves(self) -> list[list[ChainStep]]:
        """The steps in groups that run side by side."""
        numbers = sorted({step.wave for step in self.steps})
        return [[step for step in self.steps if step.wave == number] for number in numbers]

    @property
    def waves_and_launches_left(self) -> list[tuple[list[ChainStep], bool]]:
        """Each wave, and whether one of those that follow computes a table."""
        last = max((step.wave for step in self.steps if step.launch), default=-1)
        return [(wave, wave[0].wave < last) for wave in self.waves]


def make_chain(plan: Plan, phase_of: Callable[[str], int | None], signer: str = "", model: bool = False) -> Chain:
    """For every phase with work: preflight, launches group by group, monitor, validate, sign-off; then the *model*.

    Steps that write nothing and need nothing of each other look side by side. A phase without work is proven anew by
    its sign-off, whose boxes judge all that validate does.
    """
    launches = {phase: _launch_groups(plan, phase, phase_of) for phase in plan.phases}
    waves: list[list[ChainStep]] = []
    for phase in plan.phases:
        if launches[phase]:
            waves = _beside_sign_off(waves, _of_phase("10_preflight", phase))
            waves += [[_launch(table, phase) for table in group] for group in launches[phase]]
            waves.append([_of_phase("30_monitor", phase), _of_phase("40_validate", phase)])
        waves.append([_of_phase("50_signoff", phase, signer)])
    if model:
        waves += [[ChainStep("60_train", "60_train", {})], [ChainStep("70_closing", "70_closing", _signed_by(signer))]]
    if not any(launches.values()):
        waves = _side_by_side(waves)
    return Chain(plan, tuple(replace(step, wave=number) for number, wave in enumerate(waves) for step in wave))


def _beside_sign_off(waves: list[list[ChainStep]], preflight: ChainStep) -> list[list[ChainStep]]:
    """A preflight writes nothing: it looks while the phase below is judged for the last time."""
    return [*waves[:-1], [*waves[-1], preflight]] if waves else [[preflight]]


def _side_by_side(waves: list[list[ChainStep]]) -> list[list[ChainStep]]:
    """Proofs that need nothing of each other in one wave; the closing step looks at the model of this run."""
    steps = [step for wave in waves for step in wave]
    proofs = [step for step in steps if step.notebook != "70_closing"]
    return [group for group in (proofs, [step for step in steps if step.notebook == "70_closing"]) if group]


def cut(chain: Chain, first: str | None, last: str | None) -> Chain:
    """The chain from step *first* to step *last*, both included; a notebook's name means its first or last step.

    Raises BadInput, naming the steps there are, where one is not in the chain.
    """
    start = _positions(chain, first)[0] if first else 0
    end = _positions(chain, last)[-1] if last else len(chain.steps) - 1
    if start > end:
        raise BadInput(f"--from {first} comes after --until {last}: the steps are {_names(chain)}")
    return replace(chain, steps=chain.steps[start : end + 1])


def _positions(chain: Chain, name: str) -> list[int]:
    found = [at for at, step in enumerate(chain.steps) if name in (step.name, step.notebook)]
    if not found:
        raise BadInput(f"no step of this run is called '{name}': the steps are {_names(chain)}")
    return found


def _names(chain: Chain) -> str:
    return ", ".join(step.name for step in chain.steps)


def step_name(notebook: str, parameters: Mapping[str, Any]) -> str:
    """What the chain calls a notebook with its parameters, for instance ``40_validate.phase4``."""
    if notebook == "20_launch":
        return f"{notebook}.{parameters.get('table')}"
    return f"{notebook}.phase{parameters['phase']}" if "phase" in parameters else notebook


def _of_phase(notebook: str, phase: int, signer: str = "") -> ChainStep:
    parameters = {"phase": phase} | _signed_by(signer)
    return ChainStep(step_name(notebook, parameters), notebook, parameters)


def _signed_by(signer: str) -> dict[str, Any]:
    return {"signer": signer} if signer else {}


def _launch(table: str, phase: int) -> ChainStep:
    parameters = {"table": table.partition(".")[2], "phase": phase}
    return ChainStep(step_name("20_launch", parameters), "20_launch", parameters)


def _launch_groups(plan: Plan, phase: int, phase_of: Callable[[str], int | None]) -> list[list[str]]:
    groups = [[name for name in group if phase_of(name) == phase] for group in plan.groups]
    stock_only = [
        name for name in plan.found if phase_of(name) == phase and not any(name in group for group in plan.groups)
    ]
    return [group for group in (*groups, stock_only) if group]


def ready() -> Code:
    """The code that a run is about to execute; what executes notebooks begins to import it."""
    code = Code.now()
    warm_up()  # after the digests of what it imports were taken
    return code


@dataclass
class Runner:
    """Executes a chain into a run folder and keeps its manifest."""

    warehouse: Warehouse
    folder: Path
    chain: Chain
    workers: int
    on_event: Callable[[Event], None]
    fences: Mapping[str, Fence] = field(default_factory=dict)  # what its launches publish under, by phase
    reviewed: Plan | None = None  # the reviewed plan, of which this run does what is left
    code: Code | None = None  # what `ready` gave, where it was called before
    on_computed: Callable[[], object] = lambda: None  # told when no step is left that would change a table

    def run(self) -> Manifest:
        """The manifest of the whole run. A red gate or an unproven notebook ends it; a red launch lets the others end.

        Raises Interrupted after SIGINT or SIGTERM, with the manifest written.
        """
        manifest = self.begin()
        with held(self.folder):
            return self.go_on(manifest)

    def go_on(self, manifest: Manifest) -> Manifest:
        """Executes the chain's steps; records them in *manifest* and in the folder."""
        with at_work(self.warehouse, RUN, self._title(), self.folder / FILE, self.folder.name):
            return self._go_on(manifest)

    def _title(self) -> str:
        return f"phases {', '.join(map(str, self.chain.phases))}"

    def _go_on(self, manifest: Manifest) -> Manifest:
        red, after = False, Aside(lambda: prints_over(self.warehouse, self.chain.plan, manifest.tables))
        try:
            for wave, launches_left in self.chain.waves_and_launches_left:
                if red and not (wave := [step for step in wave if step.launch or step.notebook == "30_monitor"]):
                    break
                manifest.underway = [step.name for step in wave]
                manifest.write(self.folder)
                outcomes = execute_group([self._job(step, manifest) for step in wave], self.workers, self.on_event)
                self._note(manifest, wave, outcomes)
                red = red or any(outcome.state != "proven" for outcome in outcomes)
                if not launches_left:
                    after.begin()
                    self.on_computed()
                if any(outcome.state == "not proven" for outcome in outcomes) or (red and not wave[0].launch):
                    break
            for name, prints in after.answer().items():
                manifest.tables[name].after = prints
        except Interrupted as interruption:
            self._note(manifest, wave, interruption.outcomes)
            self._end(manifest, "interrupted")
            raise
        except BaseException as error:
            self._end(manifest, "interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
            raise
        manifest.estimates = beside_actual(self.chain, manifest.steps)
        self._end(manifest, outcome_of(manifest))
        return manifest

    def begin(self) -> Manifest:
        """A new folder with plan and manifest, there as a whole or not at all.

        Raises BadInput before anything is written where a notebook of the chain cannot be read or does not take its
        parameters: the last one would else be found out after hours.
        """
        for step in self.chain.steps:
            checked(step.template, self._parameters(step))
        code = self.code or ready()
        manifest = self._manifest(code)
        for name, before in prints_over(self.warehouse, self.chain.plan, manifest.tables).items():
            manifest.tables[name].before = before
        making = self.folder.parent / ".making" / self.folder.name  # where nobody looks for runs
        making.mkdir(parents=True)
        self.chain.plan.write(making / "plan.json")
        if self.reviewed:
            self.reviewed.write(making / "reviewed-plan.json")
        write_whole(making / SOURCES, json.dumps(code.files, indent=1).encode(), "sources", READ_ONLY)
        manifest.write(making)
        moment("run folder written")
        making.rename(self.folder)
        sync_folder(self.folder.parent)
        with suppress(OSError):
            making.parent.rmdir()  # empty but for what a crash left
        moment("run folder named")
        return manifest

    def _manifest(self, code: Code) -> Manifest:
        head, dirty = revision()
        facts = self.warehouse.meta()
        plan = self.chain.plan
        return Manifest(
            run=self.folder.name,
            warehouse=self.warehouse.url,
            warehouse_id=facts.get("id", ""),
            engine=self.warehouse.engine,
            as_of=str(plan.as_of),
            first=str(plan.first),
            last=str(plan.last),
            phases=self.chain.phases,
            tokens={fence.phase: fence.token for fence in self.fences.values()},
            plan_digest=plan.digest,
            reviewed_plan=self.reviewed.digest if self.reviewed else None,
            code=code.trees,
            revision=head,
            dirty=dirty,
            versions=versions(),
            chain=[PlannedStep(**vars(step)) for step in self.chain.steps],
            tables={name: Prints() for name in touched_tables(plan)},
        )

    def free_name(self, step: ChainStep, manifest: Manifest) -> str:
        """The step's name, numbered where an earlier attempt left something: nothing is ever overwritten."""
        names = (step.name if n == 1 else f"{step.name}.{n}" for n in count(1))
        traces = ("{}.ipynb", "{}.partial.ipynb", "logs/{}.log")
        used = {record.archive for record in manifest.steps}
        free = (name for name in names if f"{name}.ipynb" not in used)
        return next(name for name in free if not any((self.folder / t.format(name)).exists() for t in traces))

    def _job(self, step: ChainStep, manifest: Manifest) -> Job:
        name = self.free_name(step, manifest)
        return Job(
            step=step.name,
            template=step.template,
            output=self.folder / f"{name}.ipynb",
            parameters=self._parameters(step),
            gates=GATES.get(step.notebook),
            timeout_seconds=TIMEOUT_SECONDS,
            env=as_environment(self.warehouse, self.fences),
            log=self.folder / "logs" / f"{name}.log",
        )

    def _parameters(self, step: ChainStep) -> dict[str, Any]:
        plan = self.chain.plan
        common = {"warehouse": self.warehouse.absolute_url, "start_date": str(plan.first), "end_date": str(plan.last)}
        extra = {"plan": str((self.folder / "plan.json").resolve())} if step.launch else {}
        return step.parameters | common | extra | {"run": str(self.folder.resolve())}

    def _note(self, manifest: Manifest, wave: Sequence[ChainStep], outcomes: Sequence[Outcome]) -> None:
        by_name = {step.name: step for step in wave}
        manifest.steps += [self._record(by_name[outcome.step], outcome) for outcome in outcomes]
        manifest.underway = []
        manifest.write(self.folder)

    def _record(self, step: ChainStep, outcome: Outcome) -> StepRecord:
        return StepRecord(
            step=step.name,
            template=f"notebooks/{step.notebook}.ipynb",
            template_digest=file_digest(step.template) or "",
            parameters=self._parameters(step),
            archive=outcome.output.name,
            archive_digest=file_digest(outcome.output),
            state=outcome.state,
            reason=outcome.reason,
            verdicts=outcome.verdicts,
            started=outcome.started,
            seconds=round(outcome.seconds, 3),
            stderr_warnings=outcome.stderr_warnings,
            kernel=kernel_of(outcome.output),
        )

    def _end(self, manifest: Manifest, outcome: str) -> None:
        manifest.close(self.folder, outcome)


def outcome_of(manifest: Manifest) -> str:
    """What the records of a run that went to its end come to."""
    states = {record.state for record in manifest.latest.values()}
    return "not proven" if "not proven" in states else "red" if "red" in states else "proven"


def run_folder(runs: Path, plan: Plan) -> Path:
    """A new folder for a run: UTC time and plan digest."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return runs / f"{stamp}-{plan.mark}"
