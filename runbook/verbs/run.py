"""``runbook run``: repairs what the plan says, notebook by notebook, and proves the result."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from lib.errors import BadInput
from lib.lease import Fence, holding
from lib.migrate import add_missing
from lib.phase_gate import ML, phase_gate
from lib.plan import Plan, read_plan
from lib.reviewed import read_reviewed
from lib.show import table_of, verdict_text
from lib.verdicts import GREEN, Verdict
from runbook.aside import Aside
from runbook.chain import Chain, Runner, cut, make_chain, ready, run_folder
from runbook.holding import held
from runbook.manifest import MANIFEST, Code, Manifest
from runbook.options import (
    PhaseName,
    Place,
    json_option,
    open_place,
    range_options,
    runs_folder,
    runs_option,
    warehouse_option,
    wish_options,
)
from runbook.resume import chain_left, find_run, reopen, unfinished
from runbook.signing.evidence import closing_step
from runbook.verbs.gate import phase_states
from runbook.verbs.plan import (
    plan_for,
    refuse_other_tables,
    refuse_unknown_phase,
    reviewed_plan,
    show_plan,
    whole_model,
)
from runbook.verbs.report import try_report
from runbook.view import RunView
from runbook.waiting import until_unsigned

WISHES = ("--phase", "--start-date", "--end-date", "--dates", "--tables", "--force", "--recompute-found")
NOT_RESUMED = ("--plan", "--signer", "--from", "--until", "--dry-run")
EXIT_CODES = {"proven": 0, "red": 1, "not proven": 3}


@click.command()
@click.option("--phase", type=PhaseName(), help="Only this phase: 3, 4 or ml (readiness and model).")
@range_options
@wish_options
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Notebooks side by side; else backfill.workers of runbook.toml."
)
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="Run exactly this reviewed plan, or say what has moved since it was made.",
)
@click.option("--signer", default="", help="Who answers for the phase; else the user of this machine.")
@click.option("--from", "first_step", metavar="STEP", help="Begin with this step, for instance 40_validate.phase4.")
@click.option("--until", "last_step", metavar="STEP", help="End with this step, for instance 50_signoff.phase3.")
@click.option(
    "--resume",
    metavar="RUN",
    help="Go on with a run that stopped: what is not proven yet, and what ended before a launch below it was.",
)
@click.option("--dry-run", is_flag=True, help="Show the plan and stop: nothing is computed or written.")
@click.option(
    "--strict",
    is_flag=True,
    help="Whatever is not green ends with exit code 1: of a notebook, or in the look afterwards.",
)
@json_option
@runs_option
@warehouse_option
def run(**options: Any) -> int:
    """Repair what is missing and prove the result.

    Shows the gate, makes the plan, executes the notebooks of each phase (preflight, a launch per table, monitor,
    validate, sign-off), trains and judges the model, and shows the gates again. The executed notebooks are the
    evidence, in the run's folder. With nothing to compute the phase is proven anew. A run over part of the dates or
    tables ends before the model; --phase ml asks for it alone.

    Exit code 1 where a gate is red: in a notebook, or in the look afterwards at a phase whose sign-off this run executed.
    Phases of which it executed no step are shown, and count for nothing, also with --strict.

    With --plan it does exactly what was reviewed. Where contracts, SQL, thresholds, exclusions or the tables' state have
    moved since, it refuses and names what moved. What an earlier run of the plan has published is not computed again.

    \b
    Examples:
      runbook run
      runbook run --dry-run
      runbook run --phase 3 --dates 2026-01-02,2026-01-03 --tables team_defense_game_summary --force
      runbook run --plan plan.json
    """
    asked = Asked(**options)
    asked.refuse_contradictions()
    place = open_place(asked.url, asked.start_date, asked.end_date, writes=not asked.dry_run)
    place.console.quiet = asked.as_json
    runs = runs_folder(asked.runs, place.settings)
    if asked.resume:
        return _resumed(place, asked, runs)
    with ExitStack() as leases:
        todo = _decided(place, asked, leases)
        _show(place, todo.plan, "Before", todo.verdicts)
        show_plan(place, todo.plan, todo.chain)
        if asked.dry_run:
            click.echo(json.dumps(todo.plan.as_json(), indent=1)) if asked.as_json else None
            return 0
        folder = run_folder(runs, todo.reviewed or todo.chain.plan)
        chain = _waiting(place, todo.chain, runs)
        after = Aside(partial(_verdicts_after, place, todo.plan))
        view, workers = RunView(place.console, chain, folder), _workers(place, asked)
        runner = Runner(place.warehouse, folder, chain, workers, view, todo.fences, todo.reviewed, todo.code)
        runner.on_computed = after.begin if todo.plan.chunks else lambda: None
        manifest = _execute(place, runner, view)
    _show_times(place, manifest)
    return _ended(place, asked, manifest, _judged_after(place, todo, manifest, after), runs)


@dataclass(frozen=True)
class Asked:
    """What the command line asked for, option by option."""

    phase: int | str | None
    start_date: date | None
    end_date: date | None
    dates: str | None
    tables: str | None
    force: bool
    recompute_found: bool
    workers: int | None
    plan_file: Path | None
    signer: str
    first_step: str | None
    last_step: str | None
    resume: str | None
    dry_run: bool
    strict: bool
    as_json: bool
    runs: str | None
    url: str | None

    def refuse_contradictions(self) -> None:
        """BadInput where two options say two things."""
        if self.plan_file:
            refuse_beside("--plan runs exactly what was reviewed", WISHES)
        if self.resume:
            refuse_beside("--resume goes on with what that run was to do", (*WISHES, *NOT_RESUMED))


@dataclass(frozen=True)
class _Todo:
    """What is going to be done, and what was judged before it."""

    plan: Plan
    chain: Chain
    verdicts: list[Verdict]
    reviewed: Plan | None
    fences: Mapping[str, Fence]
    code: Code | None


def _decided(place: Place, asked: Asked, leases: ExitStack) -> _Todo:
    """The plan and its chain, made under *leases* that nobody else can have meanwhile."""
    reviewed = read_reviewed(asked.plan_file) if asked.plan_file else None
    model = whole_model(place, asked.phase, asked.start_date, asked.end_date, asked.dates, asked.tables)
    if reviewed and reviewed.basis:
        model = reviewed.basis.model
    refuse_other_tables(place, asked.phase, asked.tables, asked.dates, asked.force, asked.recompute_found)
    worked_on = _worked_on(place, asked.phase, model, reviewed)
    fences = {} if asked.dry_run else leases.enter_context(_leases(place, worked_on))
    code = None if asked.dry_run else ready()
    made, verdicts = reviewed_plan(place, reviewed) if reviewed else _planned(place, asked)
    chain = make_chain(made, place.settings.phase_of, asked.signer, model)
    return _Todo(made, cut(chain, asked.first_step, asked.last_step), verdicts, reviewed, fences, code)


def _planned(place: Place, asked: Asked) -> tuple[Plan, list[Verdict]]:
    for said in [] if asked.dry_run else add_missing(place.warehouse, place.settings):
        place.console.print(f"Contract: {said}.")
    return plan_for(place, asked.phase, asked.dates, asked.tables, asked.force, asked.recompute_found)


def _judged_after(place: Place, todo: _Todo, manifest: Manifest, after: Aside[list[Verdict]]) -> list[Verdict]:
    if not todo.plan.chunks:
        if manifest.outcome == "proven":
            place.console.print("There was nothing to do; what stands above was proven anew.")
        return todo.verdicts
    verdicts = after.answer()
    _show(place, todo.plan, "After", verdicts)
    return verdicts


def _waiting(place: Place, chain: Chain, runs: Path) -> Chain:
    """Where the policy says so, the chain ends before the first phase whose phase below nobody has signed."""
    if not place.settings.signing.wait_for_signature:
        return chain
    states = {str(line["phase"]): line["state"] for line in phase_states(place, runs) if not line["unsigned_dates"]}
    shorter, phase = until_unsigned(chain, states)
    if phase:
        place.console.print(
            f"This run ends with phase {phase}: what is above waits until it is signed, then run again."
        )
    return shorter


def _resumed(place: Place, asked: Asked, runs: Path) -> int:
    """Goes on with a run; one that is proven already is only signed, where nobody has to be asked."""
    folder = find_run(runs, asked.resume or "")
    after = Aside(lambda: _verdicts_after(place, read_plan(folder / "plan.json")))
    with held(folder):
        manifest = unfinished(folder)
        if manifest.outcome == "proven":
            place.console.print(f"Run {folder.name} is proven already: there is nothing to go on with.")
        else:
            with _leases(place, tuple(manifest.phases)) as fences:
                chain = chain_left(place.warehouse, folder, manifest)
                reopen(folder, manifest)
                manifest.tokens = {fence.phase: fence.token for fence in fences.values()}
                view, workers = RunView(place.console, chain, folder), _workers(place, asked)
                runner = Runner(place.warehouse, folder, chain, workers, view, fences, on_computed=after.begin)
                manifest = _execute(place, runner, view, begun=manifest)
    made, verdicts = read_plan(folder / "plan.json"), after.answer()
    _show(place, made, "After", verdicts)
    return _ended(place, asked, manifest, verdicts, runs)


def _ended(place: Place, asked: Asked, manifest: Manifest, verdicts: list[Verdict], runs: Path) -> int:
    _show_model(place, manifest)
    _sign_sandbox(place, manifest, runs)
    _report(place, runs / manifest.run)
    if asked.as_json:
        click.echo(manifest.model_dump_json(indent=1))
    return EXIT_CODES[manifest.outcome] or int(falls_short(manifest, verdicts, asked.strict))


def falls_short(manifest: Manifest, verdicts: Sequence[Verdict], strict: bool) -> bool:
    """Whether one of the *verdicts* on what a run left is red, of a phase that it closed.

    *strict*: whether any of a phase that it has a step of, or a gate of its notebooks, is not green.
    """
    steps = manifest.latest
    if any(verdict.red and closing_step(str(verdict.about["phase"])) in steps for verdict in verdicts):
        return True
    about = {record.parameters.get("phase") for record in steps.values()}
    judged = [verdict["verdict"] for record in steps.values() for verdict in record.verdicts]
    looked = [verdict.verdict for verdict in verdicts if verdict.about["phase"] in about]
    return strict and any(verdict != GREEN for verdict in (*judged, *looked))


def refuse_beside(what: str, others: Sequence[str]) -> None:
    """BadInput where one of the options *others* was given, too: *what* says why they are none of its business."""
    context = click.get_current_context()
    given = {option.name: option.opts[0] for option in context.command.params}
    names = {name for name in given if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    said = [given[name] for name in given if name in names and given[name] in others]
    if said:
        raise BadInput(f"{what}: leave out {', '.join(said)}")


def _worked_on(place: Place, phase: int | str | None, model: bool, reviewed: Plan | None) -> tuple[int | str, ...]:
    """The phases that nobody else may work on meanwhile; BadInput where *phase* is none that is computed."""
    refuse_unknown_phase(place, phase)
    computed = reviewed.phases if reviewed else place.computed_phases if phase is None else ()
    return (*computed, *([ML] if model else []), *([phase] if phase not in (None, ML) and phase else []))


def _leases(place: Place, phases: tuple[int | str, ...]) -> AbstractContextManager[Mapping[str, Fence]]:
    """One runner at a time, from before the plan is made: what it plans nobody else changes meanwhile."""
    return holding(
        place.warehouse, phases, shlex.join(["runbook", *sys.argv[1:]]), place.settings.backfill.lease_seconds
    )


def _workers(place: Place, asked: Asked) -> int:
    return asked.workers or place.settings.backfill.workers


def _execute(place: Place, runner: Runner, view: RunView, begun: Manifest | None = None) -> Manifest:
    """Executes the chain into a new folder, or goes on in that of the run *begun*, which the caller holds."""
    folder, go_on = runner.folder, f"Go on with: runbook run --resume {runner.folder.name}"
    try:
        with view:
            manifest = runner.go_on(begun) if begun else runner.run()
    except BaseException:
        _report(place, folder)  # where and why it stopped is worth a page, too
        if (folder / MANIFEST).exists():
            place.console.print(go_on)
        raise
    place.console.print(f"Run {folder.name}: {manifest.outcome}. Executed notebooks and manifest: {folder}")
    if manifest.outcome != "proven":
        place.console.print(go_on)
    return manifest


def _show_times(place: Place, manifest: Manifest) -> None:
    """Estimate beside actual, where something was computed."""
    if len(manifest.estimates) > 1:
        place.console.print(table_of(manifest.estimates, "Seconds: estimated and actual"))


def _report(place: Place, folder: Path) -> None:
    if (folder / MANIFEST).exists():
        place.console.print(try_report(folder.parent, folder.name, place.warehouse), soft_wrap=True)


def _sign_sandbox(place: Place, manifest: Manifest, runs: Path) -> None:
    """A sandbox signs itself with its throw-away key, so that a newcomer sees COMPLETE; elsewhere a person signs."""
    from runbook.signing.unattended import sign_sandbox

    if manifest.outcome == "proven" and str(place.settings.start_date) == manifest.first:
        for said in sign_sandbox(place.warehouse, place.settings, runs, manifest):
            place.console.print(said)


def _show_model(place: Place, manifest: Manifest) -> None:
    found = [v for record in manifest.steps for v in record.verdicts if v["gate"] == "model"]
    for verdict in found[-1:]:
        place.console.rule(f"Model: {verdict['model']}", align="left")
        place.console.print(table_of([_score_line(line) for line in verdict["tables"]]), verdict["sentence"])


def _score_line(line: dict[str, Any]) -> dict[str, str]:
    errors = {name: f"{line[name]:.2f}" for name in ("mae", "rmse")}
    within = {f"within {points}": f"{line[f'within_{points}_pct']:.1f} %" for points in (1, 3, 5)}
    return {"system": line["system"], "test rows": str(line["rows"])} | errors | within


def _verdicts_after(place: Place, made: Plan) -> list[Verdict]:
    place.start_date, place.end_date = made.first, made.last
    with place.judge() as (judge, first, last):
        return [phase_gate(judge, phase, first, last) for phase in made.phases]


def _show(place: Place, made: Plan, when: str, verdicts: list[Verdict]) -> None:
    """The gates; what is red above a red phase follows from it, and is told by its own verb."""
    below: Verdict | None = None
    for verdict in verdicts:
        title = f"{when}: phase {verdict.about['phase']}, {made.first} to {made.last}, as-of {made.as_of}"
        place.console.rule(title, align="left")
        place.console.print(verdict_text(verdict, 0 if below else None))
        if below and verdict.findings:
            place.console.print(
                f"  {len(verdict.findings)} findings, above a red phase: runbook gate {verdict.about['phase']}"
            )
        below = below or (verdict if verdict.red else None)
