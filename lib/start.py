"""The start page: where every phase stands, and what is missing, in words and at a glance."""

from __future__ import annotations

import json
import subprocess
import sys
from html import escape
from typing import TYPE_CHECKING, Any

from lib.errors import CannotJudge
from lib.settings import ROOT
from lib.show import PHASE_TITLES, rows_html
from lib.warehouse import Warehouse

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lib.step import Step

SECONDS = 300
STATE_COLOURS = {
    "COMPLETE": "#1b7837",
    "COMPLETE WITH WAIVER": "#1b7837",
    "PROVEN": "#1b7837",
    "STALE": "#b35806",
    "BLOCKED": "#b35806",
    "INCOMPLETE": "#b2182b",
    "UNKNOWN": "#b2182b",
}
REPAIR = "go through the steps below, one after the other, or run 'runbook run' in a terminal."
ADVICE = {  # by state; the states that ask for nothing are not here
    "INCOMPLETE": REPAIR,
    "STALE": f"something has changed since it was signed; {REPAIR}",
    "UNKNOWN": f"it could not be judged; {REPAIR}",
    "PROVEN": "read the evidence, and sign it with 'runbook sign' if you answer for it.",
}
PREDICT = (
    "no step predicts. 'runbook predict --date YYYY-MM-DD' in a terminal predicts one date, and 'runbook gate 5' names what"
    " does not stand any more."
)


def phase_states(warehouse: Warehouse) -> list[dict[str, Any]]:
    """Every phase with its state, as ``runbook status`` derives it in a process of its own.

    A phase that could not be judged is among them, as UNKNOWN. Raises CannotJudge with what the command line said where
    it gave no states at all.
    """
    command = [sys.executable, "-m", "runbook", "status", "--json", "--warehouse", warehouse.absolute_url]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    if asked.returncode not in (0, CannotJudge.exit_code) or not asked.stdout.strip():
        raise CannotJudge(
            asked.stderr.strip().removeprefix("error: ") or f"runbook status ended with {asked.returncode}"
        )
    found: list[dict[str, Any]] = json.loads(asked.stdout)["phases"]
    return found


def states_html(warehouse: Warehouse) -> str:
    """The states as a table; where there is no warehouse yet, how to get one."""
    if not warehouse.exists():
        return (
            f"<p><b>There is no warehouse at {escape(warehouse.place)} yet.</b> In a terminal: "
            "<code>runbook sandbox</code> makes one to practise on, <code>runbook ingest DIR</code> loads files of "
            "your own. Then run this page again.</p>"
        )
    phases = phase_states(warehouse)
    rows = [
        {"phase": PHASE_TITLES.get(p["phase"], str(p["phase"])), "state": p["state"], "says": p["says"]} for p in phases
    ]
    facts = warehouse.meta()
    about = f"<p>{escape(warehouse.absolute_url)}, as-of {escape(facts.get('as_of', 'today'))}</p>"
    return about + _coloured(rows_html(rows)) + _next_step(phases)


def grid(step: Step) -> go.Figure | None:
    """Every computed table, date by date; nothing where there is no warehouse yet."""
    if not step.warehouse.exists():
        return None
    from lib.charts import coverage_grid

    with step.judge() as (judge, first, last):
        phases = {judge.settings.phase_of(table.name) for table in judge.registry.computed}
        return coverage_grid(judge.cover([phase for phase in phases if phase], first, last))


def _coloured(table: str) -> str:
    for state, colour in STATE_COLOURS.items():
        table = table.replace(f">{state}</td>", f'><b style="color:{colour}">{state}</b></td>')
    return table


def _next_step(phases: list[dict[str, Any]]) -> str:
    """The one thing to do next, read off the lowest phase that does not hold."""
    open_ones = [_advice(phase) for phase in phases if phase["state"] in ADVICE and not _holds(phase)]
    return f"<p><b>Next:</b> {escape(open_ones[0] if open_ones else 'nothing; every phase holds.')}</p>"


def _holds(phase: dict[str, Any]) -> bool:
    """Raw data and predictions are not signed: green is all they can be."""
    return phase["state"] == "PROVEN" and str(phase["phase"]) in ("2", "5")


def _advice(phase: dict[str, Any]) -> str:
    if str(phase["phase"]) == "2":
        return "raw data is short; 'runbook gate 2' in a terminal names what has to be loaded."
    advice = PREDICT if str(phase["phase"]) == "5" else ADVICE[phase["state"]]
    return f"phase {phase['phase']} is {phase['state']}: {advice}"
