"""The chain: the steps of a run, in order, each an executed notebook; it stops where a gate stops it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lib.plan import Plan
from lib.settings import ROOT
from lib.warehouse import EmbeddedWarehouse
from runbook.execute import Event, Interrupted, Job, Outcome, execute_group
from runbook.manifest import Manifest, StepRecord, code_digests, file_digest, revision, versions

NOTEBOOKS = ROOT / "notebooks"
TIMEOUT_SECONDS = 6 * 3600


@dataclass(frozen=True)
class ChainStep:
    """One notebook of the chain with its parameters. Steps of one ``wave`` run side by side."""

    name: str
    notebook: str
    parameters: dict[str, Any]
    wave: int
    launch: bool = False

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
    def waves(self) -> list[list[ChainStep]]:
        """The steps in groups that run side by side."""
        numbers = sorted({step.wave for step in self.steps})
        return [[step for step in self.steps if step.wave == number] for number in numbers]


def make_chain(plan: Plan, phase_of: Callable[[str], int | None], signer: str = "") -> Chain:
    """Preflight, launches group by group, monitor, validate and sign-off for every phase of the plan."""
    steps: list[ChainStep] = []
    for phase in plan.phases:
        steps.append(ChainStep(f"10_preflight.phase{phase}", "10_preflight", {"phase": phase}, len(steps)))
        for group in _launch_groups(plan, phase, phase_of):
            wave = len(steps)
            steps += [_launch(table, phase, wave) for table in group]
        for notebook in ("30_monitor", "40_validate", "50_signoff"):
            extra = {"signer": signer} if notebook == "50_signoff" and signer else {}
            steps.append(ChainStep(f"{notebook}.phase{phase}", notebook, {"phase": phase} | extra, len(steps)))
    return Chain(plan, tuple(steps))


def _launch(table: str, phase: int, wave: int) -> ChainStep:
    short = table.partition(".")[2]
    return ChainStep(f"20_launch.{short}", "20_launch", {"table": short, "phase": phase}, wave, launch=True)


def _launch_groups(plan: Plan, phase: int, phase_of: Callable[[str], int | None]) -> list[list[str]]:
    groups = [[name for name in group if phase_of(name) == phase] for group in plan.groups]
    stock_only = [
        name for name in plan.found if phase_of(name) == phase and not any(name in group for group in plan.groups)
    ]
    return [group for group in (*groups, stock_only) if group]


@dataclass
class Runner:
    """Executes a chain into a run folder and keeps its manifest."""

    warehouse: EmbeddedWarehouse
    folder: Path
    chain: Chain
    workers: int
    on_event: Callable[[Event], None]

    def run(self) -> Manifest:
        """The manifest of the whole run. A red gate or an unproven notebook ends it; a red launch lets the others end.

        Raises Interrupted after SIGINT or SIGTERM, with the manifest written.
        """
        manifest = self._begin()
        red = False
        try:
            for wave in self.chain.waves:
                if red and not wave[0].launch and wave[0].notebook != "30_monitor":
                    break
                outcomes = execute_group([self._job(step) for step in wave], self.workers, self.on_event)
                self._note(manifest, wave, outcomes)
                red = red or any(outcome.state != "proven" for outcome in outcomes)
                if any(outcome.state == "not proven" for outcome in outcomes) or (red and not wave[0].launch):
                    break
        except Interrupted as interruption:
            self._note(manifest, wave, interruption.outcomes)
            self._end(manifest, "interrupted")
            raise
        except BaseException:
            self._end(manifest, "failed")
            raise
        self._end(manifest, _outcome_of(manifest))
        return manifest

    def _begin(self) -> Manifest:
        self.folder.mkdir(parents=True)
        self.chain.plan.write(self.folder / "plan.json")
        head, dirty = revision()
        facts = self.warehouse.meta()
        plan = self.chain.plan
        manifest = Manifest(
            run=self.folder.name,
            warehouse=self.warehouse.url,
            warehouse_id=facts.get("id", ""),
            engine=self.warehouse.engine,
            as_of=str(plan.as_of),
            first=str(plan.first),
            last=str(plan.last),
            phases=list(plan.phases),
            plan_digest=plan.digest,
            code=code_digests(),
            revision=head,
            dirty=dirty,
            versions=versions(),
        )
        manifest.write(self.folder)
        return manifest

    def _job(self, step: ChainStep) -> Job:
        return Job(
            step=step.name,
            template=step.template,
            output=self.folder / f"{step.name}.ipynb",
            parameters=self._parameters(step),
            gates=None,
            timeout_seconds=TIMEOUT_SECONDS,
            env={},
            log=self.folder / "logs" / f"{step.name}.log",
        )

    def _parameters(self, step: ChainStep) -> dict[str, Any]:
        plan = self.chain.plan
        common = {"warehouse": self.warehouse.absolute_url, "start_date": str(plan.first), "end_date": str(plan.last)}
        extra = {"plan": str((self.folder / "plan.json").resolve())} if step.launch else {}
        return step.parameters | common | extra | {"run": str(self.folder.resolve())}

    def _note(self, manifest: Manifest, wave: Sequence[ChainStep], outcomes: Sequence[Outcome]) -> None:
        by_name = {step.name: step for step in wave}
        manifest.steps += [self._record(by_name[outcome.step], outcome) for outcome in outcomes]
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
        )

    def _end(self, manifest: Manifest, outcome: str) -> None:
        manifest.outcome, manifest.finished = outcome, datetime.now(UTC)
        manifest.write(self.folder)


def _outcome_of(manifest: Manifest) -> str:
    states = {record.state for record in manifest.steps}
    return "not proven" if "not proven" in states else "red" if "red" in states else "proven"


def run_folder(runs: Path, plan: Plan) -> Path:
    """A new folder for a run: UTC time and plan digest."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return runs / f"{stamp}-{plan.digest[:8]}"
