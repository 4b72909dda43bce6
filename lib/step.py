"""What a notebook needs: open a step, ask it for verdicts, put them through gates.

step = open_step("40_validate", phase=3)
gate("coverage", step.coverage())
step.close()
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from html import escape
from pathlib import Path

from IPython.core.getipython import get_ipython
from IPython.display import HTML, display

from lib import preflight, signoff
from lib.ahead import ask_ahead
from lib.backfill import Backfill
from lib.calendar import Calendar, as_date, closed_range, read_calendar
from lib.checks import SETS, run_set
from lib.checks.foreign import of_foreign_rows
from lib.costs import Billed, cost_verdict, estimate_of, with_spent
from lib.coverage import Judge, Known
from lib.errors import BadInput, GateFailed
from lib.history import Attempt, latest_attempts
from lib.injected import refuse_unknown_parameters
from lib.launch import run_launch
from lib.lease import inherited, publishing
from lib.live.cell import display_of, interactive
from lib.live.detached import follow_detached
from lib.live.follow import watch_in_cell
from lib.live.view import Watcher, base_of
from lib.monitor import attempts_verdict, runners_verdict
from lib.phase_gate import phase_gate
from lib.places import settle_environment, url_from_project
from lib.plan import Plan, Wish, make_plan, read_plan
from lib.registry import registry
from lib.reviewed import refuse_changed_code
from lib.settings import ROOT, Settings, load_settings
from lib.show import plain, rows_html, verdict_html, verdict_text
from lib.states import TableCoverage
from lib.verdicts import Verdict
from lib.warehouse import Session, Warehouse, connect
from lib.warehouse.interface import Answers

GATE_MIME = "application/vnd.runbook.gate+json"


@dataclass
class Seen:
    """What was judged and answered of one state of the warehouse."""

    state: object = None
    states: Known = field(default_factory=dict)
    answers: Answers = field(default_factory=dict)
    calendar: Calendar | None = None
    asked: bool = False  # whether what the step is going to ask was asked all at once
    session: Session | None = None  # where one look is held for several questions

    def forget_unless(self, state: object) -> None:
        """Forgets what was seen where the warehouse is in another *state* by now."""
        if self.state != state:
            self.state, self.states, self.answers, self.calendar, self.asked = state, {}, {}, None, False


@dataclass
class Step:
    """One step of the runbook on one warehouse, phase and range. Opens the warehouse only while it looks at it."""

    name: str
    phase: int
    warehouse: Warehouse
    settings: Settings
    first: date | None = None
    last: date | None = None
    run: Path | None = None
    verdicts: list[Verdict] = field(default_factory=list)
    _labels: ExitStack = field(default_factory=ExitStack)
    _seen: Seen = field(default_factory=lambda: Seen())

    @contextmanager
    def judge(self) -> Iterator[tuple[Judge, date, date]]:
        """A judge and the step's range, on one consistent look at the warehouse."""
        with self._session() as session:
            seen = self._seen
            calendar = seen.calendar = seen.calendar or read_calendar(session, self.settings)
            first, last = closed_range(calendar, self.settings, self.first, self.last)
            judge = Judge(session, self.settings, calendar, known=seen.states)
            if not seen.asked:
                seen.asked = True
                ask_ahead(self.name, judge, self.phase, first, last)
            yield judge, first, last

    @contextmanager
    def looking(self) -> Iterator[None]:
        """One look at one moment for all that is asked inside.

        Nobody waits for its end to write, but where no copy can be made (see ``aside``).
        """
        with self.warehouse.aside() as session:
            self._seen.forget_unless(object())
            self._seen.session = session
            try:
                yield
            finally:
                self._seen.session = None
                self._seen.forget_unless(object())

    @contextmanager
    def _session(self) -> Iterator[Session]:
        if self._seen.session is not None:
            yield self._seen.session
            return
        with self.warehouse.reading() as session:
            self._seen.forget_unless(self.warehouse.state())  # nobody can write until its end
            session.recall(self._seen.answers)
            yield session

    def of_phase(self, phase: int) -> Step:
        """The same step for another phase: what this one has seen is not looked at again."""
        return replace(self, phase=phase, verdicts=[])

    def coverage(self, phase: int | str | None = None) -> Verdict:
        """The gate of a phase: raw data for 2, expected keys for 3 and 4, readiness for ``ml``, predictions for 5."""
        phase = self.phase if phase is None else phase
        with self.judge() as (judge, first, last):
            return phase_gate(judge, phase, first, last)

    def covered(self) -> dict[str, TableCoverage]:
        """Coverage of the phase's tables, date by date, for pictures."""
        with self.judge() as (judge, first, last):
            return judge.cover([self.phase], first, last)

    def history(self) -> list[Attempt]:
        """The attempts at the phase's tables of the run that wrote last."""
        tables = [name for name in self.settings.tables if self.settings.phase_of(name) == self.phase]
        with self.warehouse.reading() as session:
            return latest_attempts(session, tables)

    def plan(self, wish: Wish | None = None) -> Plan:
        """What the phase still needs."""
        with self.judge() as (judge, first, last):
            return make_plan(judge, [self.phase], first, last, wish)

    def quality(self, *sets: str) -> Verdict:
        """The checks of the named sets over the whole range, else of all; in a run the offending rows lie beside it."""
        chosen = sets or SETS
        folder = self.run / "offenders" / f"{self.name}_{self.phase}" if self.run else None
        with self.judge() as (judge, first, last):
            verdict = run_set(judge, self.phase, first, last, chosen, folder)
            return of_foreign_rows(judge, self.phase, first, last, verdict)

    def warehouse_ready(self) -> Verdict:
        """The warehouse can be reached and written, nobody else is at work on it, and packages are as locked."""
        ready = preflight.ready_verdict(self.warehouse, self.phase, inherited(self.warehouse))
        if ready.red or not isinstance(self.warehouse, Billed):
            return ready
        planned = read_plan(self.run / "plan.json") if self.run else self.plan()  # with all that the run was asked for
        costs = cost_verdict(self.warehouse, planned, self.settings)
        return preflight.together("warehouse", [ready, costs]) if costs else ready

    def contracts(self) -> Verdict:
        """The tables in the warehouse are those of the contracts."""
        with self.judge() as (judge, _, _):
            return preflight.contracts_verdict(judge.session, judge.registry, self.settings)

    def tables_ready(self) -> Verdict:
        """The tables are those of the contracts, and no key is doubled before the run begins."""
        with self.judge() as (judge, first, last):
            return preflight.tables_verdict(judge, self.phase, first, last)

    def sources(self) -> Verdict:
        """Raw sources per season, and where each fallback chain stands."""
        with self.judge() as (judge, first, last):
            return preflight.sources_verdict(judge, first, last)

    def sample(self) -> Verdict:
        """One date of each table, computed and audited without publishing; and how long all of it will take."""
        with self.judge() as (judge, first, last):
            verdict = preflight.sample_verdict(judge, self.phase, first, last)
            if verdict.red:
                return verdict
            time = preflight.estimate(make_plan(judge, [self.phase], first, last), self.settings.backfill.workers)
            return replace(verdict, sentence=f"{verdict.sentence} {time}")

    def launch(self, table: str, plan: str = "", detach: bool = False) -> Verdict:
        """Runs the chunks of one table: those of a written plan, else what the table needs now.

        *detach* lets a process of its own do it, which the cell follows, also when it is run again. Raises BadInput
        where nobody sits before the notebook: what is detached is no evidence.
        """
        name = registry().table(table).name
        if (phase := self.settings.phase_of(name)) != self.phase:
            raise BadInput(
                f"{name} is of phase {phase}, and this notebook was told phase {self.phase}: set phase = {phase}"
            )
        seen = display_of(in_chain=self.run is not None)
        if detach:
            return follow_detached(self, name, seen)
        if self.warehouse.in_place and not inherited(self.warehouse):
            raise BadInput(
                f"{self.warehouse.place} is production itself, which 'runbook run --in-place' alone writes; by hand work"
                " beside it, with dataset_prefix in the URL"
            )
        chosen = read_plan(Path(plan)) if plan else self.plan()
        refuse_changed_code(chosen)
        estimated = estimate_of(self.warehouse, chosen, name, self.settings)
        patience = self.settings.backfill.lease_seconds
        with publishing(self.warehouse, phase, f"launch of {name}", patience) as fence:
            backfill = Backfill(self.warehouse, self.settings, self.run.name if self.run else None, fence=fence)
            verdict = run_launch(backfill, chosen, name, self.run, seen)
        return with_spent(verdict, self.warehouse, name, estimated)

    def watch(self) -> None:
        """Follows whatever runs on the warehouse to its end, live; one look where nobody sits before the notebook."""
        watcher = Watcher(self.warehouse, self.settings, self.first, self.last)
        if self.run is not None:
            watcher.without_run = self.run.name
        if not interactive():
            judged = time.time_ns()
            with self.judge() as (judge, first, last):
                watcher.base = base_of(judge, [self.phase], first, last, judged)
        watch_in_cell(watcher)

    def runners(self) -> Verdict:
        """No runner of the phase is alive any more but the run that asks."""
        return runners_verdict(self.warehouse, self.phase, inherited(self.warehouse))

    def attempts(self) -> Verdict:
        """No date's latest attempt failed."""
        with self.judge() as (judge, first, last):
            return attempts_verdict(judge, self.phase, first, last)

    def tables(self) -> Verdict:
        """First box of the sign-off: each table reaches its threshold."""
        return signoff.tables_verdict(self.coverage())

    def validator(self) -> Verdict:
        """Second box of the sign-off: the gate of the phase."""
        return self.coverage()

    def dependencies(self) -> Verdict:
        """Fifth box of the sign-off: the phase below holds, and tables and contracts agree."""
        return signoff.dependencies_verdict(self.coverage(self.phase - 1), self.contracts())

    def signer(self, name: str) -> Verdict:
        """Sixth box of the sign-off: somebody is named who answers for the phase."""
        return signoff.signer_verdict(name)

    def ready(self, notes: str = "") -> None:
        """Says that the phase is ready to sign; GateFailed names the boxes that are red or were not asked."""
        sentence = signoff.ready_sentence(self.phase, signoff.BOXES, self.verdicts, notes)
        display(HTML(f"<p><b>{escape(sentence)}</b></p>"))  # type: ignore[no-untyped-call]

    def labelled(self) -> None:
        """From here to its end whatever the warehouse is asked belongs to this step: what it costs can be told."""
        about = {"run": self.run.name if self.run else None, "step": self.name, "phase": str(self.phase)}
        self._labels.enter_context(self.warehouse.labelled(**about))

    def close(self) -> None:
        """Prints the verdicts of the step, the last thing a notebook shows."""
        self._labels.close()
        rows = [{"gate": v.gate, "verdict": v.verdict, "says": v.sentence} for v in self.verdicts]
        display(HTML(rows_html(rows)))  # type: ignore[no-untyped-call]


_open: list[Step] = []


def open_step(
    name: str, phase: int = 3, warehouse: str = "", start_date: str = "", end_date: str = "", run: str = ""
) -> Step:
    """Opens a step. Empty texts mean the defaults: the settings' warehouse and start, the warehouse's as-of.

    Raises BadInput for a date that is no date, for a phase that computes no table, and for a parameter that the notebook
    does not declare.
    """
    kernel = get_ipython()
    refuse_unknown_parameters(kernel.user_ns.get("In", []) if kernel else [])
    settle_environment()
    settings = load_settings()
    _refuse_phase(phase, settings)
    url = warehouse or os.environ.get("RUNBOOK_WAREHOUSE") or settings.warehouse
    step = Step(
        name=name,
        phase=phase,
        warehouse=connect(url_from_project(url), settings.backfill.wait_seconds),
        settings=settings,
        first=as_date(start_date),
        last=as_date(end_date),
        run=Path(run) if run else None,
    )
    step.labelled()
    _open[:] = [step]
    return step


def _refuse_phase(phase: object, settings: Settings) -> None:
    """BadInput where *phase* is not the number of a phase that computes tables: the others have gates and no steps."""
    known = sorted({number for name in settings.tables if (number := settings.phase_of(name)) is not None})
    if type(phase) is not int:
        raise BadInput(f"phase = {phase!r} is no number: write phase = {known[0]}, without quotes")
    if phase not in known:
        raise BadInput(
            f"phase {phase} computes no table, so it has no steps: set phase to {' or '.join(map(str, known))}; raw data is"
            " judged by 'runbook gate 2' in a terminal, predictions by 'runbook gate 5'"
        )


def gate(name: str, verdict: Verdict) -> None:
    """Shows a verdict, leaves it in the cell's output as evidence, and stops the notebook where it is red.

    Raises GateFailed, naming what is wrong and the command that mends it.
    """
    verdict = replace(verdict, gate=name)
    for step in _open:
        step.verdicts.append(verdict)
    display(bundle(name, verdict), raw=True)  # type: ignore[no-untyped-call]
    if verdict.red:
        first = next(finding for finding in verdict.findings if finding.severity == "red")
        raise GateFailed(
            f"gate '{name}' is red: {first.where}: {first.what}" + (f"; mend: {first.mend}" if first.mend else "")
        )


def bundle(name: str, verdict: Verdict) -> dict[str, object]:
    """What the gate *name* leaves in its cell's output, by MIME type: the evidence, and how a person reads it."""
    verdict = replace(verdict, gate=name)
    text = plain(verdict_text(verdict))
    return {GATE_MIME: verdict.as_json(), "text/html": verdict_html(verdict, _way_to_docs()), "text/plain": text}


def _way_to_docs() -> str:
    """From the folder that the notebook will lie in to that of ``docs/``."""
    folder = next((step.run for step in _open if step.run), ROOT / "notebooks")
    return f"{os.path.relpath(ROOT, folder.resolve())}/"
